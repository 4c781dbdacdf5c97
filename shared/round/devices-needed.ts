import { isSharded } from "../task/graph-plan.ts";
import type { RoundRules } from "./event.ts";
import { graphOf } from "./shards.ts";

/**
 * Devices that must be ready for a round to open: `cohortSizeMin`. If the round is split, a shard takes as many, and a
 * round with fewer than all shards need, and fewer than the goal, could only be given up (R23). Rule R25.
 */
export function devicesNeeded(rules: RoundRules): number {
  const graph = graphOf(rules);
  if (!isSharded(graph)) return rules.cohortSizeMin;
  return Math.max(rules.cohortSizeMin, Math.min(rules.goal, graph.count * rules.cohortSizeMin));
}
