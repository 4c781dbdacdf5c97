import { z } from "zod";
import { measureSchema, measuresSchema } from "../stats/measure.ts";
import { strategySchema } from "../strategy/index.ts";
import { effectiveSettingsSchema, taskSettingChangesSchema, taskSettingsSchema } from "../task/settings.ts";
import { aggregationPlanSchema, taskSchema, trainingPlanSchema } from "../task/task.ts";
import { errorCodeSchema } from "./errors.ts";
import { hashHexSchema, roundIdSchema, runIdSchema, taskSlugSchema, taskVersionSchema } from "./ids.ts";
import { LIMITS } from "./limits.ts";

/*
 * What the public API under /api/v1 and the /dash socket show: counts, times and sums, never a device. The dashboard
 * uses nothing else, so whatever it can do, a script can do. Times are ISO 8601 in UTC; durations in seconds end in S.
 *
 * | route                                   | answers                          |
 * | --------------------------------------- | -------------------------------- |
 * | GET  /status                            | Status                           |
 * | GET  /limits                            | LIMITS                           |
 * | GET  /tasks, POST /tasks                | list of TaskView, TaskView       |
 * | GET  /tasks/{slug}, /tasks/{slug}/{version} | TaskView                     |
 * | GET  /tasks/{slug}/settings, POST /tasks/{slug}/settings | SettingsView    |
 * | GET  /runs?task=, POST /runs            | list of RunView, RunView         |
 * | GET  /runs/{id}                         | RunView                          |
 * | POST /runs/{id}/pause, resume, stop     | RunView                          |
 * | GET  /runs/{id}/rounds                  | list of RoundView, ascending     |
 * | GET  /runs/{id}/events                  | list of EventView, newest first  |
 * | GET  /rounds/{id}                       | RoundDetail                      |
 * | GET  /rounds/{id}/sum                   | the published integer sum, i32 little-endian |
 * | GET  /rounds/{id}/transcript/{shard}    | a session's transcript, while it is kept |
 * | GET  /rounds/{id}/transcript/{shard}/openings | opening shares, sealed to the auditor |
 * | GET  /rounds/{id}/transcript/{shard}/inputs/{position}/{chunk} | 64 KiB of a masked input, its path in a header |
 * | GET  /models/{hash}                     | safetensors, immutable           |
 * | PUT  /uploads/{sid}/{position}          | Receipt (device only)            |
 *
 * Socket /dash: emit "watch" {runId} or {all: true} with an acknowledgement; receive "run" RunView, "round" RoundView
 * (at most once a second while it lives), "event" EventView.
 */

const instant = z.iso.datetime();
const count = z.int().min(0);
const actor = z.string().max(80);

export const listSchema = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next: z.string().nullable() });

export const statusSchema = z.object({
  product: z.literal("chorus"),
  version: z.string(),
  codeVersion: z.string(),
  projectId: z.string(),
  database: z.enum(["embedded", "postgresql"]),
  startedAt: instant,
  /** Base of the join page that other devices can open, and whether they can (https, or this machine itself). */
  joinBaseUrl: z.string(),
  secureContext: z.boolean(),
  issuerKey: hashHexSchema,
  logKey: hashHexSchema,
});
export type Status = z.infer<typeof statusSchema>;

export const taskViewSchema = z.object({
  task: taskSchema,
  taskHash: hashHexSchema,
  /** What holds for the slug and is no part of the version. A coordinator of an earlier version has none. */
  settings: effectiveSettingsSchema.optional(),
  parameterCount: count,
  vectorLength: count,
  /** Of the masked list, for each weight of the model: the ring's width, and what a rotation pads. */
  bitsPerWeight: z.number(),
  /** Devices connected for this task now. */
  deviceCount: count,
  activeRunId: runIdSchema.nullable(),
  /** Of the newest committed round that has figures, of the newest run that has committed one. */
  accuracy: measureSchema.nullable(),
  latestModelHash: hashHexSchema.nullable(),
  createdAt: instant,
  createdBy: actor,
});
export type TaskView = z.infer<typeof taskViewSchema>;

/** Settings of a task as they are set; null where the version decides. */
export const settingsViewSchema = z.object({ slug: taskSlugSchema, settings: taskSettingsSchema });
export type SettingsView = z.infer<typeof settingsViewSchema>;

export const settingsChangeSchema = z.strictObject({
  changes: taskSettingChangesSchema,
  actor: z.string().min(1).max(80).default("unverified"),
});

/** Bytes of one device and round, by the step of the protocol. */
export const trafficSchema = z.object({
  step: z.enum(["model", "keys", "shares", "input", "confirmation", "opening"]),
  upByteCount: count,
  downByteCount: count,
});
export type Traffic = z.infer<typeof trafficSchema>;

