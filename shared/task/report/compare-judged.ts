import type { Resampling } from "../../stats/bootstrap.ts";
import { comparePaired, comparePairedShares, verdictOf } from "../../stats/paired.ts";
import type { LearnedTask } from "../engine.ts";
import type { JudgedRows } from "../judged-rows.ts";
import { rowMeasuresAt, rowMeasuresOf } from "../measures/of-rows/list.ts";
import { type RowFigure, type RowMeasureSpec, statisticOf, unitOf } from "../measures/row-measure.ts";
import { type OperatingPoint, USUAL_POINT } from "../operating-point.ts";
import { type Target, targetOf } from "../target.ts";
import type { ComparedMeasure } from "./comparison.ts";

/** A version of a task, and what a model of it says of rows. */
export interface JudgedVersion {
  readonly task: LearnedTask;
  readonly judged: JudgedRows;
}

/**
 * Compares what two models say of the same rows, by every measure of their target that both have in the same unit.
 *
 * @param onProgress  Called now and then.
 * @param point       Of the task.
 */
export function compareJudged(
  first: JudgedVersion,
  second: JudgedVersion,
  resampling: Resampling,
  onProgress: () => void = () => {},
  point: OperatingPoint = USUAL_POINT,
): readonly ComparedMeasure[] {
  const target = targetOf(first.task.features);
  return rowMeasuresOf(target, rowMeasuresAt(point)).flatMap((spec) => {
    if (spec.isComparable?.(first.task, second.task) === false) return [];
    const figures = [spec.figure(first.judged), spec.figure(second.judged)] as const;
    const found = differenceOf(figures, first.judged.count, resampling, onProgress);
    return found === null ? [] : [comparedMeasure(spec, target, found)];
  });
}

type Difference = NonNullable<ReturnType<typeof comparePaired>> & Pick<ComparedMeasure, "counts">;

function differenceOf(
  [first, second]: readonly [RowFigure | null, RowFigure | null],
  rowCount: number,
  resampling: Resampling,
  onProgress: () => void,
): Difference | null {
  if (first === null || second === null) return null;
  if (first.kind === "share" && second.kind === "share") return comparePairedShares(first.hits, second.hits);
  const statistics = [statisticOf(first), statisticOf(second)] as const;
  const found = comparePaired(statistics[0], statistics[1], rowCount, resampling, onProgress);
  return found === null ? null : { ...found, counts: null };
}

function comparedMeasure(spec: RowMeasureSpec, target: Target, found: Difference): ComparedMeasure {
  const { first, second, difference, bounds, p, test, counts } = found;
  return {
    name: spec.name,
    label: spec.label,
    unit: unitOf(spec, target),
    better: spec.better,
    first,
    second,
    difference,
    low: bounds.low,
    high: bounds.high,
    p,
    test,
    counts,
    verdict: verdictOf(found, spec.better),
  };
}
