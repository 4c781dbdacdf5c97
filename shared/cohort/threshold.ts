import { assert } from "../kernel/assert.ts";
import { partOf, type SparseNumbers, sparseNumbers } from "./failure-bounds.ts";
import { type AgreedGraph, isSparse } from "./graph-plan.ts";
import type { SecurityModel } from "./security-model.ts";
import { shardColluders } from "./shard-colluders.ts";

/** Numbers that everyone computes from the size of the accepted roster. None of them is ever sent. */
export interface Thresholds {
  /** n = |U1|. */
  readonly rosterSize: number;
  /** The largest number of colluding devices that the guarantee allows. */
  readonly c: number;
  /** Number of shares that rebuild a secret, and of confirmations that allow an opening. */
  readonly t: number;
  /** Minimum |U2| before masking and minimum |U3| before confirming. */
  readonly q: number;
}

/**
 * Thresholds of a roster of `rosterSize` devices.
 *
 * In the active model two different survivor sets would each need t of the honest devices and the c colluders, so
 * 2t > n + c makes a split impossible (S6).
 *
 * @param rosterSize     n >= 1, the number of devices that advertised, never of those invited.
 * @param cohortSizeMin  The minimum number of inputs in a sum, from the config.
 * @param graph          The agreed graph. If it is split into shards, the roster is one of them.
 * @returns If t exceeds n, the cohort is too small and nothing may be sent.
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
    // Only the colluders among one device's holders count, and t - 1 of them learn nothing.
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
 * Degree and threshold of a k-regular graph. Null for another graph, or if the roster is so small that all are neighbours.
 * Protects only against a coordinator that follows the protocol: the active model has no such graph.
 */
export function sparseNumbersOf(rosterSize: number, graph: AgreedGraph): SparsePlan | null {
  if (!isSparse(graph)) return null;
  const { corruptShare, dropoutShare } = graph;
  const numbers = sparseNumbers(rosterSize, corruptShare, dropoutShare, "honest-but-curious");
  if (numbers === null) return null;
  // If more are gone, the bounds do not hold: the devices that stay may fall apart into sums of their own.
  return { ...numbers, staying: rosterSize - partOf(rosterSize, dropoutShare) };
}

export interface SparsePlan extends SparseNumbers {
  /** The minimum number of devices that must stay for degree and threshold to hold. */
  readonly staying: number;
}
