import { z } from "zod";
import { agreedGraphSchema } from "../cohort/graph-plan.ts";
import { present } from "../kernel/assert.ts";
import { type Bytes, hexToBytes } from "../kernel/bytes.ts";
import { hashHexSchema, logOriginSchema, taskSlugSchema, taskVersionSchema } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { aggregationPlanSchema, ringSchema } from "./aggregation-plan.ts";
import { logWitnessesSchema } from "./log-witnesses.ts";
import type { RoundParams } from "./round-params.ts";

const agreedVectorSchema = z.strictObject({
  /** Words of the whole vector, all segments. */
  vectorLength: z.int().min(1).max(LIMITS.vectorLengthMax),
  /** Hash of the canonical JSON of the segment layout. */
  layoutHash: hashHexSchema,
});
export type AgreedVector = z.infer<typeof agreedVectorSchema>;

/**
 * Everything that a device agreed to. The device derives it from the task version it consented to and from the keys it
 * pinned at its first check-in, and refuses a round whose configHash differs (CONFIG). secagg/PROTOCOL.md section 1.
 */
export const agreedConfigSchema = z.strictObject({
  projectId: z.string().min(1).max(64),
  task: taskSlugSchema,
  taskVersion: taskVersionSchema,
  /** Hash of the canonical JSON of the whole task: model, features, training, aggregation, evaluation. */
  taskHash: hashHexSchema,
  cohortSizeMin: aggregationPlanSchema.shape.cohortSizeMin,
  cohortSizeMax: aggregationPlanSchema.shape.cohortSizeMax,
  securityModel: aggregationPlanSchema.shape.securityModel,
  /** The graph that the task names, or the default if it names none. */
  graph: agreedGraphSchema,
  thresholdFormula: z.literal("chorus/1"),
  /** By purpose. A device does not take part in rounds of a purpose that is missing here. */
  vectors: z.strictObject({ train: agreedVectorSchema.optional(), evaluate: agreedVectorSchema.optional() }),
  ring: ringSchema,
  clipNormL2: aggregationPlanSchema.shape.clipNormL2,
  weightCap: aggregationPlanSchema.shape.weightCap,
  /** Null means that this task adds no noise. */
  dp: z.null(),
  codeVersion: z.string().min(1).max(64),
  /** Ed25519 key that certifies identities. */
  issuerKey: hashHexSchema,
  /** First Ed25519 key of the public log; later ones follow by rotation. All zeros: no log, and devices say so. */
  logKey: hashHexSchema,
  /** The log's name, which its checkpoints begin with. Absent without a log. */
  logOrigin: logOriginSchema.exactOptional(),
  /** The task's witnesses; absent if it asks for none. */
  logWitnesses: logWitnessesSchema.exactOptional(),
});
export type AgreedConfig = z.infer<typeof agreedConfigSchema>;

/** A public log as a config names it. */
export interface AgreedLog {
  readonly origin: string;
  /** Its first Ed25519 key. */
  readonly key: Bytes;
  /** Keys of the witnesses that the task names, as NAME+KEYID+KEY. */
  readonly witnesses: readonly string[];
  /** How many of them must have signed a checkpoint. */
  readonly cosignaturesMin: number;
}

/** The log that devices demand proofs of; null if the coordinator keeps none. Rule A40. */
export function agreedLog({
  logKey,
  logOrigin = "",
  logWitnesses,
}: Pick<AgreedConfig, "logKey" | "logOrigin" | "logWitnesses">): AgreedLog | null {
  if (/^0*$/.test(logKey)) return null;
  const { keys: witnesses = [], needed: cosignaturesMin = 0 } = logWitnesses ?? {};
  return { origin: logOrigin, key: hexToBytes(logKey), witnesses, cosignaturesMin };
}

/** Words of a round's vector. The round's purpose must be one that was agreed to. */
export function agreedVectorLength(terms: {
  readonly config: AgreedConfig;
  readonly roundParams: RoundParams;
}): number {
  const { purpose } = terms.roundParams;
  return present(terms.config.vectors[purpose], `agreement to ${purpose}`).vectorLength;
}
