import type { MonotonicClock } from "#shared/kernel/ports.ts";

export interface RateLimit {
  /** Whether `amount` more, one unless told, is allowed now; counts it if so. */
  take(key: string, amount?: number): boolean;
  /** Counts what is done already. Below zero nothing is allowed until it has refilled, at most `burst` later. */
  charge(key: string, amount: number): void;
}

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

/**
 * A token bucket for each key: `burst` at once, then `perSecond`.
 *
 * @param keyCountMax  Keys that are remembered; beyond it the one that was used longest ago is forgotten, so that a
 *                     sender of many addresses cannot fill the memory.
 */
export function rateLimit(
  clock: MonotonicClock,
  {
    burst,
    perSecond,
    keyCountMax = 10_000,
  }: { readonly burst: number; readonly perSecond: number; readonly keyCountMax?: number },
): RateLimit {
  // A Map iterates in order of insertion; a key that is used moves to the end.
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

/**
 * The part of an address that one household or host controls: a whole IPv4 address, the /64 of an IPv6 one (a host may
 * take any address in it). IPv4 written as IPv6 counts as IPv4.
 */
export function addressKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("%", 1).join("").split("::");
  const leading = head === "" ? [] : head.split(":");
  const trailing = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Math.max(0, 8 - leading.length - trailing.length);
  return [...leading, ...Array<string>(zeros).fill("0"), ...trailing].slice(0, 4).join(":");
}
