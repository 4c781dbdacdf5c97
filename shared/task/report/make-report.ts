import { percentileBounds, type Resampling, resampledEach, type Statistic } from "../../stats/bootstrap.ts";
import { meanMeasure, wilsonBounds } from "../../stats/intervals.ts";
import type { JudgedRows } from "../judged-rows.ts";
import { rowMeasuresAt, rowMeasuresOf } from "../measures/of-rows/list.ts";
import { figureValue, type RowFigure, type RowMeasureSpec, unitOf } from "../measures/row-measure.ts";
import { type OperatingPoint, pointKey, USUAL_POINT } from "../operating-point.ts";
import { targetOf } from "../target.ts";
import type { Task } from "../task.ts";
import { classFiguresOf, classTable } from "./class-table.ts";
import { reportFigure } from "./figure.ts";
import type { EvaluationReport, ReportFigure, ReportMeasure } from "./report.ts";
import { resamplingOf } from "./resampling.ts";
import { residualsOf } from "./residuals.ts";

export interface ReportSource extends Pick<EvaluationReport, "modelHash" | "heldOutHash" | "environment"> {
  readonly task: Task;
  readonly judged: JudgedRows;
  /** Of the task; the usual one by default. */
  readonly operatingPoint?: OperatingPoint;
  /** In place of the list. */
  readonly measures?: readonly RowMeasureSpec[];
}

/** The report of a model. The same source gives the same report. @param onProgress  Called now and then. */
export function makeReport(source: ReportSource, onProgress: () => void = () => {}): EvaluationReport {
  const { task, modelHash, heldOutHash, judged, environment, operatingPoint = USUAL_POINT } = source;
  const target = targetOf(task.features);
  const resampling = resamplingOf(heldOutHash, judged.count, classCountOf(judged));
  const specs = rowMeasuresOf(target, source.measures ?? rowMeasuresAt(operatingPoint)).flatMap((spec) => {
    const figure = spec.figure(judged);
    return figure === null ? [] : [{ spec, figure }];
  });
  const whole = specs.flatMap(({ figure }) => (figure.kind === "whole" ? [figure.of] : []));
  const drawn = drawnFigures(judged, whole, resampling, onProgress);
  let next = 0;
  const measures = specs.map(({ spec, figure }): ReportMeasure => {
    const figures = figure.kind === "whole" ? (drawn[next++] ?? null) : null;
    return {
      name: spec.name,
      label: spec.label,
      unit: unitOf(spec, target),
      better: spec.better,
      about: spec.about,
      ...figureOf(figure, judged.count, figures),
    };
  });
  return {
    format: "chorus-evaluation",
    formatVersion: 1,
    task: { slug: task.slug, version: task.version },
    modelHash,
    heldOutHash,
    rowCount: judged.count,
    environment,
    resampling,
    // Reports of earlier versions do not say the usual one, and stay the same bytes.
    ...(pointKey(operatingPoint) === pointKey() ? {} : { operatingPoint }),
    measures,
    rows:
      judged.kind === "classes"
        ? classTable(judged, drawn.slice(whole.length))
        : { kind: "number", residuals: residualsOf(judged) },
  };
}

/** Resampled figures of measures, and after them those of the classes, all on the same resamples. */
function drawnFigures(
  judged: JudgedRows,
  statistics: readonly Statistic[],
  resampling: Resampling,
  onProgress: () => void,
): readonly (Float64Array | null)[] {
  const byClass = judged.kind === "classes" ? classFiguresOf(judged) : () => [];
  return resampledEach(
    (draws) => [...statistics.map((statistic) => statistic(draws)), ...byClass(draws)],
    statistics.length + (judged.kind === "classes" ? judged.classes.length : 0),
    judged.count,
    resampling,
    onProgress,
  );
}

/** @param drawn  Resampled, ascending; null if there are none. */
function figureOf(figure: RowFigure, rowCount: number, drawn: Float64Array | null): ReportFigure {
  const value = figureValue(figure, rowCount);
  switch (figure.kind) {
    case "share": {
      const hits = figure.hits.reduce((sum, hit) => sum + hit, 0);
      return reportFigure(value, wilsonBounds(hits, rowCount), "wilson");
    }
    case "mean": {
      const [sum, squareSum] = momentsOf(figure.values);
      const { halfWidth95 = 0 } = meanMeasure(sum, squareSum, rowCount) ?? {};
      return reportFigure(value, { low: value - halfWidth95, high: value + halfWidth95 }, "normal");
    }
    case "whole":
      return reportFigure(value, drawn === null ? null : percentileBounds(drawn), "bootstrap");
  }
}

function momentsOf(values: Float64Array): readonly [sum: number, squareSum: number] {
  let [sum, squareSum] = [0, 0];
  for (const value of values) {
    sum += value;
    squareSum += value * value;
  }
  return [sum, squareSum];
}

function classCountOf(judged: JudgedRows): number {
  return judged.kind === "classes" ? judged.classes.length : 1;
}
