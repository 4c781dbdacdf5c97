"use client";
import type { Measure } from "#shared/stats/measure.ts";
import type { MeasureSpec } from "#shared/task/measures/index.ts";
import { LineChart, type LineSeries, SERIES_COLOURS } from "../../chart/line-chart.tsx";
import { roundsAxisEnd } from "../../chart/scale.ts";
import { formatMeasure } from "../../words/format.ts";
import { axisTitle, chartNote } from "../../words/measures.ts";

export interface Curve {
  /** In table and readings: "digits, run 6". */
  readonly name: string;
  /** Beside the line: "run 6". */
  readonly label: string;
  readonly points: readonly { readonly round: number; readonly measure: Measure }[];
}

interface CurvesChartProps {
  readonly spec: MeasureSpec;
  /** At least one, at most six. All are of the same rows. */
  readonly curves: readonly Curve[];
  readonly rows: string;
  readonly fileName: string;
  /** The last round that is planned. */
  readonly end: number;
}

/** Curves of several runs over their rounds on one chart, each with its band and its name. */
export function CurvesChart({ spec, curves, rows, fileName, end }: CurvesChartProps) {
  const series = curves.map(({ name, label, points }, index): LineSeries => {
    const last = points.at(-1)?.measure;
    return {
      name,
      colour: SERIES_COLOURS[index] ?? "ink",
      shape: "line",
      points: points.map(({ round, measure }) => ({
        x: round,
        y: measure.value,
        halfWidth: measure.halfWidth95,
      })),
      labels: last === undefined ? [] : [label, formatMeasure(last)],
    };
  });
  const done = Math.max(...curves.map(({ points }) => points.at(-1)?.round ?? 0));
  const [first] = curves.flatMap(({ points }) => points);
  return (
    <LineChart
      title={`${spec.label} by round`}
      note={`${chartNote({ note: spec.note }, rows)} Where bands overlap, a comparison on the same rows decides, not the bands.`}
      label={`${spec.label} by round of ${curves.map(({ name }) => name).join(", ")}.`}
      fileName={fileName}
      xTitle="round"
      yTitle={axisTitle(spec, first?.measure)}
      yMost={spec.unit === "share" ? 1 : undefined}
      x={[0, roundsAxisEnd(done, Math.max(end, done))]}
      series={series}
    />
  );
}
