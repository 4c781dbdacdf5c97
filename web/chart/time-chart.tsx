"use client";
import { formatSeconds } from "../words/format.ts";
import { Axes, ReadingLine } from "./axes.tsx";
import { ChartFigure } from "./chart-figure.tsx";
import { nearest } from "./line-chart.tsx";
import { type PlotFrame, plotFrame, spreadLabels } from "./scale.ts";

const TIME_PARTS = ["join", "train", "keys", "send", "open"] as const;
type TimePart = (typeof TIME_PARTS)[number];

export interface RoundTimes {
  readonly round: number;
  readonly seconds: Readonly<Record<TimePart, number>>;
}

interface TimeChartProps {
  readonly rounds: readonly RoundTimes[];
  readonly x: readonly [number, number];
  readonly fileName: string;
}

const HEIGHT = 180;
const total = ({ seconds }: RoundTimes): number => TIME_PARTS.reduce((sum, part) => sum + seconds[part], 0);

/** Seconds a round, stacked by phase in their order, one neutral ramp and the sum's colour for the opening. */
export function TimeChart({ rounds, x, fileName }: TimeChartProps) {
  const steps = rounds.map(({ round }) => round);
  const frameAt = (width: number) =>
    plotFrame({ width, height: HEIGHT, x, y: [0, Math.max(1, ...rounds.map(total))], labelWidth: 112 });
  return (
    <ChartFigure
      title="Time"
      note="Seconds from opening a round to its model, by phase. Training ends when the last device has announced its keys."
      height={HEIGHT}
      fileName={fileName}
      table={{
        columns: ["round", ...TIME_PARTS.map((part) => `${part}, s`)],
        rows: rounds.map(({ round, seconds }) => [round, ...TIME_PARTS.map((part) => seconds[part])]),
      }}
      readings={rounds.map(
        ({ round, seconds }) =>
          `Round ${round}: ${TIME_PARTS.map((part) => `${part} ${formatSeconds(seconds[part])}`).join(", ")}.`,
      )}
      stepAt={(xPx, width) => nearest(steps, frameAt(width).x.invert(xPx))}
      draw={(width, step) => (
        <Drawing frame={frameAt(width)} rounds={rounds} at={step === null ? undefined : steps[step]} />
      )}
    />
  );
}

/** The chart in one sentence. */
function timeSentence(rounds: readonly RoundTimes[]): string {
  if (rounds.length === 0) return "Time a round: no round has ended yet.";
  const totals = rounds.map(total);
  return `A round takes ${formatSeconds(Math.min(...totals))} to ${formatSeconds(Math.max(...totals))}.`;
}

function Drawing(props: { frame: PlotFrame; rounds: readonly RoundTimes[]; at: number | undefined }) {
  const { frame, rounds, at } = props;
  const { x, y, width, height } = frame;
  const barWidth = Math.max(1.5, Math.min(12, (x(1) - x(0)) * 0.62));
  const last = rounds.at(-1);
  return (
    <svg
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={timeSentence(rounds)}
    >
      <Axes frame={frame} xTitle="round" yTitle="seconds" fromZero />
      {rounds.map((one) => (
        <g key={one.round}>
          {stack(one).map(({ part, from, to }) => (
            <rect
              key={part}
              className={`phase-${part}`}
              x={x(one.round) - barWidth / 2}
              width={barWidth}
              y={y(to)}
              height={Math.max(0, y(from) - y(to) - 0.8)}
            />
          ))}
        </g>
      ))}
      {last && <Labels frame={frame} last={last} />}
      <ReadingLine frame={frame} at={at} />
    </svg>
  );
}

function stack({ seconds }: RoundTimes): { part: TimePart; from: number; to: number }[] {
  let from = 0;
  return TIME_PARTS.map((part) => {
    const to = from + seconds[part];
    const segment = { part, from, to };
    from = to;
    return segment;
  });
}

/** Labels stand at the last round's segments, so they read upwards in the order of the phases. */
function Labels({ frame, last }: { readonly frame: PlotFrame; readonly last: RoundTimes }) {
  const segments = stack(last);
  const placed = spreadLabels(
    segments.map(({ from, to }) => frame.y((from + to) / 2) + 4),
    13,
    frame.bottom + 4,
  );
  return segments.map(({ part }, index) => (
    <text
      key={part}
      className={part === "open" ? "ink-text of-sum" : "ink-note"}
      x={frame.right + 14}
      y={placed[index]}
    >
      {part}
    </text>
  ));
}
