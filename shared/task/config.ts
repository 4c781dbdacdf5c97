import { z } from "zod";
import { present } from "../kernel/assert.ts";
import { hashHexSchema, taskSlugSchema, taskVersionSchema } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { agreedGraphSchema } from "./graph-plan.ts";
import { aggregationPlanSchema, ringSchema, type Task, trainingPlanSchema } from "./task.ts";

/** What a round is for: to train, or to evaluate a model that stays as it is. */
const purposeSchema = z.enum(["train", "evaluate"]);
export type Purpose = z.infer<typeof purposeSchema>;

/** The purposes that a task allows. Every task has a training plan today, and none has a plan for rounds that evaluate. */
export function purposesOf(task: Pick<Task, "training">): readonly Purpose[] {
  return "training" in task ? ["train"] : [];
}

const agreedVectorSchema = z.strictObject({
  /** Words of the whole vector, all segments. */
  vectorLength: z.int().min(1).max(LIMITS.vectorLengthMax),
  /** Over the canonical JSON of the segment layout. */
  layoutHash: hashHexSchema,
});
export type AgreedVector = z.infer<typeof agreedVectorSchema>;

/**
 * Everything a device agreed to. The device derives it from the task version it consented to and from the keys it
 * pinned at its first check-in, and refuses a round whose configHash differs (CONFIG). secagg/PROTOCOL.md section 1.
 */
export const agreedConfigSchema = z.strictObject({
  projectId: z.string().min(1).max(64),
  task: taskSlugSchema,
  taskVersion: taskVersionSchema,
  /** Over the canonical JSON of the whole task: model, features, training, aggregation, evaluation. */
  taskHash: hashHexSchema,
  cohortSizeMin: aggregationPlanSchema.shape.cohortSizeMin,
  cohortSizeMax: aggregationPlanSchema.shape.cohortSizeMax,
  securityModel: aggregationPlanSchema.shape.securityModel,
  /** What the task says, or what follows where it says nothing. */
  graph: agreedGraphSchema,
  thresholdFormula: z.literal("chorus/1"),
  /** By purpose; a device takes part in no round of a purpose that is not here. */
  vectors: z.strictObject({ train: agreedVectorSchema.optional(), evaluate: agreedVectorSchema.optional() }),
  ring: ringSchema,
  clipNormL2: aggregationPlanSchema.shape.clipNormL2,
  weightCap: aggregationPlanSchema.shape.weightCap,
  /** Null: this task adds no noise. */
  dp: z.null(),
  codeVersion: z.string().min(1).max(64),
  /** Ed25519 key that certifies identities. */
  issuerKey: hashHexSchema,
  /** Ed25519 key of the public log; all zero: unlogged, and devices are told so. */
  logKey: hashHexSchema,
});
export type AgreedConfig = z.infer<typeof agreedConfigSchema>;

/** What changes from round to round; its hash is roundHash. */
export const roundParamsSchema = z.strictObject({
  purpose: purposeSchema,
  training: trainingPlanSchema,
});
export type RoundParams = z.infer<typeof roundParamsSchema>;

/** Words of a round's vector. The round's purpose is one that was agreed to. */
export function agreedVectorLength(terms: {
  readonly config: AgreedConfig;
  readonly roundParams: RoundParams;
}): number {
  const { purpose } = terms.roundParams;
  return present(terms.config.vectors[purpose], `agreement to ${purpose}`).vectorLength;
}
