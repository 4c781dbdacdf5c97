import {
  bootstrapP,
  figureOf,
  percentileBounds,
  type Resampling,
  resampled,
  type Statistic,
} from "./bootstrap.ts";
import type { Bounds } from "./intervals.ts";
import { type Discordant, mcnemarExact, pairedShareBounds } from "./mcnemar.ts";

/** How a second model's figure differs from a first one's on the same rows. */
export interface PairedDifference {
  readonly first: number;
  readonly second: number;
  /** Second less first. */
  readonly difference: number;
  /** 95 % interval of the difference. */
  readonly bounds: Bounds;
  /** Two-sided, that there is no difference. */
  readonly p: number;
  readonly test: "mcnemar-exact" | "paired-bootstrap";
}

/** What can be said of the second model against the first. */
export type PairedVerdict = "better" | "worse" | "too-close";

const LEVEL = 0.05;

/**
 * Both must show it: p below 5 %, and an interval of the difference without 0. They come from different approximations, and
 * where they disagree it is too close to tell.
 */
export function verdictOf(
  { difference, bounds, p }: Pick<PairedDifference, "difference" | "bounds" | "p">,
  better: "higher" | "lower",
): PairedVerdict {
  const isClear = p < LEVEL && (bounds.low > 0 || bounds.high < 0);
  if (!isClear) return "too-close";
  return difference > 0 === (better === "higher") ? "better" : "worse";
}

/** A share of the same rows for two models: 1 where a row counts, else 0. Null without rows. */
export function comparePairedShares(
  first: Uint8Array,
  second: Uint8Array,
): (PairedDifference & { readonly counts: Discordant }) | null {
  const count = first.length;
  if (count === 0) return null;
  let [onlyFirst, onlySecond, both] = [0, 0, 0];
  for (let row = 0; row < count; row++) {
    if (first[row] === second[row]) both += first[row] as number;
    else if (first[row] === 1) onlyFirst += 1;
    else onlySecond += 1;
  }
  const counts = { onlyFirst, onlySecond };
  return {
    first: (both + onlyFirst) / count,
    second: (both + onlySecond) / count,
    difference: (onlySecond - onlyFirst) / count,
    bounds: pairedShareBounds(counts, count),
    p: mcnemarExact(counts),
    test: "mcnemar-exact",
    counts,
  };
}

/** Two models' figure on the same rows: each resample draws the same rows for both. Null if the figure cannot be had. */
export function comparePaired(
  first: Statistic,
  second: Statistic,
  rowCount: number,
  resampling: Resampling,
  onResample?: () => void,
): PairedDifference | null {
  const figures = [figureOf(first, rowCount), figureOf(second, rowCount)] as const;
  if (rowCount === 0 || !figures.every(Number.isFinite)) return null;
  const differences = resampled((draws) => second(draws) - first(draws), rowCount, resampling, onResample);
  if (differences === null) return null;
  return {
    first: figures[0],
    second: figures[1],
    difference: figures[1] - figures[0],
    bounds: percentileBounds(differences),
    p: bootstrapP(differences),
    test: "paired-bootstrap",
  };
}

/** The mean of one number a row, as a statistic. */
export function meanOf(values: ArrayLike<number>): Statistic {
  return (draws) => {
    let [sum, count] = [0, 0];
    for (let row = 0; row < draws.length; row++) {
      const times = draws[row] as number;
      sum += times * (values[row] as number);
      count += times;
    }
    return sum / count;
  };
}
