import { type OperatingPoint, USUAL_POINT } from "../../operating-point.ts";
import type { Target } from "../../target.ts";
import type { RowMeasureSpec } from "../row-measure.ts";
import { balancedAccuracy, f1OfSecond, macroF1 } from "./by-class.ts";
import { calibrationError } from "./calibration-error.ts";
import { errorOfRows, explainedOfRows, rootMeanSquareOfRows, scaledLossOfRows } from "./errors.ts";
import { netBenefit } from "./net-benefit.ts";
import { areaUnderCurve, sensitivity } from "./ranking.ts";
import { accuracyOfRows, logLoss, topK } from "./right.ts";

/** All measures of a report, in the order in which people see them. The first that a task has is its headline. */
export function rowMeasuresAt(point: OperatingPoint): readonly RowMeasureSpec[] {
  return [
    // Of classes.
    accuracyOfRows,
    topK(3),
    topK(5),
    logLoss,
    macroF1,
    f1OfSecond,
    balancedAccuracy,
    areaUnderCurve,
    sensitivity(point),
    netBenefit(point),
    calibrationError,
    // Of numbers.
    errorOfRows,
    rootMeanSquareOfRows,
    explainedOfRows,
    scaledLossOfRows,
  ];
}

/** Those of a task that does not say what its errors cost. */
export const ROW_MEASURES = rowMeasuresAt(USUAL_POINT);

/** Those that a task has. */
export function rowMeasuresOf(
  target: Target,
  all: readonly RowMeasureSpec[] = ROW_MEASURES,
): readonly RowMeasureSpec[] {
  return all.filter(({ of, isFor }) => of === target.kind && (isFor?.(target) ?? true));
}
