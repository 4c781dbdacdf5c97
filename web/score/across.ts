import type { Phase } from "#shared/protocol/api.ts";
import { textWidth } from "../ui/text-width.ts";
import { formatCount, formatSeconds } from "../words/format.ts";
import { goneWords, neededWords, oneSumWords, scoreWords, shutWords } from "../words/score.ts";
import type { Score } from "./geometry.ts";
import { LANE, type LaneLabel, meet, type PlacedLabel, placeInLanes } from "./labels.ts";
import {
  crisp,
  type Frame,
  lineMark,
  type Mark,
  type Picture,
  type PictureInput,
  pitchAcross,
  strokesOf,
  styleOf,
  sumPlaceOf,
  type TextMark,
  textMark,
} from "./projection.ts";

/*
 * The score in a wide box: time runs from left to right, places in the count are stacked. Counts stand above the lines,
 * in lanes; how many are needed stands on the axis at the left; what is said of now stands right of now.
 */

const PAD_BOTTOM = 28;
/** From the lowest lane's baseline to the lines. */
const LANE_ABOVE_LINES = 9;
const SUM_GAP = 19;
/** Pixels between the sum's place and the right edge, at least. */
const SUM_ROOM = 132;
const DEVICES = "devices";
/** Words on the picture keep this far from the dashes of what is needed. */
const CLEAR_OF_NEEDED = 17;

/** Times and words before their height is known. */
interface Plan {
  readonly input: PictureInput;
  readonly width: number;
  readonly timeStart: number;
  readonly timeEnd: number;
  readonly sum: number;
  readonly time: (seconds: number) => number;
  readonly sumTexts: readonly { readonly className: string; readonly text: string; readonly below: number }[];
}

export function across(input: PictureInput, width: number): Picture {
  const plan = planOf(input, width);
  const labels = placeInLanes(
    laneLabels(plan),
    { from: 0, to: plan.timeEnd + 5 },
    { from: 0, to: textWidth(DEVICES) },
  );
  const laneCount = 1 + Math.max(0, ...labels.map(({ lane }) => lane));
  const frame = frameOf(plan, 16 + laneCount * LANE);
  const said = [...limits(plan, frame), ...present(plan, frame), ...gone(plan, frame)];
  return {
    frame,
    axes: [...bars(plan, frame, labels), ...axes(plan, frame)],
    annotations: [...said, ...own(plan, frame, said), ...labels.map((label) => labelMark(label, frame))],
    sumWords: sumWords(plan, frame),
    ghostFrom: ghostFrom(plan),
  };
}

function planOf(input: PictureInput, width: number): Plan {
  const { score } = input;
  const sumTexts = sumTextsOf(input);
  const widest = Math.max(
    0,
    ...sumTexts.map(({ text, className }) =>
      textWidth(text, className.startsWith("ink-strong") ? "ink-strong" : "ink-note"),
    ),
  );
  const sumRoom = Math.max(SUM_ROOM, Math.ceil(widest) + SUM_GAP + 4);
  const zone = Math.max(250, width * 0.27, sumRoom + 118);
  const timeStart = Math.max(84, Math.ceil(textWidth(neededWords(score) ?? "", "ink-text")) + 14);
  const timeEnd = Math.round(width - zone);
  return {
    input,
    width,
    timeStart,
    timeEnd,
    sum: width - sumRoom,
    time: (seconds) => timeStart + (seconds / score.endS) * (timeEnd - timeStart),
    sumTexts,
  };
}

function frameOf({ input: { score }, timeStart, timeEnd, sum, time, width }: Plan, top: number): Frame {
  const pitch = pitchAcross(score);
  const bottom = top + score.places * pitch;
  const place = (line: number) => crisp(top + (score.places - line) * pitch + pitch / 2);
  return {
    direction: "across",
    time,
    place,
    timeStart,
    timeEnd,
    cut: timeEnd + 14,
    merged: timeEnd + (width - timeEnd) * 0.5,
    sum,
    sumPlace: sumPlaceOf(score, place, score.thresholdLines ?? score.goalLines ?? 1),
    pitch,
    placeSign: -1,
    ...strokesOf(score, pitch),
    height: bottom + PAD_BOTTOM,
    barSpan: [top - 4, bottom + 4],
  };
}

/** Baseline of the lowest lane; higher lanes are above it. */
const laneY = (frame: Frame, lane: number): number => frame.barSpan[0] + 4 - LANE_ABOVE_LINES - lane * LANE;

const isLive = ({ state }: Score): boolean => state === "live";
/** A round that is not over at the right edge of its axis: it goes on, or someone stopped it there. */
const hasPresent = ({ state }: Score): boolean => state === "live" || state === "stopped";

