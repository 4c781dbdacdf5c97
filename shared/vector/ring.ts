import { assert } from "../kernel/assert.ts";

/** Bits of one number of a segment. A word of the vector has 32, so it holds one number or two. */
export type Ring = 16 | 32;

/**
 * Least Q, the steps that stand for the clip of one update. At full weights the rounding of a rotated update errs by about
 * 2.8 / Q of the mean of independent updates at 2^20 coordinates of 100 devices, and by 3.3 / Q at 2^26 of 511, for B grows
 * with the root of ln(d n); 64 keeps that at 5 % or so.
 */
const QUANTIZED_MIN = 64;

/** The largest sum: the ring is read as signed numbers of its width. */
export function sumMaxOf(ring: Ring): number {
  return ring === 16 ? 2 ** 15 - 1 : 2 ** 31 - 1;
}

/**
 * Why a sum of so many devices does not fit the ring, and what to change; null if it fits. A task's schema asks this before
 * anything starts. Rule S21.
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
