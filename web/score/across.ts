import { textWidth } from "../ui/text-width.ts";
import { formatCount } from "../words/format.ts";
import { goneWords, oneSumWords, type ScoreWords, scoreWords, shutWords } from "../words/score.ts";
import type { Score } from "./geometry.ts";
import {
  barMarks,
  crisp,
  type Frame,
  type Layout,
  lineMark,
  type Mark,
  type MarksInput,
  type ScoreResult,
  sumPlaceOf,
  type TextMark,
  textMark,
  voiceWidthOf,
} from "./projection.ts";

/*
 * The score in a wide box: time runs from left to right, places in the count stand on top of each other. A label is left
 * out if it would lie on another one.
 */

const PAD_TOP = 34;
const PAD_BOTTOM = 26;
/** Where the labels above the lines stand. */
const Y_LABEL = PAD_TOP - 9;

export const ACROSS: Layout = { frame: frameOf, axes, annotations, sumWords };

/** Pixels between lines: whole, and wider for few voices so that the labels find room. */
function pitchOf(places: number): number {
  if (places > 40) return 4;
  return places > 16 ? 8 : 14;
}

function frameOf(width: number, score: Score): Frame {
  const pitch = pitchOf(score.places);
  // Leaves room for the word "devices" before the first label.
  const timeStart = 48;
  const zone = Math.max(236, width * 0.27);
  const timeEnd = Math.round(width - zone);
  const bottom = PAD_TOP + score.places * pitch;
  const place = (line: number) => crisp(PAD_TOP + (score.places - line) * pitch);
  const sentWidth = score.places > 40 ? 2 : 3;
  return {
    direction: "across",
    time: (seconds) => timeStart + (seconds / score.endS) * (timeEnd - timeStart),
    place,
    timeStart,
    timeEnd,
    cut: timeEnd + 14,
    merged: timeEnd + zone * 0.5,
    sum: width - 118,
    sumPlace: sumPlaceOf(score, place, score.thresholdLines ?? score.goalLines ?? 1),
    pitch,
    placeSign: -1,
    sentWidth,
    mergeWidth: Math.max(0.8, sentWidth * 0.62),
    ringRadius: score.places > 40 ? 1.7 : 2.6,
    voiceWidth: voiceWidthOf(score),
    height: bottom + PAD_BOTTOM,
    barSpan: [PAD_TOP - 4, bottom + 4],
  };
}

function axes(score: Score, frame: Frame): readonly Mark[] {
  const [, low] = frame.barSpan;
  const first = score.devicesPerLine > 1 ? [] : [1];
  const middle = score.places > 30 ? [20] : [];
  const lines = [...new Set([...first, ...middle, score.places])];
  return [
    ...barMarks(score, frame),
    lineMark("axis", frame, [frame.timeStart, frame.timeEnd], [low + 0.5, low + 0.5]),
    ...score.ticksS.flatMap((tick): Mark[] => {
      const at = frame.time(tick);
      const anchor = tick === 0 ? undefined : "middle";
      return [
        lineMark("axis", frame, [at, at], [low, low + 5]),
        textMark("ink-note", at, low + 17, `${formatCount(tick)} s`, anchor),
      ];
    }),
    ...lines.map((line) => {
      const count = formatCount(line * score.devicesPerLine);
      return textMark("ink-note", frame.timeStart - 8, frame.place(line) + 4, count, "end");
    }),
    textMark("ink-note", 0, Y_LABEL, "devices"),
  ];
}

function sumWords(score: Score, result: ScoreResult | null, frame: Frame): readonly TextMark[] {
  const x = frame.sum + 18;
  const y = frame.sumPlace;
  if (score.state !== "committed") {
    const { head, tail } = shutWords(score);
    return [textMark("ink-strong", x, y - 3, head), textMark("ink-note", x, y + 14, tail)];
  }
  const ySent = frame.place(score.sentLines) - 8;
  return [
    textMark("ink-strong of-sum", x, y - 3, result?.title ?? ""),
    textMark("ink-note", x, y + 14, result?.note ?? ""),
    textMark("ink-note", x, y + 30, oneSumWords(score)),
    textMark("ink-text halo", frame.cut - 2, ySent, scoreWords(score).sent, "end"),
  ];
}

function annotations(input: MarksInput, frame: Frame): readonly Mark[] {
  const { score } = input;
  const said = scoreWords(score);
  const live = score.state === "live" && score.nowS < score.endS;
  const xJoined = joinedAt(score, frame);
  return [
    ...limits(score, frame, said),
    ...ownLabel(input, frame),
    ...counts(score, frame, said, xJoined),
    ...(live ? present(input, frame, said, xJoined) : ended(score, frame, said)),
  ];
}