function pastBar(score: Score, phase: Phase): number | null {
  return score.bars.find((bar) => bar.phase === phase && bar.past)?.atS ?? null;
}

/** The words above the lines, in the order in which they choose their places. */
function laneLabels({ input: { score, closesBy }, time, timeEnd }: Plan): LaneLabel[] {
  const said = scoreWords(score);
  const { facts } = score;
  const xNow = crisp(time(score.nowS));
  const labels: LaneLabel[] = [];
  const text = (label: Omit<LaneLabel, "style" | "className">, more = "") =>
    labels.push({ style: "ink-text", className: `ink-text${more}`, ...label });
  if (hasPresent(score))
    text({ x: xNow, text: said.now, side: "start", tall: true }, isLive(score) ? "" : " of-stop");
  else if (facts.sent > 0) text({ x: timeEnd + 5, text: said.sent, side: "end" });
  const counts = [
    { count: facts.joined, text: said.joined, atS: pastBar(score, "recruiting"), side: "start" },
    { count: facts.trained, text: said.trained, atS: pastBar(score, "advertising"), side: "end" },
  ] as const;
  for (const { count, text: words, atS, side } of counts) {
    if (count === 0) continue;
    if (atS === null) text({ x: xNow, text: words, side: "end" });
    else text({ x: crisp(time(atS)), text: words, side, barAtS: atS });
  }
  const sharedS = pastBar(score, "sharing");
  if (sharedS !== null && facts.shared !== null)
    text({ x: crisp(time(sharedS)), text: said.agreed, side: "start", barAtS: sharedS });
  if (isLive(score) && closesBy !== null) {
    labels.push({
      x: timeEnd + 5,
      text: closesBy,
      side: "end",
      style: "ink-note",
      className: "ink-note",
      optional: true,
    });
  }
  return labels;
}

const labelMark = ({ className, textX, text, lane, anchor }: PlacedLabel, frame: Frame): TextMark =>
  textMark(className, textX, laneY(frame, lane), text, anchor);

/** The bars at the ends of phases; one whose word has climbed rises to it. */
function bars({ input: { score }, time }: Plan, frame: Frame, labels: readonly PlacedLabel[]): Mark[] {
  return score.bars.map(({ past, atS }) => {
    const at = crisp(time(atS));
    const lane = labels.find((label) => past && label.barAtS === atS)?.lane ?? 0;
    const from = lane > 0 ? laneY(frame, lane) - 9 : frame.barSpan[0];
    return lineMark(past ? "phase-bar" : "phase-bar next", frame, [at, at], [from, frame.barSpan[1]]);
  });
}

function axes({ input: { score }, timeStart, timeEnd, time }: Plan, frame: Frame): Mark[] {
  const [, low] = frame.barSpan;
  const needed = neededPlace(score, frame);
  const isClear = (line: number) => needed === null || Math.abs(frame.place(line) - needed) >= 14;
  const first =
    score.places > 1 && score.devicesPerLine === 1 && frame.place(1) - frame.place(score.places) >= 14;
  const lines = [...(first ? [1] : []), score.places];
  return [
    lineMark("axis", frame, [timeStart, timeEnd], [low + 0.5, low + 0.5]),
    ...score.ticksS.flatMap((tick): Mark[] => [
      lineMark("axis", frame, [time(tick), time(tick)], [low, low + 4]),
      textMark("ink-note", time(tick), low + 17, formatSeconds(tick), tick === 0 ? undefined : "middle"),
    ]),
    ...lines.filter(isClear).map((line) => {
      const count = line === score.places ? score.facts.places : line;
      return textMark("ink-note", timeStart - 9, frame.place(line) + 4, formatCount(count), "end");
    }),
    textMark("ink-note", 0, laneY(frame, 0), DEVICES),
  ];
}

/** On the axis of places: above the line that makes the sum possible. */
function neededPlace({ thresholdLines }: Score, frame: Frame): number | null {
  return thresholdLines === null ? null : frame.place(thresholdLines) - Math.round(frame.pitch / 2) + 0.5;
}

/** How many must be in: words on the axis, a dotted hair from them, dashes from the last bar on. */
function limits({ input: { score }, timeStart, timeEnd, time }: Plan, frame: Frame): Mark[] {
  const y = neededPlace(score, frame);
  const words = neededWords(score);
  if (y === null || words === null) return [];
  const from = score.bars.filter((bar) => bar.past).at(-1);
  const dashed = from === undefined ? timeStart : crisp(time(from.atS));
  return [
    textMark("ink-text", timeStart - 9, y + 4, words, "end"),
    lineMark("goal", frame, [timeStart - 5, dashed], [y, y]),
    lineMark("threshold-bed", frame, [dashed, timeEnd], [y, y]),
    lineMark("threshold", frame, [dashed, timeEnd], [y, y]),
  ];
}

