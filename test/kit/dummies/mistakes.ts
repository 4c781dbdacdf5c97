import { shareMeasure } from "#shared/stats/intervals.ts";
import type { MeasureSpec } from "#shared/task/measures/measure-spec.ts";
import type { LocalMetrics } from "#shared/vector/segment.ts";

/** A measure that no real task has: the fraction of rows in a wrong class. */
export const mistakes: MeasureSpec = {
  of: "classes",
  name: "error rate",
  label: "Error rate",
  unit: "share",
  better: "lower",
  note: (rows) => `Share of ${rows} put into a wrong class.`,
  central: wrong,
  onDevices: wrong,
};

function wrong(sums: LocalMetrics) {
  return "correct" in sums ? shareMeasure(sums.count - sums.correct, sums.count) : null;
}
