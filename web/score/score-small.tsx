"use client";
import { useId } from "react";
import { useWidth } from "../ui/use-width.ts";
import { scoreSentence } from "../words/sentences.ts";
import { type Score, type ScoreRound, scoreOf } from "./geometry.ts";
import { Gradients, Merge, VoiceLine } from "./marks.tsx";
import { bendPath, type Projection, round1, runPath, segment, sumPlaceOf, sumWeight } from "./projection.ts";

const LINES = 15;
const PITCH = 3.4;
const PAD = 2;
/** The box keeps its height whatever the cohort, so that lists do not move. */
const HEIGHT = 2 * PAD + LINES * PITCH;

/** The score in a list: at most fifteen lines, no text, a sentence for screen readers. */
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
        </>
      ) : (
        <UnopenedSum to={to} score={score} />
      )}
    </svg>
  );
}

/** Time runs across the left three fifths; no room is left for words. */
function smallProjection(width: number, score: Score): Projection {
  const zone = width * 0.4;
  const timeEnd = Math.round(width - zone);
  const bottom = (HEIGHT + score.places * PITCH) / 2;
  const place = (line: number) => round1(bottom - (line - 0.5) * PITCH);
  return {
    direction: "across",
    time: (seconds) => round1((seconds / score.endS) * timeEnd),
    place,
    timeStart: 0,
    timeEnd,
    cut: timeEnd,
    merged: timeEnd + zone * 0.6,
    sum: width - 2,
    sumPlace: sumPlaceOf(score, place, neededLine(score)),
    pitch: PITCH,
    placeSign: -1,
    sentWidth: PITCH - 1,
    mergeWidth: 1.4,
    ringRadius: null,
    voiceWidth: 0.4,
  };
}

const neededLine = (score: Score): number => score.thresholdLines ?? score.goalLines ?? score.places;

/** Places that nobody has taken yet. */
function missingLines(score: Score): number[] {
  const taken = score.voices.length;
  return Array.from({ length: score.places - taken }, (_, index) => taken + index + 1);
}

function UnopenedSum({ to, score }: { readonly to: Projection; readonly score: Score }) {
  const { timeEnd, merged, sum, sumPlace } = to;
  const times = [timeEnd, round1((timeEnd + merged) / 2), round1(merged)] as const;
  const bend = (line: number) => bendPath(to, times, to.place(line), round1(sumPlace));
  return (
    <>
      <path className="ghost" d={bend(neededLine(score))} />
      <path className="ghost" d={bend(1)} />
      <path className="ghost" d={runPath(to, merged, sum - 7, sumPlace)} />
      <circle
        className={score.state === "given up" ? "sum-dead" : "sum-shut"}
        cx={sum - 3}
        cy={sumPlace}
        r={3}
      />
    </>
  );
}
