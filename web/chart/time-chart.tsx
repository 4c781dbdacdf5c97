"use client";
import { useState } from "react";
import {
  type RoundTimes,
  TIME_PARTS,
  type TimePart,
  timesReading,
  timesSentence,
  totalSeconds,
} from "../words/charts.ts";
import { formatSeconds } from "../words/format.ts";
import { Axes, ReadingLine } from "./axes.tsx";
import { ChartFigure } from "./chart-figure.tsx";
import { nearest } from "./line-chart.tsx";
import { BAR_MIN_PX, cutOf, valuedCuts } from "./many-rounds.ts";
import { type PlotFrame, plotFrame, spreadLabels } from "./scale.ts";
import { WholeAxis } from "./whole-axis.tsx";

interface TimeChartProps {
  readonly rounds: readonly RoundTimes[];
  readonly x: readonly [number, number];
  readonly fileName: string;
}

const HEIGHT = 180;

/** Seconds per round, stacked by phase in order: shades of grey, and the sum's colour for the opening. */
export function TimeChart({ rounds, x, fileName }: TimeChartProps) {
  const steps = rounds.map(({ round }) => round);
  const [wantsWhole, setWantsWhole] = useState(false);
  const cut = cutOf(rounds.map(totalSeconds));
  const longest = Math.max(1, ...rounds.map(totalSeconds));
  const frameAt = (width: number) =>
    plotFrame({
      width,
      height: HEIGHT,
      x,
      y: [0, wantsWhole ? longest : (cut ?? longest)],
      labelWidth: 112,
    });
  return (
    <ChartFigure
      title="Time"
      note="Seconds from the opening of a round to its model, by phase. Training ends when the last device has announced its keys."
      height={HEIGHT}
      fileName={fileName}
      table={{
        columns: ["round", ...TIME_PARTS.map((part) => `${part}, s`)],
        rows: rounds.map(({ round, seconds }) => [round, ...TIME_PARTS.map((part) => seconds[part])]),
      }}
      readings={rounds.map((one) => timesReading(one))}
      stepAt={(xPx, width) => nearest(steps, frameAt(width).x.invert(xPx))}
      actions={cut !== null && <WholeAxis isOn={wantsWhole} onChange={setWantsWhole} />}
      draw={(width, step) => (
        <Drawing frame={frameAt(width)} rounds={rounds} at={step === null ? undefined : steps[step]} />
      )}
    />
  );
}

function Drawing(props: { frame: PlotFrame; rounds: readonly RoundTimes[]; at: number | undefined }) {
  const { frame, rounds, at } = props;
  const { x, y, width, height } = frame;
  const roundPx = x(1) - x(0);
  const barWidth = roundPx < BAR_MIN_PX ? Math.max(1, roundPx - 0.4) : Math.min(12, roundPx * 0.62);
  const [, most = 0] = y.domain();
  const cuts = rounds
    .map((one) => ({ at: x(one.round), total: totalSeconds(one) }))
    .filter(({ total }) => total > most);
  const last = rounds.at(-1);
  return (
    <svg
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={timesSentence(rounds)}
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
              y={y(Math.min(to, most))}
              height={Math.max(
                0,
                y(Math.min(from, most)) - y(Math.min(to, most)) - (roundPx < BAR_MIN_PX ? 0 : 0.8),
              )}
            />
          ))}
        </g>
      ))}
      {cuts.map(({ at: cutX }) => (
        <path key={cutX} className="bar-cut" d={`M${cutX - 4} ${y(most) + 6}l8 -4`} />
      ))}
      {valuedCuts(cuts).map(({ at: cutX, total }) => (
        <text key={cutX} className="ink-text" x={cutX} y={y(most) - 5} textAnchor="middle">
          {formatSeconds(total)}
        </text>
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

/** Labels beside the last round's segments, from bottom to top in the order of the phases. */
function Labels({ frame, last }: { readonly frame: PlotFrame; readonly last: RoundTimes }) {
  const segments = stack(last);
  const placed = spreadLabels(
    segments.map(({ from, to }) => frame.y((from + to) / 2) + 4),
    16,
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
