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

/* The score in a narrow box: time runs down, places in the count stand side by side. */

const PAD_LEFT = 34;
const TOP = 22;
const TIME_LENGTH = 300;
const SUM_ZONE = 128;

export const DOWN: Layout = { frame: frameOf, axes, annotations, sumWords };

function frameOf(width: number, score: Score): Frame {
  const pitch = Math.max(3, Math.floor((width - PAD_LEFT - 4) / score.places));
  const timeEnd = TOP + TIME_LENGTH;
  const place = (line: number) => PAD_LEFT + (line - 1) * pitch + 0.5 + Math.floor(pitch / 2);
  const sentWidth = Math.min(3, Math.max(1.5, pitch * 0.5));
  return {
    direction: "down",
    time: (seconds) => TOP + (seconds / score.endS) * TIME_LENGTH,
    place,
    timeStart: TOP,
    timeEnd,
    cut: timeEnd + 8,
    merged: timeEnd + SUM_ZONE * 0.66,
    sum: timeEnd + SUM_ZONE - 4,
    sumPlace: sumPlaceOf(score, place, score.thresholdLines ?? score.goalLines ?? 1),
    pitch,
    placeSign: 1,
    sentWidth,
    mergeWidth: Math.max(0.8, sentWidth * 0.6),
    ringRadius: score.places > 40 ? 1.6 : 2.6,
    voiceWidth: voiceWidthOf(score),
    height: timeEnd + SUM_ZONE + 34,
    barSpan: [PAD_LEFT - 4, place(score.places) + pitch / 2],
  };
}

function axes(score: Score, frame: Frame): readonly Mark[] {
  return [
    lineMark("axis", frame, [frame.timeStart, frame.timeEnd], [PAD_LEFT - 4.5, PAD_LEFT - 4.5]),
    ...score.ticksS.flatMap((tick): Mark[] => {
      const at = frame.time(tick);
      const text = tick === 0 ? "0 s" : formatCount(tick);
      return [
        lineMark("axis", frame, [at, at], [PAD_LEFT - 8, PAD_LEFT - 4]),
        textMark("ink-note", PAD_LEFT - 11, at + 4, text, "end"),
      ];
    }),
  ];
}

function sumWords(score: Score, result: ScoreResult | null, frame: Frame): readonly TextMark[] {
  const x = frame.sumPlace;
  const y = frame.sum;
  if (score.state !== "committed") {
    const { head, tail } = shutWords(score);
    return [textMark("ink-strong", x + 18, y - 2, head), textMark("ink-note", x + 18, y + 14, tail)];
  }
  return [
    textMark("ink-strong of-sum", x + 20, y - 2, result?.title ?? ""),
    textMark("ink-note", x + 20, y + 14, result?.note ?? ""),
    textMark("ink-note", x - 18, y + 4, oneSumWords(score), "end"),
  ];
}

function annotations(input: MarksInput, frame: Frame): readonly Mark[] {
  const { score } = input;
  const said = scoreWords(score);
  const live = score.state === "live" && score.nowS < score.endS;
  return [
    ...barMarks(score, frame),
    ...ownLabel(input, frame),
    ...counts(score, frame, said),
    ...threshold(score, frame, said),
    ...(live ? present(score, frame, said) : ended(score, frame)),
  ];
}

function ownLabel({ score, you }: MarksInput, frame: Frame): Mark[] {
  const own = score.voices.find(({ line }) => line === you?.line);
  if (own === undefined || you === null) return [];
  const y = frame.time(own.sentS ?? score.nowS) - 6;
  return [textMark("ink-text halo of-you", frame.place(own.line) - 6, y, you.label, "end")];
}

function counts(score: Score, frame: Frame, said: ScoreWords): Mark[] {
  const endOf = (phase: string) => score.bars.find((bar) => bar.phase === phase && bar.past)?.atS;
  const [, right] = frame.barSpan;
  const yJoined = frame.time(endOf("recruiting") ?? 0) - 5;
  const yTrained = frame.time(endOf("advertising") ?? score.nowS) - 5;
  return [
    textMark("ink-text halo", right, yJoined, said.joined, "end"),
    ...(score.facts.trained > 0 && yTrained - yJoined > 14
      ? [textMark("ink-text halo", right, yTrained, said.trained, "end")]
      : []),
  ];
}

/** How many must be in. */
function threshold(score: Score, frame: Frame, said: ScoreWords): Mark[] {
  const from = score.bars.filter((bar) => bar.past).at(-1);
  if (score.thresholdLines === null || from === undefined) return [];
  const [, right] = frame.barSpan;
  const yFrom = frame.time(from.atS);
  const span = [yFrom, frame.timeEnd] as const;
  const x = crisp(frame.place(score.thresholdLines) + frame.pitch / 2);
  return [
    lineMark("threshold-bed", frame, span, [x, x]),
    lineMark("threshold", frame, span, [x, x]),
    x > right - 70
      ? textMark("ink-text halo", x - 5, yFrom + 16, said.needed, "end")
      : textMark("ink-text halo", x + 5, yFrom + 16, said.needed),
  ];
}

/** Of a round that goes on: now, and who has sent. */
function present(score: Score, frame: Frame, said: ScoreWords): Mark[] {
  const [, right] = frame.barSpan;
  const yNow = crisp(frame.time(score.nowS));
  return [
    lineMark("now", frame, [yNow, yNow], [PAD_LEFT - 12, right]),
    textMark("ink-text halo", right, yNow + 15, said.now, "end"),
    ...(score.sentLines > 0 ? [textMark("ink-strong halo", frame.place(1), yNow + 18, said.sent)] : []),
  ];
}

/** Of a round that has closed: who is not in the sum, one reason a line. */
function ended(score: Score, frame: Frame): Mark[] {
  const [, right] = frame.barSpan;
  const y = frame.timeEnd + 18;
  return goneWords(score, "too late").map((text, index) =>
    textMark("ink-note halo", right, y + index * 15, text, "end"),
  );
}
