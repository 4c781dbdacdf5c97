import type { Seat } from "#shared/kernel/places.ts";
import type { CombineResult } from "#shared/round/event.ts";
import { type InputFact, isLive, type RoundState, type Sealed } from "#shared/round/state.ts";
import { backoffMs } from "../ports/backoff.ts";
import { outageCode } from "../ports/outage.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { RunTerms } from "../tasks/terms.ts";
import { combine, type Folded, logDamaged } from "./combine.ts";
import { EarlyFold } from "./early-fold.ts";
import { keptSessions, type Session } from "./session.ts";

/** Tries for a sum. Later failures (a broken disk, a lost file) would not be cured by another try. */
const TRIES_MAX = 5;
const AGAIN_MS = 2_000;
/**
 * Bound on sums kept while inputs arrive and devices confirm. Other shards are folded one by one when the sum
 * is opened.
 */
const FOLDED_BYTES_MAX = 2 ** 28;

interface OpeningContext {
  readonly ports: CoordinatorPorts;
  readonly terms: RunTerms;
  readonly strategyStateHash: string | null;
  readonly state: () => RoundState;
  /** Sessions of the current attempt. */
  readonly sessions: () => Promise<readonly Session[]>;
  /** Called with an error while a store, disk or file is unavailable; with null once it is back. */
  readonly onWait: (error: unknown) => void;
  readonly answer: (result: CombineResult) => Promise<unknown>;
  /** Reports inputs of that attempt, by seat, that the fold found damaged. */
  readonly damaged: (attempt: number, seats: readonly Seat[]) => Promise<unknown>;
}

/**
 * The long work of a round, outside its queue so that events continue meanwhile. Inputs are folded as they
 * arrive, the last ones once the survivors are sealed, while the devices confirm. The masks come off once
 * their shares have arrived.
 */
export class Opening {
  readonly #context: OpeningContext;
  readonly #closing = new AbortController();
  /** By session id. */
  readonly #folds = new Map<string, Promise<Folded>>();
  /** By session id, while inputs are collected. */
  readonly #early = new Map<string, EarlyFold>();
  #combining = false;
  #tries = 0;
  /** Waits for an unavailable store or disk, which is no fault and does not count as a try. */
  #waits = 0;
  #patient = true;

  constructor(context: OpeningContext) {
    this.#context = context;
  }

  /** Starts the folds and returns, because messages to devices do not wait for them. */
  async foldAhead(): Promise<void> {
    const state = this.#context.state();
    if (!("u3" in state)) return;
    const { ports } = this.#context;
    const sessions = await this.#context.sessions();
    // Uploads still under way are too late.
    for (const session of sessions) await ports.spool.discard(session.sid, session.positionsIn(state.u3));
    void this.#foldEach(sessions, state);
  }

