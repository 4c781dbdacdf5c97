import { binomialQuantile } from "./failure-bounds.ts";
import { type AgreedGraph, isSharded } from "./graph-plan.ts";

/**
 * Fraction of the invited devices that may collude with the coordinator: chance then assigns at most c of them to any
 * shard. In one complete graph it is a third, but chance is less even over many shards.
 */
export const SHARDED_CORRUPT_SHARE = 0.1;

/** Probability that any shard of a round has more colluders than assumed. */
const CHANCE = 2 ** -40;

/**
 * c of each shard. If a fraction `SHARDED_CORRUPT_SHARE` of the invited devices collude and chance assigns them to shards,
 * no shard has more than c of them, except with a probability of 2^-40 over all shards. The draws are independent, so the
 * tail is binomial. A hypergeometric one would need the size of the shard, which honest devices can still change by
 * staying away.
 *
 * @returns Null if the round is one sum.
 */
export function shardColluders(graph: AgreedGraph): number | null {
  if (!isSharded(graph) || graph.count === 1) return null;
  const colluders = Math.floor(SHARDED_CORRUPT_SHARE * graph.size * graph.count);
  return binomialQuantile(colluders, 1 / graph.count, CHANCE / graph.count);
}
