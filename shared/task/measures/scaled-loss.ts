import { meanMeasure } from "../../stats/intervals.ts";
import type { MeasureSpec } from "./measure-spec.ts";

/** The mean loss of a model that gives a number, in scaled units: what training makes small. Without an interval on devices. */
export const scaledLoss: MeasureSpec = {
  of: "number",
  name: "scaledLoss",
  label: "Loss",
  inText: "loss",
  unit: "none",
  better: "lower",
  note: (rows) => `What training makes small, on ${rows}, in scaled units; lower is better.`,
  central: (sums) => ("errorSum" in sums ? meanMeasure(sums.lossSum, sums.lossSquareSum, sums.count) : null),
};
