import { isSharded } from "../cohort/graph-plan.ts";
import type { RoundRules } from "./event.ts";

/**
 * Number of devices that must be ready for a round to open: `cohortSizeMin`. If the round is split, every shard needs that
 * many, and a round with fewer than all shards need and fewer than the goal could only be given up (R23). Rule R25.
 */
export function devicesNeeded(rules: Pick<RoundRules, "goal" | "cohortSizeMin" | "graph">): number {
  const { graph } = rules;
  if (!isSharded(graph)) return rules.cohortSizeMin;
  return Math.max(rules.cohortSizeMin, Math.min(rules.goal, graph.count * rules.cohortSizeMin));
}
