"use client";
import { useId } from "react";
import { formatCount, formatSeconds } from "../../lib/format.ts";
import type { Score, Voice } from "../../lib/score-geometry.ts";
import {
  crisp,
  type DrawingProps,
  ownLast,
  round1,
  ShutSum,
  SumGradient,
  sumWeight,
  words,
} from "./marks.tsx";

const PAD_LEFT = 34;
const TOP = 22;
const TIME_LENGTH = 300;
const SUM_ZONE = 128;

interface Frame {
  readonly y1: number;
  readonly cut: number;
  readonly yMerged: number;
  readonly ySum: number;
  readonly xSum: number;
  readonly right: number;
  readonly height: number;
  readonly pitch: number;
  readonly sentWidth: number;
  readonly x: (line: number) => number;
  readonly y: (seconds: number) => number;
}

export function downFrame(width: number, score: Score): Frame {
  const pitch = Math.max(3, Math.floor((width - PAD_LEFT - 4) / score.places));
  const y1 = TOP + TIME_LENGTH;
  const x = (line: number) => PAD_LEFT + (line - 1) * pitch + 0.5 + Math.floor(pitch / 2);
  const highest = Math.max(score.sentLines, score.thresholdLines ?? score.goalLines ?? 1, 1);
  return {
    y1,
    cut: y1 + 8,
    yMerged: y1 + SUM_ZONE * 0.66,
    ySum: y1 + SUM_ZONE - 4,
    xSum: (x(1) + x(highest)) / 2,
    right: x(score.places) + pitch / 2,
    height: y1 + SUM_ZONE + 34,
    pitch,
    sentWidth: Math.min(3, Math.max(1.5, pitch * 0.5)),
    x,
    y: (seconds) => TOP + (seconds / score.endS) * TIME_LENGTH,
  };
}

/** The score in a narrow box: time runs down, places in the count stand side by side. */
export function ScoreDown(props: DrawingProps) {
  const { width, score, label, you } = props;
  const frame = downFrame(width, score);
  const gradientId = useId();
  return (
    <svg
      width={width}
      height={frame.height}
      viewBox={`0 0 ${width} ${frame.height}`}
      role="img"
      aria-label={label}
    >
      <defs>
        <SumGradient id={gradientId} from={frame.cut} to={frame.yMerged} axis="y" />
        {you && <SumGradient id={`${gradientId}you`} from={frame.cut} to={frame.yMerged} axis="y" you />}
      </defs>
      <line className="axis" x1={PAD_LEFT - 4.5} x2={PAD_LEFT - 4.5} y1={TOP} y2={frame.y1} />
      {score.ticksS.map((tick) => (
        <g key={tick}>
          <line className="axis" x1={PAD_LEFT - 8} x2={PAD_LEFT - 4} y1={frame.y(tick)} y2={frame.y(tick)} />
          <text className="ink-note" x={PAD_LEFT - 11} y={frame.y(tick) + 4} textAnchor="end">
            {tick === 0 ? "0 s" : formatCount(tick)}
          </text>
        </g>
      ))}
      {ownLast(score.voices, you).map((voice) => (
        <VoiceDown key={voice.line} voice={voice} frame={frame} {...props} />
      ))}
      {score.bars.map((bar) => (
        <line
          key={bar.phase}
          className={bar.past ? "phase-bar" : "phase-bar next"}
          x1={PAD_LEFT - 4}
          x2={frame.right}
          y1={crisp(frame.y(bar.atS))}
          y2={crisp(frame.y(bar.atS))}
        />
      ))}
      <SumDown gradientId={gradientId} frame={frame} {...props} />
      <LabelsDown frame={frame} {...props} />
      {props.readingS !== null && (
        <line
          className="reading-line"
          x1={PAD_LEFT - 4}
          x2={frame.right}
          y1={crisp(frame.y(props.readingS))}
          y2={crisp(frame.y(props.readingS))}
        />
      )}
    </svg>
  );
}

function VoiceDown({ voice, frame, score, you, seen }: DrawingProps & { voice: Voice; frame: Frame }) {
  const { x, y } = frame;
  const own = you?.line === voice.line;
  const kind = (name: string, arriving: boolean) =>
    `${name}${own ? " you" : ""}${arriving && seen !== null ? " arriving" : ""}`;
  const xLine = x(voice.line);
  const lightEndS = voice.sentS ?? voice.endS;
  const heavyEnd = score.state === "committed" ? frame.cut : y(score.nowS);
  return (
    <g>
      {voice.firmS > voice.startS && (
        <path
          className={kind("voice-1", voice.line > (seen?.joined ?? 0))}
          d={`M${xLine} ${round1(y(voice.startS))}V${round1(y(voice.firmS))}`}
        />
      )}
      {lightEndS > voice.firmS && (
        <path
          className={kind("voice-2", false)}
          d={`M${xLine} ${round1(y(voice.firmS))}V${round1(y(lightEndS))}`}
        />
      )}
      {voice.sentS !== null && (
        <path
          className={kind("voice-3", voice.line > (seen?.sent ?? 0))}
          d={`M${xLine} ${round1(y(voice.sentS))}V${round1(Math.max(heavyEnd, y(voice.sentS) + 1))}`}
          strokeWidth={own ? frame.sentWidth + 1.4 : frame.sentWidth}
        />
      )}
      {voice.leftS !== null && (
        <circle
          className="left-ring"
          cx={xLine}
          cy={round1(y(voice.leftS) + 2.5)}
          r={score.places > 40 ? 1.6 : 2.6}
        />
      )}
    </g>
  );
}

