import type { MonotonicClock } from "#shared/kernel/ports.ts";

/** Wrong passwords of one account before it rests. */
export const TRY_COUNT_MAX = 5;
/** From the first wrong one. */
export const TRIES_MS = 15 * 60_000;
/** Remembered accounts. Each address is slowed before it has used that many. */
const ACCOUNT_COUNT_MAX = 20_000;

interface Account {
  count: number;
  readonly endsAtMs: number;
}

export type Try =
  | { readonly type: "allowed"; readonly leftCount: number }
  | { readonly type: "rests"; readonly waitMs: number };

/**
 * Counts tries to guess a password, by account. A try counts before it is checked, so that many at once are no more than
 * one after another (X15).
 */
export class Tries {
  readonly #clock: MonotonicClock;
  readonly #accounts = new Map<string, Account>();

  constructor(clock: MonotonicClock) {
    this.#clock = clock;
  }

  /** @returns Number of tries left if this one is wrong, or how long none is allowed. */
  take(key: string): Try {
    const nowMs = this.#clock.nowMs();
    const known = this.#accounts.get(key);
    const account =
      known === undefined || nowMs >= known.endsAtMs ? { count: 0, endsAtMs: nowMs + TRIES_MS } : known;
    if (account.count >= TRY_COUNT_MAX) return { type: "rests", waitMs: account.endsAtMs - nowMs };
    account.count++;
    // The least recently tried goes first.
    this.#accounts.delete(key);
    this.#accounts.set(key, account);
    for (const oldest of this.#accounts.keys()) {
      if (this.#accounts.size <= ACCOUNT_COUNT_MAX) break;
      this.#accounts.delete(oldest);
    }
    return { type: "allowed", leftCount: TRY_COUNT_MAX - account.count };
  }

  /** How long no try is allowed; 0 if one is. */
  waitMs(key: string): number {
    const account = this.#accounts.get(key);
    if (account === undefined || account.count < TRY_COUNT_MAX) return 0;
    return Math.max(0, account.endsAtMs - this.#clock.nowMs());
  }

  /** A try that was taken was not checked after all. */
  giveBack(key: string): void {
    const account = this.#accounts.get(key);
    if (account !== undefined && account.count > 0) account.count--;
  }

  /** The password was right. */
  clear(key: string): void {
    this.#accounts.delete(key);
  }
}
