import { z } from "zod";
import { measuresSchema } from "../stats/measure.ts";
import { modelNumberSchema } from "./aliases.ts";
import { hashHexSchema, runIdSchema, taskVersionSchema } from "./ids.ts";

/* Which model of a task is in use. A file of its own, because devices need no more of the registry. */

/** Where a numbered model comes from. */
export const madeSchema = z.object({
  /** Counts the models of the task from 1, over all its runs. */
  version: modelNumberSchema,
  taskVersion: taskVersionSchema,
  runId: runIdSchema,
  runNumber: z.int().min(1),
  round: z.int().min(1),
  modelHash: hashHexSchema,
  /** Central evaluation; null until it has ended, and without held-out rows. */
  measures: measuresSchema.nullable(),
  /** The held-out set of these measures. */
  measuredOn: hashHexSchema.exactOptional(),
});

/** The model that a task's devices and pages predict with. */
export const inUseSchema = madeSchema.extend({
  /** Null if nothing was promoted: the newest model is served then. */
  alias: z.literal("champion").nullable(),
});
export type InUse = z.infer<typeof inUseSchema>;
