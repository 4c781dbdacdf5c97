import { z } from "zod";
import { base64ToBytes, bytesToBase64 } from "../kernel/bytes.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import type { LogProof, ProvedLeaf } from "./log-proof.ts";
import { LEAF_BYTE_COUNT_MAX } from "./tiles.ts";

/* A `LogProof` as JSON, for readers over HTTP: bytes are base64 as receipts write it. */

const base64 = (byteCountMax: number) => z.string().max(4 * Math.ceil(byteCountMax / 3));
const path = z.array(base64(32)).max(64);
const provedLeafSchema = z.object({
  /** Of the entry in the log, from 0. */
  index: z.int().min(0),
  /** The entry as it stands in the log: canonical JSON. */
  leaf: base64(LEAF_BYTE_COUNT_MAX),
  path,
});

export const logProofViewSchema = z.object({
  /** A signed note, with the cosignatures that have come. */
  checkpoint: z.string().max(16_384),
  /** From the size that was asked from. */
  consistency: path,
  leaves: z.array(provedLeafSchema).max(16),
  /** All entries `log.keyRotated`. */
  rotations: z.array(provedLeafSchema).max(64),
});
export type LogProofView = z.infer<typeof logProofViewSchema>;

export function logProofView({ checkpoint, consistency, leaves, rotations }: LogProof): LogProofView {
  const viewOf = ({ index, leaf, path: siblings }: ProvedLeaf) => ({
    index,
    leaf: bytesToBase64(leaf),
    path: siblings.map(bytesToBase64),
  });
  return {
    checkpoint,
    consistency: consistency.map(bytesToBase64),
    leaves: leaves.map(viewOf),
    rotations: rotations.map(viewOf),
  };
}

/** Only reads; `verifyLogProof` says whether it holds. Errors: `not-base64`. */
export function logProofOf(view: LogProofView): Result<LogProof, { readonly type: "not-base64" }> {
  try {
    return ok({
      checkpoint: view.checkpoint,
      consistency: view.consistency.map(bytesOf),
      leaves: view.leaves.map(provedLeafOf),
      rotations: view.rotations.map(provedLeafOf),
    });
  } catch (fault) {
    if (fault instanceof NotBase64) return err({ type: "not-base64" });
    throw fault;
  }
}

class NotBase64 extends Error {}

function bytesOf(text: string) {
  const bytes = base64ToBytes(text);
  if (bytes === undefined) throw new NotBase64();
  return bytes;
}

function provedLeafOf({ index, leaf, path: siblings }: LogProofView["leaves"][number]): ProvedLeaf {
  return { index, leaf: bytesOf(leaf), path: siblings.map(bytesOf) };
}
