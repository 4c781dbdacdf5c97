import { z } from "zod";

/** Devices of one shard unless the task says otherwise: with this mean few shards leave 64 to 128. */
export const SHARD_SIZE = 96;
/** The largest cohort that is one complete graph where the task names no graph. */
const COMPLETE_COHORT_SIZE_MAX = 128;

const SHARD_COUNT_MAX = 5_000;

const shardSize = z.int().min(8).max(128);
const sparseSchema = z.strictObject({
  kind: z.literal("k-regular"),
  /** Part of the devices that may work with the coordinator, and part that may leave. */
  corruptShare: z.number().min(0.01).max(0.45),
  dropoutShare: z.number().min(0).max(0.45),
});

/**
 * Who shares secrets and pair masks with whom.
 *
 * - `complete`: everyone with everyone; one sum.
 * - `shards`: a public seed splits those invited into complete graphs of about `size` devices. `cohortSizeMin` and
 *   `cohortSizeMax` are of one shard, `goal` is of the whole round. The sum of each shard is seen by the coordinator.
 * - `k-regular`: one sum, each device with k neighbours on a ring that the roster shuffles. Only against a coordinator
 *   that follows the protocol; k and t follow from the two shares (Bell et al. 2020).
 */
export const graphPlanSchema = z.union([
  z.literal("complete"),
  z.strictObject({ kind: z.literal("shards"), size: shardSize }),
  sparseSchema,
]);
export type GraphPlan = z.infer<typeof graphPlanSchema>;

/**
 * The graph as devices agree to it. The number of shards follows from the plan alone: were it the coordinator's to say,
 * it could say one, and choose everyone who is with a device.
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

/** The graph that follows from a plan; shards as many as the devices that it invites fill. */
export function agreedGraphOf(plan: PlannedCohort): AgreedGraph {
  const graph = graphPlanOf(plan);
  if (!isSharded(graph)) return graph;
  const { kind, size } = graph;
  return { kind, size, count: Math.ceil(Math.ceil(plan.overSelection * plan.goal) / size) };
}

/** The graph of a task that names none: complete where one graph holds everyone invited, shards above. */
export function graphPlanOf(plan: PlannedCohort): GraphPlan {
  if (plan.graph !== undefined) return plan.graph;
  const invited = Math.ceil(plan.overSelection * plan.goal);
  return invited > COMPLETE_COHORT_SIZE_MAX ? { kind: "shards", size: SHARD_SIZE } : "complete";
}

/** Devices that a round of a plan invites at most. */
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
