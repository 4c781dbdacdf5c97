import { assert } from "#shared/kernel/assert.ts";
import { isLive, type RoundState, type Seated } from "#shared/round/state.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import { openSessions, type RoundTerms, type Session } from "./session.ts";

type RoundSessionsPorts = Pick<CoordinatorPorts, "primitives" | "issuer" | "store" | "projectId">;

/** The sessions of a round's attempts. */
export class RoundSessions {
  readonly #ports: RoundSessionsPorts;
  readonly #terms: RoundTerms;
  /** By attempt. */
  readonly #opened = new Map<number, Promise<readonly Session[]>>();
  #sids: readonly string[] = [];

  constructor(ports: RoundSessionsPorts, terms: RoundTerms) {
    this.#ports = ports;
    this.#terms = terms;
  }

  /** Of the attempt opened last. */
  get sids(): readonly string[] {
    return this.#sids;
  }

  /** What follows from an attempt's rosters. @param state  The state that has them. */
  of(attempt: number, state: RoundState): Promise<readonly Session[]> {
    const known = this.#opened.get(attempt);
    if (known !== undefined) return known;
    assert("roster" in state && state.attempt === attempt, `attempt ${attempt} has a roster`);
    return this.adopt(state, true);
  }

  /** @param fresh  Whether the store cannot have anything of them yet. */
  async adopt(seated: Seated, fresh: boolean): Promise<readonly Session[]> {
    const sessions = openSessions(this.#ports, this.#terms, seated, fresh);
    this.#opened.set(seated.attempt, sessions);
    this.#sids = (await sessions).map(({ sid }) => sid);
    return sessions;
  }

  /**
   * Forgets the attempts that are over (S11).
   *
   * @param forget  Deletes what is kept of a session. Its phase is the one that the session ended in.
   */
  async forgetFinished(
    state: () => RoundState,
    forget: (session: Session, phase: RoundState["phase"]) => Promise<void>,
  ): Promise<void> {
    for (const [attempt, opened] of this.#opened) {
      const isOver = attempt < state().attempt || !isLive(state());
      if (!isOver) continue;
      const isLast = attempt === state().attempt;
      for (const session of await opened) {
        session.forgetOpenings();
        // Nothing is kept of an attempt that was repeated.
        await forget(session, isLast ? state().phase : "failed");
      }
      // The last attempt is still needed to tell its survivors how it ended.
      if (attempt < state().attempt) this.#opened.delete(attempt);
    }
  }
}
