"use client";
import { area, line } from "d3-shape";
import type { ReactNode } from "react";
import { textWidth } from "../ui/text-width.ts";
import { formatDecimal } from "../words/format.ts";
import { Axes, ReadingLine } from "./axes.tsx";
import { ChartFigure } from "./chart-figure.tsx";
import { type PlotFrame, plotFrame } from "./scale.ts";
import type { TableData } from "./table-data.ts";

export interface LinePoint {
  readonly x: number;
  readonly y: number;
  /** Half width of the 95 % interval; a band on lines, a whisker on rings. */
  readonly halfWidth?: number;
}

export interface LineSeries {
  /** Names the series in table and readings. */
  readonly name: string;
  /** sum: what was opened. ink: everything else. you: a participant's own page only. */
  readonly colour: "sum" | "ink" | "you";
  /** A line with a band, or rings with whiskers. */
  readonly shape: "line" | "rings";
  readonly points: readonly LinePoint[];
  /** Beside the last point: a strong line, then quiet ones. */
  readonly labels: readonly string[];
}

export interface ReferenceLine {
  readonly y: number;
  readonly label: string;
  /** limit: an agreed bound, dashed in the colour of stopping. */
  readonly kind?: "reference" | "limit";
}

interface LineChartProps {
  readonly title: string;
  readonly note: ReactNode;
  /** The chart in one sentence: what, from, to. */
  readonly label: string;
  readonly fileName: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly x: readonly [number, number];
  readonly series: readonly LineSeries[];
  readonly references?: readonly ReferenceLine[];
  readonly yFromZero?: boolean;
  /** What no value and no interval can pass, e.g. 1 for a share; the axis ends there. */
  readonly yMost?: number;
  readonly height?: number;
}

/** Lines over rounds with their 95 % bands, direct labels and reference lines. */
export function LineChart(props: LineChartProps) {
  const { series, height = 236, xTitle } = props;
  const steps = [...new Set(series.flatMap(({ points }) => points.map(({ x }) => x)))].toSorted(
    (a, b) => a - b,
  );
  const at = (x: number) => series.map((one) => one.points.find((point) => point.x === x));
  const said = (point: LinePoint) =>
    point.halfWidth === undefined
      ? formatDecimal(point.y)
      : `${formatDecimal(point.y)} ± ${formatDecimal(point.halfWidth)}`;
  const table: TableData = {
    columns: [xTitle, ...series.flatMap(({ name }) => [name, `${name}, ± 95 %`])],
    rows: steps.map((x) => [x, ...at(x).flatMap((point) => [point?.y ?? null, point?.halfWidth ?? null])]),
  };
  const readings = steps.map((x) => {
    const parts = at(x).flatMap((point, index) => (point ? [`${series[index]?.name} ${said(point)}`] : []));
    return `${xTitle.charAt(0).toUpperCase()}${xTitle.slice(1)} ${x}: ${parts.join("; ")}.`;
  });
  return (
    <ChartFigure
      title={props.title}
      note={props.note}
      height={height}
      table={table}
      fileName={props.fileName}
      readings={readings}
      stepAt={(xPx, width) => nearest(steps, lineFrame(width, height, props).x.invert(xPx))}
      draw={(width, step) => (
        <LineDrawing {...props} height={height} width={width} at={step === null ? undefined : steps[step]} />
      )}
    />
  );
}

/** Index of the step nearest to `value`; null if it is more than one step outside. */
export function nearest(steps: readonly number[], value: number): number | null {
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === undefined || last === undefined || value < first - 1 || value > last + 1) return null;
  let best = 0;
  for (const [index, step] of steps.entries()) {
    if (Math.abs(step - value) < Math.abs((steps[best] ?? 0) - value)) best = index;
  }
  return best;
}

