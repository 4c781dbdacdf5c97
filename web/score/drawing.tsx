"use client";
import { useId } from "react";
import type { Score } from "./geometry.ts";
import { Gradients, Marks, Merge, ownLast, type Seen, SumMark, VoiceLine } from "./marks.tsx";
import {
  bendPath,
  centre,
  crisp,
  type Picture,
  type PictureInput,
  runPath,
  segment,
  sumWeight,
} from "./projection.ts";

export interface DrawingProps extends PictureInput {
  readonly picture: Picture;
  readonly width: number;
  readonly label: string;
  /** The second that is being read; null if none is. */
  readonly readingS: number | null;
  readonly seen: Seen | null;
  /** True if the sum was opened while the page was watching. */
  readonly merging: boolean;
}

/** A large score, as its layout has composed it. */
export function ScoreDrawing(props: DrawingProps) {
  const { picture, width, score, you, seen, readingS } = props;
  const { frame } = picture;
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
      <Marks marks={picture.axes} />
      {ownLast(score.voices, you).map((voice) => (
        <VoiceLine key={voice.line} voice={voice} to={frame} score={score} you={you} seen={seen} />
      ))}
      {score.state === "committed" ? <OpenedSum id={id} {...props} /> : <UnopenedSum {...props} />}
      <Marks marks={picture.annotations} />
      {readingS !== null && (
        <line className="reading-line" {...segment(frame, [reading, reading], frame.barSpan)} />
      )}
    </svg>
  );
}

const MARK_RADIUS = 8;

function UnopenedSum({ score, picture }: DrawingProps) {
  const { frame, ghostFrom, sumWords } = picture;
  const { merged, sum, sumPlace } = frame;
  const times = [ghostFrom, (frame.timeEnd + merged) / 2, merged] as const;
  return (
    <g>
      {ghostFrom < merged &&
        outermost(score).map((line, index) => (
          <path
            key={index === 0 ? "needed" : "first"}
            className="ghost"
            d={bendPath(frame, times, frame.place(line), sumPlace)}
          />
        ))}
      <path className="ghost" d={runPath(frame, merged, sum - 9, sumPlace)} />
      <SumMark {...centre(frame, sum, sumPlace)} r={MARK_RADIUS} state={score.state} />
      <Marks marks={sumWords} />
    </g>
  );
}

/** The highest and lowest line that an opening joins. */
const outermost = (score: Score): readonly number[] => [
  score.thresholdLines ?? score.goalLines ?? score.places,
  1,
];

function OpenedSum({ id, score, picture, you, merging }: DrawingProps & { readonly id: string }) {
  const { frame } = picture;
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
      <SumMark
        {...centre(frame, sum, sumPlace)}
        r={Math.max(MARK_RADIUS + 1, weight * 0.9)}
        state="committed"
      />
      <Marks marks={picture.sumWords} />
    </g>
  );
}
