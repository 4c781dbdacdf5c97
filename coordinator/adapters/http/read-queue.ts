import type { MonotonicClock } from "#shared/kernel/ports.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type RateLimit, rateLimit } from "../../core/rate-limit.ts";
import { Shares } from "../../core/shares.ts";

export interface ReadBounds {
  /** Reads that run at the same time, of all addresses and of one. */
  readonly atOnceMax: number;
  readonly atOnceMaxPerAddress: number;
  /** Reads that wait for their turn, of all addresses and of one. */
  readonly waitingMax: number;
  readonly waitingMaxPerAddress: number;
  /** Who has waited this long is told to come later. */
  readonly waitMsMax: number;
  /** If all run that may, one that has run for so long is cut for an address that has fewer; absent: none is. */
  readonly cutAfterMs?: number;
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
  /** Calls `listener` once when that happens. @returns What ends the listening. */
  onGone(listener: () => void): () => void;
  /** Ends it while it runs; it leaves its place then. */
  cut(): void;
}

interface Running {
  readonly cut: () => void;
  readonly sinceMs: number;
}

/** Is told whether its turn has come; false if it waited too long. */
type Waiting = (hasTurn: boolean) => void;

/**
 * Lets a few reads run at a time, so that they never fill the event loop, the store's readers or the memory (W10).
 * Addresses take turns: one with many readers does not hold up another. What devices and operators write does not pass
 * here, so it never waits behind them: between two reads the event loop comes to everything else.
 */
export class ReadQueue {
  readonly #bounds: ReadBounds;
  readonly #rate: RateLimit;
  /** By address; the first one's turn is next. */
  readonly #waiting = new Map<string, Set<Waiting>>();
  readonly #waitingShares = new Shares<Waiting>();
  readonly #runningByAddress = new Map<string, number>();
  readonly #runningShares = new Shares<Running>();
  readonly #clock: MonotonicClock;
  /** Cut, and about to leave its place. */
  #cut: Running | null = null;
  #waitingCount = 0;
  #running = 0;

  constructor(clock: MonotonicClock, bounds: ReadBounds) {
    this.#bounds = bounds;
    this.#clock = clock;
    this.#rate = rateLimit(clock, { burst: bounds.burst, perSecond: bounds.perSecond });
  }

  /** Runs `read` when its turn has come. Errors: as `enter`. */
  async run<Value>(reader: Reader, read: () => Promise<Value>): Promise<Result<Value, ReadRefusal>> {
    const place = await this.enter(reader);
    if (!place.ok) return place;
    try {
      return ok(await read());
    } finally {
      place.value.leave();
    }
  }

  /** A place among those that run. Errors: `too-many` of this address, `busy` if there is no room or no turn, `gone`. */
  async enter(reader: Reader): Promise<Result<ReadPlace, ReadRefusal>> {
    const { address, cost } = reader;
    if (!this.#rate.take(address, cost)) return err({ type: "too-many" });
    if (this.#hasRoom(address)) this.#begin(address);
    else if (!(await this.#turn(reader))) return err({ type: reader.isGone() ? "gone" : "busy" });
    const running = { cut: () => reader.cut(), sinceMs: this.#clock.nowMs() };
    this.#runningShares.add(address, running);
    let isOver = false;
    const leave = () => {
      if (isOver) return;
      isOver = true;
      this.#runningShares.remove(address, running);
      if (this.#cut === running) this.#cut = null;
      setImmediate(() => this.#leave(address));
    };
    if (!reader.isGone()) return ok({ leave });
    leave();
    return err({ type: "gone" });
  }

  #hasRoom(address: string): boolean {
    const { atOnceMax, atOnceMaxPerAddress } = this.#bounds;
    const runningHere = this.#runningByAddress.get(address) ?? 0;
    return this.#running < atOnceMax && runningHere < atOnceMaxPerAddress;
  }

  #begin(address: string): void {
    this.#running += 1;
    this.#runningByAddress.set(address, (this.#runningByAddress.get(address) ?? 0) + 1);
  }

  /** @returns false if too many wait already, if it has waited too long or is gone, or if another displaces it. */
  #turn(reader: Reader): Promise<boolean> {
    const { address } = reader;
    const { waitingMaxPerAddress, waitMsMax } = this.#bounds;
    const here = this.#waiting.get(address)?.size ?? 0;
    if (here >= waitingMaxPerAddress || !this.#hasRoomInLine(address)) return Promise.resolve(false);
    this.#makeRoom(address);
    const waitingHere = this.#waiting.get(address) ?? new Set();
    return new Promise((resolve) => {
      const waiting: Waiting = (hasTurn) => {
        clearTimeout(timer);
        listenNoMore();
        this.#waitingShares.remove(address, waiting);
        this.#waitingCount -= 1;
        waitingHere.delete(waiting);
        if (waitingHere.size === 0) this.#waiting.delete(address);
        resolve(hasTurn);
      };
      const timer = setTimeout(() => waiting(false), waitMsMax);
      const listenNoMore = reader.onGone(() => waiting(false));
      this.#waitingCount += 1;
      this.#waiting.set(address, waitingHere.add(waiting));
      this.#waitingShares.add(address, waiting);
    });
  }

  /** One at a time: the next one is cut when the place of this one has been taken. */
  #makeRoom(address: string): void {
    const { atOnceMax, cutAfterMs = Number.POSITIVE_INFINITY } = this.#bounds;
    if (this.#cut !== null || this.#running < atOnceMax) return;
    const oldest = this.#runningShares.toDisplace(address, "oldest");
    if (oldest === undefined || this.#clock.nowMs() - oldest.sinceMs < cutAfterMs) return;
    this.#cut = oldest;
    oldest.cut();
  }

  /** Makes room in a full line if somebody waits more often. */
  #hasRoomInLine(address: string): boolean {
    if (this.#waitingCount < this.#bounds.waitingMax) return true;
    const displaced = this.#waitingShares.toDisplace(address, "newest");
    displaced?.(false);
    return displaced !== undefined;
  }

  #leave(address: string): void {
    this.#running -= 1;
    const left = (this.#runningByAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#runningByAddress.set(address, left);
    else this.#runningByAddress.delete(address);
    for (const [next, [first]] of this.#waiting) {
      if (first === undefined || !this.#hasRoom(next)) continue;
      this.#begin(next);
      first(true);
      // Its others wait behind those of every other address.
      const others = this.#waiting.get(next);
      if (others !== undefined) {
        this.#waiting.delete(next);
        this.#waiting.set(next, others);
      }
      break;
    }
    // The one whose turn has come is among those that run a moment later.
    setImmediate(() => {
      const [address] = this.#waiting.keys();
      if (address !== undefined) this.#makeRoom(address);
    });
  }
}

export interface ReadPlace {
  /** Makes room for the next one; only the first call counts. */
  leave(): void;
}

export type ReadRefusal =
  | { readonly type: "too-many" }
  | { readonly type: "busy" }
  | { readonly type: "gone" };