/** The line of now, or of the stop, and who has sent by then. */
function present({ input: { score }, time }: Plan, frame: Frame): Mark[] {
  if (!hasPresent(score)) return [];
  const x = crisp(time(score.nowS));
  const [top, bottom] = frame.barSpan;
  const line = lineMark(isLive(score) ? "now" : "stop-line", frame, [x, x], [top - 14, bottom]);
  if (score.facts.sent === 0) return [line];
  return [line, textMark("ink-strong halo", x + 11, sentY(score, frame) + 5, scoreWords(score).sent)];
}

/** "5 sent" is level with the line it counts, clear of the dashes and of the top row if that says who left. */
function sentY(score: Score, frame: Frame): number {
  const top = frame.place(score.places);
  const level = frame.place(Math.max(1, score.sentLines));
  const { left, threshold } = score.facts;
  const wanted = left > 0 ? Math.max(level, top + 18) : level;
  const needed = neededPlace(score, frame);
  if (needed === null || Math.abs(wanted - needed) >= CLEAR_OF_NEEDED) return wanted;
  const isOver = threshold !== null && score.facts.sent >= threshold && top < needed - 22 && left === 0;
  return isOver ? needed - 15 : needed + CLEAR_OF_NEEDED;
}

/** Who is not in the sum, in the top row, behind the ring or behind the axis. */
function gone({ input: { score }, time, timeEnd }: Plan, frame: Frame): Mark[] {
  const { left, late } = goneWords(score);
  const words = [left, late].filter((part) => part !== null).join(", ");
  if (words === "") return [];
  const y = frame.place(score.places) + 4;
  if (hasPresent(score)) return [textMark("ink-note halo", crisp(time(score.nowS)) + 11, y, words)];
  const top = score.voices.at(-1);
  const rowEndS = Math.max(top?.leftS ?? 0, top?.endS ?? 0);
  const isEmptyInside =
    left !== null && top?.sentS === null && time(rowEndS) + 16 + textWidth(words) < timeEnd - 4;
  return isEmptyInside
    ? [textMark("ink-note halo", timeEnd, y, words, "end")]
    : [textMark("ink-note halo", timeEnd + 14, y, words)];
}

/**
 * Names this device's line, in front of where it has sent or where it is now, or behind that if there is no room in
 * front. Left out if it would meet another word.
 */
function own(
  { input: { score, you }, time, timeStart }: Plan,
  frame: Frame,
  others: readonly Mark[],
): Mark[] {
  const line = score.voices.find((voice) => voice.line === you?.line);
  if (line === undefined || you === null) return [];
  const x = time(line.sentS ?? line.endS);
  const y = frame.place(line.line) + 4;
  const inFront = x - 6 - textWidth(you.label, "ink-text") > timeStart;
  const mark = inFront
    ? textMark("ink-text halo of-you", x - 6, y, you.label, "end")
    : textMark("ink-text halo of-you", x + 8, y, you.label);
  const at = (text: TextMark) => ({ ...text, style: styleOf(text) });
  return others.some((other) => other.kind === "text" && meet(at(mark), at(other))) ? [] : [mark];
}

/** What stands beside the sum, with the distance of each baseline from the sum's place. */
function sumTextsOf({ score, result, endedBy }: PictureInput): Plan["sumTexts"] {
  if (score.state !== "committed") {
    const { head, tail } = shutWords(score, endedBy);
    return [
      { className: "ink-strong", text: head, below: -2 },
      { className: "ink-note", text: tail, below: 15 },
    ];
  }
  return [
    { className: "ink-strong of-sum", text: result?.title ?? "", below: -7 },
    { className: "ink-note", text: result?.note ?? "", below: 10 },
    { className: "ink-note", text: oneSumWords(score), below: 26 },
  ].filter(({ text }) => text !== "");
}

function sumWords({ sumTexts, sum }: Plan, frame: Frame): TextMark[] {
  return sumTexts.map(({ className, text, below }) =>
    textMark(className, sum + SUM_GAP, frame.sumPlace + below, text),
  );
}

function ghostFrom({ input: { score }, time, timeEnd }: Plan): number {
  if (!hasPresent(score) || score.facts.sent === 0) return timeEnd + 6;
  return Math.max(
    timeEnd + 6,
    crisp(time(score.nowS)) + 18 + textWidth(scoreWords(score).sent, "ink-strong"),
  );
}
