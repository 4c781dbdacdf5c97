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
  textWidth,
  words,
} from "./marks.tsx";

const PAD_TOP = 34;
const PAD_BOTTOM = 26;

interface Frame {
  readonly x0: number;
  readonly x1: number;
  readonly bottom: number;
  readonly height: number;
  readonly pitch: number;
  /** Where the lines start to close, have closed, and where the sum ends. */
  readonly cut: number;
  readonly xMerged: number;
  readonly xSum: number;
  readonly ySum: number;
  readonly sentWidth: number;
  readonly x: (seconds: number) => number;
  readonly y: (line: number) => number;
}

/** Pixels between lines: whole, and wider for few voices so that the labels find room. */
function pitchOf(places: number): number {
  if (places > 40) return 4;
  return places > 16 ? 8 : 14;
}

export function acrossFrame(width: number, score: Score): Frame {
  const pitch = pitchOf(score.places);
  const x0 = score.devicesPerLine > 1 ? 48 : 30;
  const zone = Math.max(236, width * 0.27);
  const x1 = Math.round(width - zone);
  const bottom = PAD_TOP + score.places * pitch;
  const y = (line: number) => crisp(PAD_TOP + (score.places - line) * pitch);
  const highest = Math.max(score.sentLines, score.thresholdLines ?? score.goalLines ?? 1, 1);
  return {
    x0,
    x1,
    bottom,
    height: bottom + PAD_BOTTOM,
    pitch,
    cut: x1 + 14,
    xMerged: x1 + zone * 0.5,
    xSum: width - 118,
    ySum: (y(1) + y(highest)) / 2,
    sentWidth: score.places > 40 ? 2 : 3,
    x: (seconds) => x0 + (seconds / score.endS) * (x1 - x0),
    y,
  };
}

/** The score in a wide box: time runs left to right, places in the count stand on top of each other. */
export function ScoreAcross(props: DrawingProps) {
  const { width, score, label, you } = props;
  const frame = acrossFrame(width, score);
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
        <SumGradient id={gradientId} from={frame.cut} to={frame.xMerged} axis="x" />
        {you && <SumGradient id={`${gradientId}you`} from={frame.cut} to={frame.xMerged} axis="x" you />}
      </defs>
      <Axes score={score} frame={frame} />
      {ownLast(score.voices, you).map((voice) => (
        <VoiceAcross key={voice.line} voice={voice} frame={frame} {...props} />
      ))}
      <SumAcross gradientId={gradientId} frame={frame} {...props} />
      <ThresholdAcross score={score} frame={frame} />
      {you && <OwnLabel frame={frame} {...props} />}
      <LabelsAcross frame={frame} {...props} />
      {props.readingS !== null && (
        <line
          className="reading-line"
          x1={crisp(frame.x(props.readingS))}
          x2={crisp(frame.x(props.readingS))}
          y1={PAD_TOP - 4}
          y2={frame.bottom + 4}
        />
      )}
    </svg>
  );
}

function Axes({ score, frame }: { readonly score: Score; readonly frame: Frame }) {
  const { x, y, bottom } = frame;
  const first = score.devicesPerLine > 1 ? [] : [1];
  const middle = score.places > 30 ? [20] : [];
  const lines = [...new Set([...first, ...middle, score.places])];
  return (
    <g>
      {score.bars.map((bar) => (
        <line
          key={bar.phase}
          className={bar.past ? "phase-bar" : "phase-bar next"}
          x1={crisp(x(bar.atS))}
          x2={crisp(x(bar.atS))}
          y1={PAD_TOP - 4}
          y2={bottom + 4}
        />
      ))}
      <line className="axis" x1={frame.x0} x2={frame.x1} y1={bottom + 4.5} y2={bottom + 4.5} />
      {score.ticksS.map((tick) => (
        <g key={tick}>
          <line className="axis" x1={x(tick)} x2={x(tick)} y1={bottom + 4} y2={bottom + 9} />
          <text className="ink-note" x={x(tick)} y={bottom + 21} textAnchor={tick === 0 ? "start" : "middle"}>
            {formatCount(tick)} s
          </text>
        </g>
      ))}
      {lines.map((line) => (
        <text key={line} className="ink-note" x={frame.x0 - 8} y={y(line) + 4} textAnchor="end">
          {formatCount(line * score.devicesPerLine)}
        </text>
      ))}
      <text className="ink-note" x={0} y={PAD_TOP - 9}>
        devices
      </text>
    </g>
  );
}

