import { agreedGraphOf, isSharded } from "#shared/cohort/graph-plan.ts";
import { thresholds } from "#shared/cohort/threshold.ts";
import type { DraftRules } from "#shared/sample/draft.ts";
import { invitedOf } from "#shared/sample/draft-rules.ts";
import { numberOf } from "#shared/sample/typed.ts";
import { formatCount, formatPercent, plural } from "./format.ts";

/* One sentence for each rule: what it does. */

export const STAGE_SENTENCES: Readonly<
  Record<DraftRules["stage"], { readonly title: string; readonly sentence: string }>
> = {
  "trying-out": {
    title: "Trying out",
    sentence: "From three devices. Every page says that so few hide nobody.",
  },
  "in-earnest": {
    title: "In earnest",
    sentence: "At least ten in every sum. Participants see which of the two it is.",
  },
};

/** A version may leave the stage out; a page must not claim that it said one. */
export const STAGE_UNSAID = "The version before says neither. It stays so unless you choose.";

export const RULE_SENTENCES = {
  epochs: "More passes need fewer rounds, and pull the devices further apart.",
  batchSize:
    "Rows that one step of training looks at. Fewer is noisier, more takes longer for the same gain.",
  optimizer: "Adam finds its own step for each weight. SGD with momentum needs a good rate, and less memory.",
  learningRate: "How far one step goes. Too large, and the loss jumps; too small, and it hardly moves.",
  loss: "Squared punishes a large error most. Huber is calmer about a few very large ones.",
  huberDelta: "In scaled units: errors above it count in proportion, not squared.",
  strategy: "How the mean of the updates becomes the next model.",
  clipNormL2: "A longer change is scaled down to this.",
  weightCap: "A device with more rows counts as if it had this many, so that none outweighs the others.",
  ring: "16 bits halve the bytes of the masked list, and hold fewer devices.",
  localPercent: "Rows that each device keeps back to judge the model. They are never trained on.",
  noise: "The others in the sum hide a device, not mathematics. With noise, both would.",
} as const;

export function goalSentence({ goal }: Pick<DraftRules, "goal">): string {
  return `More of them hide each other better, and take longer to gather.${numberOf(goal) < 10 ? " Fewer than ten hide nobody." : ""}`;
}

export function invitedSentence(rules: Pick<DraftRules, "goal" | "overSelection">): string {
  const invited = invitedOf(rules);
  if (!Number.isFinite(invited)) return "How many are invited for each one that is wanted.";
  const goal = numberOf(rules.goal);
  return invited === goal
    ? "As many are invited as are wanted, so a round that loses one has fewer."
    : `${formatCount(invited)} are invited to have ${formatCount(goal)}, since some leave on the way.`;
}

export function cohortMinSentence({ cohortSizeMin }: Pick<DraftRules, "cohortSizeMin">): string {
  const min = numberOf(cohortSizeMin);
  return `Each device checks this itself.${min >= 2 ? ` The consent says “at least ${plural(min - 1, "other")}”.` : ""}`;
}

/** "One row in seven is “yes”. At 6, both answers count alike." */
export function weightSentence(name: string, rowsByClass: ReadonlyMap<string, number>): string {
  const own = rowsByClass.get(name) ?? 0;
  const all = [...rowsByClass.values()].reduce((sum, rows) => sum + rows, 0);
  if (own === 0 || all === 0) return "How much one row of this class counts while training.";
  const fair = Math.max(...rowsByClass.values()) / own;
  const share =
    all / own < 2.5
      ? `${formatPercent(own / all)} of the rows are “${name}”.`
      : `One row in ${formatRatio(all / own)} is “${name}”.`;
  return fair < 1.5
    ? `${share} It needs no more weight than 1.`
    : `${share} At ${formatRatio(fair)}, it counts as much as the most frequent class.`;
}

/** Why there is no field for each of many classes. */
export function manyWeightsSentence(shownMax: number): string {
  return `With more than ${shownMax} classes, weights are given in the task’s JSON, as training.classWeights.`;
}

function formatRatio(ratio: number): string {
  return ratio >= 9.5 ? formatCount(ratio) : String(Number(ratio.toPrecision(2)));
}

/** Numbers of a planned round, from the same formula that each device computes. */
export interface PlannedRound {
  readonly min: number;
  readonly goal: number;
  readonly invited: number;
  /** Masked updates that must be in, of `goal` devices that agree on keys. */
  readonly needed: number;
  /** In seconds since the round opens: joined, trained, keys, sent. */
  readonly ends: readonly [number, number, number, number];
  /** For several numbers of devices that agree on keys: how many must send. Null: no round. */
  readonly table: readonly { readonly agreed: number; readonly needed: number | null }[];
  /** Number of groups that a large round is split into; 1 if it is not. */
  readonly groups: number;
}

/** Null while the numbers make no round. */
export function plannedRound(rules: DraftRules): PlannedRound | null {
  const [goal, overSelection, min] = [rules.goal, rules.overSelection, rules.cohortSizeMin].map(numberOf) as [
    number,
    number,
    number,
  ];
  const seconds = [rules.joinS, rules.trainS, rules.keysS, rules.sendS].map(numberOf);
  const invited = invitedOf(rules);
  const areWhole = [goal, min, invited].every(
    (value) => Number.isInteger(value) && value >= 1 && value <= 10_000,
  );
  if (!areWhole || min > goal || seconds.some((value) => !(value > 0))) return null;
  const plan = { goal, overSelection };
  const graph = agreedGraphOf(plan);
  const groups = isSharded(graph) ? graph.count : 1;
  // Of each group; the nominal size of a group is a bound, not what it has.
  const size = Math.ceil(goal / groups);
  const neededOf = (agreed: number) => {
    const { q } = thresholds(agreed, "active", min, graph);
    return q <= agreed ? q : null;
  };
  const needed = neededOf(size);
  if (needed === null) return null;
  const sizes = [...new Set([min - 1, min, goal, invited])].filter((value) => value >= 1 && groups === 1);
  let end = 0;
  const ends = seconds.map((value) => (end += value)) as unknown as PlannedRound["ends"];
  return {
    min,
    goal: size,
    invited: groups === 1 ? invited : Math.ceil(invited / groups),
    needed,
    ends,
    table: sizes.map((agreed) => ({ agreed, needed: neededOf(agreed) })),
    groups,
  };
}

/** "Planned round: 16 must join within 30 s, 24 are wanted; of 24 who agree on keys, 17 must send by 140 s." */
export function planSentence({ min, goal, needed, ends, groups }: PlannedRound): string {
  const each = groups > 1 ? ` In each of ${formatCount(groups)} groups:` : "";
  return `Planned round.${each} ${formatCount(min)} must join within ${ends[0]} s, ${formatCount(goal)} are wanted; of ${formatCount(goal)} who agree on keys, ${formatCount(needed)} must send by ${ends[3]} s.`;
}
