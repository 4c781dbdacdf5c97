"use client";
import { area, line } from "d3-shape";
import { type ReactNode, useId, useState } from "react";
import type { TableData } from "#shared/export/table/table-data.ts";
import { textWidth } from "../ui/text-width.ts";
import { beyondWords } from "../words/charts.ts";
import { formatDecimal } from "../words/format.ts";
import { Axes, ReadingLine } from "./axes.tsx";
import { ChartFigure } from "./chart-figure.tsx";
import { type Domain, focusOf, marked } from "./many-rounds.ts";
import { type PlotFrame, plotFrame } from "./scale.ts";
import { WholeAxis } from "./whole-axis.tsx";

export interface LinePoint {
  readonly x: number;
  readonly y: number;
  /** Half width of the 95 % interval; a band on lines, a whisker on rings. */
  readonly halfWidth?: number;
}

/** For series of which none is more than the others, in this order. */
export const SERIES_COLOURS = ["group-1", "group-2", "group-3", "group-4", "group-5", "group-6"] as const;

export interface LineSeries {
  /** Names the series in table and readings. */
  readonly name: string;
  /** sum: what was opened. ink: everything else. you: only on a participant's own page. Numbers: one of several alike. */
  readonly colour: "sum" | "ink" | "you" | (typeof SERIES_COLOURS)[number];
  /** A line with a band, or rings with whiskers. */
  readonly shape: "line" | "rings";
  readonly points: readonly LinePoint[];
  /** Labels beside the last point: the first one strong, the others quiet. */
  readonly labels: readonly string[];
}

export interface ReferenceLine {
  readonly y: number;
  readonly label: string;
  /** limit: an agreed bound, dashed in the colour for stopping. */
  readonly kind?: "reference" | "limit";
}

interface LineChartProps {
  readonly title: string;
  readonly note: ReactNode;
  /** The chart in one sentence: the figure, its start and its end. */
  readonly label: string;
  readonly fileName: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly x: readonly [number, number];
  readonly series: readonly LineSeries[];
  readonly references?: readonly ReferenceLine[];
  readonly yFromZero?: boolean;
  /** Upper bound of values and intervals, e.g. 1 for a fraction; the axis ends there. */
  readonly yMost?: number | undefined;
  readonly height?: number;
}

