import type { Draws } from "../../../stats/bootstrap.ts";
import type { LearnedTask } from "../../engine.ts";
import type { JudgedNumbers } from "../../judged-rows.ts";
import { targetOf } from "../../target.ts";
import { explained } from "../explained.ts";
import { meanAbsoluteError } from "../mean-absolute-error.ts";
import type { MeasureSpec } from "../measure-spec.ts";
import { rootMeanSquareError } from "../root-mean-square-error.ts";
import type { RowFigure, RowMeasureSpec } from "../row-measure.ts";
import { scaledLoss } from "../scaled-loss.ts";

/* The measures of a number as in events and charts, of the rows. */

export const errorOfRows = ofNumber(
  meanAbsoluteError,
  "How far the model's number is off on average.",
  ({ answers, labels }) => ({
    kind: "mean",
    values: answers.map((answer, row) => Math.abs(answer - (labels[row] as number))),
  }),
);

export const rootMeanSquareOfRows = ofNumber(
  rootMeanSquareError,
  "The root of the mean square error: large errors count more.",
  (rows) => ({ kind: "whole", of: (draws) => Math.sqrt(spreadOf(rows, draws).unexplained) }),
);

export const explainedOfRows = ofNumber(
  explained,
  "The part of the labels' variance that the model explains; 0 is predicting their mean for all.",
  (rows) => ({
    kind: "whole",
    of: (draws) => {
      const { unexplained, variance } = spreadOf(rows, draws);
      return variance > 0 ? 1 - unexplained / variance : Number.NaN;
    },
  }),
);

export const scaledLossOfRows: RowMeasureSpec = {
  ...ofNumber(scaledLoss, "What training makes small, in scaled units.", ({ losses }) => ({
    kind: "mean",
    values: losses,
  })),
  isComparable: (first, second) => lossUnitOf(first) === lossUnitOf(second),
};

/** Losses of two kinds, or of labels that are scaled differently, are no numbers of one unit. */
function lossUnitOf({ training, features }: LearnedTask): string {
  const target = targetOf(features);
  return JSON.stringify([training.loss ?? null, target.kind === "number" ? (target.scaling ?? null) : null]);
}

function ofNumber(
  { name, label, unit, better }: MeasureSpec,
  about: string,
  figure: (rows: JudgedNumbers) => RowFigure,
): RowMeasureSpec {
  return {
    of: "number",
    name,
    label,
    unit,
    better,
    about,
    figure: (rows) => (rows.kind === "number" ? figure(rows) : null),
  };
}

/** The mean square error, and the variance of the labels. */
function spreadOf({ answers, labels }: JudgedNumbers, draws: Draws) {
  // Around the first label, or a large mean would swallow the digits of a small variance.
  const origin = labels[0] ?? 0;
  let [count, errorSum, labelSum, labelSquareSum] = [0, 0, 0, 0];
  for (let row = 0; row < draws.length; row++) {
    const times = draws[row] as number;
    const label = (labels[row] as number) - origin;
    count += times;
    errorSum += times * ((answers[row] as number) - origin - label) ** 2;
    labelSum += times * label;
    labelSquareSum += times * label ** 2;
  }
  return { unexplained: errorSum / count, variance: labelSquareSum / count - (labelSum / count) ** 2 };
}
