import type { Score } from "../score/geometry.ts";
import { formatCount, formatSeconds } from "./format.ts";

/* The words in a score. Pure. Above 64 voices a line stands for several devices; the counts here are exact. */

export interface ScoreWords {
  readonly joined: string;
  readonly trained: string;
  readonly agreed: string;
  readonly sent: string;
  readonly needed: string;
  readonly now: string;
}

export function scoreWords({ facts, nowS }: Score): ScoreWords {
  return {
    joined: `${formatCount(facts.joined)} joined`,
    trained: `${formatCount(facts.trained)} trained`,
    agreed: `${formatCount(facts.shared ?? 0)} agreed on keys`,
    sent: `${formatCount(facts.sent)} sent`,
    needed: `${formatCount(facts.threshold ?? 0)} needed`,
    now: `now, ${formatSeconds(nowS)}`,
  };
}

/** Who is not in the sum, one reason each: "1 left", "2 came too late". */
export function goneWords({ facts }: Score, late: "came too late" | "too late"): string[] {
  return [
    ...(facts.left > 0 ? [`${formatCount(facts.left)} left`] : []),
    ...(facts.late > 0 ? [`${formatCount(facts.late)} ${late}`] : []),
  ];
}

/** Beside a sum that is not opened, or was discarded. */
export function shutWords(score: Score): { readonly head: string; readonly tail: string } {
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

/** Beside an opened sum. */
export const oneSumWords = (score: Score): string => `one sum of ${formatCount(score.facts.sent)}`;
