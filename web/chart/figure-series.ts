import type { Measure, Measures } from "#shared/stats/measure.ts";
import type { MeasureSpec } from "#shared/task/measures/index.ts";
import { formatMeasure } from "../words/format.ts";
import type { LinePoint, LineSeries } from "./line-chart.tsx";

/* Lines of one measure, over the rounds of a run or the versions of a task. */

export interface CurvePoint {
  /** The round, or the version, that made the model. */
  readonly round: number;
  readonly measure: Measure;
}

/** The points that have this measure. */
export function curveOf(
  history: readonly { readonly round: number; readonly measures: Measures }[],
  { name }: MeasureSpec,
): readonly CurvePoint[] {
  return history.flatMap(({ round, measures }) => {
    const measure = measures[name];
    return measure === undefined ? [] : [{ round, measure }];
  });
}

export function heldOutSeries(
  { name, inText = name }: MeasureSpec,
  points: readonly CurvePoint[],
): LineSeries {
  const last = points.at(-1)?.measure;
  return {
    name: `held-out ${inText}`,
    colour: "sum",
    shape: "line",
    points: pointsOf(points),
    labels: last === undefined ? [] : [formatMeasure(last), "held out"],
  };
}

/** Figures of rows that were replaced meanwhile: a quiet line of its own. */
export function otherSetSeries(
  { name, inText = name }: MeasureSpec,
  points: readonly CurvePoint[],
  index: number,
): LineSeries {
  return {
    name: `${inText}, other held-out set${index === 0 ? "" : ` ${index + 1}`}`,
    colour: "ink",
    shape: "line",
    points: pointsOf(points),
    labels: ["other held-out set"],
  };
}

function pointsOf(points: readonly CurvePoint[]): readonly LinePoint[] {
  return points.map(({ round, measure }) => ({ x: round, y: measure.value, halfWidth: measure.halfWidth95 }));
}
