import type { Histogram } from "#client/index.ts";

/**
 * Where the bars are cut: an update has most of its changes near zero, and one tall bar would flatten the others.
 *
 * @returns The count that fills the picture's height, and the bin that is drawn broken (null for none).
 */
export function cutOf(counts: readonly number[]): {
  readonly top: number;
  readonly brokenBin: number | null;
} {
  const tallest = Math.max(1, ...counts);
  const brokenBin = counts.indexOf(tallest);
  const next = Math.max(0, ...counts.filter((_, bin) => bin !== brokenBin));
  if (next === 0 || tallest <= next * 2) return { top: tallest, brokenBin: null };
  return { top: next * 1.5, brokenBin };
}

/**
 * Whether the counts look like draws from a uniform law: Pearson's statistic lies under its upper 0.1 % point, by the
 * Wilson-Hilferty approximation. It decides how the caption is worded; nobody's safety hangs on it.
 */
export function looksFlat(histogram: Pick<Histogram, "counts">): boolean {
  const { counts } = histogram;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const expected = total / counts.length;
  if (expected < 5) return false;
  const statistic = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const freedom = counts.length - 1;
  const spread = 2 / (9 * freedom);
  return statistic < freedom * (1 - spread + 3.0902 * Math.sqrt(spread)) ** 3;
}
