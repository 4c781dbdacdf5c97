"use client";
import { type RoundVoices, voicesReading, voicesSentence } from "../words/charts.ts";
import { Axes, ReadingLine } from "./axes.tsx";
import { ChartFigure } from "./chart-figure.tsx";
import { nearest } from "./line-chart.tsx";
import { BAR_MIN_PX } from "./many-rounds.ts";
import { type PlotFrame, plotFrame, spreadLabels } from "./scale.ts";

interface VoicesChartProps {
  readonly rounds: readonly RoundVoices[];
  readonly x: readonly [number, number];
  readonly fileName: string;
}

const HEIGHT = 180;

/** Voices per round: an outline for those that joined, filled for those in the sum, a tick for the number needed. */
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
      readings={rounds.map((one) => voicesReading(one))}
      stepAt={(xPx, width) => nearest(steps, frameAt(width).x.invert(xPx))}
      draw={(width, step) => (
        <Drawing frame={frameAt(width)} rounds={rounds} at={step === null ? undefined : steps[step]} />
      )}
    />
  );
}

function Drawing(props: { frame: PlotFrame; rounds: readonly RoundVoices[]; at: number | undefined }) {
  const { frame, rounds, at } = props;
  const { x, y, width, height, right } = frame;
  const barWidth = Math.max(1.5, Math.min(12, (x(1) - x(0)) * 0.62));
  const isDense = x(1) - x(0) < BAR_MIN_PX;
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
      {isDense && <Steps frame={frame} rounds={rounds} />}
      {(isDense ? [] : rounds).map((one) => {
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

/** Many rounds: the same marks joined into steps. A round that was given up leaves a gap with its line. */
function Steps({ frame, rounds }: { readonly frame: PlotFrame; readonly rounds: readonly RoundVoices[] }) {
  const { x, y } = frame;
  const [first] = rounds;
  if (first === undefined) return null;
  const steps = (value: (one: RoundVoices) => number) =>
    rounds
      .map((one, index) => {
        const from = index === 0 ? `M${x(one.round - 0.5)} ` : "V";
        return `${from}${y(value(one))}H${x(one.round + 0.5)}`;
      })
      .join("");
  const sum = steps(({ inSum }) => inSum);
  let known = first.needed ?? 0;
  const needed = steps((one) => {
    known = one.needed ?? known;
    return known;
  });
  return (
    <g>
      <path className="band sum" d={`${sum}V${y(0)}H${x(first.round - 0.5)}Z`} />
      <path className="bar-joined" d={steps(({ joined }) => joined)} />
      <path className="series spark sum" d={sum} />
      <path className="step-needed" d={needed} />
      {rounds
        .filter(({ inSum, live }) => inSum === 0 && !live)
        .map(({ round, joined }) => (
          <line
            key={round}
            className="stop-line"
            x1={x(round)}
            x2={x(round)}
            y1={y(0)}
            y2={y(Math.max(1, joined))}
          />
        ))}
    </g>
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
  /** The last ended round. Its figure is the number in the sum, whatever the next round's state. */
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
const LABEL_PX = 16;
