import type { MonotonicClock } from "#shared/kernel/ports.ts";

/** Whether one more is allowed now; counts it if so. */
export interface RateLimit {
  take(key: string): boolean;
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
  return {
    take: (key) => {
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
      if (bucket.tokens < 1) return false;
      bucket.tokens -= 1;
      return true;
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
