import type { Seat } from "#shared/kernel/places.ts";
import { release } from "#shared/kernel/release.ts";
import type { InputFact, Sealed } from "#shared/round/state.ts";
import { type Folded, foldInputs, type Summing } from "./combine.ts";
import type { Session } from "./session.ts";

/** Inputs that are worth a fold while others are still arriving: this many, or this many bytes. */
const BATCH_MIN = 4;
const BATCH_BYTES_MIN = 2 ** 20;

/**
 * A session's sum, begun before its survivors are sealed. A receipted input stays in the set, so inputs are
 * added as they arrive, always whole. Rules R7, R50.
 *
 * It exists only in memory. If anything goes wrong, only time is lost: all inputs are then folded after
 * sealing.
 */
export class EarlyFold {
  readonly #summing: Summing;
  readonly #session: Session;
  /** Receipted but not in the sum yet, by seat. */
  #waiting = new Map<Seat, InputFact>();
  #summed: ReadonlySet<Seat> = new Set();
  #sum: Uint32Array<ArrayBuffer> | null = null;
  #work: Promise<void> | null = null;
  #givenUp = false;

  constructor(summing: Summing, session: Session) {
    this.#summing = summing;
    this.#session = session;
  }

  /** Offers a receipted input of this session. Returns at once. */
  offer(seat: Seat, input: InputFact): void {
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

  /**
   * Small inputs are added in batches. A large one is added at once, while it is still in the memory it was
   * hashed in.
   */
  get #isBatch(): boolean {
    const { size } = this.#waiting;
    return size >= BATCH_MIN || 4 * this.#summing.terms.layout.length * size >= BATCH_BYTES_MIN;
  }

  async #add(batch: ReadonlyMap<Seat, InputFact>): Promise<void> {
    const begun = this.#sum;
    // The sum is transferred, so it is lost if the fold fails.
    this.#sum = null;
    const sum = await this.#fold([...batch.keys()], batch, begun);
    if (!sum.ok) return this.#giveUp();
    this.#sum = sum.value;
    this.#summed = new Set([...this.#summed, ...batch.keys()]);
  }

  /** Also on damage, which is found again and reported once the set is sealed. */
  #giveUp(): void {
    this.#givenUp = true;
    this.#waiting.clear();
    this.#sum = null;
    this.#summed = new Set();
  }

  /** The sum of all survivors' inputs, most of which may already be in it. */
  async finish({ u3, inputs }: Pick<Sealed, "u3" | "inputs">): Promise<Folded> {
    // Nothing can be added from here on.
    const [begun, summed] = await this.#end();
    const rest = u3.filter((seat) => !summed.has(seat));
    // A seat that is not a survivor's would have to be taken out again.
    const isWithin = begun !== null && [...summed].every((seat) => u3.includes(seat));
    if (isWithin) return this.#fold(rest, inputs, begun);
    if (begun !== null) release(begun);
    return this.#fold(u3, inputs, null);
  }

  async #end(): Promise<readonly [Uint32Array<ArrayBuffer> | null, ReadonlySet<Seat>]> {
    this.#waiting.clear();
    while (this.#work !== null) await this.#work;
    const [sum, summed] = [this.#sum, this.#summed];
    this.#giveUp();
    return [sum, summed];
  }

  #fold(
    seats: readonly Seat[],
    inputs: ReadonlyMap<Seat, InputFact>,
    begun: Uint32Array<ArrayBuffer> | null,
  ): Promise<Folded> {
    return foldInputs(this.#summing, this.#session, { seats, inputs, begun });
  }
}
