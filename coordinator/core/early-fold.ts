import { release } from "#shared/kernel/release.ts";
import type { InputFact, Sealed } from "#shared/round/state.ts";
import { type CombinePorts, type Folded, foldInputs } from "./combine.ts";
import type { Session } from "./session.ts";
import type { RunTerms } from "./terms.ts";

/** Inputs that are worth a fold while others are still on their way: as many of them, or as many bytes. */
const BATCH_MIN = 4;
const BATCH_BYTES_MIN = 2 ** 20;

/**
 * The sum of a session, begun before its survivors are sealed: an input that was receipted stays in the set, so whole
 * inputs are added as they come, and never a part of one. Rules R7, R50.
 *
 * It lives in memory only. Whatever goes wrong with it costs time: then all inputs are folded when they are sealed.
 */
export class EarlyFold {
  readonly #ports: CombinePorts;
  readonly #terms: RunTerms;
  readonly #session: Session;
  readonly #signal: AbortSignal;
  /** Receipted and not in the sum yet, by seat. */
  #waiting = new Map<number, InputFact>();
  #summed: ReadonlySet<number> = new Set();
  #sum: Uint32Array<ArrayBuffer> | null = null;
  #work: Promise<void> | null = null;
  #givenUp = false;

  constructor(ports: CombinePorts, terms: RunTerms, session: Session, signal: AbortSignal) {
    this.#ports = ports;
    this.#terms = terms;
    this.#session = session;
    this.#signal = signal;
  }

  /** An input of this session was receipted. Returns at once. */
  offer(seat: number, input: InputFact): void {
    if (this.#givenUp) return;
    this.#waiting.set(seat, input);
    this.#start();
  }

  #start(): void {
    if (this.#work !== null || this.#givenUp || !this.#isBatch) return;
    const batch = this.#waiting;
    this.#waiting = new Map();
    this.#work = this.#add(batch)
      .catch(() => this.#giveUp())
      .then(() => {
        this.#work = null;
        this.#start();
      });
  }

  /** Of small inputs a few at a time; a large one at once, while it is still in the memory where it was hashed. */
  get #isBatch(): boolean {
    const { size } = this.#waiting;
    return size >= BATCH_MIN || 4 * this.#terms.layout.length * size >= BATCH_BYTES_MIN;
  }

  async #add(batch: ReadonlyMap<number, InputFact>): Promise<void> {
    const begun = this.#sum;
    // It is handed over: if the fold fails, it is gone.
    this.#sum = null;
    const sum = await this.#fold([...batch.keys()], batch, begun);
    if (!sum.ok) return this.#giveUp();
    this.#sum = sum.value;
    this.#summed = new Set([...this.#summed, ...batch.keys()]);
  }

  /** Damage too: it is found again, and told, once the set is sealed. */
  #giveUp(): void {
    this.#givenUp = true;
    this.#waiting.clear();
    this.#sum = null;
    this.#summed = new Set();
  }

  /** The sum of all survivors' inputs, of which most may be in it already. */
  async finish({ u3, inputs }: Pick<Sealed, "u3" | "inputs">): Promise<Folded> {
    // What comes now belongs to nothing.
    const [begun, summed] = await this.#end();
    const rest = u3.filter((seat) => !summed.has(seat));
    // A seat that is no survivor's would have to come out again.
    const isWithin = begun !== null && [...summed].every((seat) => u3.includes(seat));
    if (isWithin) return this.#fold(rest, inputs, begun);
    if (begun !== null) release(begun);
    return this.#fold(u3, inputs, null);
  }

  async #end(): Promise<readonly [Uint32Array<ArrayBuffer> | null, ReadonlySet<number>]> {
    this.#waiting.clear();
    while (this.#work !== null) await this.#work;
    const [sum, summed] = [this.#sum, this.#summed];
    this.#giveUp();
    return [sum, summed];
  }

  #fold(
    seats: readonly number[],
    inputs: ReadonlyMap<number, InputFact>,
    begun: Uint32Array<ArrayBuffer> | null,
  ): Promise<Folded> {
    return foldInputs(this.#ports, this.#terms, this.#session, seats, inputs, begun, this.#signal);
  }
}
