import { base64ToBytes, bytesToBase64 } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import {
  isNoteName,
  type NoteError,
  parseNote,
  SIGNATURE_TYPES,
  type SignatureError,
  type SignedNote,
  type VerifiedSignature,
  type VerifierKey,
  verifyNote,
} from "./note.ts";
import type { TreeHead } from "./tree.ts";

/*
 * A checkpoint is the text of a signed note: three lines, each with its newline.
 *
 *     origin, which is also the name of the log's key
 *     number of leaves, decimal
 *     root, base64 of 32 bytes
 *
 * Source: c2sp.org/tlog-checkpoint. There are no extension lines in ours.
 */

export interface Checkpoint extends TreeHead {
  readonly origin: string;
}

export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${bytesToBase64(root)}\n`;
}

/** @param text  Of a note. Extension lines are refused: no log of ours has them. */
export function parseCheckpoint(text: string): Result<Checkpoint, CheckpointError> {
  if (text.split("\n").length === 4) return readCheckpoint(text);
  return err({ type: "bad-checkpoint", sentence: "A checkpoint has three lines." });
}

/** Like `parseCheckpoint`, of any log: extension lines, which are not empty, may follow. A witness signs them unread. */
export function readCheckpoint(text: string): Result<Checkpoint, CheckpointError> {
  const bad = (sentence: string) => err({ type: "bad-checkpoint", sentence } as const);
  const [origin = "", sizeText = "", rootText = "", ...more] = text.split("\n");
  if (more.pop() !== "" || more.includes("")) return bad("A checkpoint has three lines, and none is empty.");
  if (!isNoteName(origin)) return bad("The checkpoint's origin is not the name of a log.");
  const size = parseSize(sizeText);
  if (size === undefined) return bad("The checkpoint's size is not a number of leaves.");
  const root = base64ToBytes(rootText);
  if (root?.length !== 32) return bad("The checkpoint's root is not 32 bytes in base64.");
  return ok({ origin, size, root });
}
export interface CheckpointError {
  readonly type: "bad-checkpoint";
  readonly sentence: string;
}

/** Returns undefined unless `text` is a decimal without leading zeros that a number holds exactly. */
export function parseSize(text: string): number | undefined {
  if (!/^(?:0|[1-9]\d{0,15})$/.test(text)) return undefined;
  const size = Number(text);
  return Number.isSafeInteger(size) ? size : undefined;
}

export interface OpenedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly note: SignedNote;
  /** Those of `witnesses` that have cosigned. */
  readonly cosigned: readonly VerifiedSignature[];
}

/**
 * Reads a checkpoint that a log's key must have signed.
 *
 * @param text       A signed note.
 * @param key        Of the log; its name is the origin.
 * @param witnesses  Whose cosignatures are looked for. How many there must be is the caller's business.
 */
export async function openCheckpoint(
  primitives: Primitives,
  text: string,
  key: VerifierKey,
  witnesses: readonly VerifierKey[] = [],
): Promise<Result<OpenedCheckpoint, OpenCheckpointError>> {
  const note = parseNote(text);
  if (!note.ok) return note;
  const checkpoint = parseCheckpoint(note.value.text);
  if (!checkpoint.ok) return checkpoint;
  if (checkpoint.value.origin !== key.name)
    return err({ type: "other-origin", origin: checkpoint.value.origin });
  const verified = await verifyNote(primitives, note.value, [key, ...witnesses]);
  if (!verified.ok) return verified;
  if (!verified.value.some((signature) => signature.key === key)) return err({ type: "not-signed" });
  const cosigned = verified.value.filter((signature) => signature.key.type === SIGNATURE_TYPES.cosignature);
  return ok({ checkpoint: checkpoint.value, note: note.value, cosigned });
}
export type OpenCheckpointError =
  | NoteError
  | CheckpointError
  | SignatureError
  /** It is a checkpoint of another log. */
  | { readonly type: "other-origin"; readonly origin: string }
  /** No line is of the log's key. */
  | { readonly type: "not-signed" };
