import type { MonotonicClock } from "#shared/kernel/ports.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type RateLimit, rateLimit } from "../../core/rate-limit.ts";

export interface ReadBounds {
  /** Reads that run at the same time. */
  readonly atOnceMax: number;
  /** Reads that wait for their turn, of all addresses and of one. */
  readonly waitingMax: number;
  readonly waitingMaxPerAddress: number;
  /** Cost that an address may run up, at once and then in a second. */
  readonly burst: number;
  readonly perSecond: number;
}

export interface Reader {
  readonly address: string;
  /** A page of a long list costs more than one thing. */
  readonly cost: number;
  /** True if nobody waits for the answer any more. */
  isGone(): boolean;
}

/**
 * Lets a few reads run at a time, so that they never fill the event loop, the store's readers or the memory (W10). What
 * devices and operators write does not pass here, so it never waits behind them: between two reads the event loop comes
 * to everything else.
 */
export class ReadQueue {
  readonly #bounds: ReadBounds;
  readonly #rate: RateLimit;
  readonly #waiting: { readonly reader: Reader; begin(): void }[] = [];
  readonly #waitingByAddress = new Map<string, number>();
  #running = 0;

  constructor(clock: MonotonicClock, bounds: ReadBounds) {
    this.#bounds = bounds;
    this.#rate = rateLimit(clock, { burst: bounds.burst, perSecond: bounds.perSecond });
  }

  /** Runs `read` when its turn has come. Errors: `too-many` of this address, `busy` with all addresses, `gone`. */
  async run<Value>(reader: Reader, read: () => Promise<Value>): Promise<Result<Value, ReadRefusal>> {
    const { address, cost } = reader;
    if (!this.#rate.take(address, cost)) return err({ type: "too-many" });
    if (this.#running >= this.#bounds.atOnceMax) {
      const waitingHere = this.#waitingByAddress.get(address) ?? 0;
      if (this.#waiting.length >= this.#bounds.waitingMax || waitingHere >= this.#bounds.waitingMaxPerAddress)
        return err({ type: "busy" });
      this.#waitingByAddress.set(address, waitingHere + 1);
      await new Promise<void>((begin) => this.#waiting.push({ reader, begin }));
      // The one before has left its place to this one.
    } else {
      this.#running += 1;
    }
    try {
      return reader.isGone() ? err({ type: "gone" }) : ok(await read());
    } finally {
      setImmediate(() => this.#passOn());
    }
  }

  #passOn(): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#running -= 1;
      return;
    }
    const { address } = next.reader;
    const left = (this.#waitingByAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#waitingByAddress.set(address, left);
    else this.#waitingByAddress.delete(address);
    next.begin();
  }
}
export type ReadRefusal =
  | { readonly type: "too-many" }
  | { readonly type: "busy" }
  | { readonly type: "gone" };
