import type { Score } from "./geometry.ts";

/*
 * A score has two axes: time, and places in the count. A projection says where they lie in pixels, so that one drawing
 * serves every direction and size. `across.ts`, `down.ts` and `score-small.tsx` make projections. Pure.
 */

export interface Projection {
  readonly direction: "across" | "down";
  /** Pixel on the axis of time. */
  readonly time: (seconds: number) => number;
  /** Pixel on the axis of places; line 1 is the first to have joined. */
  readonly place: (line: number) => number;
  readonly timeStart: number;
  readonly timeEnd: number;
  /** On the axis of time: where the lines begin to close, have closed, and where the sum stands. */
  readonly cut: number;
  readonly merged: number;
  readonly sum: number;
  /** On the axis of places. */
  readonly sumPlace: number;
  /** Pixels between neighbouring lines. */
  readonly pitch: number;
  /** Side of line 1 on which the next line lies: 1 if pixels grow with the count. */
  readonly placeSign: 1 | -1;
  readonly sentWidth: number;
  readonly mergeWidth: number;
  /** Of the ring at who left; null draws none. */
  readonly ringRadius: number | null;
  /** Thickness that each survivor adds to the sum. */
  readonly voiceWidth: number;
}

/** A projection with room for words. */
export interface Frame extends Projection {
  readonly height: number;
  /** From where to where on the axis of places a phase bar runs. */
  readonly barSpan: readonly [from: number, to: number];
}

/** Words or a line beside the lines of a score, in pixels. */
export type Mark = TextMark | LineMark;

export interface TextMark {
  readonly kind: "text";
  readonly text: string;
  readonly className: string;
  readonly x: number;
  readonly y: number;
  readonly anchor?: "middle" | "end";
}

export interface LineMark extends Segment {
  readonly kind: "line";
  readonly className: string;
}

export interface Segment {
  readonly x1: number;
  readonly x2: number;
  readonly y1: number;
  readonly y2: number;
}

/** What the words beside a score depend on. */
export interface MarksInput {
  readonly score: Score;
  /** "closes by 40 s", while a deadline is known. */
  readonly closesBy: string | null;
  readonly you: OwnLine | null;
}

/** One's own line on a participant's page; only this device knows that `line` is its own. */
export interface OwnLine {
  readonly line: number;
  readonly label: string;
}

/** What became of an opened sum, e.g. "version 15" and "0.681 ± 0.008". */
export interface ScoreResult {
  readonly title: string;
  readonly note: string;
}

/** Everything that differs between the directions of a large score. */
export interface Layout {
  readonly frame: (width: number, score: Score) => Frame;
  /** Axes; drawn under the lines. */
  readonly axes: (score: Score, frame: Frame) => readonly Mark[];
  /** Counts, limits and the present; drawn over the lines. */
  readonly annotations: (input: MarksInput, frame: Frame) => readonly Mark[];
  /** Beside the sum: its result, or why it is shut. */
  readonly sumWords: (score: Score, result: ScoreResult | null, frame: Frame) => readonly TextMark[];
}

export const round1 = (value: number): number => Math.round(value * 10) / 10;
/** Hairlines stand on half pixels. */
export const crisp = (value: number): number => Math.round(value) + 0.5;

export const textMark = (
  className: string,
  x: number,
  y: number,
  text: string,
  anchor?: "middle" | "end",
): TextMark => ({ kind: "text", className, x, y, text, ...(anchor === undefined ? {} : { anchor }) });

type Along = Pick<Projection, "direction">;

/** A straight piece between two times and two places. */
export function segment(
  to: Along,
  times: readonly [number, number],
  places: readonly [number, number],
): Segment {
  return to.direction === "across"
    ? { x1: times[0], x2: times[1], y1: places[0], y2: places[1] }
    : { x1: places[0], x2: places[1], y1: times[0], y2: times[1] };
}

export function lineMark(
  className: string,
  to: Along,
  times: readonly [number, number],
  places: readonly [number, number],
): LineMark {
  return { kind: "line", className, ...segment(to, times, places) };
}

/** Centre of a circle. */
export function centre(to: Along, time: number, place: number): { readonly cx: number; readonly cy: number } {
  return to.direction === "across" ? { cx: time, cy: place } : { cx: place, cy: time };
}

/** A path that stays at one place while time passes. */
export function runPath(to: Along, fromTime: number, toTime: number, place: number): string {
  return to.direction === "across" ? `M${fromTime} ${place}H${toTime}` : `M${place} ${fromTime}V${toTime}`;
}

/** A path that bends from one place to another; it turns at `middle`. */
export function bendPath(
  to: Along,
  [from, middle, end]: readonly [number, number, number],
  place: number,
  endPlace: number,
): string {
  return to.direction === "across"
    ? `M${from} ${place}C${middle} ${place} ${middle} ${endPlace} ${end} ${endPlace}`
    : `M${place} ${from}C${place} ${middle} ${endPlace} ${middle} ${endPlace} ${end}`;
}

/** Middle, on the axis of places, of the lines that are or must be in the sum. */
export function sumPlaceOf(score: Score, place: (line: number) => number, needed: number): number {
  return (place(1) + place(Math.max(score.sentLines, needed, 1))) / 2;
}

/** Where the line of a survivor ends in the sum: side by side in the order of the count. */
export function mergedPlace(to: Projection, score: Score, line: number): number {
  const fromMiddle = line - (score.sentLines + 1) / 2;
  return round1(to.sumPlace + to.placeSign * fromMiddle * to.voiceWidth);
}

/** Thickness of the sum, never under 3 px. */
export const sumWeight = (to: Projection, score: Score): number =>
  Math.max(3, score.sentLines * to.voiceWidth);

/** Pixels a survivor adds to the sum of a large score. */
export const voiceWidthOf = (score: Score): number => (score.places > 40 ? 0.22 : 0.42);

/** The bars that end phases; the deadline of the current phase is dotted. */
export function barMarks(score: Score, frame: Frame): LineMark[] {
  return score.bars.map(({ past, atS }) => {
    const at = crisp(frame.time(atS));
    return lineMark(past ? "phase-bar" : "phase-bar next", frame, [at, at], frame.barSpan);
  });
}
