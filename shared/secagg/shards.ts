import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import { sha256Sync } from "../crypto/sha256-sync.ts";
import { assert } from "../kernel/assert.ts";
import { type Bytes, hexToBytes } from "../kernel/bytes.ts";
import type { AgreedConfig, RoundParams } from "../task/config.ts";
import { type GraphPlan, isSharded } from "../task/graph-plan.ts";
import { binomialQuantile } from "./failure-bounds.ts";

/*
 * A round of many shards: each device belongs to the shard that a public seed and its own identity give, so that nobody
 * chooses who is with whom. Within a shard everything is as in a round of one graph.
 *
 * Does not protect: who can make identities after the seed is known can make them fall into one shard (the seed follows
 * from the model, so it is known when the round before is over). The sum of each shard is seen by the coordinator.
 */

/**
 * The part of a round's devices that may work with the coordinator, at most, for what is said of each of its shards to
 * hold. In one complete graph it is a third; chance fills one of many shards worse than the whole.
 */
export const SHARDED_CORRUPT_SHARE = 0.1;

/** Over all shards of a round together: one of them has more colluders than assumed. */
const CHANCE = 2 ** -40;

/** What the shards of a round follow from; null where it is one graph. */
export interface ShardPlan {
  readonly shardCount: number;
  readonly seed: Bytes;
}

/** The terms that shards follow from. */
export interface ShardTerms {
  readonly runId: string;
  readonly round: number;
  readonly modelHash: string;
  readonly config: Pick<AgreedConfig, "graph">;
  readonly roundParams: Pick<RoundParams, "invited">;
}

/** How many shards so many invited devices make; 1 where the graph has none. */
export function shardCountOf(graph: GraphPlan, invited: number): number {
  return isSharded(graph) ? Math.max(1, Math.ceil(invited / graph.size)) : 1;
}

/** Null where the round is one graph. The seed is SHA-256(E(shard-seed, runId, round, modelHash)). */
export function shardPlanOf(terms: ShardTerms): ShardPlan | null {
  const shardCount = shardCountOf(terms.config.graph, terms.roundParams.invited ?? 1);
  if (shardCount === 1) return null;
  const seed = sha256Sync(E(DOMAINS.shardSeed, terms.runId, terms.round, hexToBytes(terms.modelHash)));
  return { shardCount, seed };
}

/**
 * The shard of a device, from 0: the first four bytes of SHA-256(E(shard, seed, P)), big-endian, as a fraction of 2^32,
 * times the number of shards, rounded down.
 */
export function shardOf(plan: ShardPlan | null, identity: Bytes): number {
  if (plan === null) return 0;
  const digest = sha256Sync(E(DOMAINS.shard, plan.seed, identity));
  const place = new DataView(digest.buffer).getUint32(0) / 2 ** 32;
  return Math.floor(place * plan.shardCount);
}

/**
 * c of each shard: as many of the invited as `SHARDED_CORRUPT_SHARE` collude, each in a shard by chance, and no shard has
 * more than c of them but for 2^-40 over all shards. The draws are independent, so the tail is the binomial one; the
 * hypergeometric would need the number of devices in the shard, of which honest ones may still stay away.
 *
 * @param invited  N, in the whole round.
 */
export function shardColluders(invited: number, shardCount: number): number {
  assert(shardCount >= 2 && invited >= shardCount, "shards of a round");
  const colluders = Math.floor(SHARDED_CORRUPT_SHARE * invited);
  return binomialQuantile(colluders, 1 / shardCount, CHANCE / shardCount);
}
