import { canonicalJson } from "../codec/canonical-json.ts";
import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import { type Bytes, bytesToHex, hexToBytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import type { RoundId } from "../protocol/ids.ts";
import type { AgreedConfig, RoundParams } from "../task/config.ts";

/** What one attempt of one round is about. A device fills it in from what it agreed to and received itself. */
export interface AttemptTerms {
  /** 32 hex digits. */
  readonly runId: string;
  /** 1-based. */
  readonly round: number;
  /** 1-based. */
  readonly attempt: number;
  /** From 0; a round of one graph is shard 0. A device computes its own, see `shardOf`. */
  readonly shard: number;
  readonly config: AgreedConfig;
  readonly roundParams: RoundParams;
  /** SHA-256 of the model's bytes, 64 hex digits; on a device, of the bytes that this device received. */
  readonly modelHash: string;
}

/** The terms and the bytes that bind every advert, and through the session id everything after, to them. */
export interface Attempt {
  readonly terms: AttemptTerms;
  /** H. */
  readonly header: Bytes;
}

export async function openAttempt(primitives: Primitives, terms: AttemptTerms): Promise<Attempt> {
  const hashes = {
    configHash: await configHash(primitives, terms.config),
    roundHash: await roundHash(primitives, terms.roundParams),
  };
  return { terms, header: headerOf(terms, hashes) };
}

/** H. */
export function headerOf(
  { runId, round, attempt, shard, modelHash }: Omit<AttemptTerms, "config" | "roundParams">,
  hashes: { readonly configHash: Bytes; readonly roundHash: Bytes },
): Bytes {
  const place = [runId, round, attempt, shard] as const;
  return E(DOMAINS.header, ...place, hashes.configHash, hashes.roundHash, hexToBytes(modelHash));
}

/** SHA-256(E(config, canonical JSON)): two configs that differ in any field differ here. 32 bytes. */
export function configHash(primitives: Primitives, config: AgreedConfig): Promise<Bytes> {
  return hashOnce(primitives, config, () => primitives.sha256(E(DOMAINS.config, canonicalJson(config))));
}

/** As `configHash`, for what changes from round to round. */
export function roundHash(primitives: Primitives, roundParams: RoundParams): Promise<Bytes> {
  return hashOnce(primitives, roundParams, () =>
    primitives.sha256(E(DOMAINS.roundParams, canonicalJson(roundParams))),
  );
}

/** By the object, which nobody changes: a run has one config, and every advert is of it. */
const hashByTerms = new WeakMap<Primitives, WeakMap<object, Promise<Bytes>>>();

function hashOnce(primitives: Primitives, terms: object, hash: () => Promise<Bytes>): Promise<Bytes> {
  const known = hashByTerms.get(primitives) ?? new WeakMap<object, Promise<Bytes>>();
  hashByTerms.set(primitives, known);
  const made = known.get(terms) ?? hash();
  known.set(terms, made);
  return made;
}

/** First 16 bytes of SHA-256(E(round-id, runId, round)), in hex; all attempts of a round share it. */
export async function roundIdOf(primitives: Primitives, runId: string, round: number): Promise<RoundId> {
  const digest = await primitives.sha256(E(DOMAINS.roundId, runId, round));
  return bytesToHex(digest.subarray(0, 16)) as RoundId;
}
