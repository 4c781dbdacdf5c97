import { assert } from "../kernel/assert.ts";
import type { GraphPlan } from "../task/graph-plan.ts";
import { type SparseNumbers, sparseNumbers } from "./failure-bounds.ts";
import { shardColluders, shardCountOf } from "./shards.ts";

export type SecurityModel = "active" | "honest-but-curious";

/** The numbers that everyone computes alike from the size of the accepted roster; none of them is ever sent. */
export interface Thresholds {
  /** n = |U1|. */
  readonly rosterSize: number;
  /** Colluding devices that the guarantee assumes at most. */
  readonly c: number;
  /** Shares that rebuild a secret, and confirmations that allow an opening. */
  readonly t: number;
  /** Least |U2| before masking and least |U3| before confirming. */
  readonly q: number;
}

/**
 * Thresholds of a roster of `rosterSize` devices.
 *
 * In the active model two different survivor sets would each need t of the honest devices and the c colluders, so
 * 2t > n + c makes a split impossible (S6).
 *
 * @param rosterSize     n >= 1, the devices that advertised, never those invited.
 * @param cohortSizeMin  The least number of inputs in a sum, from the config.
 * @param within         The graph, and the devices invited to the whole round where it is split into shards.
 * @returns t may exceed n: then the cohort is too small and nothing may be sent.
 * Source: Bonawitz et al. 2017, section 6.1 and theorem 6.5. Rule S8.
 */
export function thresholds(
  rosterSize: number,
  model: SecurityModel,
  cohortSizeMin: number,
  within: GraphTerms = { graph: "complete" },
): Thresholds {
  assert(Number.isInteger(rosterSize) && rosterSize >= 1, "a roster has members");
  const sparse = sparseNumbersOf(rosterSize, model, within.graph);
  if (sparse !== null) {
    // Of the colluders only those around one device count: t - 1 of them learn nothing.
    const c = sparse.threshold - 1;
    return { rosterSize, c, t: sparse.threshold, q: Math.max(sparse.threshold + 1, cohortSizeMin) };
  }
  const invited = within.invited ?? 1;
  const shardCount = shardCountOf(within.graph, invited);
  const c = shardCount > 1 ? shardColluders(invited, shardCount) : Math.ceil(rosterSize / 3) - 1;
  const t =
    model === "active"
      ? Math.max(Math.floor((2 * rosterSize) / 3) + 1, Math.floor((rosterSize + c) / 2) + 1, c + 2)
      : Math.max(Math.floor(rosterSize / 2) + 1, c + 2);
  return { rosterSize, c, t, q: Math.max(t, c + 2, cohortSizeMin) };
}

/** What thresholds depend on beside the roster. */
export interface GraphTerms {
  readonly graph: GraphPlan;
  readonly invited?: number | undefined;
}

/** Degree and threshold of a k-regular graph; null where the graph is another, or the roster so small that all are neighbours. */
export function sparseNumbersOf(
  rosterSize: number,
  model: SecurityModel,
  graph: GraphPlan,
): SparseNumbers | null {
  if (graph === "complete" || graph.kind !== "k-regular") return null;
  return sparseNumbers(rosterSize, graph.corruptShare, graph.dropoutShare, model);
}
