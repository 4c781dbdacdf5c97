"use client";
import { useId } from "react";
import { type ScoreRound, scoreOf } from "../../lib/score-geometry.ts";
import { scoreSentence } from "../../lib/sentences.ts";
import { useWidth } from "../use-width.ts";
import { round1, SumGradient } from "./marks.tsx";

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
      {width > 0 && <Drawing width={width} round={round} label={label ?? scoreSentence(round)} />}
    </div>
  );
}

function Drawing({
  width,
  round,
  label,
}: {
  readonly width: number;
  readonly round: ScoreRound;
  readonly label: string;
}) {
  const gradientId = useId();
  const score = scoreOf(round, { linesMax: LINES });
  const zone = width * 0.4;
  const x1 = Math.round(width - zone);
  const xMerged = x1 + zone * 0.6;
  const xSum = width - 2;
  const bottom = (HEIGHT + score.places * PITCH) / 2;
  const x = (seconds: number) => round1((seconds / score.endS) * x1);
  const y = (line: number) => round1(bottom - (line - 0.5) * PITCH);
  const committed = score.state === "committed";
  const needed = score.thresholdLines ?? score.goalLines ?? score.places;
  const ySum = (y(1) + y(Math.max(score.sentLines, needed, 1))) / 2;
  const curve = (line: number, from: number, yEnd: number) => {
    const middle = round1((from + xMerged) / 2);
    return `M${from} ${y(line)}C${middle} ${y(line)} ${middle} ${round1(yEnd)} ${round1(xMerged)} ${round1(yEnd)}`;
  };
  const missing = Array.from(
    { length: score.places - score.voices.length },
    (_, index) => score.voices.length + index + 1,
  );
  return (
    <svg width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={label}>
      <defs>
        <SumGradient id={gradientId} from={x1} to={xMerged} axis="x" />
      </defs>
      {round.phase === "recruiting" &&
        missing.map((line) => <path key={line} className="ghost" d={`M0 ${y(line)}H${x1}`} />)}
      {score.voices.map((voice) => {
        const lightEndS = voice.sentS ?? voice.endS;
        return (
          <g key={voice.line}>
            {voice.firmS > voice.startS && (
              <path className="voice-1" d={`M${x(voice.startS)} ${y(voice.line)}H${x(voice.firmS)}`} />
            )}
            {lightEndS > voice.firmS && (
              <path className="voice-2" d={`M${x(voice.firmS)} ${y(voice.line)}H${x(lightEndS)}`} />
            )}
            {voice.sentS !== null && (
              <path
                className="voice-3"
                strokeWidth={PITCH - 1}
                d={`M${x(voice.sentS)} ${y(voice.line)}H${committed ? x1 : Math.max(x(score.nowS), x(voice.sentS) + 1)}`}
              />
            )}
            {committed && voice.sentS !== null && (
              <path
                className="merge"
                stroke={`url(#${gradientId})`}
                strokeWidth={1.4}
                d={curve(voice.line, x1, ySum + ((score.sentLines + 1) / 2 - voice.line) * 0.4)}
              />
            )}
          </g>
        );
      })}
      {committed ? (
        <line
          className="sum-line"
          x1={xMerged - 1}
          x2={xSum}
          y1={ySum}
          y2={ySum}
          strokeWidth={Math.max(3, score.sentLines * 0.4)}
        />
      ) : (
        <>
          {[needed, 1].map((line) => (
            <path key={`${line === needed}`} className="ghost" d={curve(line, x1, ySum)} />
          ))}
          <path className="ghost" d={`M${xMerged} ${ySum}H${xSum - 7}`} />
          <circle
            className={score.state === "given up" ? "sum-dead" : "sum-shut"}
            cx={xSum - 3}
            cy={ySum}
            r={3}
          />
        </>
      )}
    </svg>
  );
}
