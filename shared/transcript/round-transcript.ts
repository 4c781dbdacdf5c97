import { canonicalJson } from "../codec/canonical-json.ts";
import { segmentOf, type VectorLayout } from "../codec/layout.ts";
import { wordsToBytes } from "../codec/vector-bytes.ts";
import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import { type Bytes, bytesToHex, hexToBytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import type { StrategySpec } from "../task/task.ts";

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

/** The words of a sum that are not published. */
export function evidenceWords(layout: VectorLayout, sum: Uint32Array): Uint32Array<ArrayBuffer> {
  const { offset, length } = segmentOf(layout, "metrics");
  return new Uint32Array(sum.subarray(offset, offset + length));
}

/**
 * Commits to the words that are not published. Does not hide them from one who can guess all of them at once.
 *
 * @param words  As `evidenceWords` gives them.
 */
export function evidenceHash(
  primitives: Primitives,
  sid: Bytes,
  words: Uint32Array<ArrayBuffer>,
): Promise<Bytes> {
  return primitives.sha256(E(DOMAINS.evidence, sid, wordsToBytes(words)));
}
