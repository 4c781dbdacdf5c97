import type { RoundDetail } from "#shared/protocol/api.ts";
import { formatCount, plural } from "./format.ts";

type Group = NonNullable<RoundDetail["shardList"]>[number];

/** The sum was opened before it turned out to be bad. */
const AFTER_OPENING: ReadonlySet<string> = new Set(["BAD_B", "BAD_S", "SENTINEL", "RANGE"]);

/** "11 groups; 1 is left out and never opened. The round's sum is that of the others." */
export function groupsSentence(groups: readonly Group[], phase: RoundDetail["phase"]): string {
  const codes = groups.flatMap(({ leftOut }) => (leftOut === null ? [] : [leftOut]));
  const all = plural(groups.length, "group");
  if (codes.length === 0) return `${all}; all of them are in the round.`;
  const discarded = codes.filter((code) => AFTER_OPENING.has(code)).length;
  const asked = codes.filter((code) => code === "BELOW_T").length;
  const unopened = codes.length - discarded - asked;
  const parts = [
    ...(unopened > 0 ? [`${plural(unopened, "is", "are")} left out and never opened`] : []),
    ...(asked > 0 ? [`too few shares came to open ${formatCount(asked)}`] : []),
    ...(discarded > 0 ? [`the sum of ${formatCount(discarded)} was opened and discarded`] : []),
  ];
  return `${all}; ${parts.join(", ")}. ${othersSentence(phase)}`;
}

function othersSentence(phase: RoundDetail["phase"]): string {
  switch (phase) {
    case "committed":
      return "The round's sum is that of the others.";
    case "failed":
    case "voided":
      return "The round ended without a sum.";
    default:
      return "The round goes on with the others.";
  }
}

/** The state of one group, with its code. */
export function groupState({ leftOut }: Group): string {
  switch (leftOut) {
    case null:
      return "in the round";
    case "COHORT_TOO_SMALL":
      return "left out: too few devices";
    case "U2_BELOW_T":
      return "left out: too few shared keys";
    case "U3_BELOW_T":
      return "left out: too few masked updates";
    case "NOT_ENOUGH_SIGS":
      return "left out: too few confirmed the list";
    case "BELOW_T":
      return "left out: too few shares to open its sum";
    case "COMPLAINT":
      return "left out: a share of a key did not open";
    case "BAD_B":
    case "BAD_S":
    case "SENTINEL":
    case "RANGE":
      return `left out: its sum did not check (${leftOut})`;
    default:
      return `left out (${leftOut})`;
  }
}
