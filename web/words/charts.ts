import { formatCount, formatDecimal, formatSeconds, plural } from "./format.ts";

/* What the charts of a run say: as a whole, for people who cannot see them, and at the round that is pointed at. */

export interface RoundVoices {
  readonly round: number;
  readonly joined: number;
  /** Masked updates in the opened sum; in a live round, those received so far; 0 if the round was given up. */
  readonly inSum: number;
  /** Null until the keys are shared. */
  readonly needed: number | null;
  readonly live: boolean;
}

export const TIME_PARTS = ["join", "train", "keys", "send", "open"] as const;
export type TimePart = (typeof TIME_PARTS)[number];

export interface RoundTimes {
  readonly round: number;
  readonly seconds: Readonly<Record<TimePart, number>>;
}

/** "Devices a round: 8 to 10 joined, 7 were in the sum." */
export function voicesSentence(rounds: readonly RoundVoices[]): string {
  const ended = rounds.filter(({ live }) => !live);
  if (ended.length === 0) return "Devices a round: no round has ended yet.";
  const span = (values: readonly number[]) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return low === high ? formatCount(low) : `${formatCount(low)} to ${formatCount(high)}`;
  };
  return `Devices a round: ${span(ended.map(({ joined }) => joined))} joined, ${span(ended.map(({ inSum }) => inSum))} were in the sum.`;
}

export function voicesReading({ round, joined, inSum, needed, live }: RoundVoices): string {
  const put = live ? "sent so far" : "in the sum";
  return `Round ${round}: ${joined} joined, ${inSum} ${put}${needed === null ? "" : `, ${needed} needed`}.`;
}

export const totalSeconds = ({ seconds }: RoundTimes): number =>
  TIME_PARTS.reduce((sum, part) => sum + seconds[part], 0);

/** "A round takes 4.1 s to 12 s." */
export function timesSentence(rounds: readonly RoundTimes[]): string {
  if (rounds.length === 0) return "Time a round: no round has ended yet.";
  const totals = rounds.map(totalSeconds);
  return `A round takes ${formatSeconds(Math.min(...totals))} to ${formatSeconds(Math.max(...totals))}.`;
}

export function timesReading({ round, seconds }: RoundTimes): string {
  return `Round ${round}: ${TIME_PARTS.map((part) => `${part} ${formatSeconds(seconds[part])}`).join(", ")}.`;
}

/**
 * What an axis leaves out, a line each: "rounds 0 to 2: 0.100, 0.700, 0.870", "0.100 guessing lies below".
 *
 * @param points  Points of the line beyond the axis, by round.
 */
export function beyondWords(
  points: readonly { readonly x: number; readonly y: number }[],
  references: readonly { readonly label: string }[],
  isBelow: boolean,
): string[] {
  const side = isBelow ? "below" : "above";
  const [first, last] = [points[0], points.at(-1)];
  const said: string[] = [];
  if (first !== undefined && last !== undefined) {
    const isRow = last.x - first.x === points.length - 1;
    const rounds = first === last ? `round ${first.x}` : `rounds ${first.x} to ${last.x}`;
    said.push(
      isRow && points.length <= 4
        ? `${rounds}: ${points.map(({ y }) => formatDecimal(y)).join(", ")}`
        : `${plural(points.length, "round lies", "rounds lie")} ${side}`,
    );
  }
  return [...said, ...references.map(({ label }) => `${label} lies ${side}`)];
}
