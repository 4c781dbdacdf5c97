import type { RandomBytes } from "#shared/kernel/ports.ts";

const FIRST_MS = 250;
const LONGEST_MS = 15_000;

/**
 * How long to wait before the next try of something that passes by itself: doubling from a quarter of a second to
 * 15 s, less up to half by chance, so that many who wait for one thing do not come back together.
 *
 * @param failures  Tries that failed in a row, at least 1.
 */
export function backoffMs(failures: number, random: RandomBytes): number {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 16));
  const chance = new DataView(random(4).buffer).getUint32(0) / 2 ** 32;
  return Math.round(longest * (1 - chance / 2));
}
