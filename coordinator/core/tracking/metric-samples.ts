/**
 * Which of the values of a metric to show, evenly spaced: the first of each of `most` parts of nearly the same size, and the
 * last value in place of the last part's first. All of them if there are no more than that.
 *
 * @param count  How many values there are.
 * @param most   At most this many are shown, at least 1.
 * @returns Indexes, ascending.
 * Source: `ntile` of SQL, by which MLflow 3.17 samples a history.
 */
export function sampledIndexes(count: number, most: number): readonly number[] {
  if (count <= most) return Array.from({ length: count }, (_, index) => index);
  const size = Math.floor(count / most);
  const larger = count % most;
  const firsts = Array.from({ length: most }, (_, part) => part * size + Math.min(part, larger));
  return [...firsts.slice(0, -1), count - 1];
}
