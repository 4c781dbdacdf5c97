/* How charts stay readable over many rounds: marks thin out, axes leave what is far away out and say so. Pure. */

/** Marks of neighbouring rounds are at least this far apart. */
const MARK_GAP_PX = 14;
/** Bars narrower than this become steps. */
export const BAR_MIN_PX = 5;
/** Values of cut bars that are closer than this yield to the larger. */
const VALUE_GAP_PX = 40;
/** With fewer points, an axis shows all of them. */
const MANY = 30;
/** Share of a run's rounds in which most is learnt. */
const BEGINNING = 0.15;

/** A mark stands on every 1st, 2nd, 5th, 10th, 20th, 50th or 100th round. */
export function markEvery(roundPx: number): number {
  return [1, 2, 5, 10, 20, 50, 100].find((every) => every * roundPx >= MARK_GAP_PX) ?? 200;
}

/** The points that get a mark: every so many rounds, and always the last. */
export function marked<Point extends { readonly x: number }>(
  points: readonly Point[],
  roundPx: number,
): Point[] {
  const every = markEvery(roundPx);
  const last = points.at(-1);
  if (last === undefined) return [];
  return points.filter(
    (point) => point === last || (point.x % every === 0 && (last.x - point.x) * roundPx >= MARK_GAP_PX),
  );
}

export interface Domain {
  readonly low: number;
  readonly high: number;
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;

/**
 * The range of a long line after its first rounds, if the whole range would flatten it. Null if the whole range is as
 * good.
 *
 * @param points  By round; `halfWidth` of their intervals.
 */
export function focusOf(
  points: readonly { readonly y: number; readonly halfWidth?: number }[],
  whole: Domain,
): Domain | null {
  if (points.length < MANY) return null;
  const settled = points.slice(Math.ceil(BEGINNING * points.length));
  const focus = {
    low: Math.max(whole.low, Math.min(...settled.map(({ y, halfWidth = 0 }) => y - halfWidth))),
    high: Math.min(whole.high, Math.max(...settled.map(({ y, halfWidth = 0 }) => y + halfWidth))),
  };
  return focus.high - focus.low < (whole.high - whole.low) / 2 ? focus : null;
}

/** Where bars are cut, so that a few long ones do not flatten the others. Null if none is that long. */
export function cutOf(totals: readonly number[]): number | null {
  if (totals.length < MANY) return null;
  const sorted = totals.toSorted((a, b) => a - b);
  const cut = 1.2 * quantile(sorted, 0.95);
  return (sorted.at(-1) ?? 0) > 1.5 * cut ? cut : null;
}

/** The cut bars that carry their values: the longest first, each with room to those before. */
export function valuedCuts<Bar extends { readonly at: number; readonly total: number }>(
  bars: readonly Bar[],
): Bar[] {
  const kept: Bar[] = [];
  for (const bar of bars.toSorted((a, b) => b.total - a.total)) {
    if (kept.every((other) => Math.abs(other.at - bar.at) > VALUE_GAP_PX)) kept.push(bar);
  }
  return kept;
}
