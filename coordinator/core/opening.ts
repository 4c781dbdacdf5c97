import type { CombineResult } from "#shared/round/event.ts";
import type { RoundState } from "#shared/round/state.ts";
import { combine, foldInputs } from "./combine.ts";
import type { CoordinatorPorts } from "./ports.ts";
import type { Session } from "./session.ts";
import type { RunTerms } from "./terms.ts";

/** The sum is tried this often; what fails after that (a broken disk, a lost file) no further try mends. */
const TRIES_MAX = 5;
const AGAIN_MS = 2_000;

interface OpeningContext {
  readonly ports: CoordinatorPorts;
  readonly terms: RunTerms;
  readonly strategyStateHash: string | null;
  readonly state: () => RoundState;
  readonly session: () => Promise<Session>;
  readonly answer: (result: CombineResult) => Promise<unknown>;
}

/**
 * The long work of a round, outside its queue: events go on meanwhile. The inputs are folded as soon as the survivors
 * are sealed, while the devices confirm; the masks come off when their shares are there.
 */
export class Opening {
  readonly #context: OpeningContext;
  readonly #closing = new AbortController();
  readonly #folds = new Map<number, Promise<Uint32Array<ArrayBuffer>>>();
  #combining = false;
  #tries = 0;

  constructor(context: OpeningContext) {
    this.#context = context;
  }

  async foldAhead(): Promise<void> {
    const state = this.#context.state();
    if (!("u3" in state)) return;
    // Uploads that are still under way came too late.
    const { sid } = await this.#context.session();
    await this.#context.ports.spool.discard(sid, state.u3);
    // Whoever needs the sum sees a failure and tries again.
    this.#fold()?.catch(() => {});
  }

  #fold(): Promise<Uint32Array<ArrayBuffer>> | null {
    const state = this.#context.state();
    if (!("u3" in state)) return null;
    const known = this.#folds.get(state.attempt);
    if (known !== undefined) return known;
    const { ports, terms } = this.#context;
    const { signal } = this.#closing;
    const fold = this.#context
      .session()
      .then((session) => foldInputs(ports, terms, session.sid, state.u3, signal));
    this.#folds.set(state.attempt, fold);
    return fold;
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
      if (result !== null) await this.#context.answer(result);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.#tries += 1;
      const state = this.#context.state();
      ports.log.error(
        { roundId: state.facts.roundId, try: this.#tries, error: String(error) },
        "opening a sum failed",
      );
      this.#folds.clear();
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
    const fold = this.#fold();
    if (state.phase !== "unmasking" || fold === null) return null;
    const session = await this.#context.session();
    return combine(ports, terms, session, state, strategyStateHash, await fold, this.#closing.signal);
  }

  forget(attempt: number): void {
    this.#folds.delete(attempt);
  }

  close(): void {
    this.#closing.abort(new Error("the round's driver is closed"));
  }
}