function VoiceAcross({ voice, frame, score, you, seen }: DrawingProps & { voice: Voice; frame: Frame }) {
  const { x, y } = frame;
  const own = you?.line === voice.line;
  const kind = (name: string, arriving: boolean) =>
    `${name}${own ? " you" : ""}${arriving && seen !== null ? " arriving" : ""}`;
  const yLine = y(voice.line);
  const lightEndS = voice.sentS ?? voice.endS;
  const heavyEnd = score.state === "committed" ? frame.cut : x(score.nowS);
  return (
    <g>
      {voice.firmS > voice.startS && (
        <path
          className={kind("voice-1", voice.line > (seen?.joined ?? 0))}
          d={`M${round1(x(voice.startS))} ${yLine}H${round1(x(voice.firmS))}`}
        />
      )}
      {lightEndS > voice.firmS && (
        <path
          className={kind("voice-2", false)}
          d={`M${round1(x(voice.firmS))} ${yLine}H${round1(x(lightEndS))}`}
        />
      )}
      {voice.sentS !== null && (
        <path
          className={kind("voice-3", voice.line > (seen?.sent ?? 0))}
          d={`M${round1(x(voice.sentS))} ${yLine}H${round1(Math.max(heavyEnd, x(voice.sentS) + 1))}`}
          strokeWidth={own ? frame.sentWidth + 1.4 : frame.sentWidth}
        />
      )}
      {voice.leftS !== null && (
        <circle
          className="left-ring"
          cx={round1(x(voice.leftS) + 2.5)}
          cy={yLine}
          r={score.places > 40 ? 1.7 : 2.6}
        />
      )}
    </g>
  );
}

function SumAcross(props: DrawingProps & { gradientId: string; frame: Frame }) {
  const { score, frame, result, you, gradientId } = props;
  const { cut, xMerged, xSum, ySum, x1, y } = frame;
  if (score.state !== "committed") {
    const said = words(score);
    const top = score.thresholdLines ?? score.goalLines ?? score.places;
    const middle = (x1 + xMerged) / 2;
    return (
      <g>
        {[top, 1].map((line) => (
          <path
            key={`${line === top}`}
            className="ghost"
            d={`M${x1 + 6} ${y(line)}C${middle} ${y(line)} ${middle} ${ySum} ${xMerged} ${ySum}`}
          />
        ))}
        <path className="ghost" d={`M${xMerged} ${ySum}H${xSum - 9}`} />
        <ShutSum cx={xSum} cy={ySum} dead={score.state === "given up"} />
        <text className="ink-strong" x={xSum + 18} y={ySum - 3}>
          {said.head}
        </text>
        <text className="ink-note" x={xSum + 18} y={ySum + 14}>
          {said.tail}
        </text>
      </g>
    );
  }
  const { perVoice, weight } = sumWeight(score);
  const middle = (cut + xMerged) / 2;
  const sent = score.voices.filter((voice) => voice.sentS !== null);
  return (
    <g className={props.merging ? "merging-across" : undefined}>
      {ownLast(sent, you).map(({ line }) => {
        const own = you?.line === line;
        const yEnd = round1(ySum + ((score.sentLines + 1) / 2 - line) * perVoice);
        return (
          <path
            key={line}
            className="merge"
            stroke={`url(#${gradientId}${own ? "you" : ""})`}
            strokeWidth={own ? 2.6 : Math.max(0.8, frame.sentWidth * 0.62)}
            d={`M${cut} ${y(line)}C${round1(middle)} ${y(line)} ${round1(middle)} ${yEnd} ${round1(xMerged)} ${yEnd}`}
          />
        );
      })}
      <line className="sum-line" x1={xMerged - 1} x2={xSum} y1={ySum} y2={ySum} strokeWidth={weight} />
      <circle className="sum-dot" cx={xSum} cy={ySum} r={Math.max(8, weight * 0.9)} />
      <text className="ink-strong of-sum" x={xSum + 18} y={ySum - 3}>
        {result?.title}
      </text>
      <text className="ink-note" x={xSum + 18} y={ySum + 14}>
        {result?.note}
      </text>
      <text className="ink-note" x={xSum + 18} y={ySum + 30}>
        one sum of {formatCount(score.facts.sent)}
      </text>
      <text className="ink-text halo" x={cut - 2} y={y(score.sentLines) - 8} textAnchor="end">
        {formatCount(score.facts.sent)} sent
      </text>
    </g>
  );
}

function ThresholdAcross({ score, frame }: { readonly score: Score; readonly frame: Frame }) {
  const { x, y, x1, pitch } = frame;
  const from = score.bars.filter((bar) => bar.past).at(-1);
  if (score.thresholdLines === null || from === undefined) return null;
  const xFrom = x(from.atS);
  const yNeeded = y(score.thresholdLines) - pitch / 2 + 0.5;
  const goal = score.goalLines !== null && score.goalLines > score.thresholdLines ? score.goalLines : null;
  const yGoal = goal === null ? 0 : y(goal) - pitch / 2 + 0.5;
  const goalHasRoom = goal !== null && goal < score.places && yNeeded - yGoal > 15;
  const needed = `${formatCount(score.facts.threshold ?? 0)} needed to open the sum`;
  const roomy = x1 - xFrom > textWidth(needed);
  // With almost everyone needed the line runs along the top, where the labels of the bars stand.
  const below = yNeeded - 18 < PAD_TOP - 6;
  return (
    <g>
      {goalHasRoom && (
        <>
          <line className="goal" x1={xFrom} x2={x1} y1={yGoal} y2={yGoal} />
          <text className="ink-note halo" x={xFrom + 5} y={yGoal - 5}>
            {formatCount(goal * score.devicesPerLine)} wanted
          </text>
        </>
      )}
      <line className="threshold-bed" x1={xFrom} x2={x1} y1={yNeeded} y2={yNeeded} />
      <line className="threshold" x1={xFrom} x2={x1} y1={yNeeded} y2={yNeeded} />
      <text
        className="ink-text halo"
        x={roomy ? xFrom + 5 : x1}
        y={below ? yNeeded + 16 : yNeeded - 6}
        textAnchor={roomy ? "start" : "end"}
      >
        {needed}
      </text>
    </g>
  );
}

