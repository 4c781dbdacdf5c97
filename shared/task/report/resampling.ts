import type { Resampling } from "../../stats/bootstrap.ts";

const TIMES_MAX = 1_000;
const TIMES_MIN = 200;
/** Figures of rows and classes that a report may draw again, so that a large set does not hold up the rounds. */
const DRAWN_MAX = 5e7;
/** Rows times classes above which nothing is drawn again. Intervals of so many rows are narrow. */
const CELLS_MAX = 2e6;

/**
 * How often rows are drawn again. The seed is the beginning of the hash of the held-out rows, so that the same rows are always
 * drawn alike, and different ones are not.
 *
 * @param heldOutHash  Hex.
 * @param classCount   1 for a number.
 */
export function resamplingOf(heldOutHash: string, rowCount: number, classCount: number): Resampling {
  const seed = Number.parseInt(heldOutHash.slice(0, 8), 16);
  const cells = rowCount * classCount;
  if (cells === 0 || cells > CELLS_MAX) return { seed, times: 0 };
  return { seed, times: Math.max(TIMES_MIN, Math.min(TIMES_MAX, Math.floor(DRAWN_MAX / cells))) };
}

/** As `resamplingOf`, at least the fewest times: comparisons have a thread of their own, and no round waits for one. */
export function resamplingToCompare(heldOutHash: string, rowCount: number, classCount: number): Resampling {
  const { seed, times } = resamplingOf(heldOutHash, rowCount, classCount);
  return { seed, times: Math.max(TIMES_MIN, times) };
}
