import { type Bytes, bytesToBase64 } from "../kernel/bytes.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { parseSize } from "./checkpoint.ts";
import { type NoteSignature, parseSignatureLine } from "./note.ts";
import { readHashes } from "./receipt.ts";

/*
 * What a log asks of a witness: POST {prefix}/add-checkpoint with this body.
 *
 *     old DECIMAL           (size of the tree that the witness signed last, as the log knows it)
 *     BASE64                (consistency proof from that tree, one hash a line, at most 63)
 *
 *     checkpoint            (a signed note)
 *
 * | status | means                                                            | body                                  |
 * | ------ | ---------------------------------------------------------------- | ------------------------------------- |
 * | 200    | signed                                                           | signature lines of the witness        |
 * | 400    | malformed, or the old size is above that of the checkpoint       | a sentence                            |
 * | 403    | no signature of a key that the witness trusts for this log       | a sentence                            |
 * | 404    | not a log that the witness follows                               | a sentence                            |
 * | 409    | the witness signed another size last, or another root under this | that size and LF, `text/x.tlog.size`  |
 * | 422    | the proof does not lead from that tree to this one               | a sentence                            |
 *
 * Source: c2sp.org/tlog-witness.
 */

export interface AddCheckpoint {
  readonly oldSize: number;
  /** Of consistency, from `oldSize`. */
  readonly proof: readonly Bytes[];
  /** A signed note. */
  readonly note: string;
}

/** Media type of the size in an answer 409. */
export const SIZE_MEDIA_TYPE = "text/x.tlog.size";
const PROOF_LENGTH_MAX = 63;
/** A proof, and the longest note that is read. */
export const ADD_CHECKPOINT_BYTES_MAX = 270_336;
/** Signature lines of one witness. */
export const COSIGNATURE_BYTES_MAX = 16_384;

export function formatAddCheckpoint({ oldSize, proof, note }: AddCheckpoint): string {
  return `old ${oldSize}\n${proof.map((hash) => `${bytesToBase64(hash)}\n`).join("")}\n${note}`;
}

/** Only reads: the note is still to be opened. */
export function parseAddCheckpoint(text: string): Result<AddCheckpoint, AddCheckpointError> {
  const bad = (sentence: string) => err({ type: "bad-request", sentence } as const);
  const split = text.indexOf("\n\n");
  if (split < 0) return bad("The body has no empty line before the checkpoint.");
  const [first = "", ...lines] = text.slice(0, split).split("\n");
  const oldSize = first.startsWith("old ") ? parseSize(first.slice("old ".length)) : undefined;
  if (oldSize === undefined) return bad("The body does not begin with a line 'old SIZE'.");
  const proof = readHashes(lines, PROOF_LENGTH_MAX);
  if (proof === undefined)
    return bad(`The consistency proof is at most ${PROOF_LENGTH_MAX} hashes in base64, one a line.`);
  return ok({ oldSize, proof, note: text.slice(split + 2) });
}
export interface AddCheckpointError {
  readonly type: "bad-request";
  readonly sentence: string;
}

/** The lines that a witness answered with; undefined if a line is none. */
export function parseSignatureLines(text: string): readonly NoteSignature[] | undefined {
  if (!text.endsWith("\n")) return undefined;
  const signatures = text.slice(0, -1).split("\n").map(parseSignatureLine);
  return signatures.every((signature) => signature !== undefined) ? signatures : undefined;
}

/** The size that an answer 409 states; undefined if it states none. */
export function parseToldSize(text: string): number | undefined {
  return text.endsWith("\n") ? parseSize(text.slice(0, -1)) : undefined;
}
