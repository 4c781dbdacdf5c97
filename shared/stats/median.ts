/** The median, the lower of two middle values, so that it is a value that occurred; null without values. */
export function lowerMedian(values: readonly number[]): number | null {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}