function SumDown(props: DrawingProps & { gradientId: string; frame: Frame }) {
  const { score, frame, result, you, gradientId } = props;
  const { cut, yMerged, ySum, xSum, y1, x } = frame;
  if (score.state !== "committed") {
    const said = words(score);
    const top = score.thresholdLines ?? score.goalLines ?? score.places;
    const middle = (y1 + yMerged) / 2;
    return (
      <g>
        {[top, 1].map((line) => (
          <path
            key={`${line === top}`}
            className="ghost"
            d={`M${x(line)} ${y1 + 6}C${x(line)} ${middle} ${xSum} ${middle} ${xSum} ${yMerged}`}
          />
        ))}
        <path className="ghost" d={`M${xSum} ${yMerged}V${ySum - 9}`} />
        <ShutSum cx={xSum} cy={ySum} dead={score.state === "given up"} />
        <text className="ink-strong" x={xSum + 18} y={ySum - 2}>
          {said.head}
        </text>
        <text className="ink-note" x={xSum + 18} y={ySum + 14}>
          {said.tail}
        </text>
      </g>
    );
  }
  const { perVoice, weight } = sumWeight(score);
  const middle = (cut + yMerged) / 2;
  const sent = score.voices.filter((voice) => voice.sentS !== null);
  return (
    <g className={props.merging ? "merging-down" : undefined}>
      {ownLast(sent, you).map(({ line }) => {
        const own = you?.line === line;
        const xEnd = round1(xSum + (line - (score.sentLines + 1) / 2) * perVoice);
        return (
          <path
            key={line}
            className="merge"
            stroke={`url(#${gradientId}${own ? "you" : ""})`}
            strokeWidth={own ? 2.6 : Math.max(0.8, frame.sentWidth * 0.6)}
            d={`M${x(line)} ${cut}C${x(line)} ${round1(middle)} ${xEnd} ${round1(middle)} ${xEnd} ${round1(yMerged)}`}
          />
        );
      })}
      <line className="sum-line" x1={xSum} x2={xSum} y1={yMerged - 1} y2={ySum} strokeWidth={weight} />
      <circle className="sum-dot" cx={xSum} cy={ySum} r={Math.max(8, weight * 0.9)} />
      <text className="ink-strong of-sum" x={xSum + 20} y={ySum - 2}>
        {result?.title}
      </text>
      <text className="ink-note" x={xSum + 20} y={ySum + 14}>
        {result?.note}
      </text>
      <text className="ink-note" x={xSum - 18} y={ySum + 4} textAnchor="end">
        one sum of {formatCount(score.facts.sent)}
      </text>
    </g>
  );
}

function LabelsDown({ score, frame, you }: DrawingProps & { frame: Frame }) {
  const { x, y, y1, right, pitch } = frame;
  const { facts, state } = score;
  const bar = (phase: string) => score.bars.find((candidate) => candidate.phase === phase && candidate.past);
  const live = state === "live" && score.nowS < score.endS;
  const yJoined = y(bar("recruiting")?.atS ?? 0) - 5;
  const trainedAtS = bar("advertising")?.atS ?? score.nowS;
  const yTrained = y(trainedAtS) - 5;
  const from = score.bars.filter((candidate) => candidate.past).at(-1);
  const gone = [
    facts.left > 0 && `${formatCount(facts.left)} left`,
    facts.late > 0 && `${formatCount(facts.late)} too late`,
  ].filter((text) => text !== false);
  const xNeeded = score.thresholdLines === null ? null : crisp(x(score.thresholdLines) + pitch / 2);
  const neededAtEnd = xNeeded !== null && xNeeded > right - 70;
  const own = score.voices.find(({ line }) => line === you?.line);
  const yNow = crisp(y(score.nowS));
  return (
    <g>
      {own && you && (
        <text
          className="ink-text halo of-you"
          x={x(own.line) - 6}
          y={y(own.sentS ?? score.nowS) - 6}
          textAnchor="end"
        >
          {you.label}
        </text>
      )}
      <text className="ink-text halo" x={right} y={yJoined} textAnchor="end">
        {formatCount(facts.joined)} joined
      </text>
      {facts.trained > 0 && yTrained - yJoined > 14 && (
        <text className="ink-text halo" x={right} y={yTrained} textAnchor="end">
          {formatCount(facts.trained)} trained
        </text>
      )}
      {xNeeded !== null && from && (
        <>
          <line className="threshold-bed" x1={xNeeded} x2={xNeeded} y1={y(from.atS)} y2={y1} />
          <line className="threshold" x1={xNeeded} x2={xNeeded} y1={y(from.atS)} y2={y1} />
          <text
            className="ink-text halo"
            x={neededAtEnd ? xNeeded - 5 : xNeeded + 5}
            y={y(from.atS) + 16}
            textAnchor={neededAtEnd ? "end" : "start"}
          >
            {formatCount(facts.threshold ?? 0)} needed
          </text>
        </>
      )}
      {live ? (
        <>
          <line className="now" x1={PAD_LEFT - 12} x2={right} y1={yNow} y2={yNow} />
          <text className="ink-text halo" x={right} y={yNow + 15} textAnchor="end">
            now, {formatSeconds(score.nowS)}
          </text>
          {score.sentLines > 0 && (
            <text className="ink-strong halo" x={x(1)} y={yNow + 18}>
              {formatCount(facts.sent)} sent
            </text>
          )}
        </>
      ) : (
        gone.map((text, index) => (
          <text key={text} className="ink-note halo" x={right} y={y1 + 18 + index * 15} textAnchor="end">
            {text}
          </text>
        ))
      )}
    </g>
  );
}