/** How many must be in, and how many are wanted. */
function limits(score: Score, frame: Frame, said: ScoreWords): Mark[] {
  const from = score.bars.filter((bar) => bar.past).at(-1);
  if (score.thresholdLines === null || from === undefined) return [];
  const xFrom = frame.time(from.atS);
  const span = [xFrom, frame.timeEnd] as const;
  const over = (line: number) => frame.place(line) - frame.pitch / 2 + 0.5;
  const yNeeded = over(score.thresholdLines);
  const goal = score.goalLines !== null && score.goalLines > score.thresholdLines ? score.goalLines : null;
  const yGoal = goal === null ? 0 : over(goal);
  const goalHasRoom = goal !== null && goal < score.places && yNeeded - yGoal > 15;
  const wanted = `${formatCount((goal ?? 0) * score.devicesPerLine)} wanted`;
  const needed = `${said.needed} to open the sum`;
  const roomy = frame.timeEnd - xFrom > textWidth(needed);
  // If almost everyone is needed, the limit runs along the top, among the labels of the bars.
  const yText = yNeeded - 18 < PAD_TOP - 6 ? yNeeded + 16 : yNeeded - 6;
  return [
    ...(goalHasRoom
      ? [
          lineMark("goal", frame, span, [yGoal, yGoal]),
          textMark("ink-note halo", xFrom + 5, yGoal - 5, wanted),
        ]
      : []),
    lineMark("threshold-bed", frame, span, [yNeeded, yNeeded]),
    lineMark("threshold", frame, span, [yNeeded, yNeeded]),
    roomy
      ? textMark("ink-text halo", xFrom + 5, yText, needed)
      : textMark("ink-text halo", frame.timeEnd, yText, needed, "end"),
  ];
}

function ownLabel({ score, you }: MarksInput, frame: Frame): Mark[] {
  const own = score.voices.find(({ line }) => line === you?.line);
  if (own === undefined || you === null) return [];
  const x = frame.time(own.sentS ?? score.nowS) - 6;
  return [textMark("ink-text halo of-you", x, frame.place(own.line) + 4, you.label, "end")];
}

const endOf = (score: Score, phase: string) =>
  score.bars.find((bar) => bar.phase === phase && bar.past)?.atS ?? null;

function joinedAt(score: Score, frame: Frame): number {
  const recruitedS = endOf(score, "recruiting");
  return (recruitedS === null ? frame.timeStart + 44 : frame.time(recruitedS)) + 5;
}

/** What each bar counts. */
function counts(score: Score, frame: Frame, said: ScoreWords, xJoined: number): Mark[] {
  const xNow = crisp(frame.time(score.nowS));
  const limit = score.state === "live" ? xNow : frame.timeEnd;
  const advertisedS = endOf(score, "advertising");
  const xTrained = (advertisedS === null ? xNow : frame.time(advertisedS)) - 5;
  const trainedHasRoom = xTrained - xJoined > textWidth(said.joined) + textWidth(said.trained);
  const sharedS = endOf(score, "sharing");
  const xShared = sharedS === null ? null : frame.time(sharedS);
  return [
    textMark("ink-text", xJoined, Y_LABEL, said.joined),
    ...(score.facts.trained > 0 && trainedHasRoom
      ? [textMark("ink-text", xTrained, Y_LABEL, said.trained, "end")]
      : []),
    ...(xShared !== null && limit - xShared > textWidth(said.agreed) + 10
      ? [textMark("ink-text", xShared + 5, Y_LABEL, said.agreed)]
      : []),
  ];
}

const yGone = (score: Score, frame: Frame): number =>
  frame.place(score.places) + (frame.pitch < 8 ? 2 * frame.pitch : 0) + 4;

/** Of a round that goes on: now, when it closes, who has sent, and who left. */
function present(input: MarksInput, frame: Frame, said: ScoreWords, xJoined: number): Mark[] {
  const { score, closesBy } = input;
  const xNow = crisp(frame.time(score.nowS));
  const joinedWidth = textWidth(said.joined);
  const nowHasRoom = xNow - xJoined > joinedWidth - 6 || xNow < xJoined;
  const xNowText = Math.max(xNow + 6, xNow < xJoined ? xJoined + joinedWidth + 8 : 0);
  const ySent = frame.place(score.sentLines);
  const gone = goneWords(score, "came too late").join(", ");
  return [
    lineMark("now", frame, [xNow, xNow], [PAD_TOP - 20, frame.barSpan[1]]),
    ...(nowHasRoom ? [textMark("ink-text", xNowText, Y_LABEL, said.now)] : []),
    ...(closesBy !== null && frame.timeEnd - xNow > textWidth(closesBy) + 110
      ? [textMark("ink-note", frame.timeEnd, Y_LABEL, closesBy, "end")]
      : []),
    ...(score.sentLines > 0
      ? [
          lineMark("now", frame, [xNow, xNow + 10], [ySent, ySent + 12]),
          textMark("ink-strong halo", xNow + 13, ySent + 18, said.sent),
        ]
      : []),
    ...(gone === "" ? [] : [textMark("ink-note halo", xNow + 6, yGone(score, frame), gone)]),
  ];
}

/** Of a round that has closed: who is not in the sum. */
function ended(score: Score, frame: Frame, said: ScoreWords): Mark[] {
  const gone = goneWords(score, "came too late").join(", ");
  if (gone === "") return [];
  const y = yGone(score, frame);
  // Once the sum is open, "8 sent" stands above the topmost line that sent, at the same end.
  const meetsSent = score.state === "committed" && Math.abs(y - (frame.place(score.sentLines) - 8)) < 16;
  const x = meetsSent ? frame.timeEnd - textWidth(said.sent) - 6 : frame.timeEnd;
  return [textMark("ink-note halo", x, y, gone, "end")];
}
