import { seededUniform } from "../task/shuffle.ts";
import type { Bounds } from "./intervals.ts";

/** How often each row is drawn, one number a row. */
export type Draws = Uint32Array;

/**
 * The figure of a resample. If every row is drawn once, it is the figure of the rows themselves. NaN if the resample has no
 * such figure, for instance if it lacks a class.
 */
export type Statistic = (draws: Draws) => number;

/** The same seed and number of resamples give the same figures, bit for bit. */
export interface Resampling {
  /** u32. */
  readonly seed: number;
  /** Number of resamples. */
  readonly times: number;
}

/** Resamples without a figure may be this part of all; above it, no interval is given. */
const UNDEFINED_SHARE_MAX = 0.05;

/** A statistic of all rows. */
export function figureOf(statistic: Statistic, rowCount: number): number {
  return statistic(new Uint32Array(rowCount).fill(1));
}

/** The figures of `times` resamples of the rows, ascending. Null if too many of them have none. */
export function resampled(
  statistic: Statistic,
  rowCount: number,
  resampling: Resampling,
  onResample?: () => void,
): Float64Array | null {
  return resampledEach((draws) => [statistic(draws)], 1, rowCount, resampling, onResample)[0] ?? null;
}

/**
 * As `resampled`, of several figures on the same resamples.
 *
 * @param onResample  Called after each.
 * Source: Efron 1979. Indices come from splitmix32, so that every platform draws the same rows.
 */
export function resampledEach(
  figuresOf: (draws: Draws) => readonly number[],
  figureCount: number,
  rowCount: number,
  { seed, times }: Resampling,
  onResample: () => void = () => {},
): readonly (Float64Array | null)[] {
  const uniform = seededUniform(seed);
  const draws = new Uint32Array(rowCount);
  const found = Array.from({ length: figureCount }, (): number[] => []);
  for (let time = 0; time < times; time++) {
    draws.fill(0);
    for (let drawn = 0; drawn < rowCount; drawn++) {
      const row = Math.floor(uniform() * rowCount);
      draws[row] = (draws[row] as number) + 1;
    }
    for (const [index, figure] of figuresOf(draws).entries()) {
      if (Number.isFinite(figure)) found[index]?.push(figure);
    }
    onResample();
  }
  return found.map((figures) => {
    const undefinedCount = times - figures.length;
    if (undefinedCount > UNDEFINED_SHARE_MAX * times || figures.length === 0) return null;
    return Float64Array.from(figures).sort();
  });
}

/** The 95 % percentile interval of resampled figures. @param figures  Ascending, not empty. */
export function percentileBounds(figures: Float64Array): Bounds {
  return { low: quantile(figures, 0.025), high: quantile(figures, 0.975) };
}

/**
 * Two-sided p that a difference is 0, from its resamples: twice the smaller part of them on either side of 0. No smaller than
 * 2 / (times + 1), because so many resamples show no less.
 *
 * Source: Davison and Hinkley 1997, Bootstrap Methods and their Application, section 4.2: (1 + hits) / (1 + times).
 */
export function bootstrapP(differences: Float64Array): number {
  let [below, above] = [0, 0];
  for (const difference of differences) {
    if (difference <= 0) below += 1;
    if (difference >= 0) above += 1;
  }
  return Math.min(1, (2 * (1 + Math.min(below, above))) / (1 + differences.length));
}

/** Between neighbours in proportion, as NumPy's default. @param sorted  Ascending, not empty. */
function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const lower = Math.floor(place);
  const [from, to] = [sorted[lower] as number, sorted[Math.min(lower + 1, sorted.length - 1)] as number];
  return from + (to - from) * (place - lower);
}
