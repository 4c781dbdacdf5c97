import { z } from "zod";
import type { DeepReadonly } from "../../kernel/deep-readonly.ts";
import { hashHexSchema } from "../../protocol/ids.ts";

/* How one model differs from another on the same rows. */

const comparedMeasureSchema = z.strictObject({
  name: z.string(),
  label: z.string(),
  unit: z.string(),
  better: z.enum(["higher", "lower"]),
  first: z.number(),
  second: z.number(),
  /** Second less first. */
  difference: z.number(),
  /** Ends of the 95 % interval of the difference. */
  low: z.number(),
  high: z.number(),
  /** Two-sided, that there is no difference. */
  p: z.number(),
  test: z.enum(["mcnemar-exact", "paired-bootstrap"]),
  /** Rows that only one of them got right; null if the measure is no share of rows. */
  counts: z.strictObject({ onlyFirst: z.int(), onlySecond: z.int() }).nullable(),
  /** Of the second. */
  verdict: z.enum(["better", "worse", "too-close"]),
});
export type ComparedMeasure = DeepReadonly<z.infer<typeof comparedMeasureSchema>>;

export const comparisonSchema = z.discriminatedUnion("comparable", [
  z.strictObject({
    comparable: z.literal(true),
    /** SHA-256 of the file of held-out rows, on which both were asked now. */
    heldOutHash: hashHexSchema,
    rowCount: z.int().min(1),
    resampling: z.strictObject({ seed: z.int(), times: z.int() }),
    /** The headline first. Measures that these rows do not allow are missing. */
    measures: z.array(comparedMeasureSchema),
  }),
  z.strictObject({
    comparable: z.literal(false),
    /** Why not, a sentence. */
    reason: z.string(),
  }),
]);
export type Comparison = DeepReadonly<z.infer<typeof comparisonSchema>>;
