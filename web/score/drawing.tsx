"use client";
import { useId } from "react";
import type { Score } from "./geometry.ts";
import { Gradients, Marks, Merge, ownLast, type Seen, ShutSum, VoiceLine } from "./marks.tsx";
import {
  bendPath,
  centre,
  crisp,
  type Frame,
  type Layout,
  type MarksInput,
  runPath,
  type ScoreResult,
  segment,
  sumWeight,
} from "./projection.ts";

export interface DrawingProps extends MarksInput {
  readonly layout: Layout;
  readonly width: number;
  readonly label: string;
  readonly result: ScoreResult | null;
  /** Second that is being read, null when nothing is. */
  readonly readingS: number | null;
  readonly seen: Seen | null;
  /** The sum was opened while one watched. */
  readonly merging: boolean;
}

/** A large score, in the direction of its layout. */
export function ScoreDrawing(props: DrawingProps) {
  const { layout, width, score, you, seen, readingS } = props;
  const frame = layout.frame(width, score);
  const id = useId();
  const reading = crisp(frame.time(readingS ?? 0));
  return (
    <svg
      width={width}
      height={frame.height}
      viewBox={`0 0 ${width} ${frame.height}`}
      role="img"
      aria-label={props.label}
    >
      <Gradients id={id} to={frame} you={you} />
      <Marks marks={layout.axes(score, frame)} />
      {ownLast(score.voices, you).map((voice) => (
        <VoiceLine key={voice.line} voice={voice} to={frame} score={score} you={you} seen={seen} />
      ))}
      {score.state === "committed" ? (
        <OpenedSum id={id} frame={frame} {...props} />
      ) : (
        <UnopenedSum frame={frame} {...props} />
      )}
      <Marks marks={layout.annotations(props, frame)} />
      {readingS !== null && (
        <line className="reading-line" {...segment(frame, [reading, reading], frame.barSpan)} />
      )}
    </svg>
  );
}

interface SumProps extends DrawingProps {
  readonly frame: Frame;
}

function UnopenedSum({ layout, score, frame }: SumProps) {
  const { timeEnd, merged, sum, sumPlace } = frame;
  const times = [timeEnd + 6, (timeEnd + merged) / 2, merged] as const;
  return (
    <g>
      {outermost(score).map((line, index) => (
        <path
          key={index === 0 ? "needed" : "first"}
          className="ghost"
          d={bendPath(frame, times, frame.place(line), sumPlace)}
        />
      ))}
      <path className="ghost" d={runPath(frame, merged, sum - 9, sumPlace)} />
      <ShutSum {...centre(frame, sum, sumPlace)} dead={score.state === "given up"} />
      <Marks marks={layout.sumWords(score, null, frame)} />
    </g>
  );
}

/** The highest and the lowest line that an opening would join. */
const outermost = (score: Score): readonly number[] => [
  score.thresholdLines ?? score.goalLines ?? score.places,
  1,
];

function OpenedSum({ id, layout, score, frame, result, you, merging }: SumProps & { readonly id: string }) {
  const { merged, sum, sumPlace } = frame;
  const weight = sumWeight(frame, score);
  return (
    <g className={merging ? `merging-${frame.direction}` : undefined}>
      <Merge id={id} score={score} to={frame} you={you} />
      <line
        className="sum-line"
        {...segment(frame, [merged - 1, sum], [sumPlace, sumPlace])}
        strokeWidth={weight}
      />
      <circle className="sum-dot" {...centre(frame, sum, sumPlace)} r={Math.max(8, weight * 0.9)} />
      <Marks marks={layout.sumWords(score, result, frame)} />
    </g>
  );
}