export const phaseSchema = z.enum([
  "recruiting",
  "training",
  "advertising",
  "sharing",
  "collecting",
  "confirming",
  "unmasking",
  "committed",
  "voided",
  "failed",
]);
export type Phase = z.infer<typeof phaseSchema>;
/** The phases that take time, in order; a score has one bar for the end of each. */
export const TIMED_PHASES = [
  "recruiting",
  "training",
  "advertising",
  "sharing",
  "collecting",
  "confirming",
  "unmasking",
] as const satisfies readonly Phase[];

/** Counts at the end of second `atS` since the round opened, cumulative; this is all a score is drawn from. */
export const countsSchema = z.object({
  atS: z.number(),
  joined: count,
  trained: count,
  sent: count,
  left: count,
});
export type Counts = z.infer<typeof countsSchema>;

/** One of the sums of a round that is split. */
const shardViewSchema = z.object({
  /** 0-based. */
  shard: count,
  /** Of the newest attempt; null for a shard that had too few devices for one. */
  sid: hashHexSchema.nullable(),
  /** |U1|, |U2|, |U3|; null before they are fixed, and the last two of a shard that is left out. */
  advertised: count.nullable(),
  shared: count.nullable(),
  survivors: count.nullable(),
  /** q: masked updates that must be in for this shard to count. */
  threshold: count.nullable(),
  /** Why it has no part in the round and what it publishes. Its sum was never opened but where the sum itself was bad. */
  leftOut: errorCodeSchema.nullable(),
});

export const roundViewSchema = z.object({
  roundId: roundIdSchema,
  runId: runIdSchema,
  /** 1-based. */
  round: z.int().min(1),
  attempt: z.int().min(1),
  phase: phaseSchema,
  /** With phase voided or failed. */
  code: errorCodeSchema.nullable(),
  /** Whether shares that open the sum were ever asked for. */
  opened: z.boolean(),
  openedAt: instant,
  endedAt: instant.nullable(),
  /** Seconds since the round opened: now, the deadline of the current phase, and where finished phases ended. */
  nowS: z.number(),
  deadlineS: z.number().nullable(),
  phaseEndsS: z.partialRecord(phaseSchema, z.number()),
  joined: count,
  /** Devices among them that are asked last, since they left that many rounds in that time; absent where there are none. */
  askedLast: z.object({ devices: count, departures: count, minutes: count }).optional(),
  trained: count,
  /** |U1|, |U2|, |U3|; null before they are fixed. */
  advertised: count.nullable(),
  shared: count.nullable(),
  survivors: count.nullable(),
  sent: count,
  left: count,
  confirmed: count,
  unmasked: count,
  /** q: masked updates that must be in, for every shard that is in the round; null before the roster. */
  threshold: count.nullable(),
  /** Into how many sums the round is split, and how many of them are left out; absent where it is one sum. */
  shards: z.object({ count, leftOut: count }).optional(),
  goal: count,
  counts: z.array(countsSchema),
  traffic: z.array(trafficSchema),
  parentModelHash: hashHexSchema,
  modelHash: hashHexSchema.nullable(),
  /** By name. Null until the model has been evaluated, beside the next round; absent in rounds of older versions. */
  measures: measuresSchema.nullable().optional(),
  /** Those of `measures`, under the names that they had first; null as well if the task has no such measure. */
  accuracy: measureSchema.nullable(),
  loss: measureSchema.nullable(),
  /** Why the model of this round has no figures and gets none; absent in rounds of older versions. */
  notEvaluated: errorCodeSchema.nullable().optional(),
  /** From the sum: on the devices' own kept-back rows, before (the parent model) and after local training. */
  deviceAccuracyBefore: measureSchema.nullable(),
  deviceAccuracyAfter: measureSchema.nullable(),
  /** L2 norm of the mean update, in the unit of the weights. */
  updateNormL2: z.number().nullable(),
});
export type RoundView = z.infer<typeof roundViewSchema>;

export const runStateSchema = z.enum([
  "queued",
  "waiting",
  "running",
  "paused",
  "stopping",
  "evaluating",
  "completed",
  "failed",
]);
export type RunState = z.infer<typeof runStateSchema>;

export const runNoticeSchema = z.object({ code: errorCodeSchema, message: z.string() });
export type RunNotice = z.infer<typeof runNoticeSchema>;