/** Lines over rounds with their 95 % bands, direct labels and reference lines. */
export function LineChart(props: LineChartProps) {
  const { series, height = 236, xTitle } = props;
  const [wantsWhole, setWantsWhole] = useState(false);
  const focus = focusIn(props);
  const shown = { ...props, focus: wantsWhole ? null : focus };
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
      stepAt={(xPx, width) => nearest(steps, lineFrame(width, height, shown).x.invert(xPx))}
      actions={focus !== null && <WholeAxis isOn={wantsWhole} onChange={setWantsWhole} />}
      draw={(width, step) => (
        <LineDrawing {...shown} height={height} width={width} at={step === null ? undefined : steps[step]} />
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

/** A line chart whose axis may leave out what is far away. */
interface ShownProps extends LineChartProps {
  readonly focus: Domain | null;
}

function focusIn(props: LineChartProps): Domain | null {
  const points = props.series.find(({ shape }) => shape === "line")?.points ?? [];
  return focusOf(points, wholeDomain(props));
}

function lineFrame(width: number, height: number, props: ShownProps): PlotFrame {
  const { low, high } = props.focus ?? wholeDomain(props);
  const frame = plotFrame({ width, height, x: props.x, y: [low, high] });
  if (props.yMost !== undefined && (frame.y.domain()[1] ?? 0) > props.yMost)
    frame.y.domain([frame.y.domain()[0] ?? 0, props.yMost]);
  return frame;
}

function wholeDomain(props: LineChartProps): Domain {
  const values = [
    ...props.series.flatMap(({ points }) =>
      points.flatMap(({ y, halfWidth = 0 }) => [y - halfWidth, y + halfWidth]),
    ),
    ...(props.references ?? []).map(({ y }) => y),
    ...(props.yFromZero ? [0] : []),
    // With nothing to show yet, the axis covers the values to come, not just one reference line.
    ...(props.series.every(({ points }) => points.length === 0)
      ? [0, ...(props.yMost === undefined ? [] : [props.yMost])]
      : []),
  ];
  const low = values.length === 0 ? 0 : Math.min(...values);
  const high = Math.min(
    props.yMost ?? Number.POSITIVE_INFINITY,
    values.length === 0 ? 1 : Math.max(...values),
  );
  return { low, high };
}

function LineDrawing(props: ShownProps & { width: number; height: number; at: number | undefined }) {
  const { width, height, series, references = [], label } = props;
  const frame = lineFrame(width, height, props);
  const labels = seriesLabels(frame, series);
  const clip = useId();
  const [low = 0, high = 0] = frame.y.domain();
  const isIn = (y: number) => y >= low && y <= high;
  const beyond = series.find(({ shape }) => shape === "line")?.points.filter(({ y }) => !isIn(y)) ?? [];
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <clipPath id={clip}>
        <rect
          x={frame.left}
          y={frame.top - 4}
          width={frame.right - frame.left + 4}
          height={frame.bottom - frame.top + 4}
        />
      </clipPath>
      <Axes
        frame={frame}
        xTitle={props.xTitle}
        yTitle={low > 0 && props.focus !== null ? `${props.yTitle}, axis does not begin at 0` : props.yTitle}
        fromZero={props.yFromZero ?? false}
        notch={low > 0 && props.focus !== null}
      />
      {references
        .filter(({ y }) => isIn(y))
        .map((reference) => (
          <Reference key={reference.label} frame={frame} reference={reference} labels={labels} />
        ))}
      {series.map((one) =>
        one.shape === "line" ? (
          <LineMarks key={one.name} frame={frame} series={one} clip={props.focus === null ? null : clip} />
        ) : (
          <RingMarks
            key={one.name}
            frame={frame}
            series={{ ...one, points: one.points.filter(({ y }) => isIn(y)) }}
          />
        ),
      )}
      <SeriesLabels labels={labels} />
      <Beyond frame={frame} points={beyond} references={references.filter(({ y }) => !isIn(y))} />
      <ReadingLine frame={frame} at={props.at} />
    </svg>
  );
}

/** Beside the end of its line, or just past the series labels there. */
function referenceLabelY(frame: PlotFrame, y: number, labels: readonly SeriesLabel[]): number {
  const wanted = y + 4;
  const taken = labels.find(({ x, y: top, rows, fits }) => {
    const end = x + Math.max(...rows.map((row) => textWidth(row)));
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

interface BeyondProps {
  readonly frame: PlotFrame;
  readonly points: readonly LinePoint[];
  readonly references: readonly ReferenceLine[];
}

/** Names what the axis leaves out: behind where the line comes in, or in the corner if there is no room. */
function Beyond({ frame, points, references }: BeyondProps) {
  const [low = 0] = frame.y.domain();
  const isBelow = (points[0]?.y ?? references[0]?.y ?? low) < low;
  const words = beyondWords(points, references, isBelow);
  if (words.length === 0) return null;
  const last = points.at(-1);
  const beside = last === undefined ? frame.left + 14 : frame.x(last.x + 1) + 24;
  const fits = beside + Math.max(...words.map((text) => textWidth(text))) <= frame.right;
  const x = fits ? Math.max(frame.left + 14, beside) : frame.left + 14;
  const y = isBelow ? frame.bottom - 10 - 14 * (words.length - 1) : frame.top + 10;
  return (
    <g>
      <path className="leader" d={`M${x - 8} ${y - 8}v${isBelow ? 12 : -8}`} />
      {words.map((text, row) => (
        <text key={text} className="ink-note halo" x={x} y={y + 14 * row}>
          {text}
        </text>
      ))}
    </g>
  );
}

interface LineMarksProps {
  readonly frame: PlotFrame;
  readonly series: LineSeries;
  /** Id of a clip path; null if nothing leaves the plot. */
  readonly clip: string | null;
}

function LineMarks({ frame, series, clip }: LineMarksProps) {
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
    <g clipPath={clip === null ? undefined : `url(#${clip})`}>
      {banded.length > 1 && <path className={`band ${series.colour}`} d={band(banded) ?? ""} />}
      {series.points.length > 1 && (
        <path className={`series ${series.colour}`} d={path(series.points) ?? ""} />
      )}
      {dotted(series.points, x(1) - x(0)).map((point) => (
        <circle key={point.x} className={`point ${series.colour}`} cx={x(point.x)} cy={y(point.y)} r={2.2} />
      ))}
    </g>
  );
}

/** A line has a dot on each round if there is room, otherwise only at its end. */
const dotted = (points: readonly LinePoint[], roundPx: number): readonly LinePoint[] =>
  roundPx >= 14 ? points : points.slice(-1);

function RingMarks({ frame, series }: { readonly frame: PlotFrame; readonly series: LineSeries }) {
  const { x, y } = frame;
  return (
    <g>
      {marked(series.points, x(1) - x(0)).map((point) => {
        const half = point.halfWidth ?? 0;
        const ends = {
          x1: x(point.x),
          x2: x(point.x),
          y1: Math.min(frame.bottom, y(point.y - half)),
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
const labelClass = (colour: LineSeries["colour"]): string => (colour === "ink" ? "of-ink-2" : `of-${colour}`);

/** The first series keeps its place beside its point. A label that would overlap it moves below. */
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

/** A label inside the plot goes below its line, or above if it would reach the axis. */
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
  /** True if the label fits beside its point; otherwise it is inside the plot and ends at `x`. */
  readonly fits: boolean;
}

/** Labels at the last points, moved apart. If there is no room at the right, they go inside the plot. */
function seriesLabels(frame: PlotFrame, series: readonly LineSeries[]): SeriesLabel[] {
  const labelled = series.flatMap((one) => {
    const last = one.points.at(-1);
    return last === undefined || one.labels.length === 0 ? [] : [{ one, last }];
  });
  const placed = placeLabels(frame, labelled);
  const besideOf = (last: LinePoint) => frame.x(last.x) + 9;
  // Either all labels are beside their points or none: one inside the plot would overlap one that is not.
  const fits = labelled.every(
    ({ one, last }) =>
      besideOf(last) + Math.max(...one.labels.map((label) => textWidth(label))) <= frame.width,
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
            className={row === 0 ? `ink-text halo ${labelClass(colour)}` : "ink-note halo"}
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
