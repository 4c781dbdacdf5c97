import { assert } from "../kernel/assert.ts";
import { type AgreedGraph, isSparse } from "../task/graph-plan.ts";
import { partOf, type SparseNumbers, sparseNumbers } from "./failure-bounds.ts";
import { shardColluders } from "./shards.ts";

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
 * @param graph          As agreed; where it is split into shards, the roster is one of them.
 * @returns t may exceed n: then the cohort is too small and nothing may be sent.
 * Source: Bonawitz et al. 2017, section 6.1 and theorem 6.5. Rule S8.
 */
export function thresholds(
  rosterSize: number,
  model: SecurityModel,
  cohortSizeMin: number,
  graph: AgreedGraph = "complete",
): Thresholds {
  assert(Number.isInteger(rosterSize) && rosterSize >= 1, "a roster has members");
  const sparse = sparseNumbersOf(rosterSize, graph);
  if (sparse !== null) {
    // Of the colluders only those around one device count: t - 1 of them learn nothing.
    const { threshold: t, staying } = sparse;
    return { rosterSize, c: t - 1, t, q: Math.max(staying, t + 1, cohortSizeMin) };
  }
  const c = shardColluders(graph) ?? Math.ceil(rosterSize / 3) - 1;
  const t =
    model === "active"
      ? Math.max(Math.floor((2 * rosterSize) / 3) + 1, Math.floor((rosterSize + c) / 2) + 1, c + 2)
      : Math.max(Math.floor(rosterSize / 2) + 1, c + 2);
  return { rosterSize, c, t, q: Math.max(t, c + 2, cohortSizeMin) };
}

/**
 * Degree and threshold of a k-regular graph; null where the graph is another, or the roster so small that all are
 * neighbours. Only against a coordinator that follows the protocol: the active model has no such graph.
 */
export function sparseNumbersOf(rosterSize: number, graph: AgreedGraph): SparsePlan | null {
  if (!isSparse(graph)) return null;
  const { corruptShare, dropoutShare } = graph;
  const numbers = sparseNumbers(rosterSize, corruptShare, dropoutShare, "honest-but-curious");
  if (numbers === null) return null;
  // With more gone the bounds say nothing: those who stay may fall apart into sums of their own.
  return { ...numbers, staying: rosterSize - partOf(rosterSize, dropoutShare) };
}

export interface SparsePlan extends SparseNumbers {
  /** The least number of devices that must stay for degree and threshold to hold. */
  readonly staying: number;
}
