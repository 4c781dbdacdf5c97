"use client";
import { formatCount } from "../words/format.ts";
import { Axes, ReadingLine } from "./axes.tsx";
import { ChartFigure } from "./chart-figure.tsx";
import { nearest } from "./line-chart.tsx";
import { type PlotFrame, plotFrame, spreadLabels } from "./scale.ts";

export interface RoundVoices {
  readonly round: number;
  readonly joined: number;
  /** Masked updates in the opened sum; those that are in, while the round lives; 0 if it was given up. */
  readonly inSum: number;
  /** Null before the keys were shared. */
  readonly needed: number | null;
  readonly live: boolean;
}

interface VoicesChartProps {
  readonly rounds: readonly RoundVoices[];
  readonly x: readonly [number, number];
  readonly fileName: string;
}

const HEIGHT = 180;

/** Voices a round: joined in outline, in the sum filled, the number needed as a tick. */
export function VoicesChart({ rounds, x, fileName }: VoicesChartProps) {
  const steps = rounds.map(({ round }) => round);
  const highest = Math.max(3, ...rounds.map(({ joined }) => joined));
  const frameAt = (width: number) =>
    plotFrame({ width, height: HEIGHT, x, y: [0, highest], labelWidth: 112 });
  return (
    <ChartFigure
      title="Voices"
      note="Outline: joined. Filled: in the sum. Tick: the number that had to be in, set by the size of the cohort."
      height={HEIGHT}
      fileName={fileName}
      table={{
        columns: ["round", "joined", "in the sum", "needed"],
        rows: rounds.map(({ round, joined, inSum, needed, live }) => [
          round,
          joined,
          live ? null : inSum,
          needed,
        ]),
      }}
      readings={rounds.map((one) => reading(one))}
      stepAt={(xPx, width) => nearest(steps, frameAt(width).x.invert(xPx))}
      draw={(width, step) => (
        <Drawing frame={frameAt(width)} rounds={rounds} at={step === null ? undefined : steps[step]} />
      )}
    />
  );
}

function reading({ round, joined, inSum, needed, live }: RoundVoices): string {
  const put = live ? "sent so far" : "in the sum";
  return `Round ${round}: ${joined} joined, ${inSum} ${put}${needed === null ? "" : `, ${needed} needed`}.`;
}

/** The chart in one sentence. */
function voicesSentence(rounds: readonly RoundVoices[]): string {
  const ended = rounds.filter(({ live }) => !live);
  if (ended.length === 0) return "Devices a round: no round has ended yet.";
  const span = (values: readonly number[]) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return low === high ? formatCount(low) : `${formatCount(low)} to ${formatCount(high)}`;
  };
  return `Devices a round: ${span(ended.map(({ joined }) => joined))} joined, ${span(ended.map(({ inSum }) => inSum))} were in the sum.`;
}

function Drawing(props: { frame: PlotFrame; rounds: readonly RoundVoices[]; at: number | undefined }) {
  const { frame, rounds, at } = props;
  const { x, y, width, height, right } = frame;
  const barWidth = Math.max(1.5, Math.min(12, (x(1) - x(0)) * 0.62));
  const last = rounds.at(-1);
  return (
    <svg
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={voicesSentence(rounds)}
    >
      <Axes frame={frame} xTitle="round" yTitle="devices" fromZero />
      {rounds.map((one) => {
        const left = x(one.round) - barWidth / 2;
        return (
          <g key={one.round}>
            <rect
              className="bar-joined"
              x={left}
              width={barWidth}
              y={y(one.joined)}
              height={y(0) - y(one.joined)}
            />
            <rect
              className={one.live ? "bar-sent" : "bar-summed"}
              x={left}
              width={barWidth}
              y={y(one.inSum)}
              height={y(0) - y(one.inSum)}
            />
            {one.needed !== null && (
              <line
                className="bar-needed"
                x1={left - 2}
                x2={left + barWidth + 2}
                y1={y(one.needed)}
                y2={y(one.needed)}
              />
            )}
          </g>
        );
      })}
      {last && (
        <Labels frame={frame} last={last} ended={rounds.findLast(({ live }) => !live)} x={right + 14} />
      )}
      <ReadingLine frame={frame} at={at} />
    </svg>
  );
}

function Labels({
  frame,
  last,
  ended,
  x,
}: {
  readonly frame: PlotFrame;
  readonly last: RoundVoices;
  /** The last round that is over: what was in the sum is its figure, however the next one stands. */
  readonly ended: RoundVoices | undefined;
  readonly x: number;
}) {
  const needed = last.needed ?? ended?.needed ?? null;
  const labels = [
    { text: "joined", value: last.joined, kind: "ink-note" },
    ...(ended === undefined ? [] : [{ text: "in the sum", value: ended.inSum, kind: "ink-text of-sum" }]),
    ...(last.live && last.inSum > 0 ? [{ text: "sent", value: last.inSum, kind: "ink-text" }] : []),
    ...(needed === null ? [] : [{ text: "needed", value: needed, kind: "ink-text" }]),
  ].toSorted((a, b) => b.value - a.value);
  const placed = spreadLabels(
    labels.map(({ value }) => frame.y(value) + 4),
    LABEL_PX,
    frame.bottom + 4,
  );
  return labels.map(({ text, kind }, index) => (
    <text key={text} className={kind} x={x} y={placed[index]}>
      {text}
    </text>
  ));
}
const LABEL_PX = 14;
