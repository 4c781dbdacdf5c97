import { canonicalJson } from "../codec/canonical-json.ts";
import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import { bytesToHex, hexToBytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import type { StrategySpec } from "../strategy/index.ts";

/** The results of a round, named by hashes. */
export interface RoundFacts {
  readonly runId: string;
  readonly round: number;
  /** Transcript hashes of the sessions in the published sum, in its order: one for each shard that is in it. */
  readonly sessionHashes: readonly string[];
  /** Hash of the published sum. */
  readonly sumHash: string;
  readonly strategy: StrategySpec;
  /** Null if the strategy has no state or has not begun. */
  readonly parentStateHash: string | null;
  readonly strategyStateHash: string | null;
  readonly parentModelHash: string;
  readonly modelHash: string;
}

/**
 * The hash of a round's whole transcript:
 * SHA-256(E(transcript, runId, round, sumHash, strategy, state before, state after, model before, model after, sessions...)).
 * A missing state is an empty item. 64 hex digits. Rule A1.
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
