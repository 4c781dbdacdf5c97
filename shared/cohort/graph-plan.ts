import { z } from "zod";

/** Mean number of devices in a shard, by default. With it, few shards fall outside 64 to 128. */
export const SHARD_SIZE = 96;
/** If the task names no graph, cohorts up to this size are one complete graph. */
const COMPLETE_COHORT_SIZE_MAX = 128;

const SHARD_COUNT_MAX = 5_000;

const shardSize = z.int().min(8).max(128);
const sparseSchema = z.strictObject({
  kind: z.literal("k-regular"),
  /** Fraction of the devices that may collude with the coordinator, and fraction that may drop out. */
  corruptShare: z.number().min(0.01).max(0.45),
  dropoutShare: z.number().min(0).max(0.45),
});

/**
 * Which devices share secrets and pair masks with one another.
 *
 * - `complete`: everyone with everyone, one sum.
 * - `shards`: a public seed splits the invited devices into complete graphs of about `size` devices. `cohortSizeMin` and
 *   `cohortSizeMax` apply to one shard, `goal` to the whole round. The coordinator sees the sum of each shard.
 * - `k-regular`: one sum. Each device has k neighbours on a ring whose order depends on the roster. Protects only against a
 *   coordinator that follows the protocol. k and t follow from the two fractions (Bell et al. 2020).
 */
export const graphPlanSchema = z.union([
  z.literal("complete"),
  z.strictObject({ kind: z.literal("shards"), size: shardSize }),
  sparseSchema,
]);
export type GraphPlan = z.infer<typeof graphPlanSchema>;

/**
 * The graph as devices agree to it. The number of shards follows from the plan alone. If the coordinator could choose it,
 * it could also choose who shares a sum with a device.
 */
export const agreedGraphSchema = z.union([
  z.literal("complete"),
  z.strictObject({
    kind: z.literal("shards"),
    size: shardSize,
    count: z.int().min(1).max(SHARD_COUNT_MAX),
  }),
  sparseSchema,
]);
export type AgreedGraph = z.infer<typeof agreedGraphSchema>;

interface PlannedCohort {
  readonly graph?: GraphPlan | undefined;
  readonly goal: number;
  readonly overSelection: number;
}

/** The graph that follows from a plan, with as many shards as the invited devices fill. */
export function agreedGraphOf(plan: PlannedCohort): AgreedGraph {
  const graph = graphPlanOf(plan);
  if (!isSharded(graph)) return graph;
  const { kind, size } = graph;
  return { kind, size, count: Math.ceil(Math.ceil(plan.overSelection * plan.goal) / size) };
}

/** The plan's graph. By default it is complete if one graph can hold everyone invited, else shards. */
export function graphPlanOf(plan: PlannedCohort): GraphPlan {
  if (plan.graph !== undefined) return plan.graph;
  const invited = Math.ceil(plan.overSelection * plan.goal);
  return invited > COMPLETE_COHORT_SIZE_MAX ? { kind: "shards", size: SHARD_SIZE } : "complete";
}

/** The largest number of devices that a round of this plan invites. */
export function invitedMax(plan: PlannedCohort & { readonly cohortSizeMax: number }): number {
  return isSharded(graphPlanOf(plan)) ? Math.ceil(plan.overSelection * plan.goal) : plan.cohortSizeMax;
}

export function isSharded<Graph extends GraphPlan | AgreedGraph>(
  graph: Graph,
): graph is Extract<Graph, { readonly kind: "shards" }> {
  return graph !== "complete" && graph.kind === "shards";
}

export function isSparse<Graph extends GraphPlan | AgreedGraph>(
  graph: Graph,
): graph is Extract<Graph, { readonly kind: "k-regular" }> {
  return graph !== "complete" && graph.kind === "k-regular";
}