function lineFrame(width: number, height: number, props: LineChartProps): PlotFrame {
  const values = [
    ...props.series.flatMap(({ points }) =>
      points.flatMap(({ y, halfWidth = 0 }) => [y - halfWidth, y + halfWidth]),
    ),
    ...(props.references ?? []).map(({ y }) => y),
    ...(props.yFromZero ? [0] : []),
    // Nothing to show yet: the axis is that of what will come, not of one reference line.
    ...(props.series.every(({ points }) => points.length === 0)
      ? [0, ...(props.yMost === undefined ? [] : [props.yMost])]
      : []),
  ];
  const low = values.length === 0 ? 0 : Math.min(...values);
  const high = Math.min(
    props.yMost ?? Number.POSITIVE_INFINITY,
    values.length === 0 ? 1 : Math.max(...values),
  );
  return plotFrame({ width, height, x: props.x, y: [low, high] });
}

function LineDrawing(props: LineChartProps & { width: number; height: number; at: number | undefined }) {
  const { width, height, series, references = [], label } = props;
  const frame = lineFrame(width, height, props);
  const labels = seriesLabels(frame, series);
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <Axes frame={frame} xTitle={props.xTitle} yTitle={props.yTitle} fromZero={props.yFromZero ?? false} />
      {references.map((reference) => (
        <Reference key={reference.label} frame={frame} reference={reference} labels={labels} />
      ))}
      {series.map((one) =>
        one.shape === "line" ? (
          <LineMarks key={one.name} frame={frame} series={one} />
        ) : (
          <RingMarks key={one.name} frame={frame} series={one} />
        ),
      )}
      <SeriesLabels labels={labels} />
      <ReadingLine frame={frame} at={props.at} />
    </svg>
  );
}

/** Beside the end of its line, or just past the labels of the series that stand there. */
function referenceLabelY(frame: PlotFrame, y: number, labels: readonly SeriesLabel[]): number {
  const wanted = y + 4;
  const taken = labels.find(({ x, y: top, rows, fits }) => {
    const end = x + Math.max(...rows.map(textWidth));
    const bottom = top + (rows.length - 1) * LINE_PX;
    return fits && end > frame.right + 4 && wanted > top - LINE_PX && wanted < bottom + LINE_PX;
  });
  if (taken === undefined) return wanted;
  const below = taken.y + taken.rows.length * LINE_PX;
  return below <= frame.bottom + 4 ? below : taken.y - LINE_PX;
}

function Reference({
  frame,
  reference,
  labels,
}: {
  readonly frame: PlotFrame;
  readonly reference: ReferenceLine;
  readonly labels: readonly SeriesLabel[];
}) {
  const y = frame.y(reference.y);
  const beside = !frame.narrow && textWidth(reference.label) <= frame.width - frame.right;
  return (
    <g>
      <line className={reference.kind ?? "reference"} x1={frame.left} x2={frame.right} y1={y} y2={y} />
      <text
        className="ink-note halo"
        x={beside ? frame.right + 8 : frame.right}
        y={beside ? referenceLabelY(frame, y, labels) : y - 6}
        textAnchor={beside ? "start" : "end"}
      >
        {reference.label}
      </text>
    </g>
  );
}

function LineMarks({ frame, series }: { readonly frame: PlotFrame; readonly series: LineSeries }) {
  const { x, y } = frame;
  const banded = series.points.filter((point) => point.halfWidth !== undefined);
  const band = area<LinePoint>()
    .x((point) => x(point.x))
    .y0((point) => y(point.y - (point.halfWidth ?? 0)))
    .y1((point) => Math.max(frame.top, y(point.y + (point.halfWidth ?? 0))));
  const path = line<LinePoint>()
    .x((point) => x(point.x))
    .y((point) => y(point.y));
  return (
    <g>
      {banded.length > 1 && <path className={`band ${series.colour}`} d={band(banded) ?? ""} />}
      {series.points.length > 1 && (
        <path className={`series ${series.colour}`} d={path(series.points) ?? ""} />
      )}
      {series.points.map((point) => (
        <circle key={point.x} className={`point ${series.colour}`} cx={x(point.x)} cy={y(point.y)} r={2.2} />
      ))}
    </g>
  );
}

