import type { MonotonicClock, WallClock } from "#shared/kernel/ports.ts";

/**
 * Unix milliseconds that never go back, for what must not live longer because someone set the wall clock back (X12). While
 * the process runs they advance with the monotonic clock; a wall clock that is ahead moves them forward, which ends things
 * early rather than late.
 */
export class SteadyClock {
  readonly #clock: MonotonicClock;
  readonly #wall: WallClock;
  #unixMs = 0;
  #atMs: number;
  /** By the monotonic clock. */
  readonly #madeAtMs: number;

  constructor(clock: MonotonicClock, wall: WallClock) {
    this.#clock = clock;
    this.#wall = wall;
    this.#atMs = clock.nowMs();
    this.#madeAtMs = this.#atMs;
  }

  nowMs(): number {
    const atMs = this.#clock.nowMs();
    this.#unixMs = Math.max(this.#unixMs + (atMs - this.#atMs), this.#wall.nowUnixMs());
    this.#atMs = atMs;
    // Stored as whole milliseconds.
    return Math.floor(this.#unixMs);
  }

  /** Moves on to a time that was reached before now or, if `beforeMade`, before this clock was made. */
  atLeast(unixMs: number, { beforeMade }: { readonly beforeMade: boolean }): void {
    this.nowMs();
    const sinceMs = beforeMade ? this.#atMs - this.#madeAtMs : 0;
    this.#unixMs = Math.max(this.#unixMs, unixMs + sinceMs);
  }
}
