"use client";
import { useId } from "react";
import { useWidth } from "../ui/use-width.ts";
import { scoreSentence } from "../words/sentences.ts";
import { type Score, type ScoreRound, scoreOf } from "./geometry.ts";
import { Gradients, Merge, SumMark, VoiceLine } from "./marks.tsx";
import {
  bendPath,
  centre,
  type Projection,
  round1,
  runPath,
  segment,
  sumPlaceOf,
  sumWeight,
} from "./projection.ts";

const LINES = 16;
const PAD = 2;
/** The height does not depend on the cohort, so that lists do not move. */
const HEIGHT = 56;
const MARK_RADIUS = 4;

/** Few lines stand further apart. */
const pitchOf = ({ places }: Score): number => Math.min(places < 5 ? 9 : 6, (HEIGHT - 2 * PAD) / places);

/** The score in a list: at most sixteen lines, no text, a sentence for screen readers. */
export function ScoreSmall({ round, label }: { readonly round: ScoreRound; readonly label?: string }) {
  const [box, width] = useWidth<HTMLDivElement>();
  return (
    <div ref={box} className="h-14 w-full max-w-48">
      {width > 0 && <SmallDrawing width={width} round={round} label={label ?? scoreSentence(round)} />}
    </div>
  );
}

interface SmallDrawingProps {
  readonly width: number;
  readonly round: ScoreRound;
  readonly label: string;
}

function SmallDrawing({ width, round, label }: SmallDrawingProps) {
  const id = useId();
  const score = scoreOf(round, { linesMax: LINES });
  const to = smallProjection(width, score);
  return (
    <svg width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={label}>
      <Gradients id={id} to={to} you={null} />
      {round.phase === "recruiting" &&
        missingLines(score).map((line) => (
          <path key={line} className="ghost" d={runPath(to, to.timeStart, to.timeEnd, to.place(line))} />
        ))}
      {score.voices.map((voice) => (
        <VoiceLine key={voice.line} voice={voice} to={to} score={score} you={null} seen={null} />
      ))}
      {score.state === "committed" ? (
        <>
          <Merge id={id} score={score} to={to} you={null} />
          <line
            className="sum-line"
            {...segment(to, [to.merged - 1, to.sum], [to.sumPlace, to.sumPlace])}
            strokeWidth={sumWeight(to, score)}
          />
          <SumMark {...centre(to, to.sum, to.sumPlace)} r={MARK_RADIUS + 0.5} state="committed" />
        </>
      ) : (
        <UnopenedSum to={to} score={score} />
      )}
    </svg>
  );
}

/** Time covers the left three fifths; there is no room for text. */
function smallProjection(width: number, score: Score): Projection {
  const zone = width * 0.4;
  const timeEnd = Math.round(width - zone);
  const pitch = pitchOf(score);
  const bottom = (HEIGHT + score.places * pitch) / 2;
  const place = (line: number) => round1(bottom - (line - 0.5) * pitch);
  const sentWidth = Math.max(1, Math.min(2.4, pitch * 0.45));
  return {
    direction: "across",
    time: (seconds) => round1((seconds / score.endS) * timeEnd),
    place,
    timeStart: 0,
    timeEnd,
    cut: timeEnd,
    merged: timeEnd + zone * 0.62,
    sum: width - 6,
    sumPlace: sumPlaceOf(score, place, neededLine(score)),
    pitch,
    placeSign: -1,
    thinWidth: 1,
    sentWidth,
    mergeWidth: Math.max(0.8, sentWidth * 0.7),
    ringRadius: 1.6,
    voiceWidth: 4 / Math.max(1, score.sentLines),
  };
}

const neededLine = (score: Score): number => score.thresholdLines ?? score.goalLines ?? score.places;

/** Places that are still free. */
function missingLines(score: Score): number[] {
  const taken = score.voices.length;
  return Array.from({ length: score.places - taken }, (_, index) => taken + index + 1);
}

function UnopenedSum({ to, score }: { readonly to: Projection; readonly score: Score }) {
  const { timeEnd, merged, sum, sumPlace } = to;
  const times = [timeEnd + 4, round1((timeEnd + merged) / 2), round1(merged)] as const;
  const bend = (line: number) => bendPath(to, times, to.place(line), round1(sumPlace));
  return (
    <>
      <path className="ghost" d={bend(neededLine(score))} />
      <path className="ghost" d={bend(1)} />
      <path className="ghost" d={runPath(to, merged, sum - 5, sumPlace)} />
      <SumMark {...centre(to, sum, sumPlace)} r={MARK_RADIUS} state={score.state} />
    </>
  );
}
