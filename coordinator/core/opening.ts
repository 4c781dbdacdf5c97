import type { CombineResult } from "#shared/round/event.ts";
import { type InputFact, isLive, type RoundState, type Sealed } from "#shared/round/state.ts";
import { backoffMs } from "./backoff.ts";
import { combine, type Folded, logDamaged } from "./combine.ts";
import { EarlyFold } from "./early-fold.ts";
import { outageCode } from "./outage.ts";
import type { CoordinatorPorts } from "./ports.ts";
import { keptSessions, type Session } from "./session.ts";
import type { RunTerms } from "./terms.ts";

/** The sum is tried this often; what fails after that (a broken disk, a lost file) no further try mends. */
const TRIES_MAX = 5;
const AGAIN_MS = 2_000;
/** Sums that are kept while inputs come and devices confirm; the other shards are folded one by one when theirs is needed. */
const FOLDED_BYTES_MAX = 2 ** 28;

interface OpeningContext {
  readonly ports: CoordinatorPorts;
  readonly terms: RunTerms;
  readonly strategyStateHash: string | null;
  readonly state: () => RoundState;
  /** Of the current attempt. */
  readonly sessions: () => Promise<readonly Session[]>;
  /** A store, a disk or a file is out of reach, and is waited for; null once it is there. */
  readonly onWait: (error: unknown) => void;
  readonly answer: (result: CombineResult) => Promise<unknown>;
  /** Inputs of that attempt, by seat, that the fold found damaged. */
  readonly damaged: (attempt: number, seats: readonly number[]) => Promise<unknown>;
}

/**
 * The long work of a round, outside its queue: events go on meanwhile. Inputs are folded as they come, the last ones
 * once the survivors are sealed, while the devices confirm; the masks come off when their shares are there.
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
  /** For a store or a disk that is out of reach; no fault, so not counted among the tries. */
  #waits = 0;
  #patient = true;

  constructor(context: OpeningContext) {
    this.#context = context;
  }

  /** Starts the folds and returns: messages to the devices do not wait for them. */
  async foldAhead(): Promise<void> {
    const state = this.#context.state();
    if (!("u3" in state)) return;
    const { ports } = this.#context;
    const sessions = await this.#context.sessions();
    // Uploads that are still under way came too late.
    for (const session of sessions) await ports.spool.discard(session.sid, session.positionsIn(state.u3));
    void this.#foldEach(sessions, state);
  }

  async #foldEach(sessions: readonly Session[], sealed: RoundState & Sealed) {
    for (const session of keptSessions(sessions, sealed).slice(0, this.#aheadMax)) {
      const state = this.#context.state();
      // The opening folds what it still needs; an attempt that was given up needs nothing.
      const isOver = state.attempt !== sealed.attempt || !isLive(state);
      if (isOver || this.#combining || this.#closing.signal.aborted) return;
      const folded = await this.#fold(session, sealed).catch(() => null);
      const { phase, attempt } = this.#context.state();
      // Once the opening was asked for, the sum says it.
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
    // One that failed is not taken again: whoever needs the sum starts another.
    fold.catch(() => {
      if (this.#folds.get(session.sid) === fold) this.#folds.delete(session.sid);
    });
    return fold;
  }

  #earlyFold(session: Session): EarlyFold {
    const { ports, terms } = this.#context;
    return new EarlyFold(ports, terms, session, this.#closing.signal);
  }

  /** An input was receipted while others are still coming: it may be folded now. Returns at once. */
  async inputCame(seat: number, input: InputFact): Promise<void> {
    const { attempt } = this.#context.state();
    const sessions = await this.#context.sessions();
    const index = sessions.findIndex((session) => session.positionsIn([seat]).length === 1);
    const session = sessions[index];
    const state = this.#context.state();
    // Sealed meanwhile: the fold of all of them has begun.
    if (session === undefined || state.attempt !== attempt || state.phase !== "collecting") return;
    if (index >= this.#aheadMax) return;
    const early = this.#early.get(session.sid) ?? this.#earlyFold(session);
    this.#early.set(session.sid, early);
    early.offer(seat, input);
  }

  /** Sums that are held before the opening needs them. */
  get #aheadMax(): number {
    return Math.max(1, Math.floor(FOLDED_BYTES_MAX / (4 * this.#context.terms.layout.length)));
  }

  /** Starts the sum and returns; its result comes as an event. */
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
    return combine(ports, terms, sessions, state, strategyStateHash, foldOf, this.#closing.signal);
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
