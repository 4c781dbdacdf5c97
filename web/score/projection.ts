import type { TextStyle } from "../ui/text-width.ts";
import type { Score } from "./geometry.ts";

/*
 * A score has two axes: time, and places in the count. A projection maps them to pixels, so that one drawing works in
 * every direction and size. `across.ts`, `down.ts` and `score-small.tsx` make projections. Pure.
 */

export interface Projection {
  readonly direction: "across" | "down";
  /** Pixel on the time axis. */
  readonly time: (seconds: number) => number;
  /** Pixel on the axis of places; line 1 joined first. */
  readonly place: (line: number) => number;
  readonly timeStart: number;
  readonly timeEnd: number;
  /** On the time axis: where the lines begin to merge, have merged, and where the sum is. */
  readonly cut: number;
  readonly merged: number;
  readonly sum: number;
  /** On the axis of places. */
  readonly sumPlace: number;
  /** Pixels between neighbouring lines. */
  readonly pitch: number;
  /** The side of line 1 on which the next line is: 1 if pixels increase with the count. */
  readonly placeSign: 1 | -1;
  /** Width of a line until it has sent. */
  readonly thinWidth: number;
  readonly sentWidth: number;
  readonly mergeWidth: number;
  /** Radius of the ring for a device that left. */
  readonly ringRadius: number;
  /** Width that each survivor adds to the sum. */
  readonly voiceWidth: number;
}

/** A projection with room for words. */
export interface Frame extends Projection {
  readonly height: number;
  /** Extent of a phase bar on the axis of places. */
  readonly barSpan: readonly [from: number, to: number];
}

/** Text or a line beside the lines of a score, in pixels. */
export type Mark = TextMark | LineMark | PathMark;

export interface TextMark {
  readonly kind: "text";
  readonly text: string;
  readonly className: string;
  readonly x: number;
  readonly y: number;
  readonly anchor?: "middle" | "end" | undefined;
}

export interface LineMark extends LineEnds {
  readonly kind: "line";
  readonly className: string;
}

export interface PathMark {
  readonly kind: "path";
  readonly className: string;
  readonly d: string;
}

export interface LineEnds {
  readonly x1: number;
  readonly x2: number;
  readonly y1: number;
  readonly y2: number;
}

/** What a picture of a score depends on. */
export interface PictureInput {
  readonly score: Score;
  /** "closes by 40 s", if a deadline is known. */
  readonly closesBy: string | null;
  readonly you: OwnLine | null;
  /** The text beside an opened sum. */
  readonly result: ScoreResult | null;
  /** Who ended the round's run, if its page may say so. */
  readonly endedBy?: string | null | undefined;
}

/** The line of this device on a participant's page; only this device knows it. */
export interface OwnLine {
  readonly line: number;
  readonly label: string;
}

/** The result of an opened sum, e.g. "version 15" and "0.681 ± 0.008". */
export interface ScoreResult {
  readonly title: string;
  readonly note: string;
}

/** A large score in one direction: where its lines are, and all other marks. */
export interface Picture {
  readonly frame: Frame;
  /** Drawn under the lines. */
  readonly axes: readonly Mark[];
  /** Counts, limits and the present; drawn over the lines. */
  readonly annotations: readonly Mark[];
  /** The text beside the sum: its result, or why it is closed. */
  readonly sumWords: readonly TextMark[];
  /** On the time axis: where the dotted lines to an unopened sum begin. */
  readonly ghostFrom: number;
}

/** Composes a picture at a width in pixels. */
export type Layout = (input: PictureInput, width: number) => Picture;

export const round1 = (value: number): number => Math.round(value * 10) / 10;
/** Hairlines are drawn on half pixels. */
export const crisp = (value: number): number => Math.round(value) + 0.5;

export const textMark = (
  className: string,
  x: number,
  y: number,
  text: string,
  anchor?: "start" | "middle" | "end",
): TextMark => ({
  kind: "text",
  className,
  x: round1(x),
  y: round1(y),
  text,
  anchor: anchor === "start" ? undefined : anchor,
});

/** The style of a text from its classes. */
export const styleOf = ({ className }: TextMark): TextStyle => className.split(" ")[0] as TextStyle;

type Along = Pick<Projection, "direction">;

/** A straight line between two times and two places. */
export function segment(
  to: Along,
  times: readonly [number, number],
  places: readonly [number, number],
): LineEnds {
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

/** A path along the time axis at one place. */
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

/** Middle of the lines that are or must be in the sum, on the axis of places. */
export function sumPlaceOf(score: Score, place: (line: number) => number, needed: number): number {
  return (place(1) + place(Math.max(score.sentLines, needed, 1))) / 2;
}

/** Where a survivor's line ends in the sum: side by side in the order of the count. */
export function mergedPlace(to: Projection, score: Score, line: number): number {
  const fromMiddle = line - (score.sentLines + 1) / 2;
  return round1(to.sumPlace + to.placeSign * fromMiddle * to.voiceWidth);
}

/** Width of the sum. */
export const sumWeight = (to: Projection, score: Score): number =>
  Math.max(1, score.sentLines) * to.voiceWidth;

const clamp = (least: number, value: number, most: number): number => Math.max(least, Math.min(value, most));

/** Up to 40 lines share about this many pixels, so that few lines are far apart. */
const LINES_SHARE_PX = 132;
const MANY = 40;

/** Widths of the lines of a large score whose lines are `pitch` apart. The sum of few voices is thick enough to see. */
export function strokesOf(score: Score, pitch: number) {
  const many = score.places > MANY;
  const sentWidth = many ? Math.min(2, pitch / 2) : clamp(Math.min(2.5, pitch * 0.6), pitch / 4, 4);
  const sum = many ? Math.max(3, score.sentLines * 0.22) : clamp(4, score.sentLines * 1.1, 12);
  return {
    thinWidth: many ? 1 : 1.5,
    sentWidth,
    mergeWidth: Math.max(0.8, sentWidth * 0.7),
    ringRadius: many ? 2 : Math.min(3.5, Math.max(2, pitch / 2)),
    voiceWidth: sum / Math.max(1, score.sentLines),
  };
}

/** Pixels between the lines of a score that runs across. */
export const pitchAcross = ({ places }: Score): number =>
  places > MANY ? 4 : clamp(8, Math.round(LINES_SHARE_PX / places), 24);
