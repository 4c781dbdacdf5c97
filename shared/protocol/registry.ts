import { z } from "zod";
import { deviceMeasuresSchema } from "../stats/measure.ts";
import { gateResultSchema } from "../task/gates/index.ts";
import { aliasSchema, modelNumberSchema } from "./aliases.ts";
import { hashHexSchema, taskSlugSchema } from "./ids.ts";
import { madeSchema } from "./in-use.ts";

/*
 * What the public API shows of a task's models: their numbers, and which of them have a name. Times
 * are ISO 8601 in UTC.
 */

const instant = z.iso.datetime();
const count = z.int().min(0);

export const modelVersionSchema = madeSchema.extend({
  task: taskSlugSchema,
  parentModelHash: hashHexSchema.nullable(),
  aliases: z.array(aliasSchema),
  /** True for the newest model of its run. */
  isCandidate: z.boolean(),
  /** State of its run. */
  runState: z.string(),
  /** Devices whose updates are in the sum that it was made from; null for rounds of earlier versions. */
  cohortSize: count.nullable(),
  /** See `RoundView.deviceMeasures`. */
  deviceMeasures: deviceMeasuresSchema,
  updateNormL2: z.number().nullable(),
  /** Of its full evaluation; absent without one. */
  reportHash: hashHexSchema.exactOptional(),
  madeAt: instant,
});
export type ModelVersionView = z.infer<typeof modelVersionSchema>;

export const aliasViewSchema = z.object({
  alias: aliasSchema,
  /** Null if it names no model. */
  version: modelNumberSchema.nullable(),
  movedAt: instant.nullable(),
  /** Null also for whoever may not read runs. */
  movedBy: z.string().max(80).nullable(),
});
export type AliasView = z.infer<typeof aliasViewSchema>;

/** All aliases of a task, also those that name no model. */
export const aliasesSchema = z.object({ items: z.array(aliasViewSchema) });

/** Moves an alias, if it names what the sender believes. */
export const aliasMoveSchema = z.strictObject({
  /** Null removes the alias. */
  version: modelNumberSchema.nullable(),
  /** The version that the alias names now, as far as the sender knows; null: none. */
  expected: modelNumberSchema.nullable(),
});
export type AliasMove = z.infer<typeof aliasMoveSchema>;

/** What a task's gates say of a version now. */
export const gateReportSchema = z.object({
  version: modelNumberSchema,
  /** The champion that it was compared with; null: none. */
  champion: modelNumberSchema.nullable(),
  /** True if it may be promoted: no gate is shut and none cannot be told. */
  open: z.boolean(),
  promoteByItself: z.boolean(),
  /** Shut ones first. */
  gates: z.array(gateResultSchema),
});
export type GateReport = z.infer<typeof gateReportSchema>;

/** What was once decided about a version, with what each gate said then. */
export const decisionSchema = z.object({
  at: instant,
  outcome: z.enum(["promoted", "not-promoted", "promoted-despite-gates", "rolled-back"]),
  /** The champion until then; null: none. */
  from: modelNumberSchema.nullable(),
  /** As the log keeps it. */
  sentence: z.string(),
  /** Shut ones first. None if no gate was asked. */
  gates: z.array(gateResultSchema),
});
export type Decision = z.infer<typeof decisionSchema>;
export const decisionsSchema = z.object({ items: z.array(decisionSchema) });

/** Changes which model is in use. `expected` is the version that is the champion now, as far as the sender knows. */
export const promotionSchema = z.discriminatedUnion("act", [
  z.strictObject({
    act: z.literal("promote"),
    version: modelNumberSchema,
    /** Null: none. */
    expected: modelNumberSchema.nullable(),
  }),
  /** To the version that was the champion before. */
  z.strictObject({ act: z.literal("go-back"), expected: modelNumberSchema }),
]);
