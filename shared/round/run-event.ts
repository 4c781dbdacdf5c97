import { z } from "zod";
import type { DeepReadonly } from "../kernel/deep-readonly.ts";
import { errorCodeSchema } from "../protocol/errors.ts";
import { ownCodeSchema } from "../protocol/own-code.ts";
import { measuresSchema } from "../stats/measure.ts";
import { strategySchema } from "../strategy/index.ts";
import { trainingPlanSchema } from "../task/training-plan.ts";
import { forbiddenPairSchema } from "./event.ts";
import { END_PHASES } from "./phases.ts";

/*
 * The events of a run, in the shape of the newest log version; `upcast.ts` converts older ones.
 *
 * | event          | means                                                        |
 * | -------------- | ------------------------------------------------------------ |
 * | launched       | somebody has launched it; first in every log                 |
 * | started        | its turn has come; the initial model is in the blob store    |
 * | wait-began     | fewer devices than a round needs are ready                   |
 * | wait-expired   | the launch's time limit for waiting has passed               |
 * | round-opened   | a round is to be opened, from this model                     |
 * | round-ended    | the round has ended, and how                                 |
 * | evaluated      | the figures of a published model, or why there are none      |
 * | pause-asked    | no new round after the current one                           |
 * | resume-asked   | continue                                                     |
 * | stop-asked     | end; a round that was not opened yet is given up             |
 * | archive-asked  | end after the current round, because its task was archived   |
 * | broken         | the run cannot continue                                      |
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
  /** What the coordinator ran and served when the run was launched. Absent in runs of versions that did not say. */
  code: ownCodeSchema.exactOptional(),
  roundHash: z.string(),
  /** Number of devices that must be ready for a round to open; see `devicesNeeded`. 0 in runs from before runs waited. */
  devicesNeeded: count,
  /** The run ends at this time if it still waits for devices or for its turn. Absent: it waits indefinitely. */
  waitUntilUnixMs: z.number().exactOptional(),
  /** The version of the task's models with which the run begins. Absent: a new model from its seed. */
  beginsWith: z.object({ version: z.int().min(1), modelHash }).exactOptional(),
});
export type RunLaunched = DeepReadonly<z.infer<typeof runLaunchedSchema>>;

const runStartedSchema = z.object({
  type: z.literal("started"),
  modelHash,
  /** In logs older than `evaluated`. */
  measures: measuresSchema.exactOptional(),
});
export type RunStarted = DeepReadonly<z.infer<typeof runStartedSchema>>;

const roundToOpenSchema = z.object({
  type: z.literal("round-opened"),
  round: z.int().min(1),
  modelHash,
  /** Number of devices that are ready. 0 in logs from before runs waited. */
  ready: count,
});
export type RoundToOpen = DeepReadonly<z.infer<typeof roundToOpenSchema>>;

const roundEndedSchema = z.object({
  type: z.literal("round-ended"),
  round: z.int().min(1),
  outcome: z.enum(END_PHASES),
  code: errorCodeSchema.nullable(),
  /** With outcome failed: fewer devices were recruited than a round needs. Such a round counts for nothing. */
  shortOfDevices: z.boolean().exactOptional(),
  /** The model from which the next round starts. After a voided round it includes the void step. */
  modelHash,
  strategyStateHash: z.string().nullable(),
  /** With outcome committed, in logs older than `evaluated`. */
  measures: measuresSchema.exactOptional(),
  /** With outcome committed: of the model that the round started from, on the rows that devices keep back. */
  parentOnDevices: measuresSchema.exactOptional(),
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
  /** Measures on the held-out rows. */
  measures: measuresSchema.nullable(),
  /** The set of held-out rows that they were measured on; absent without measures and before sets had names. */
  measuredOn: z.string().exactOptional(),
  /** Hash of a blob with the evaluator's report; null if there is none. */
  reportHash: z.string().nullable(),
  /** Set if measures is null. */
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
  z.object({
    type: z.enum(["pause-asked", "resume-asked", "stop-asked", "archive-asked"]),
    actor: z.string(),
  }),
  z.object({ type: z.literal("broken"), code: errorCodeSchema }),
]);
export type RunEvent = DeepReadonly<z.infer<typeof runEventSchema>>;