function OwnLabel({ score, frame, you }: DrawingProps & { frame: Frame }) {
  const voice = score.voices.find(({ line }) => line === you?.line);
  if (voice === undefined || you === null) return null;
  return (
    <text
      className="ink-text halo of-you"
      x={frame.x(voice.sentS ?? score.nowS) - 6}
      y={frame.y(voice.line) + 4}
      textAnchor="end"
    >
      {you.label}
    </text>
  );
}

/** What the bars mean, each label left out where it would lie on another. */
function LabelsAcross({ score, frame, closesBy }: DrawingProps & { frame: Frame }) {
  const { x, y, x1, bottom, pitch } = frame;
  const { facts, state } = score;
  const bar = (phase: string) => score.bars.find((candidate) => candidate.phase === phase && candidate.past);
  const yLabel = PAD_TOP - 9;
  const xNow = crisp(x(score.nowS));
  const limit = state === "live" ? xNow : x1;
  const recruited = bar("recruiting");
  const xJoined = (recruited ? x(recruited.atS) : frame.x0 + 44) + 5;
  const joined = `${formatCount(facts.joined)} joined`;
  const trained = `${formatCount(facts.trained)} trained`;
  const advertised = bar("advertising");
  const xTrained = (advertised ? x(advertised.atS) : xNow) - 5;
  const keyed = bar("sharing");
  const agreed = `${formatCount(facts.shared ?? 0)} agreed on keys`;
  const gone = [
    facts.left > 0 && `${formatCount(facts.left)} left`,
    facts.late > 0 && `${formatCount(facts.late)} came too late`,
  ].filter((text) => text !== false);
  const live = state === "live" && score.nowS < score.endS;
  const yGone = y(score.places) + (pitch < 8 ? 2 * pitch : 0) + 4;
  // Once the sum is open, "8 sent" stands above the topmost line that sent, at the same end.
  const meetsSent = state === "committed" && Math.abs(yGone - (y(score.sentLines) - 8)) < 16;
  const sentWidth = textWidth(`${formatCount(facts.sent)} sent`);
  return (
    <g>
      <text className="ink-text" x={xJoined} y={yLabel}>
        {joined}
      </text>
      {facts.trained > 0 && xTrained - xJoined > textWidth(joined) + textWidth(trained) && (
        <text className="ink-text" x={xTrained} y={yLabel} textAnchor="end">
          {trained}
        </text>
      )}
      {keyed && limit - x(keyed.atS) > textWidth(agreed) + 10 && (
        <text className="ink-text" x={x(keyed.atS) + 5} y={yLabel}>
          {agreed}
        </text>
      )}
      {live ? (
        <>
          <line className="now" x1={xNow} x2={xNow} y1={PAD_TOP - 20} y2={bottom + 4} />
          {xNow - xJoined > textWidth(joined) - 6 || xNow < xJoined ? (
            <text
              className="ink-text"
              x={Math.max(xNow + 6, xNow < xJoined ? xJoined + textWidth(joined) + 8 : 0)}
              y={yLabel}
            >
              now, {formatSeconds(score.nowS)}
            </text>
          ) : null}
          {closesBy !== null && x1 - xNow > textWidth(closesBy) + 110 && (
            <text className="ink-note" x={x1} y={yLabel} textAnchor="end">
              {closesBy}
            </text>
          )}
          {score.sentLines > 0 && (
            <>
              <line
                className="now"
                x1={xNow}
                x2={xNow + 10}
                y1={y(score.sentLines)}
                y2={y(score.sentLines) + 12}
              />
              <text className="ink-strong halo" x={xNow + 13} y={y(score.sentLines) + 18}>
                {formatCount(facts.sent)} sent
              </text>
            </>
          )}
          {gone.length > 0 && (
            <text className="ink-note halo" x={xNow + 6} y={yGone}>
              {gone.join(", ")}
            </text>
          )}
        </>
      ) : (
        gone.length > 0 && (
          <text className="ink-note halo" x={meetsSent ? x1 - sentWidth - 6 : x1} y={yGone} textAnchor="end">
            {gone.join(", ")}
          </text>
        )
      )}
    </g>
  );
}
