import { present } from "../kernel/assert.ts";
import { meanMeasure, shareMeasure } from "../stats/intervals.ts";
import type { Measure, Measures } from "../stats/measure.ts";
import type { Evaluation } from "./engine.ts";

/*
 * Which measures central evaluation makes, and what people read of them. All tasks of today classify; the measures of
 * another kind of task are another list here.
 */

export interface MeasureSpec {
  /** As logs and the API name it. */
  readonly name: string;
  /** For a title. */
  readonly label: string;
  /** Of its values: a share of rows from 0 to 1, or nats. */
  readonly unit: "share" | "nats";
  readonly better: "higher" | "lower";
  /** Null without rows. */
  readonly of: (sums: Evaluation) => Measure | null;
}

export const CLASSIFICATION_MEASURES = [
  {
    name: "accuracy",
    label: "Accuracy",
    unit: "share",
    better: "higher",
    of: ({ correct, count }) => shareMeasure(correct, count),
  },
  {
    name: "loss",
    label: "Loss",
    unit: "nats",
    better: "lower",
    of: ({ lossSum, lossSquareSum, count }) => meanMeasure(lossSum, lossSquareSum, count),
  },
] as const satisfies readonly MeasureSpec[];

/**
 * The measures of a model, by name.
 *
 * @param sums   Over at least one held-out row.
 * @param specs  Those of the task's kind.
 */
export function measuresFrom(
  sums: Evaluation,
  specs: readonly MeasureSpec[] = CLASSIFICATION_MEASURES,
): Measures {
  return Object.fromEntries(specs.map(({ name, of }) => [name, present(of(sums), "held-out rows")]));
}
