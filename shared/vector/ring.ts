import { assert } from "../kernel/assert.ts";

/** Bits of one number of a segment. A word of the vector has 32 and holds one number or two. */
export type Ring = 16 | 32;

/**
 * The smallest Q, the number of steps that stand for the clip of one update. At full weights, rounding rotated updates
 * moves the mean of independent ones by about 2.8 / Q of itself with 2^20 coordinates of 100 devices, and by 3.3 / Q with
 * 2^26 of 511, because B grows with the root of ln(d n). With 64 that is about 5 %.
 */
const QUANTIZED_MIN = 64;

/** The largest sum that fits: the ring is read as signed numbers of its width. */
export function sumMaxOf(ring: Ring): number {
  return ring === 16 ? 2 ** 15 - 1 : 2 ** 31 - 1;
}

/**
 * Null if a sum over `cohortSizeMax` devices fits the ring, else a sentence that says why not and what to change. A task's
 * schema checks this before anything starts. Rule S21.
 */
export function ringRefusal(ring: Ring, cohortSizeMax: number): string | null {
  const most = Math.floor(sumMaxOf(ring) / QUANTIZED_MIN);
  if (cohortSizeMax <= most) return null;
  return `a sum of ${cohortSizeMax} devices leaves each fewer than ${QUANTIZED_MIN} steps of ${ring} bits: set cohortSizeMax to at most ${most}${ring === 16 ? ", or ring to 32" : ""}`;
}

/** @param max  The largest absolute value of one device's number. */
export function assertSumFits(max: number, cohortSizeMax: number, ring: Ring, what: string): void {
  assert(max * cohortSizeMax <= sumMaxOf(ring), `a sum of ${what} fits the ring`);
}
