/* Where the points of a scatter stand across, and where their names. Pure. Lengths in pixels. */

export interface AcrossScale {
  /** Pixels of a value. */
  readonly at: (value: number) => number;
  /** Values that get a tick: those that points have, as far as there is room. */
  readonly ticks: readonly number[];
}

const TICK_GAP_PX = 44;
const PAD_PX = 28;

/**
 * @param values  Of all points; at least one, and above 0 for a logarithm.
 */
export function acrossScale(
  values: readonly number[],
  isLog: boolean,
  { left, right }: { readonly left: number; readonly right: number },
): AcrossScale {
  const sorted = [...new Set(values)].toSorted((a, b) => a - b);
  const [low = 0, high = 0] = [sorted[0], sorted.at(-1)];
  const place = (value: number) => (isLog ? Math.log10(value) : value);
  const span = place(high) - place(low);
  const [from, to] = [left + PAD_PX, right - PAD_PX];
  const at = (value: number) =>
    span === 0 ? (from + to) / 2 : from + ((place(value) - place(low)) / span) * (to - from);
  const ticks: number[] = [];
  for (const value of sorted) {
    const last = ticks.at(-1);
    if (last === undefined || at(value) - at(last) >= TICK_GAP_PX) ticks.push(value);
  }
  return { at, ticks };
}

interface Named {
  readonly x: number;
  readonly y: number;
  /** Of the name. */
  readonly width: number;
}

const NAME_PX = 13;

/** The height of each point's name: its own, or the first one below that is free of the names before it. */
export function nameHeights(points: readonly Named[]): readonly number[] {
  const placed: Named[] = [];
  for (const { x, y, width } of points) {
    const isTaken = (at: number) =>
      placed.some(
        (other) =>
          Math.abs(other.y - at) < NAME_PX && Math.abs(other.x - x) < Math.max(width, other.width) + 18,
      );
    let at = y;
    while (isTaken(at)) at += NAME_PX;
    placed.push({ x, y: at, width });
  }
  return placed.map(({ y }) => y);
}

/** Fewer points than this are all on the axis. */
const FOCUS_FROM = 5;
/** A point this many times the middle half below that half may lie below the axis. */
const FAR = 4;

/**
 * Where an axis may begin, if a few points far below the others would flatten these. Null if none are.
 *
 * @param values  Of all points.
 */
export function focusLow(values: readonly number[]): number | null {
  if (values.length < FOCUS_FROM) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const quarter = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  const far = quarter(0.25) - FAR * Math.max(quarter(0.75) - quarter(0.25), Number.EPSILON);
  const near = sorted.filter((value) => value >= far);
  return near.length < sorted.length && near.length > sorted.length / 2 ? (near[0] ?? null) : null;
}
