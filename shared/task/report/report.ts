import { z } from "zod";
import type { DeepReadonly } from "../../kernel/deep-readonly.ts";
import { hashHexSchema } from "../../protocol/ids.ts";
import { operatingPointSchema } from "../operating-point.ts";

/*
 * What is known of a model on the held-out rows, as canonical JSON under its hash. It has sums over rows and curves with few
 * points, and nothing of a single row.
 */

/** Which way to an interval: `none` if the rows allow none, or are too many to be drawn again. */
const intervalSchema = z.enum(["wilson", "normal", "bootstrap", "none"]);

const countSchema = z.int().min(0);
const figureSchema = z.strictObject({
  /** Null if these rows have no such figure. */
  value: z.number().nullable(),
  /** Ends of the 95 % interval; null without one. */
  low: z.number().nullable(),
  high: z.number().nullable(),
  interval: intervalSchema,
});
export type ReportFigure = z.infer<typeof figureSchema>;

const reportMeasureSchema = figureSchema.extend({
  name: z.string(),
  label: z.string(),
  /** Of its values, as in `MeasureSpec`; of an error, the label's. */
  unit: z.string(),
  better: z.enum(["higher", "lower"]),
  /** How it is computed. */
  about: z.string(),
});
export type ReportMeasure = DeepReadonly<z.infer<typeof reportMeasureSchema>>;

const classesSchema = z.strictObject({
  kind: z.literal("classes"),
  /** Rows by their class, then by the class that the model says. */
  confusion: z.array(z.array(countSchema)),
  byClass: z.array(
    z.strictObject({
      name: z.string(),
      /** Rows of the class. */
      count: countSchema,
      precision: figureSchema,
      recall: figureSchema,
      f1: figureSchema,
    }),
  ),
  /** Rows by the probability of what the model says of them. */
  reliability: z.array(
    z.strictObject({
      from: z.number(),
      to: z.number(),
      count: countSchema,
      /** Mean of that probability; null without rows. */
      meanProbability: z.number().nullable(),
      /** How often the model is right. */
      share: figureSchema,
    }),
  ),
  /** Of two classes: shares of the first and of the second class that a threshold takes for the second. */
  roc: z.array(z.strictObject({ falsePositiveRate: z.number(), truePositiveRate: z.number() })).nullable(),
});

const numberSchema = z.strictObject({
  kind: z.literal("number"),
  /** Rows by answer less label, in the label's unit. The first and the last bin take what lies beyond. */
  residuals: z.array(z.strictObject({ from: z.number(), to: z.number(), count: countSchema })),
});

export const evaluationReportSchema = z.strictObject({
  format: z.literal("chorus-evaluation"),
  formatVersion: z.literal(1),
  task: z.strictObject({ slug: z.string(), version: z.int() }),
  modelHash: hashHexSchema,
  /** SHA-256 of the file of held-out rows. */
  heldOutHash: hashHexSchema,
  rowCount: countSchema,
  /** Version of this code, the runtime, and what the engine computes on. */
  environment: z.strictObject({
    code: z.string(),
    runtime: z.string(),
    engine: z.string(),
    /** See `ownCode`; absent in reports of older versions, as is the next. */
    codeHash: hashHexSchema.exactOptional(),
    /** SHA-256 of the canonical JSON of the fields above. */
    hash: hashHexSchema.exactOptional(),
  }),
  /** How often the rows were drawn again for intervals, and from which seed. */
  resampling: z.strictObject({ seed: z.int(), times: z.int() }),
  /** Where costs and sensitivity were read off; absent for the usual one. */
  operatingPoint: operatingPointSchema.exactOptional(),
  measures: z.array(reportMeasureSchema),
  rows: z.discriminatedUnion("kind", [classesSchema, numberSchema]),
});
export type EvaluationReport = DeepReadonly<z.infer<typeof evaluationReportSchema>>;
