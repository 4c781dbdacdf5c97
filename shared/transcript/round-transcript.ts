import { canonicalJson } from "../codec/canonical-json.ts";
import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import { bytesToHex, hexToBytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import type { StrategySpec } from "../strategy/index.ts";

/** What a round came to, all of it named by hashes. */
export interface RoundFacts {
  readonly runId: string;
  readonly round: number;
  /** Of the sessions whose sums are in the published one, in its order: one for each shard that is in. */
  readonly sessionHashes: readonly string[];
  /** Of the published sum. */
  readonly sumHash: string;
  readonly strategy: StrategySpec;
  /** Null where the strategy keeps nothing, or has not begun. */
  readonly parentStateHash: string | null;
  readonly strategyStateHash: string | null;
  readonly parentModelHash: string;
  readonly modelHash: string;
}

/**
 * The one hash that a round's whole transcript has:
 * SHA-256(E(transcript, runId, round, sumHash, strategy, state before, state after, model before, model after, sessions...)).
 * A state that is not there is an empty item. 64 hex digits. Rule A1.
 */
export async function roundTranscriptHash(primitives: Primitives, facts: RoundFacts): Promise<string> {
  const state = (hash: string | null) => (hash === null ? new Uint8Array(0) : hexToBytes(hash));
  const item = E(
    DOMAINS.transcript,
    facts.runId,
    facts.round,
    hexToBytes(facts.sumHash),
    canonicalJson(facts.strategy),
    state(facts.parentStateHash),
    state(facts.strategyStateHash),
    hexToBytes(facts.parentModelHash),
    hexToBytes(facts.modelHash),
    ...facts.sessionHashes.map(hexToBytes),
  );
  return bytesToHex(await primitives.sha256(item));
}
