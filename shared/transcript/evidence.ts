import { bytesToWords, wordsToBytes } from "../codec/vector-bytes.ts";
import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import { openSealed, sealTo } from "../crypto/sealed-box.ts";
import { type Bytes, concatBytes, equalBytes } from "../kernel/bytes.ts";
import type { Primitives, RandomBytes } from "../kernel/ports.ts";
import { err, ok, type Result } from "../kernel/result.ts";

/*
 * Evidence is the part of a session's sum that is not published. The session's transcript commits to it. Salt and words are
 * stored apart from the transcript, and only the holder of the auditor's key gets them. Rule A8.
 */

export const EVIDENCE_SALT_BYTES = 32;

export interface Evidence {
  /** 32 random bytes. */
  readonly salt: Bytes;
  /** From `evidenceWords`. */
  readonly words: Uint32Array<ArrayBuffer>;
}

/** SHA-256(E(evidence, sid, salt, words)). The salt keeps others from guessing small counts. */
export function evidenceHash(primitives: Primitives, sid: Bytes, { salt, words }: Evidence): Promise<Bytes> {
  return primitives.sha256(E(DOMAINS.evidence, sid, salt, wordsToBytes(words)));
}

/** Seals `salt | words` to the auditor. Error: `low-order-point` for a key that no honest auditor has. */
export function sealEvidence(
  primitives: Primitives,
  random: RandomBytes,
  auditorKey: Bytes,
  sid: Bytes,
  { salt, words }: Evidence,
): ReturnType<typeof sealTo> {
  const plain = concatBytes([salt, wordsToBytes(words)]);
  return sealTo(primitives, random, auditorKey, { sid, position: null }, plain);
}

/**
 * Opens a box from `sealEvidence`.
 *
 * @param length      Words of evidence in the layout.
 * @param commitment  The hash in the session's transcript.
 * Errors: `sealed` if the key or the session is another one or a byte has changed; `other` if the evidence does not match
 * the commitment.
 */
export async function openEvidence(
  primitives: Primitives,
  auditorKey: Bytes,
  { sid, length, commitment }: { readonly sid: Bytes; readonly length: number; readonly commitment: Bytes },
  box: Bytes,
): Promise<Result<Evidence, "sealed" | "other">> {
  const opened = await openSealed(primitives, auditorKey, { sid, position: null }, box);
  if (!opened.ok) return err("sealed");
  if (opened.value.length !== EVIDENCE_SALT_BYTES + 4 * length) return err("other");
  const salt = opened.value.slice(0, EVIDENCE_SALT_BYTES);
  const words = bytesToWords(opened.value.slice(EVIDENCE_SALT_BYTES));
  const hash = await evidenceHash(primitives, sid, { salt, words });
  return equalBytes(hash, commitment) ? ok({ salt, words }) : err("other");
}
