import { z } from "zod";
import type { DeepReadonly } from "../kernel/deep-readonly.ts";
import { comparisonSchema } from "../task/report/comparison.ts";

/* How a model does in onnxruntime, as it leaves: whether it answers as here, how large and how fast it is, what 8 bits cost. */

const errorSchema = z.strictObject({
  rows: z.int().min(1),
  /** The largest |a - b| / max(1, |a|) over all answers, a by our engine, b by onnxruntime. Null if one of them is no number. */
  errorMax: z.number().min(0).nullable(),
});

/** Of the exact file and of the one in 8 bits. */
const bothSchema = z.strictObject({ onnx: z.number().min(0), int8: z.number().min(0) });

export const portabilitySchema = z.strictObject({
  parity: z.strictObject({
    /** Random data as people have them, preprocessing included. */
    random: errorSchema,
    /** The held-out rows, as the model takes them; null without held-out rows. */
    heldOut: errorSchema.nullable(),
  }),
  byteCounts: bothSchema,
  /** Median time of an answer for one row, in onnxruntime's WebAssembly on one thread of the coordinator. */
  oneRowMs: bothSchema,
  /** The model in 8 bits against the exact one, on the held-out rows; null without held-out rows. */
  int8: comparisonSchema.nullable(),
});
export type Portability = DeepReadonly<z.infer<typeof portabilitySchema>>;

/** The largest error of `got`, relative for numbers above 1; null if a number is missing, or is none on one side only. */
export function largestError(wanted: Float32Array, got: Float32Array): number | null {
  if (wanted.length !== got.length) return null;
  let largest = 0;
  for (let index = 0; index < wanted.length; index++) {
    const [a, b] = [wanted[index] as number, got[index] as number];
    const error = Math.abs(a - b) / Math.max(1, Math.abs(a));
    if (Number.isNaN(error)) return null;
    largest = Math.max(largest, error);
  }
  return largest;
}
