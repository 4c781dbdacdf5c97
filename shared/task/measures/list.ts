import { accuracy } from "./accuracy.ts";
import { explained } from "./explained.ts";
import { loss } from "./loss.ts";
import { meanAbsoluteError } from "./mean-absolute-error.ts";
import type { MeasureSpec } from "./measure-spec.ts";
import { rootMeanSquareError } from "./root-mean-square-error.ts";
import { scaledLoss } from "./scaled-loss.ts";

/**
 * All measures, in the order in which people see them. A task has those that its kind of evaluation gives, and the first of
 * them is its headline.
 */
export const MEASURES: readonly MeasureSpec[] = [
  // Of classes.
  accuracy,
  loss,
  // Of numbers.
  meanAbsoluteError,
  rootMeanSquareError,
  explained,
  scaledLoss,
];
