import { canonicalJson } from "../codec/canonical-json.ts";
import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import { type Bytes, bytesToHex, hexToBytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import type { RoundId } from "../protocol/ids.ts";
import type { AgreedConfig } from "../task/config.ts";
import type { RoundParams } from "../task/round-params.ts";
import type { SeenLog } from "./seen-log.ts";

/** The terms of one attempt of one round. A device fills them in from what it agreed to and received itself. */
export interface AttemptTerms {
  /** 32 hex digits. */
  readonly runId: string;
  /** 1-based. */
  readonly round: number;
  /** 1-based. */
  readonly attempt: number;
  /** From 0. A round of one graph is shard 0. A device computes its own shard, see `shardOf`. */
  readonly shard: number;
  readonly config: AgreedConfig;
  readonly roundParams: RoundParams;
  /** SHA-256 of the model's bytes, 64 hex digits. On a device, of the bytes that this device received. */
  readonly modelHash: string;
  /** On a device whose config names a public log: what it saw of the log with the invitation. Rule A40. */
  readonly log?: SeenLog;
}

/** The terms, and the header that binds every advert, and through the session id everything later, to them. */
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

/** SHA-256(E(config, canonical JSON)), 32 bytes. Any difference between two configs changes it. */
export function configHash(primitives: Primitives, config: AgreedConfig): Promise<Bytes> {
  return hashOnce(primitives, config, () => primitives.sha256(E(DOMAINS.config, canonicalJson(config))));
}

/** The same for the parameters that change from round to round. */
export function roundHash(primitives: Primitives, roundParams: RoundParams): Promise<Bytes> {
  return hashOnce(primitives, roundParams, () =>
    primitives.sha256(E(DOMAINS.roundParams, canonicalJson(roundParams))),
  );
}

/**
 * Cached by object, because nobody modifies it: a run has one config, and every advert uses it. The hash stays out of the
 * terms, so that nobody can hand in a hash that is not of its config. An entry lives as long as its object. A cache
 * handed in would pass through everything that opens an attempt, on devices, coordinators and in `verify`.
 */
const hashByTerms = new WeakMap<Primitives, WeakMap<object, Promise<Bytes>>>();

function hashOnce(primitives: Primitives, terms: object, hash: () => Promise<Bytes>): Promise<Bytes> {
  const known = hashByTerms.get(primitives) ?? new WeakMap<object, Promise<Bytes>>();
  hashByTerms.set(primitives, known);
  const made = known.get(terms) ?? hash();
  known.set(terms, made);
  return made;
}

/** The first 16 bytes of SHA-256(E(round-id, runId, round)), in hex. All attempts of a round share it. */
export async function roundIdOf(primitives: Primitives, runId: string, round: number): Promise<RoundId> {
  const digest = await primitives.sha256(E(DOMAINS.roundId, runId, round));
  return bytesToHex(digest.subarray(0, 16)) as RoundId;
}