  async #foldEach(sessions: readonly Session[], sealed: RoundState & Sealed) {
    for (const session of keptSessions(sessions, sealed).slice(0, this.#aheadMax)) {
      const state = this.#context.state();
      // The opening folds what it still needs. An attempt that was given up needs nothing.
      const isOver = state.attempt !== sealed.attempt || !isLive(state);
      if (isOver || this.#combining || this.#closing.signal.aborted) return;
      const folded = await this.#fold(session, sealed).catch(() => null);
      const { phase, attempt } = this.#context.state();
      // Once the opening has begun, the sum reports the damage. The opening does not wait for the folds, because every
      // device of a large round would wait with it. Damage found late costs a round and reveals nothing (R50).
      if (folded?.ok !== false || phase !== "confirming" || attempt !== sealed.attempt) continue;
      logDamaged(this.#context.ports, session, folded.error);
      await this.#context.damaged(sealed.attempt, folded.error);
    }
  }

  #fold(session: Session, sealed: Pick<Sealed, "u3" | "inputs">): Promise<Folded> {
    const known = this.#folds.get(session.sid);
    if (known !== undefined) return known;
    const early = this.#early.get(session.sid) ?? this.#earlyFold(session);
    this.#early.delete(session.sid);
    const fold = early.finish({
      u3: session.positionsIn(sealed.u3).map((at) => session.seatOf(at)),
      inputs: sealed.inputs,
    });
    this.#folds.set(session.sid, fold);
    // A failed fold is not reused. Whoever needs the sum starts another.
    fold.catch(() => {
      if (this.#folds.get(session.sid) === fold) this.#folds.delete(session.sid);
    });
    return fold;
  }

  #earlyFold(session: Session): EarlyFold {
    const { ports, terms } = this.#context;
    return new EarlyFold({ ports, terms, signal: this.#closing.signal }, session);
  }

  /**
   * Offers an input that was receipted while others are still arriving, so that it can be folded now. Returns
   * at once.
   */
  async inputCame(seat: Seat, input: InputFact): Promise<void> {
    const { attempt } = this.#context.state();
    const sessions = await this.#context.sessions();
    const index = sessions.findIndex((session) => session.positionsIn([seat]).length === 1);
    const session = sessions[index];
    const state = this.#context.state();
    // Sealed in the meantime, so the fold of all inputs has begun.
    if (session === undefined || state.attempt !== attempt || state.phase !== "collecting") return;
    if (index >= this.#aheadMax) return;
    const early = this.#early.get(session.sid) ?? this.#earlyFold(session);
    this.#early.set(session.sid, early);
    early.offer(seat, input);
  }

  /** Number of sums held before the opening needs them. */
  get #aheadMax(): number {
    return Math.max(1, Math.floor(FOLDED_BYTES_MAX / (4 * this.#context.terms.layout.length)));
  }

  /** Starts the sum and returns. The result arrives as an event. */
  async combine(): Promise<void> {
    if (this.#combining) return;
    this.#combining = true;
    void this.#tryCombine();
  }

  async #tryCombine(): Promise<void> {
    const { ports } = this.#context;
    try {
      const result = await this.#result();
      if (this.#waits > 0) this.#context.onWait(null);
      this.#waits = 0;
      if (result !== null) await this.#context.answer(result);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.#folds.clear();
      const outage = outageCode(error);
      if (outage !== null && this.#patient) {
        this.#waits += 1;
        this.#context.onWait(error);
        ports.log.warn(
          { error: String(error), waits: this.#waits },
          "opening a sum waits for a store or a disk",
        );
        ports.after(backoffMs(this.#waits, ports.random), () => void this.#tryCombine());
        return;
      }
      if (outage !== null) {
        await this.#context.answer({ kind: "voided", code: outage, dealers: [] });
        return;
      }
      this.#tries += 1;
      const state = this.#context.state();
      ports.log.error(
        { roundId: state.facts.roundId, try: this.#tries, error: String(error) },
        "opening a sum failed",
      );
      if (this.#tries >= TRIES_MAX) {
        await this.#context.answer({ kind: "voided", code: "INTERNAL", dealers: [] });
        return;
      }
      ports.after(AGAIN_MS, () => void this.#tryCombine());
    }
  }

  async #result(): Promise<CombineResult | null> {
    const { ports, terms, strategyStateHash } = this.#context;
    const state = this.#context.state();
    if (state.phase !== "unmasking") return null;
    const sessions = keptSessions(await this.#context.sessions(), state);
    const foldOf = async (session: Session) => {
      const folded = await this.#fold(session, state);
      this.#folds.delete(session.sid);
      return folded;
    };
    const { signal } = this.#closing;
    return combine({ ports, terms, signal, state, strategyStateHash }, sessions, foldOf);
  }

  /** From now on an outage voids the round. */
  stopWaiting(): void {
    this.#patient = false;
  }

  forget(sid: string): void {
    this.#folds.delete(sid);
    this.#early.delete(sid);
  }

  close(): void {
    this.#closing.abort(new Error("the round's driver is closed"));
  }
}
