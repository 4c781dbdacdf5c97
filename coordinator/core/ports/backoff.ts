import type { RandomBytes } from "#shared/kernel/ports.ts";

const FIRST_MS = 250;
const LONGEST_MS = 15_000;

/**
 * Delay before the next try after a temporary failure. It doubles from 0.25 s to 15 s, minus a random part of
 * up to half, so that many waiting for one thing do not return together.
 *
 * @param failures  Consecutive failed tries, at least 1.
 */
export function backoffMs(failures: number, random: RandomBytes): number {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 16));
  const chance = new DataView(random(4).buffer).getUint32(0) / 2 ** 32;
  return Math.round(longest * (1 - chance / 2));
}
