import type { Draws } from "../../../stats/bootstrap.ts";
import type { JudgedClasses, JudgedRows } from "../../judged-rows.ts";
import type { RowFigure, RowMeasureSpec } from "../row-measure.ts";

/** Of each class. */
export interface ClassCounts {
  /** Rows of the class. */
  readonly actual: Float64Array;
  /** Rows that the model puts into it. */
  readonly said: Float64Array;
  /** Rows of both. */
  readonly right: Float64Array;
}

/** The mean over classes, so that a rare class counts as much as a frequent one. */
export const macroF1: RowMeasureSpec = {
  of: "classes",
  name: "macroF1",
  label: "F1, mean of the classes",
  unit: "share",
  better: "higher",
  about:
    "The harmonic mean of precision and recall of each class, averaged over the classes that occur among the labels or the answers.",
  figure: byClass((counts) => meanOver(counts, f1Of)),
};

export const balancedAccuracy: RowMeasureSpec = {
  of: "classes",
  name: "balancedAccuracy",
  label: "Balanced accuracy",
  unit: "share",
  better: "higher",
  about: "The recall of each class, averaged over the classes that occur among the labels.",
  figure: byClass((counts) =>
    meanOver(counts, ({ actual, right }, index) => at(right, index) / at(actual, index)),
  ),
};

export const f1OfSecond: RowMeasureSpec = {
  of: "classes",
  name: "f1",
  label: "F1 of the second class",
  unit: "share",
  better: "higher",
  about: "The harmonic mean of precision and recall of the second class.",
  isFor: (target) => target.kind === "classes" && target.classes.length === 2,
  figure: byClass((counts) => f1Of(counts, 1)),
};

/** F1 of one class; NaN if it occurs neither among labels nor answers. */
export function f1Of({ actual, said, right }: ClassCounts, index: number): number {
  return (2 * at(right, index)) / (at(actual, index) + at(said, index));
}

/** @param draws  How often each row counts. */
export function countClasses({ classes, labels, said, count }: JudgedClasses, draws: Draws): ClassCounts {
  const zeros = () => new Float64Array(classes.length);
  const counts = { actual: zeros(), said: zeros(), right: zeros() };
  for (let row = 0; row < count; row++) {
    const [label, answer, times] = [labels[row] as number, said[row] as number, draws[row] as number];
    counts.actual[label] = at(counts.actual, label) + times;
    counts.said[answer] = at(counts.said, answer) + times;
    if (label === answer) counts.right[label] = at(counts.right, label) + times;
  }
  return counts;
}

function byClass(of: (counts: ClassCounts) => number): (rows: JudgedRows) => RowFigure | null {
  return (rows) =>
    rows.kind === "classes" ? { kind: "whole", of: (draws) => of(countClasses(rows, draws)) } : null;
}

/** Classes without a figure do not count. */
function meanOver(counts: ClassCounts, of: (counts: ClassCounts, index: number) => number): number {
  let [sum, classCount] = [0, 0];
  for (let index = 0; index < counts.actual.length; index++) {
    const figure = of(counts, index);
    if (Number.isNaN(figure)) continue;
    sum += figure;
    classCount += 1;
  }
  return sum / classCount;
}

function at(values: Float64Array, index: number): number {
  return values[index] as number;
}
