/**
 * Where to cut the bars: most changes of an update are near zero, and one tall bar would flatten the others.
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
