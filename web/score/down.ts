import { textWidth } from "../ui/text-width.ts";
import { formatCount } from "../words/format.ts";
import { goneWords, neededWords, oneSumWords, scoreWords, shutWords } from "../words/score.ts";
import type { Score } from "./geometry.ts";
import { inColumn } from "./labels.ts";
import {
  crisp,
  type Frame,
  lineMark,
  type Mark,
  type Picture,
  type PictureInput,
  round1,
  strokesOf,
  styleOf,
  sumPlaceOf,
  type TextMark,
  textMark,
} from "./projection.ts";

/*
 * The score in a narrow box: time runs down, places in the count are side by side. With up to 12 lines all words stand
 * in one column at the right, each tied to its line; the pitch gives way so that the longest fits. With more, the words
 * lie on the picture, at its right edge.
 */

const PAD_LEFT = 40;
const TOP = 42;
const TIME_LENGTH = 270;
const SUM_ZONE = 126;
const COLUMN_GAP = 20;
/** Lines beside which there is room for a column of words. */
const BESIDE_MAX = 12;
const SUM_GAP = 22;

/** A word of the column, and the line that it says something about. */
interface ColumnWord {
  readonly y: number;
  readonly text: string;
  readonly className: string;
  /** Where its leader begins on the axis of places; null if it needs none. */
  readonly from: number | null;
}

export function down(input: PictureInput, width: number): Picture {
  const { score } = input;
  const frame = frameOf(input, width);
  const [, right] = frame.barSpan;
  return {
    frame,
    axes: [...axes(score, frame), ...counts(score, frame, width)],
    annotations: [
      ...bars(score, frame),
      ...limits(score, frame),
      ...present(score, frame),
      ...column(words(input, frame), score, frame, right),
    ],
    sumWords: sumWords(input, frame, width),
    ghostFrom: frame.timeEnd + 6,
  };
}

const isBeside = ({ places }: Score): boolean => places <= BESIDE_MAX;
const hasPresent = ({ state }: Score): boolean => state === "live" || state === "stopped";

function frameOf({ score, you }: PictureInput, width: number): Frame {
  const pitch = pitchOf(score, width, you?.label ?? "");
  const timeEnd = TOP + TIME_LENGTH;
  const place = (line: number) => crisp(PAD_LEFT + (line - 0.5) * pitch);
  const strokes = strokesOf(score, pitch);
  return {
    direction: "down",
    time: (seconds) => TOP + (seconds / score.endS) * TIME_LENGTH,
    place,
    timeStart: TOP,
    timeEnd,
    cut: timeEnd + 8,
    merged: timeEnd + SUM_ZONE * 0.62,
    sum: timeEnd + SUM_ZONE,
    sumPlace: sumPlaceOf(score, place, score.thresholdLines ?? score.goalLines ?? 1),
    pitch,
    placeSign: 1,
    ...strokes,
    height: timeEnd + SUM_ZONE + 30,
    barSpan: [PAD_LEFT - 4, PAD_LEFT + score.places * pitch + 4],
  };
}

/** Pixels between lines. With few lines the longest word of the column keeps its room. */
function pitchOf(score: Score, width: number, own: string): number {
  if (!isBeside(score)) return Math.max(2, Math.floor((width - PAD_LEFT - 8) / score.places));
  const said = scoreWords(score);
  const longest = [said.agreed, said.now, goneWords(score).late ?? "", own];
  const room = Math.ceil(Math.max(...longest.map((text) => textWidth(text, "ink-text"))));
  const left = Math.floor((width - PAD_LEFT - COLUMN_GAP - 4 - room) / score.places);
  return Math.max(9, Math.min(26, Math.round(160 / score.places), left));
}

function axes(score: Score, frame: Frame): Mark[] {
  const x = PAD_LEFT - 4.5;
  return [
    lineMark("axis", frame, [frame.timeStart, frame.timeEnd], [x, x]),
    ...score.ticksS.flatMap((tick): Mark[] => {
      const at = frame.time(tick);
      const text = tick === 0 ? "0 s" : formatCount(tick);
      return [
        lineMark("axis", frame, [at, at], [PAD_LEFT - 8, PAD_LEFT - 4]),
        textMark("ink-note", PAD_LEFT - 11, at + 4, text, "end"),
      ];
    }),
    textMark("ink-note", 0, 11, "devices"),
  ];
}

/** Above the lines: how many must be in, and the first and the last place if they have room beside that. */
function counts(score: Score, frame: Frame, width: number): Mark[] {
  const y = TOP - 13;
  const needed = neededPlace(score, frame);
  const words = neededWords(score);
  const neededWidth = words === null ? 0 : textWidth(words, "ink-text");
  const neededEnd = needed === null ? null : Math.max(needed + 2, neededWidth);
  const lastText = formatCount(score.facts.places);
  const lastX = Math.min(frame.place(score.places), width - textWidth(lastText) / 2);
  const lastFrom = lastX - textWidth(lastText) / 2;
  const hasLast = neededEnd === null || lastFrom > neededEnd + 6;
  const firstFits =
    score.places > 1 &&
    score.devicesPerLine === 1 &&
    frame.place(1) + 10 < (neededEnd === null ? lastFrom : neededEnd - neededWidth - 4);
  return [
    ...(words === null || neededEnd === null ? [] : [textMark("ink-text", neededEnd, y, words, "end")]),
    ...(firstFits ? [textMark("ink-note", frame.place(1), y, "1", "middle")] : []),
    ...(hasLast ? [textMark("ink-note", lastX, y, lastText, "middle")] : []),
  ];
}

