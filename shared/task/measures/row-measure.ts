import { figureOf, type Statistic } from "../../stats/bootstrap.ts";
import { meanOf } from "../../stats/paired.ts";
import type { LearnedTask } from "../engine.ts";
import type { JudgedRows } from "../judged-rows.ts";
import type { Target } from "../target.ts";
import type { MeasureSpec } from "./measure-spec.ts";

/**
 * One measure of a report, computed from what a model says of each row. A new one is a file with one of these and an entry in
 * `of-rows/list.ts`; reports, comparisons, gates and model cards follow from that.
 */
export interface RowMeasureSpec extends Pick<MeasureSpec, "of" | "name" | "label" | "unit" | "better"> {
  /** How it is computed, and with which settings; a sentence. */
  readonly about: string;
  /** Which tasks of the kind have it; all of them by default. */
  readonly isFor?: (target: Target) => boolean;
  /** Whether two versions of a task have it in the same unit; true by default. */
  readonly isComparable?: (first: LearnedTask, second: LearnedTask) => boolean;
  /** Null if these rows do not allow it, for instance if they are all of one class. */
  readonly figure: (rows: JudgedRows) => RowFigure | null;
}

/** How a figure is made of rows, which decides on its interval and on how two models are compared. */
export type RowFigure =
  /** The part of the rows that count, each 0 or 1: Wilson's interval, McNemar's test. */
  | { readonly kind: "share"; readonly hits: Uint8Array }
  /** The mean of one number a row: a normal interval, a paired bootstrap. */
  | { readonly kind: "mean"; readonly values: Float64Array }
  /** Anything else: a bootstrap. */
  | { readonly kind: "whole"; readonly of: Statistic };

/** The figure of rows that are drawn so often each. */
export function statisticOf(figure: RowFigure): Statistic {
  switch (figure.kind) {
    case "share":
      return meanOf(figure.hits);
    case "mean":
      return meanOf(figure.values);
    case "whole":
      return figure.of;
  }
}

/** The figure of all rows. */
export function figureValue(figure: RowFigure, rowCount: number): number {
  return figureOf(statisticOf(figure), rowCount);
}

/** The unit of its values: as in `MeasureSpec`, or the label's. */
export function unitOf({ unit }: RowMeasureSpec, target: Target): string {
  return unit === "label" && target.kind === "number" ? target.unit : unit;
}
