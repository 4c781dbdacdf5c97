import { shareMeasure } from "../../stats/intervals.ts";
import type { Measure } from "../../stats/measure.ts";
import type { LocalMetrics } from "../../vector/segment.ts";
import type { MeasureSpec } from "./measure-spec.ts";

/** The fraction of rows whose most probable class is the right one. */
export const accuracy: MeasureSpec = {
  of: "classes",
  name: "accuracy",
  label: "Accuracy",
  unit: "share",
  better: "higher",
  note: (rows) => `Share of ${rows} put into the right class.`,
  sentence: ({ value, halfWidth, many }) =>
    `is right for ${value} of ${many} it has never seen, ± ${halfWidth}`,
  guessing: (target, shares) => {
    if (target.kind !== "classes") return null;
    return shares === null
      ? { value: 1 / target.classes.length, words: "guessing" }
      : { value: Math.max(...shares), words: "always the most frequent" };
  },
  central: shareOf,
  onDevices: shareOf,
};

function shareOf(sums: LocalMetrics): Measure | null {
  return "correct" in sums ? shareMeasure(sums.correct, sums.count) : null;
}
