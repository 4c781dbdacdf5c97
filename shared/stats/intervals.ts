import type { Measure } from "./measure.ts";

/** 97.5 % quantile of the standard normal distribution. */
export const Z95 = 1.959963984540054;

/** Both ends of a 95 % interval. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

/**
 * The ends of the interval of a proportion. Without rows it is everything from 0 to 1.
 *
 * Source: Wilson 1927.
 */
export function wilsonBounds(hits: number, count: number): Bounds {
  if (count <= 0) return { low: 0, high: 1 };
  const square = Z95 ** 2;
  const value = hits / count;
  const centre = (value + square / (2 * count)) / (1 + square / count);
  const half =
    (Z95 / (1 + square / count)) * Math.sqrt((value * (1 - value)) / count + square / (4 * count ** 2));
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/**
 * A proportion with the half width of its 95 % interval.
 *
 * @returns Null without rows.
 * Source: Wilson 1927. His interval is centred a little closer to one half; `value` is the proportion itself.
 */
export function shareMeasure(hits: number, count: number): Measure | null {
  if (count <= 0) return null;
  const value = hits / count;
  const spread = Math.sqrt((value * (1 - value)) / count + Z95 ** 2 / (4 * count ** 2));
  return { value, halfWidth95: (Z95 / (1 + Z95 ** 2 / count)) * spread, count };
}

/** Half width of a 95 % normal interval. @param variance  Of the estimate. Rounding may have pushed it below zero. */
export function halfWidth95Of(variance: number): number {
  return Z95 * Math.sqrt(Math.max(0, variance));
}

/** A mean with the half width of its 95 % normal interval. @returns Null without rows. */
export function meanMeasure(sum: number, squareSum: number, count: number): Measure | null {
  if (count <= 0) return null;
  const value = sum / count;
  // Rounding may push the variance slightly below zero.
  const variance = count > 1 ? Math.max(0, (squareSum - count * value ** 2) / (count - 1)) : 0;
  return { value, halfWidth95: Z95 * Math.sqrt(variance / count), count };
}
