import type { MonotonicClock } from "#shared/kernel/ports.ts";

export interface RateLimit {
  /** Takes `amount` (1 by default) if it is available now. @returns Whether it was. */
  take(key: string, amount?: number): boolean;
  /**
   * Charges what is already done. The debt is at most `burst`, and nothing is allowed until it has refilled.
   */
  charge(key: string, amount: number): void;
}

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

/**
 * A token bucket per key: `burst` at once, then `perSecond`.
 *
 * Written by hand, because rate-limiter-flexible counts in fixed windows of the wall clock, sets a timer per
 * key and remembers any number of keys. W2 and W10 need a debt that refills, a clock that tests can set, and
 * a bound on keys.
 *
 * @param keyCountMax  Bound on remembered keys. The least recently used one is dropped, so that a sender with
 *                     many addresses cannot fill the memory.
 */
export function rateLimit(
  clock: MonotonicClock,
  {
    burst,
    perSecond,
    keyCountMax = 10_000,
  }: { readonly burst: number; readonly perSecond: number; readonly keyCountMax?: number },
): RateLimit {
  // A Map iterates in insertion order. Each use moves its key to the end.
  const buckets = new Map<string, Bucket>();
  const filled = (key: string): Bucket => {
    const nowMs = clock.nowMs();
    const bucket = buckets.get(key) ?? { tokens: burst, filledAtMs: nowMs };
    bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.filledAtMs) / 1000) * perSecond);
    bucket.filledAtMs = nowMs;
    buckets.delete(key);
    buckets.set(key, bucket);
    if (buckets.size > keyCountMax) {
      for (const oldest of buckets.keys()) {
        buckets.delete(oldest);
        break;
      }
    }
    return bucket;
  };
  return {
    take: (key, amount = 1) => {
      const bucket = filled(key);
      if (bucket.tokens < amount) return false;
      bucket.tokens -= amount;
      return true;
    },
    charge: (key, amount) => {
      const bucket = filled(key);
      bucket.tokens = Math.max(-burst, bucket.tokens - amount);
    },
  };
}
