import { z } from "zod";
import { bytesSchema, bytesUpToSchema, logSizeSchema } from "../ids.ts";

/*
 * What `invite` and `open` carry if the config names a public log: a signed checkpoint, the proof that it extends the one
 * that the device saw last, and the leaves that the device demands, each with its path. Rules A40, A41.
 */

const hash = bytesSchema(32);
/** A path in a tree of 2^32 leaves, and room. */
const path = z.array(hash).max(64);
/** A checkpoint with the lines of its witnesses. */
const note = z.string().max(16_384);

const provenLeaf = z.strictObject({
  index: logSizeSchema,
  /** Canonical JSON. */
  leaf: bytesUpToSchema(2_048),
  path,
});

export const logProofSchema = z.strictObject({
  /** Size that `consistency` begins at: what the device stated. 0 for a device that saw nothing yet. */
  from: logSizeSchema,
  checkpoint: note,
  consistency: path,
  leaves: z.array(provenLeaf).max(4),
  /** Changes of the log's key. */
  rotations: z.array(provenLeaf).max(64),
});
export type LogProofMessage = z.infer<typeof logProofSchema>;
