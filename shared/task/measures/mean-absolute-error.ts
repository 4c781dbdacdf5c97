import { halfWidth95Of } from "../../stats/intervals.ts";
import type { Measure } from "../../stats/measure.ts";
import type { LocalMetrics } from "../../vector/segment.ts";
import type { Target } from "../target.ts";
import type { MeasureSpec } from "./measure-spec.ts";

/** How far a model's number is off, on average: mean of |answer - label|, in the label's unit. */
export const meanAbsoluteError: MeasureSpec = {
  of: "number",
  name: "mae",
  label: "Mean error",
  inText: "a mean error of",
  unit: "label",
  better: "lower",
  note: (rows) => `How far the model's number is off on average, on ${rows}; lower is better.`,
  sentence: ({ value, halfWidth, many }) =>
    `is off by ${value} on average, ± ${halfWidth}, on ${many} it has never seen`,
  central: errorOf,
  onDevices: errorOf,
};

/** The squares are among the sums, so the interval takes no assumption. */
function errorOf(sums: LocalMetrics, target: Target): Measure | null {
  if (!("errorSum" in sums) || target.kind !== "number" || sums.count <= 0) return null;
  const { count, errorSum, errorSquareSum } = sums;
  const [from, to] = target.range;
  const mean = errorSum / count;
  const variance = (errorSquareSum - count * mean ** 2) / Math.max(1, count - 1) / count;
  return {
    value: (to - from) * mean,
    halfWidth95: (to - from) * halfWidth95Of(variance),
    count,
    unit: target.unit,
  };
}