export const runViewSchema = z.object({
  runId: runIdSchema,
  /** Counts the runs of its task from 1. */
  number: z.int().min(1),
  task: taskSlugSchema,
  taskVersion: taskVersionSchema,
  state: runStateSchema,
  /** Pause or stop was asked for and takes effect after the current round. */
  pausing: z.boolean(),
  code: errorCodeSchema.nullable(),
  /** Why an open run does not get on, and what its operator can do; null or absent if it does. */
  notice: runNoticeSchema.nullable().optional(),
  /** With state waiting: since when, how many devices are ready now, and how many a round needs. */
  waiting: z.object({ since: instant, ready: count, needed: count }).nullable().optional(),
  /** If too few devices are ready then, or it is still queued, the run ends. Null: it waits as long as it takes. */
  waitUntil: instant.nullable().optional(),
  /** With state queued: the run of the same task that has its turn; it may be waiting itself. */
  queuedBehind: z
    .object({ runId: runIdSchema, number: z.int().min(1), state: runStateSchema })
    .nullable()
    .optional(),
  roundsPlanned: z.int().min(1),
  roundsCommitted: count,
  strategy: strategySchema,
  training: trainingPlanSchema,
  seed: z.int(),
  configHash: hashHexSchema,
  launchedBy: actor,
  createdAt: instant,
  startedAt: instant.nullable(),
  endedAt: instant.nullable(),
  currentRound: roundViewSchema.nullable(),
  /** The round whose model is being evaluated; 0 is the initial model. Absent in runs of older versions. */
  evaluating: count.nullable().optional(),
  /** Central evaluation by committed round; 0 is the initial model. A round whose model has no figures is missing. */
  history: z.array(
    z.object({
      round: count,
      /** By name; absent in runs of older versions. */
      measures: measuresSchema.optional(),
      /** Those of `measures`, under the names that they had first. */
      accuracy: measureSchema,
      loss: measureSchema,
    }),
  ),
  modelHash: hashHexSchema.nullable(),
  /** Rounds still to come times the mean time of the committed ones; null before the first. */
  secondsLeft: z.number().nullable(),
});
export type RunView = z.infer<typeof runViewSchema>;

export const launchSchema = z.strictObject({
  task: taskSlugSchema,
  rounds: z.int().min(1).max(LIMITS.roundsMax),
  /** Chosen by whoever launches, a UUID without dashes: the same launch sent again starts no second run. */
  runId: runIdSchema.optional(),
  strategy: strategySchema.optional(),
  training: trainingPlanSchema.optional(),
  /** Makes the initial model and the server's own draws; a random one where it is absent. */
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .optional(),
  /** Ends the run if too few devices are ready by then, or its turn has not come; without it, it waits. */
  waitUntil: z.iso.datetime({ offset: true }).optional(),
  /** A local name until access control has landed; shown as unverified. */
  actor: z.string().min(1).max(80).default("unverified"),
});
export type Launch = z.input<typeof launchSchema>;

export const actSchema = z.strictObject({ actor: z.string().min(1).max(80).default("unverified") });

export const eventViewSchema = z.object({
  /** Counts from 1 within its round, or within its run where `roundId` is null. */
  sequence: count,
  at: instant,
  roundId: roundIdSchema.nullable(),
  kind: z.string().max(64),
  /** One sentence for people. */
  sentence: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});
export type EventView = z.infer<typeof eventViewSchema>;

/** What `npm run verify` starts from. PROTOCOL.md section 12. */
const roundTranscriptSchema = z.object({
  /** Over everything below and the hashes of the round's models and sum. */
  hash: hashHexSchema,
  sessions: z.array(z.object({ shard: count, hash: hashHexSchema, inputsRoot: hashHexSchema })),
  strategy: strategySchema,
  parentStateHash: hashHexSchema.nullable(),
  strategyStateHash: hashHexSchema.nullable(),
});

/** Opening shares that are kept, each sealed to the auditor's key. */
export const sealedOpeningsSchema = z.object({
  items: z.array(z.object({ position: z.int().min(1), sealed: z.string().regex(/^([0-9a-f]{2})+$/) })),
});

export const roundDetailSchema = roundViewSchema.extend({
  task: taskSlugSchema,
  taskVersion: taskVersionSchema,
  runNumber: z.int().min(1),
  configHash: hashHexSchema,
  roundHash: hashHexSchema,
  sid: hashHexSchema.nullable(),
  /** SHA-256 of the published integer sum (update, weight, sentinels; of each shard that is in it, ascending). */
  sumHash: hashHexSchema.nullable(),
  sumByteCount: count.nullable(),
  weightSum: count.nullable(),
  inputsRoot: hashHexSchema.nullable(),
  /** Absent before the round committed, and in rounds that are older than transcripts. */
  transcript: roundTranscriptSchema.optional(),
  /** By shard, ascending; absent where the round is one sum, and before the rosters. */
  shardList: z.array(shardViewSchema).optional(),
  aggregation: aggregationPlanSchema,
  events: z.array(eventViewSchema),
});
export type RoundDetail = z.infer<typeof roundDetailSchema>;

export const receiptSchema = z.object({
  sid: hashHexSchema,
  position: z.int().min(1),
  sha256: hashHexSchema,
  byteCount: count,
});
export type Receipt = z.infer<typeof receiptSchema>;

export const apiErrorSchema = z.object({
  error: z.object({ code: errorCodeSchema, message: z.string(), retry: z.enum(["now", "later", "never"]) }),
});
