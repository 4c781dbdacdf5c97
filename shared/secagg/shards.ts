import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import { sha256Sync } from "../crypto/sha256-sync.ts";
import { type Bytes, hexToBytes } from "../kernel/bytes.ts";
import { type AgreedGraph, isSharded } from "../task/graph-plan.ts";
import { binomialQuantile } from "./failure-bounds.ts";

/*
 * A round of many shards: each device belongs to the shard that a public seed and its own identity give. Within a shard
 * everything is as in a round of one graph.
 *
 * Does not protect: the seed follows from the model, so the coordinator knows it before it invites. As in one graph it
 * chooses whom it invites, here among those whom chance put beside a device: with `count` times as many colluders as one
 * graph would need it can still fill a shard, and so can who makes identities after the seed is known. What is said of a
 * shard holds while at most c of it collude; that chance alone puts no more there is `shardColluders`. The sum of each
 * shard is seen by the coordinator.
 */

/**
 * The part of those invited that may work with the coordinator for chance to put no more than c of them into any shard.
 * In one complete graph it is a third; chance fills one of many shards worse than the whole.
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
  readonly config: { readonly graph: AgreedGraph };
}

/** Null where the round is one graph. The seed is SHA-256(E(shard-seed, runId, round, modelHash)). */
export function shardPlanOf(terms: ShardTerms): ShardPlan | null {
  const { graph } = terms.config;
  if (!isSharded(graph) || graph.count === 1) return null;
  const seed = sha256Sync(E(DOMAINS.shardSeed, terms.runId, terms.round, hexToBytes(terms.modelHash)));
  return { shardCount: graph.count, seed };
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
 * c of each shard: where as many of those invited as `SHARDED_CORRUPT_SHARE` collude, each in a shard by chance, no shard
 * has more than c of them but for 2^-40 over all shards. The draws are independent, so the tail is the binomial one; the
 * hypergeometric would need the number of devices in the shard, of which honest ones may still stay away.
 *
 * @returns Null where the round is one sum.
 */
export function shardColluders(graph: AgreedGraph): number | null {
  if (!isSharded(graph) || graph.count === 1) return null;
  const colluders = Math.floor(SHARDED_CORRUPT_SHARE * graph.size * graph.count);
  return binomialQuantile(colluders, 1 / graph.count, CHANCE / graph.count);
}
