import { z } from "zod";
import type { DeepReadonly } from "../kernel/deep-readonly.ts";
import { errorCodeSchema } from "../protocol/errors.ts";
import { measuresSchema } from "../stats/measure.ts";
import { strategySchema } from "../strategy/index.ts";
import { trainingPlanSchema } from "../task/task.ts";
import { forbiddenPairSchema } from "./event.ts";

/*
 * What happens to a run, in the shape that the newest version of the log has; `upcast.ts` makes it from older ones.
 *
 * | event          | means                                                        |
 * | -------------- | ------------------------------------------------------------ |
 * | launched       | somebody wants it; first in every log                        |
 * | started        | its turn has come; the initial model is in the blob store    |
 * | wait-began     | fewer devices than a round needs are ready                   |
 * | wait-expired   | the time until which the launch waits has come               |
 * | round-opened   | a round is to be opened, from this model                     |
 * | round-ended    | and how it ended                                             |
 * | evaluated      | the figures of a published model, or why there are none      |
 * | pause-asked    | no new round after the current one                           |
 * | resume-asked   | go on                                                        |
 * | stop-asked     | end; a round that was not opened yet is given up             |
 * | broken         | it cannot go on                                              |
 */
const count = z.int().min(0);
const modelHash = z.string();

/** The first entry of a run's log. */
export const runLaunchedSchema = z.object({
  type: z.literal("launched"),
  runId: z.string(),
  number: z.int().min(1),
  task: z.string(),
  taskVersion: z.int().min(1),
  rounds: z.int().min(1),
  strategy: strategySchema,
  training: trainingPlanSchema,
  seed: z.int(),
  actor: z.string(),
  configHash: z.string(),
  roundHash: z.string(),
  /** Devices that must be ready for a round to open; see `devicesNeeded`. 0 in runs from before runs waited. */
  devicesNeeded: count,
  /** A run that waits for devices or for its turn ends then. Absent: it waits as long as it takes. */
  waitUntilUnixMs: z.number().exactOptional(),
});
export type RunLaunched = DeepReadonly<z.infer<typeof runLaunchedSchema>>;

const runStartedSchema = z.object({
  type: z.literal("started"),
  modelHash,
  /** In logs that are older than `evaluated`. */
  measures: measuresSchema.exactOptional(),
});
export type RunStarted = DeepReadonly<z.infer<typeof runStartedSchema>>;

const roundToOpenSchema = z.object({
  type: z.literal("round-opened"),
  round: z.int().min(1),
  modelHash,
  /** Devices that are ready. 0 in logs from before runs waited. */
  ready: count,
});
export type RoundToOpen = DeepReadonly<z.infer<typeof roundToOpenSchema>>;

const roundEndedSchema = z.object({
  type: z.literal("round-ended"),
  round: z.int().min(1),
  outcome: z.enum(["committed", "voided", "failed"]),
  code: errorCodeSchema.nullable(),
  /** With outcome failed: fewer devices than a round needs stood in its recruiting. Such a round counts for nothing. */
  shortOfDevices: z.boolean().exactOptional(),
  /** The model that the next round starts from; the void step's after a voided one. */
  modelHash,
  strategyStateHash: z.string().nullable(),
  /** With outcome committed, in logs that are older than `evaluated`. */
  measures: measuresSchema.exactOptional(),
  seconds: z.number().min(0),
  forbiddenPairs: z.array(forbiddenPairSchema),
  removed: z.array(z.string()),
});
export type RoundEnded = DeepReadonly<z.infer<typeof roundEndedSchema>>;

const evaluatedSchema = z.object({
  type: z.literal("evaluated"),
  /** 0 is the initial model. */
  round: count,
  modelHash,
  /** Of the held-out rows. */
  measures: measuresSchema.nullable(),
  /** Blob of what the evaluator reports besides; null if it reports nothing. */
  reportHash: z.string().nullable(),
  /** With measures null. */
  code: errorCodeSchema.nullable(),
});
export type Evaluated = DeepReadonly<z.infer<typeof evaluatedSchema>>;

export const runEventSchema = z.discriminatedUnion("type", [
  runStartedSchema,
  z.object({ type: z.literal("wait-began"), atUnixMs: z.number(), ready: count }),
  z.object({ type: z.literal("wait-expired"), atUnixMs: z.number() }),
  roundToOpenSchema,
  roundEndedSchema,
  evaluatedSchema,
  z.object({ type: z.enum(["pause-asked", "resume-asked", "stop-asked"]), actor: z.string() }),
  z.object({ type: z.literal("broken"), code: errorCodeSchema }),
]);
export type RunEvent = DeepReadonly<z.infer<typeof runEventSchema>>;
export type RunEventType = RunEvent["type"];
