/** 99.9 % quantile of the standard normal distribution. */
const Z999 = 3.090232306167813;
/** The approximation needs about this many expected in each bin. */
const EXPECTED_MIN = 5;

/**
 * True if counts of equal bins pass for uniform: Pearson's statistic is below its upper 0.1 % point. False if there are too
 * few to tell.
 *
 * Source: Wilson and Hilferty 1931, the cube-root approximation of the chi-square distribution.
 */
export function looksUniform(counts: readonly number[]): boolean {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  if (expected < EXPECTED_MIN) return false;
  const statistic = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const freedom = counts.length - 1;
  const spread = 2 / (9 * freedom);
  return statistic < freedom * (1 - spread + Z999 * Math.sqrt(spread)) ** 3;
}