function RingMarks({ frame, series }: { readonly frame: PlotFrame; readonly series: LineSeries }) {
  const { x, y } = frame;
  return (
    <g>
      {series.points.map((point) => {
        const half = point.halfWidth ?? 0;
        const ends = {
          x1: x(point.x),
          x2: x(point.x),
          y1: y(point.y - half),
          y2: Math.max(frame.top, y(point.y + half)),
        };
        return (
          <g key={point.x}>
            {half > 0 && <line className="whisker-edge" {...ends} />}
            {half > 0 && <line className={`whisker ${series.colour}`} {...ends} />}
            <circle className="point ring" cx={x(point.x)} cy={y(point.y)} r={2.4} />
          </g>
        );
      })}
    </g>
  );
}

const LINE_PX = 15;
const LABEL_CLASS = { sum: "of-sum", ink: "of-ink-2", you: "of-you" } as const;

/** The first series keeps its place beside its point; the label of one that would lie on it goes below. */
function placeLabels(frame: PlotFrame, labelled: readonly { one: LineSeries; last: LinePoint }[]): number[] {
  let above: { from: number; to: number } | null = null;
  return labelled.map(({ one, last }) => {
    const height = one.labels.length * LINE_PX;
    const own = Math.min(frame.y(last.y) + 4, frame.bottom + LINE_PX - 4 - height);
    const clear = above === null || own + height <= above.from || own >= above.to;
    const placed: number = clear || above === null ? own : above.to;
    above = { from: placed - 2, to: placed + height + 2 };
    return placed;
  });
}

/** A label that stands on the plot goes below its line, or above if it would reach the axis. */
function onPlot(frame: PlotFrame, beside: number, lineCount: number, fits: boolean): number {
  if (fits) return beside;
  const below = beside + 22;
  return below + lineCount * LINE_PX <= frame.bottom + LINE_PX - 4
    ? below
    : beside - 14 - lineCount * LINE_PX;
}

interface SeriesLabel {
  readonly colour: LineSeries["colour"];
  readonly rows: readonly string[];
  readonly x: number;
  /** Baseline of the first row. */
  readonly y: number;
  /** Beside its point; otherwise on the plot, ending at `x`. */
  readonly fits: boolean;
}

/** Labels at the last points, moved apart. If there is no room at the right they stand on the plot. */
function seriesLabels(frame: PlotFrame, series: readonly LineSeries[]): SeriesLabel[] {
  const labelled = series.flatMap((one) => {
    const last = one.points.at(-1);
    return last === undefined || one.labels.length === 0 ? [] : [{ one, last }];
  });
  const placed = placeLabels(frame, labelled);
  const besideOf = (last: LinePoint) => frame.x(last.x) + 9;
  // All beside their points or none: a label on the plot would meet one that is not.
  const fits = labelled.every(
    ({ one, last }) => besideOf(last) + Math.max(...one.labels.map(textWidth)) <= frame.width,
  );
  return labelled.map(({ one, last }, index) => ({
    colour: one.colour,
    rows: one.labels,
    x: fits ? besideOf(last) : frame.right,
    y: onPlot(frame, placed[index] ?? 0, one.labels.length, fits),
    fits,
  }));
}

function SeriesLabels({ labels }: { readonly labels: readonly SeriesLabel[] }) {
  return (
    <g>
      {labels.map(({ colour, rows, x, y, fits }) =>
        rows.map((text, row) => (
          <text
            key={text}
            className={row === 0 ? `ink-text halo ${LABEL_CLASS[colour]}` : "ink-note halo"}
            x={x}
            y={y + row * LINE_PX}
            textAnchor={fits ? "start" : "end"}
          >
            {text}
          </text>
        )),
      )}
    </g>
  );
}
