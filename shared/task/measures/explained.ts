import { halfWidth95Of } from "../../stats/intervals.ts";
import type { Measure } from "../../stats/measure.ts";
import type { LocalMetrics } from "../../vector/segment.ts";
import type { NumberSums } from "../evaluation.ts";
import type { MeasureSpec } from "./measure-spec.ts";
import { fourthMomentMax, varianceMax } from "./moments.ts";

/**
 * R^2: which part of the labels' variance the model explains. 1 is always right; 0 is no better than the mean of these rows for
 * everyone, and below it is worse.
 *
 * Its interval is by the delta method. With A the mean square error, B the variance of the labels, and y' a label less their
 * mean, 1 - A/B has the influence e^2 / B - (A / B^2) y'^2 of each row.
 */
export const explained: MeasureSpec = {
  of: "number",
  name: "r2",
  label: "Explained variance, R²",
  inText: "R²",
  unit: "none",
  better: "higher",
  note: (rows) =>
    `Part of the variance on ${rows} that the model explains; 0 is predicting their mean for all.`,
  guessing: (target) => (target.kind === "number" ? { value: 0, words: "their mean for all" } : null),
  central: (sums) => ("errorFourthSum" in sums ? explainedBy(sums, influenceVariance) : null),
  // The widest interval that the devices' sums allow.
  onDevices: (sums) => ("errorSum" in sums ? explainedBy(sums, influenceVarianceMax) : null),
};

type Sums = Extract<LocalMetrics, { readonly errorSum: number }>;

/** Null if all labels are equal: there is no variance to explain. */
function explainedBy<S extends Sums>(
  sums: S,
  varianceOf: (sums: S, unexplained: Unexplained) => number,
): Measure | null {
  const { count, errorSquareSum, labelSum, labelSquareSum } = sums;
  if (count <= 0) return null;
  const labelMean = labelSum / count;
  const labelVariance = labelSquareSum / count - labelMean ** 2;
  if (!(labelVariance > VARIANCE_MIN)) return null;
  // A label's range is 2 long in y and 1 in e.
  const error = Math.max(0, (4 * errorSquareSum) / count);
  const unexplained = { error, labelMean, labelVariance };
  return {
    value: 1 - error / labelVariance,
    halfWidth95: halfWidth95Of(varianceOf(sums, unexplained) / count),
    count,
  };
}

/** Below it, the fixed point of the sums decides rather than the labels. */
const VARIANCE_MIN = 1e-9;

interface Unexplained {
  /** A. */
  readonly error: number;
  readonly labelMean: number;
  /** B. */
  readonly labelVariance: number;
}

/** From the moments: A_i^2 / B^2 - 2 A_i y'^2 A / B^3 + y'^4 A^2 / B^4 on average. The influence has the mean 0. */
function influenceVariance(sums: NumberSums, { error, labelMean, labelVariance }: Unexplained): number {
  const mean = (sum: number) => sum / sums.count;
  const m = labelMean;
  const errorFourth = 16 * mean(sums.errorFourthSum);
  const square = mean(sums.labelSquareSum);
  const labelFourth =
    mean(sums.labelFourthSum) - 4 * m * mean(sums.labelCubeSum) + 6 * m ** 2 * square - 3 * m ** 4;
  const mixed =
    4 *
    (mean(sums.errorSquareLabelSquareSum) -
      2 * m * mean(sums.errorSquareLabelSum) +
      m ** 2 * mean(sums.errorSquareSum));
  const ratio = error / labelVariance;
  return (errorFourth - 2 * ratio * mixed + ratio ** 2 * labelFourth) / labelVariance ** 2;
}

/** The deviations of both terms at their largest, as if they added up. */
function influenceVarianceMax(sums: Sums, { error, labelMean, labelVariance }: Unexplained): number {
  const { count, errorSum, errorSquareSum } = sums;
  const square = errorSquareSum / count;
  const errorDeviation = 4 * Math.sqrt(Math.max(0, fourthMomentMax(errorSum / count, square) - square ** 2));
  const farthest = (1 + Math.abs(labelMean)) ** 2;
  const labelDeviation = Math.sqrt(varianceMax(labelVariance, farthest));
  return ((errorDeviation + (error / labelVariance) * labelDeviation) / labelVariance) ** 2;
}