function bars(score: Score, frame: Frame): Mark[] {
  return score.bars.map(({ past, atS }) => {
    const at = crisp(frame.time(atS));
    return lineMark(past ? "phase-bar" : "phase-bar next", frame, [at, at], frame.barSpan);
  });
}

function neededPlace({ thresholdLines }: Score, frame: Frame): number | null {
  return thresholdLines === null ? null : frame.place(thresholdLines) + Math.round(frame.pitch / 2);
}

function limits(score: Score, frame: Frame): Mark[] {
  const x = neededPlace(score, frame);
  if (x === null) return [];
  const from = score.bars.filter((bar) => bar.past).at(-1);
  const dashed = from === undefined ? frame.timeStart : crisp(frame.time(from.atS));
  return [
    lineMark("goal", frame, [frame.timeStart - 8, dashed], [x, x]),
    lineMark("threshold-bed", frame, [dashed, frame.timeEnd], [x, x]),
    lineMark("threshold", frame, [dashed, frame.timeEnd], [x, x]),
  ];
}

function present(score: Score, frame: Frame): Mark[] {
  if (!hasPresent(score)) return [];
  const at = crisp(frame.time(score.nowS));
  return [
    lineMark(
      score.state === "live" ? "now" : "stop-line",
      frame,
      [at, at],
      [PAD_LEFT - 12, frame.barSpan[1]],
    ),
  ];
}

/** All that the picture says about times, from the top down. */
function words({ score, you }: PictureInput, frame: Frame): ColumnWord[] {
  const said = scoreWords(score);
  const { facts } = score;
  const right = frame.barSpan[1];
  const yNow = crisp(frame.time(score.nowS));
  const barY = (phase: string) => {
    const bar = score.bars.find((one) => one.phase === phase && one.past);
    return bar === undefined ? null : crisp(frame.time(bar.atS));
  };
  const list: ColumnWord[] = [];
  const put = (y: number, text: string, className = "ink-text", from: number | null = right) =>
    list.push({ y, text, className, from });
  if (facts.joined > 0) put(barY("recruiting") ?? yNow - 1, said.joined);
  if (facts.trained > 0) put(barY("advertising") ?? yNow - 1, said.trained);
  const agreedY = barY("sharing");
  if (agreedY !== null && facts.shared !== null) put(agreedY, said.agreed);
  if (hasPresent(score)) put(yNow, said.now, score.state === "live" ? "ink-text" : "ink-text of-stop");
  if (facts.sent > 0) {
    if (hasPresent(score)) put(yNow + 1, said.sent, "ink-strong", null);
    else
      put(
        frame.timeEnd,
        said.sent,
        "ink-text",
        score.state === "committed" ? frame.place(score.sentLines) + 4 : right - 4,
      );
  }
  const { left, late } = goneWords(score);
  const ring = score.voices.find(({ leftS }) => leftS !== null);
  if (left !== null) {
    const y = ring?.leftS == null ? yNow : frame.time(ring.leftS) + 3;
    put(y, left, "ink-note", ring === undefined ? null : frame.place(ring.line) + 5);
  }
  if (late !== null) put(frame.timeEnd + 1, late, "ink-note", null);
  const own = score.voices.find(({ line }) => line === you?.line);
  if (own !== undefined && you !== null)
    put(frame.time(own.sentS ?? own.endS), you.label, "ink-text of-you", frame.place(own.line) + 3);
  return list;
}

/** Places words in a column, tied to their lines, or, with many lines, on the picture's right edge. */
function column(list: readonly ColumnWord[], score: Score, frame: Frame, right: number): Mark[] {
  const beside = isBeside(score);
  const span = [frame.timeStart + 4, frame.timeEnd + 4] as const;
  // On the picture a word stands above its line, not across it.
  const wanted = beside ? list : list.map((word) => ({ ...word, y: word.y - 10 }));
  const x = right + COLUMN_GAP - 4;
  return inColumn(wanted, span).flatMap(({ y, placedY, text, className, from }): Mark[] => {
    if (!beside) return [textMark(`${className} halo`, right, placedY + 4, text, "end")];
    const leader: Mark[] =
      from === null
        ? []
        : [
            {
              kind: "path",
              className: className.includes("of-stop") ? "leader of-stop" : "leader",
              d: `M${round1(from)} ${round1(y)}H${right + 2}L${x - 8} ${round1(placedY)}H${x - 4}`,
            },
          ];
    return [...leader, textMark(className, x, placedY + 4, text)];
  });
}

/** The words beside the sum stand at its right, or at its left if they do not fit there. */
function sumWords({ score, result, endedBy }: PictureInput, frame: Frame, width: number): TextMark[] {
  const { sum, sumPlace } = frame;
  const shut = score.state === "committed" ? null : shutWords(score, endedBy);
  const list: readonly (readonly [className: string, text: string, below: number])[] =
    shut === null
      ? [
          ["ink-strong of-sum", result?.title ?? "", -12],
          ["ink-note", result?.note ?? "", 5],
          ["ink-note", oneSumWords(score), 21],
        ]
      : [
          ["ink-strong", shut.head, -2],
          ["ink-note", shut.tail, 15],
        ];
  const marks = list
    .filter(([, text]) => text !== "")
    .map(([className, text, below]) => textMark(className, sumPlace + SUM_GAP, sum + below, text));
  const fits = marks.every((mark) => mark.x + textWidth(mark.text, styleOf(mark)) <= width);
  return fits ? marks : marks.map((mark) => ({ ...mark, x: round1(sumPlace - SUM_GAP), anchor: "end" }));
}
