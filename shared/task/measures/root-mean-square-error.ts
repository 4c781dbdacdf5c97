import { halfWidth95Of } from "../../stats/intervals.ts";
import type { Measure } from "../../stats/measure.ts";
import type { LocalMetrics } from "../../vector/segment.ts";
import type { Target } from "../target.ts";
import type { MeasureSpec } from "./measure-spec.ts";
import { fourthMomentMax } from "./moments.ts";

/** The root of the mean of (answer - label)^2, in the label's unit. Large errors count more than in the mean error. */
export const rootMeanSquareError: MeasureSpec = {
  of: "number",
  name: "rmse",
  label: "Root mean square error",
  inText: "a root mean square error of",
  unit: "label",
  better: "lower",
  note: (rows) => `Root of the mean square error on ${rows}: large errors count more; lower is better.`,
  central: (sums, target) =>
    "errorFourthSum" in sums ? errorOf(sums, sums.errorFourthSum / sums.count, target) : null,
  // The widest interval that the devices' sums allow.
  onDevices: (sums, target) =>
    "errorSum" in sums
      ? errorOf(sums, fourthMomentMax(sums.errorSum / sums.count, sums.errorSquareSum / sums.count), target)
      : null,
};

/**
 * By the delta method: the variance of a root is that of its square over four times the square.
 *
 * @param fourth  Mean of e^4, or a bound on it.
 */
function errorOf(sums: LocalMetrics, fourth: number, target: Target): Measure | null {
  if (!("errorSum" in sums) || target.kind !== "number" || sums.count <= 0) return null;
  const { count, errorSquareSum } = sums;
  const [from, to] = target.range;
  const square = Math.max(0, errorSquareSum / count);
  const variance = square === 0 ? 0 : (fourth - square ** 2) / Math.max(1, count - 1) / (4 * square);
  return {
    value: (to - from) * Math.sqrt(square),
    halfWidth95: (to - from) * halfWidth95Of(variance),
    count,
    unit: target.unit,
  };
}
