import type { Score } from "../score/geometry.ts";
import { whoEnded } from "./endings.ts";
import { formatCount, formatSeconds } from "./format.ts";

/* The words in a score. Pure. With more than 64 devices a line stands for several of them; these counts are exact. */

export interface ScoreWords {
  readonly joined: string;
  readonly trained: string;
  readonly agreed: string;
  readonly sent: string;
  readonly now: string;
}

export function scoreWords({ facts, nowS, state }: Score): ScoreWords {
  return {
    joined: `${formatCount(facts.joined)} joined`,
    trained: `${formatCount(facts.trained)} trained`,
    agreed: `${formatCount(facts.shared ?? 0)} agreed on keys`,
    sent: `${formatCount(facts.sent)} sent`,
    now: `${state === "stopped" ? "stopped at" : "now,"} ${formatSeconds(nowS)}`,
  };
}

/** How many must be in: "6 needed", or "all 3 needed". Null until that is known. */
export function neededWords({ facts }: Score): string | null {
  if (facts.threshold === null) return null;
  const all = facts.threshold === facts.joined && facts.joined > 1 ? "all " : "";
  return `${all}${formatCount(facts.threshold)} needed`;
}

/** Devices that are not in the sum, by reason: "1 left", "2 came too late". */
export function goneWords({ facts }: Score): { readonly left: string | null; readonly late: string | null } {
  return {
    left: facts.left > 0 ? `${formatCount(facts.left)} left` : null,
    late: facts.late > 0 ? `${formatCount(facts.late)} came too late` : null,
  };
}

/** A name may be this long beside a sum; a longer one is cut, since the picture has little room. */
const NAME_MAX = 16;

function shortName(name: string): string {
  return name.length <= NAME_MAX ? name : `${name.slice(0, NAME_MAX - 1)}…`;
}

/** The text beside a sum that is not opened, or was discarded. @param endedBy  Who ended the round's run. */
export function shutWords(
  score: Score,
  endedBy?: string | null,
): { readonly head: string; readonly tail: string } {
  const { facts, state } = score;
  if (state === "given up") {
    return score.opened
      ? { head: "discarded", tail: "nothing was kept" }
      : { head: "never opened", tail: "nothing was learnt" };
  }
  if (state === "stopped") return { head: "not opened", tail: `${shortName(whoEnded(endedBy))} ended it` };
  if (facts.threshold === null) return { head: "not opened", tail: "keys come first" };
  const more = facts.threshold - facts.sent;
  return { head: "not opened", tail: more > 0 ? `${more} more needed` : "enough are in" };
}

/** The text beside an opened sum. */
export const oneSumWords = (score: Score): string => `one sum of ${formatCount(score.facts.sent)}`;
