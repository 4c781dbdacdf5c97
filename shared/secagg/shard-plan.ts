import { type AgreedGraph, isSharded } from "../cohort/graph-plan.ts";
import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import { sha256Sync } from "../crypto/sha256-sync.ts";
import { type Bytes, hexToBytes } from "../kernel/bytes.ts";

/*
 * A round of many shards: a public seed and the device's own identity determine its shard. Within a shard everything works
 * as in a round of one graph.
 *
 * Does not protect against a coordinator with many colluders: the seed follows from the model, so it is known before the
 * coordinator chooses whom to invite. With `count` times as many colluders as one graph would need, it can still fill a
 * shard. So can anyone who makes identities after the seed is known. The guarantees of a shard hold while at most c of its
 * devices collude; `shardColluders` makes sure that chance alone assigns no more. The coordinator sees the sum of each
 * shard.
 */

/** How a round is split into shards. */
export interface ShardPlan {
  readonly shardCount: number;
  readonly seed: Bytes;
}

/** The terms that determine the shards. */
export interface ShardTerms {
  readonly runId: string;
  readonly round: number;
  readonly modelHash: string;
  readonly config: { readonly graph: AgreedGraph };
}

/** Null if the round is one graph. The seed is SHA-256(E(shard-seed, runId, round, modelHash)). */
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
