import type { MonotonicClock } from "#shared/kernel/ports.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type RateLimit, rateLimit } from "../../core/access/rate-limit.ts";
import { Shares } from "../../core/access/shares.ts";

export interface ReadBounds {
  /** Reads running at once, over all addresses and per address. */
  readonly atOnceMax: number;
  readonly atOnceMaxPerAddress: number;
  /** Reads waiting for a turn, over all addresses and per address. */
  readonly waitingMax: number;
  readonly waitingMaxPerAddress: number;
  /** A reader that has waited this long is told to come back later. */
  readonly waitMsMax: number;
  /**
   * If all places are taken, a read that has run this long is cut for an address that has fewer. Never, if
   * absent.
   */
  readonly cutAfterMs?: number;
  /** Cost an address may run up: at once, then per second. */
  readonly burst: number;
  readonly perSecond: number;
}

export interface Reader {
  readonly address: string;
  /** A page of a long list costs more than a single item. */
  readonly cost: number;
  /** True once nobody waits for the answer. */
  isGone(): boolean;
  /** Calls `listener` once when the reader is gone. @returns A function that removes the listener. */
  onGone(listener: () => void): () => void;
  /** Ends the running read, which then leaves its place. */
  cut(): void;
}

interface Running {
  readonly cut: () => void;
  readonly sinceMs: number;
}

/** Called with true when the turn has come, with false if there will be none. */
type Waiting = (hasTurn: boolean) => void;

/**
 * Runs a few reads at a time, so that they never fill the event loop, the store's readers or the memory
 * (W10). Addresses take turns, so one with many readers does not delay another.
 *
 * Writes by devices and operators bypass the queue and never wait behind reads: the event loop is free
 * between two reads.
 */
export class ReadQueue {
  readonly #bounds: ReadBounds;
  readonly #rate: RateLimit;
  /** By address, in order of their turns. */
  readonly #waiting = new Map<string, Set<Waiting>>();
  readonly #waitingShares = new Shares<Waiting>();
  readonly #runningByAddress = new Map<string, number>();
  readonly #runningShares = new Shares<Running>();
  readonly #clock: MonotonicClock;
  /** The read that was cut and has not left its place yet. */
  #cut: Running | null = null;
  #waitingCount = 0;
  #running = 0;

  constructor(clock: MonotonicClock, bounds: ReadBounds) {
    this.#bounds = bounds;
    this.#clock = clock;
    this.#rate = rateLimit(clock, { burst: bounds.burst, perSecond: bounds.perSecond });
  }

  /** Runs `read` when its turn comes. Errors: as for `enter`. */
  async run<Value>(reader: Reader, read: () => Promise<Value>): Promise<Result<Value, ReadRefusal>> {
    const place = await this.enter(reader);
    if (!place.ok) return place;
    try {
      return ok(await read());
    } finally {
      place.value.leave();
    }
  }

  /** Charges an address for what a read turned out to cost. */
  charge(address: string, cost: number): void {
    this.#rate.charge(address, cost);
  }

  /** Waits for a place to run. Errors: `too-many` of this address, `busy` without room or turn, `gone`. */
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

  /**
   * Waits in line. @returns false if the line is full, the wait too long, the reader gone, or another
   * displaces it.
   */
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

  /** Cuts one read at a time: the next is cut after this one's place has been taken. */
  #makeRoom(address: string): void {
    const { atOnceMax, cutAfterMs = Number.POSITIVE_INFINITY } = this.#bounds;
    if (this.#cut !== null || this.#running < atOnceMax) return;
    const oldest = this.#runningShares.toDisplace(address, "oldest");
    if (oldest === undefined || this.#clock.nowMs() - oldest.sinceMs < cutAfterMs) return;
    this.#cut = oldest;
    oldest.cut();
  }

  /** If the line is full, displaces somebody of an address that waits more often. */
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
      // Moves this address behind all others.
      const others = this.#waiting.get(next);
      if (others !== undefined) {
        this.#waiting.delete(next);
        this.#waiting.set(next, others);
      }
      break;
    }
    // Deferred: the reader whose turn has come counts as running a moment later.
    setImmediate(() => {
      const [address] = this.#waiting.keys();
      if (address !== undefined) this.#makeRoom(address);
    });
  }
}

export interface ReadPlace {
  /** Frees the place for the next read. Further calls do nothing. */
  leave(): void;
}

export type ReadRefusal =
  | { readonly type: "too-many" }
  | { readonly type: "busy" }
  | { readonly type: "gone" };
