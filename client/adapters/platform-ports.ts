import type { OpenDecoder } from "#shared/data/table/encoding.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { MonotonicClock, RandomBytes, WallClock } from "#shared/kernel/ports.ts";
import { LIMITS } from "#shared/protocol/limits.ts";

/* What browsers' workers and Node have in common. */

export const platformClock: MonotonicClock = { nowMs: () => performance.now() };
export const platformWall: WallClock = { nowUnixMs: () => Date.now() };

/** setTimeout takes at most 2^31 - 1 ms. */
const TIMER_MS_MAX = 2 ** 31 - 1;
export function platformAfter(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, Math.min(Math.max(0, delayMs), TIMER_MS_MAX));
  return () => clearTimeout(timer);
}

/** getRandomValues gives 64 KiB at a time. */
export const platformRandom: RandomBytes = (byteCount) => {
  const bytes: Bytes = new Uint8Array(byteCount);
  for (let start = 0; start < byteCount; start += LIMITS.chunkByteCount) {
    globalThis.crypto.getRandomValues(bytes.subarray(start, start + LIMITS.chunkByteCount));
  }
  return bytes;
};

/** Throws at bytes that are not of the encoding, and drops a byte order mark. */
export const platformDecoder: OpenDecoder = (encoding) => new TextDecoder(encoding, { fatal: true });
