/*
 * Bounds on moments that a round's sum does not carry. An interval from them is at least as wide as one from the rows.
 */

/**
 * The largest mean of x^4 for numbers from 0 to 1 with the given means of x and x^2: that of a distribution on 1 and one other
 * point.
 *
 * Source: Karlin and Studden 1966, Tchebycheff Systems, chapter II: the upper principal representation.
 */
export function fourthMomentMax(mean: number, square: number): number {
  if (!(mean < 1)) return 1;
  // Rounding may push a sum of squares past what the sum allows.
  const point = Math.max(0, Math.min(1, (mean - square) / (1 - mean)));
  if (point === 1) return square ** 2;
  const atOne = Math.max(0, Math.min(1, (mean - point) / (1 - point)));
  return atOne + (1 - atOne) * point ** 4;
}

/** The largest variance of numbers from 0 to `most` with the given mean. Source: Bhatia and Davis 2000. */
export function varianceMax(mean: number, most: number): number {
  return Math.max(0, (most - mean) * mean);
}
