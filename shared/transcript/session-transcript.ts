import { z } from "zod";
import type { Bytes } from "../kernel/bytes.ts";
import { bytesToHex } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import type { Result } from "../kernel/result.ts";
import { decodeFrame, encodeFrame, type FrameError } from "../protocol/frame.ts";
import {
  bytesSchema,
  bytesUpToSchema,
  hashHexSchema,
  logHeadSchema,
  positionSchema,
  runIdSchema,
  sessionIdSchema,
} from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { agreedConfigSchema } from "../task/config.ts";
import { roundParamsSchema } from "../task/round-params.ts";

/*
 * The record of one session that an outsider can check: one MessagePack map, named by the SHA-256 of its bytes.
 * PROTOCOL.md section 12. Positions refer to the session's roster.
 *
 * | field         | holds                                                                                      |
 * | ------------- | ------------------------------------------------------------------------------------------ |
 * | runId ... modelHash | the header of every signature: round, attempt, shard, config, parameters, parent model |
 * | members       | U1: adverts with their certificates and signatures, in order of position                    |
 * | u2, u3        | bitmaps                                                                                    |
 * | bundles       | for each of U2, ascending: commitments to the shares it dealt, under its signature          |
 * | inputs        | for each of U3, ascending: root over the 64-KiB chunks of its masked input, its signature   |
 * | confirmations | signatures over U2 and U3, ascending, t or more                                             |
 * | evidenceHash  | SHA-256(E(evidence, sid, salt, words of the sum that are not published))                    |
 *
 * It contains no secret: of shares only commitments, of inputs only roots (S11). It names devices by their identity keys.
 * Version 1 committed to the evidence without a salt. Up to version 2 a config had one vector, and rounds had no purpose.
 */

export const TRANSCRIPT_VERSION = 3;

const signature = bytesSchema(64);
const bitmap = bytesUpToSchema(Math.ceil(LIMITS.rosterSizeMax / 8));
const hash = bytesSchema(32);
const list = <Item extends z.ZodType>(item: Item) => z.array(item).max(LIMITS.rosterSizeMax);

export const sessionTranscriptSchema = z.strictObject({
  type: z.literal("transcript"),
  version: z.literal(TRANSCRIPT_VERSION),
  runId: runIdSchema,
  round: z.int().min(1).max(LIMITS.roundsMax),
  attempt: z.int().min(1).max(LIMITS.attemptsMax),
  shard: z.int().min(0).max(LIMITS.goalMax),
  config: agreedConfigSchema,
  roundParams: roundParamsSchema,
  modelHash: hashHexSchema,
  sid: sessionIdSchema,
  members: list(
    z.strictObject({
      identity: hash,
      c: hash,
      s: hash,
      bCommit: hash,
      certificate: signature,
      signature,
    }),
  ),
  u2: bitmap,
  u3: bitmap,
  bundles: list(
    z.strictObject({
      dealer: positionSchema,
      leaves: list(z.strictObject({ ciphertextHash: hash, zShareCommit: hash, bShareCommit: hash })),
      signature,
    }),
  ),
  /** `log` is the public log as the device saw it, which it signed too. Absent without a log. */
  inputs: list(
    z.strictObject({ position: positionSchema, root: hash, signature, log: logHeadSchema.exactOptional() }),
  ),
  confirmations: list(z.strictObject({ signer: positionSchema, signature })),
  evidenceHash: hash,
});
export type SessionTranscript = z.infer<typeof sessionTranscriptSchema>;

const BOUNDS = {
  byteCountMax: LIMITS.transcriptByteCountMax,
  entryCountMax: LIMITS.transcriptEntryCountMax,
};

/** The bytes that are hashed and served. */
export function transcriptToBytes(transcript: z.input<typeof sessionTranscriptSchema>): Bytes {
  return encodeFrame(transcript);
}

export function transcriptFromBytes(bytes: Bytes): Result<SessionTranscript, FrameError> {
  return decodeFrame(bytes, sessionTranscriptSchema, BOUNDS);
}

const versionSchema = z.looseObject({ version: z.int() });

/** The version that a transcript states; null if it states none. */
export function transcriptVersion(bytes: Bytes): number | null {
  const said = decodeFrame(bytes, versionSchema, BOUNDS);
  return said.ok ? said.value.version : null;
}

/** SHA-256 of the transcript's bytes, in hex. */
export async function transcriptDigest(primitives: Primitives, bytes: Bytes): Promise<string> {
  return bytesToHex(await primitives.sha256(bytes));
}
