import type { Score } from "../../lib/score-geometry.ts";

/*
 * What both directions of a score share. Coordinates are pixels; nothing here knows where time runs.
 */

/** One's own line on a participant's page; `line` is the place that this device alone knows to be its own. */
export interface OwnLine {
  readonly line: number;
  readonly label: string;
}

/** What became of an opened sum, e.g. "version 15" and "0.681 ± 0.008". */
export interface ScoreResult {
  readonly title: string;
  readonly note: string;
}

export interface DrawingProps {
  readonly width: number;
  readonly score: Score;
  readonly label: string;
  readonly closesBy: string | null;
  readonly result: ScoreResult | null;
  readonly you: OwnLine | null;
  /** Second that is being read, null when nothing is. */
  readonly readingS: number | null;
  /** Lines drawn before this render; what is past them fades in. Null draws everything at once. */
  readonly seen: Seen | null;
  /** The sum was opened while one watched. */
  readonly merging: boolean;
}

export interface Seen {
  readonly joined: number;
  readonly sent: number;
}

export const round1 = (value: number): number => Math.round(value * 10) / 10;
/** Hairlines stand on half pixels. */
export const crisp = (value: number): number => Math.round(value) + 0.5;
/** Rough width of 12 px text, for leaving out labels that have no room. */
export const textWidth = (text: string): number => 6.4 * text.length;

/** The weight of the sum: 0.22 px a survivor (0.42 up to 40 voices), never under 3 px. */
export function sumWeight(score: Score): { perVoice: number; weight: number } {
  const perVoice = score.places > 40 ? 0.22 : 0.42;
  return { perVoice, weight: Math.max(3, score.sentLines * perVoice) };
}

/** Above 64 voices a line stands for several devices, and counts are rounded to what lines can show. */
export function words(score: Score): { head: string; tail: string } {
  const { facts, state } = score;
  if (state === "given up") {
    return score.opened
      ? { head: "discarded", tail: "nothing was kept" }
      : { head: "never opened", tail: "nothing was learnt" };
  }
  if (facts.threshold === null) return { head: "not opened", tail: "keys come first" };
  const more = facts.threshold - facts.sent;
  return { head: "not opened", tail: more > 0 ? `${more} more needed` : "enough are in" };
}

/** A masked sum that is still shut, or was struck out. */
export function ShutSum({
  cx,
  cy,
  dead,
}: {
  readonly cx: number;
  readonly cy: number;
  readonly dead: boolean;
}) {
  return (
    <>
      <circle cx={cx} cy={cy} r={8} className={dead ? "sum-dead" : "sum-shut"} />
      {dead && <line x1={cx - 11} y1={cy + 11} x2={cx + 11} y2={cy - 11} className="sum-dead" />}
    </>
  );
}

/** Voice to sum: the one gradient of the product. */
export function SumGradient(props: { id: string; from: number; to: number; axis: "x" | "y"; you?: boolean }) {
  const box =
    props.axis === "x"
      ? { x1: props.from, x2: props.to, y1: 0, y2: 0 }
      : { x1: 0, x2: 0, y1: props.from, y2: props.to };
  return (
    <linearGradient id={props.id} gradientUnits="userSpaceOnUse" {...box}>
      <stop offset={props.you ? 0.2 : 0} className={props.you ? "stop-you" : "stop-voice"} />
      <stop offset={props.you ? 0.95 : 0.9} className="stop-sum" />
    </linearGradient>
  );
}

/** One's own line last, so that it lies on top. */
export function ownLast<Item extends { line: number }>(items: readonly Item[], you: OwnLine | null): Item[] {
  if (you === null) return [...items];
  return [
    ...items.filter((item) => item.line !== you.line),
    ...items.filter((item) => item.line === you.line),
  ];
}
