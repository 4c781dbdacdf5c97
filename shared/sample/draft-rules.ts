import { graphPlanOf, isSharded } from "../cohort/graph-plan.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { Features } from "../task/features.ts";
import type { Task } from "../task/task.ts";
import { type Draft, type DraftRules, rulesOf, rulesOfTask } from "./draft.ts";
import { numberOf } from "./typed.ts";

/** Devices of a shard at most. */
const SHARD_COHORT_MAX = 128;

/** Devices that a round of these rules invites; NaN if the numbers are none. */
export function invitedOf(rules: Pick<DraftRules, "goal" | "overSelection">): number {
  // Products such as 1.3 * 24 are inexact, and a device too many would be one that people did not ask for.
  return Math.ceil(Number((numberOf(rules.goal) * numberOf(rules.overSelection)).toPrecision(12)));
}

/** The aggregation plan in the schema's input form, unchecked. What is as in the base keeps the base's finer settings. */
export function aggregationOf(draft: Draft): object {
  const rules = rulesOf(draft);
  const goal = numberOf(rules.goal);
  const overSelection = numberOf(rules.overSelection);
  const min = numberOf(rules.cohortSizeMin);
  return {
    securityModel: "active",
    strategy: { kind: rules.strategy },
    goal,
    overSelection,
    cohortSizeMin: min,
    cohortSizeMax: cohortSizeMax(goal, overSelection, min),
    ring: Number(rules.ring),
    clipNormL2: numberOf(rules.clipNormL2),
    weightCap: numberOf(rules.weightCap),
    ...keptCohort(draft, rules),
    deadlines: deadlinesOf(draft, rules),
  };
}

/** As many as are invited, or if they are split, as fit a shard. */
function cohortSizeMax(goal: number, overSelection: number, min: number): number {
  const invited = Math.ceil(overSelection * goal);
  if (!Number.isFinite(invited)) return Number.NaN;
  if (isSharded(graphPlanOf({ goal, overSelection }))) return SHARD_COHORT_MAX;
  return Math.min(LIMITS.rosterSizeMax, Math.max(invited, Number.isFinite(min) ? min : 0));
}

function keptCohort({ base }: Draft, rules: DraftRules): object {
  if (base === null) return {};
  const { aggregation } = base;
  const before = rulesOfTask(base);
  const { securityModel, graph, recruitingMinMs } = aggregation;
  const isSame = (["goal", "overSelection", "cohortSizeMin"] as const).every(
    (name) => rules[name] === before[name],
  );
  return {
    securityModel,
    ...(rules.strategy === before.strategy && { strategy: aggregation.strategy }),
    ...(isSame && { cohortSizeMax: aggregation.cohortSizeMax }),
    ...(isSame && graph !== undefined && { graph }),
    ...(recruitingMinMs !== undefined && { recruitingMinMs }),
  };
}

type Deadlines = Task["aggregation"]["deadlines"];

function deadlinesOf({ base }: Draft, rules: DraftRules): Deadlines {
  const ms = (seconds: string) => Math.round(1_000 * numberOf(seconds));
  const typed: Deadlines = {
    recruitingMs: ms(rules.joinS),
    trainingMs: ms(rules.trainS),
    sharingMs: ms(rules.keysS),
    collectingMs: ms(rules.sendS),
    // Short messages, as those of the keys are; and the devices that are late with them have just sent a large one.
    confirmingMs: ms(rules.keysS),
    unmaskingMs: ms(rules.keysS),
    graceMs: ms(rules.sendS),
  };
  if (base === null) return typed;
  const before = base.aggregation.deadlines;
  const isKeys = typed.sharingMs === before.sharingMs;
  const isSend = typed.collectingMs === before.collectingMs;
  return {
    ...typed,
    ...(isKeys && { confirmingMs: before.confirmingMs, unmaskingMs: before.unmaskingMs }),
    ...(isSend && { graceMs: before.graceMs }),
  };
}

/** The training plan in the schema's input form, unchecked. @param features  Null if they are not known yet. */
export function trainingOf(draft: Draft, features: Features | null): object {
  const rules = rulesOf(draft);
  const learningRate = numberOf(rules.learningRate);
  const isNumber = features !== null && features.classes === undefined;
  return {
    epochs: numberOf(rules.epochs),
    batchSize: numberOf(rules.batchSize),
    optimizer:
      rules.optimizer === "adam"
        ? { kind: "adam", learningRate }
        : { kind: "sgd", learningRate, momentum: numberOf(rules.momentum) },
    proximalMu: numberOf(rules.proximalMu),
    ...(isNumber && lossOf(draft, rules)),
    ...classWeightsOf(rules, features?.classes ?? []),
  };
}

/** Squared is the default, and said only if the version before says it. */
function lossOf({ base }: Draft, rules: DraftRules): object {
  if (rules.loss === "huber") return { loss: { kind: "huber", delta: numberOf(rules.huberDelta) } };
  return base?.training.loss?.kind === "squared" ? { loss: base.training.loss } : {};
}

function classWeightsOf({ classWeights }: DraftRules, classes: readonly string[]): object {
  const weights = classes.map((name) => {
    const typed = classWeights.find(([known]) => known === name)?.[1] ?? "1";
    return typed.trim() === "" ? 1 : numberOf(typed);
  });
  return weights.every((weight) => weight === 1) ? {} : { classWeights: weights };
}
