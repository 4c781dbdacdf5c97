import { z } from "zod";
import { ROUND_PHASES, RUN_PHASES } from "../round/phases.ts";
import { deviceMeasuresSchema, measuresSchema } from "../stats/measure.ts";
import { strategySchema } from "../strategy/index.ts";
import { aggregationPlanSchema } from "../task/aggregation-plan.ts";
import { archivedSchema, effectiveSettingsSchema } from "../task/effective-settings.ts";
import {
  heldOutCardSchema,
  heldOutFormatSchema,
  heldOutLayoutSchema,
  heldOutSetSchema,
} from "../task/held-out.ts";
import { unitSchema } from "../task/sentence.ts";
import { taskSchema } from "../task/task.ts";
import { trainingPlanSchema } from "../task/training-plan.ts";
import { modelNumberSchema } from "./aliases.ts";
import { errorCodeSchema, wireErrorSchema } from "./errors.ts";
import {
  hashHexSchema,
  logOriginSchema,
  positionSchema,
  roundIdSchema,
  runIdSchema,
  taskSlugSchema,
  taskVersionSchema,
} from "./ids.ts";
import { inUseSchema } from "./in-use.ts";
import { LIMITS } from "./limits.ts";
import { ownCodeSchema } from "./own-code.ts";

/*
 * What the public API under /api/v1 and the /dash socket show: counts, times and sums, never a device. The dashboard uses
 * nothing else, so a script can do whatever the dashboard can. Times are ISO 8601 in UTC; names of durations in seconds
 * end in S.
 *
 * The routes are in the OpenAPI description, GET /api/v1/openapi.json. It is made from the list of endpoints in
 * coordinator/adapters/http/api/list.ts, so it needs no line here.
 *
 * Socket /dash: emit "watch" {runId} or {all: true} with an acknowledgement; receive "run" RunView, "round" RoundView
 * (at most once a second while the round is open), "event" EventView.
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
  /** WIRE_VERSION of the coordinator; absent in earlier ones. Rule W14. */
  wire: z.int().min(1).optional(),
  projectId: z.string(),
  database: z.enum(["embedded", "postgresql"]),
  startedAt: instant,
  /** Base address of the join page for other devices. `secureContext` says if it works there (HTTPS or this machine). */
  joinBaseUrl: z.string(),
  secureContext: z.boolean(),
  /** SHA-256 of the certificate at /ca.crt, which devices have to trust first. Absent if the usual authorities do. */
  authorityFingerprint: z
    .string()
    .regex(/^[0-9A-F]{2}(?::[0-9A-F]{2}){31}$/)
    .optional(),
  issuerKey: hashHexSchema,
  /** First key of the public log; zeros: there is none. */
  logKey: hashHexSchema,
  /** Name of the log; absent without one. */
  logOrigin: logOriginSchema.optional(),
});
export type Status = z.infer<typeof statusSchema>;

export const runStateSchema = z.enum(RUN_PHASES);

const waitingSchema = z.object({ since: instant, ready: count, needed: count });

/** Held-out rows in use, as seen by one version. */
export const heldOutViewSchema = heldOutSetSchema.extend({
  /** False if the rows do not fit this version's columns or labels: its models are then judged on devices alone. */
  isUsed: z.boolean(),
});
export type HeldOutView = z.infer<typeof heldOutViewSchema>;

export const taskViewSchema = z.object({
  task: taskSchema,
  taskHash: hashHexSchema,
  /** Where roles decide who may change and launch it. Absent from coordinators of earlier versions. */
  projectId: z.string().exactOptional(),
  /** Settings of the slug, which are not part of the version. Absent from coordinators of earlier versions. */
  settings: effectiveSettingsSchema.optional(),
  /** Null: only the rows that devices keep back judge its models. Absent from coordinators of earlier versions. */
  heldOut: heldOutViewSchema.nullable().optional(),
  /** Set if the task is off the list and takes no devices. Absent from coordinators of earlier versions. */
  archived: archivedSchema.nullable().optional(),
  parameterCount: count,
  vectorLength: count,
  /** Bits of the masked list per weight of the model, including the padding of a rotation. */
  bitsPerWeight: z.number(),
  /** Devices connected for this task now. */
  deviceCount: count,
  /** Of these, devices that agreed to this version and have data for it. Absent from coordinators of earlier versions. */
  agreedCount: count.exactOptional(),
  activeRunId: runIdSchema.nullable(),
  /** What a device that waits is told of that run, without an account. Absent from coordinators of earlier versions. */
  activeRun: z.object({ state: runStateSchema, waiting: waitingSchema.nullable() }).nullable().optional(),
  /** The model in use; null before the first round has committed. Absent from coordinators of earlier versions. */
  inUse: inUseSchema.nullable().exactOptional(),
  /** Of the model in use. If it was not promoted: of the newest committed round that has figures, in the newest run. */
  measures: measuresSchema.nullable(),
  /** The held-out set of these measures; absent if there are none, or if they are older than names of sets. */
  measuredOn: hashHexSchema.exactOptional(),
  /** Of the model in use. */
  latestModelHash: hashHexSchema.nullable(),
  createdAt: instant,
  createdBy: actor,
});
export type TaskView = z.infer<typeof taskViewSchema>;

/** Begins an upload of held-out rows. */
export const heldOutBeginSchema = z
  .strictObject({
    format: heldOutFormatSchema,
    /** Of an IDX pair, as its files are named. Default: row by row, counted from 0. */
    layout: heldOutLayoutSchema.exactOptional(),
    byteCount: z.int().min(1).max(LIMITS.heldOutByteCountMax),
    card: heldOutCardSchema,
  })
  .refine(({ format, layout }) => layout === undefined || format === "idx", {
    path: ["layout"],
    error: "only an IDX pair has a layout; leave it out",
  });
export type HeldOutBegin = z.infer<typeof heldOutBeginSchema>;

/** Names an upload for as long as the coordinator runs. */
export const uploadIdSchema = z.string().regex(/^[0-9a-f]{32}$/, "32 lower-case hex digits");

/** How far an upload of held-out rows is. Nothing is stored unless every row fits. */
export const heldOutUploadSchema = z.object({
  uploadId: uploadIdSchema,
  task: taskSlugSchema,
  format: heldOutFormatSchema,
  byteCount: count,
  /**
   * receiving, then checking, then set: the rows judge the task's models. Or refused, with the reason, also if nothing is
   * sent for too long; or stopped, by a person or because a newer upload took its place.
   */
  state: z.enum(["receiving", "checking", "set", "refused", "stopped"]),
  /** Bytes that have arrived: where to continue. */
  receivedByteCount: count,
  rowsChecked: count,
  /** Of the bytes, from 0 to 1. */
  checkedShare: z.number().min(0).max(1),
  /** With state refused. */
  refusal: z
    .object({
      error: wireErrorSchema,
      /** The first rows that do not fit. `row` counts from 1; null for a picture that is a file of its own. */
      problems: z.array(z.object({ row: count.nullable(), sentence: z.string() })),
    })
    .nullable(),
  /** With state set. */
  set: heldOutSetSchema.nullable(),
});
export type HeldOutUpload = z.infer<typeof heldOutUploadSchema>;

/** A version as it was created. */
export const taskCreatedSchema = taskViewSchema.extend({
  /** Why the held-out rows in use do not judge this version, and what to do; absent if they do or there are none. */
  heldOutFault: z.string().exactOptional(),
});
export type TaskCreated = z.infer<typeof taskCreatedSchema>;

export const heldOutStateSchema = z.object({
  /** The set in use, as seen by the newest version; null without one. */
  set: heldOutViewSchema.nullable(),
  /** Newest first; only those of this run of the coordinator. */
  uploads: z.array(heldOutUploadSchema),
});

export type HeldOutState = z.infer<typeof heldOutStateSchema>;

/** What archiving would do, or has done. */
export const archiveViewSchema = z.object({
  archived: archivedSchema.nullable(),
  /** What the log says of it, or will say if `archived` is null. */
  sentence: z.string(),
});

export type ArchiveView = z.infer<typeof archiveViewSchema>;

/** What people decided about a task, newest first. */
export const taskHistorySchema = z.object({
  items: z.array(z.object({ at: instant, type: z.string(), sentence: z.string() })),
});
export type TaskHistory = z.infer<typeof taskHistorySchema>;

/** Bytes of one device in one round, by step of the protocol. */
export const trafficSchema = z.object({
  step: z.enum(["model", "keys", "shares", "input", "confirmation", "opening"]),
  upByteCount: count,
  downByteCount: count,
});
export type Traffic = z.infer<typeof trafficSchema>;

export const phaseSchema = z.enum(ROUND_PHASES);
export type Phase = z.infer<typeof phaseSchema>;

/** Cumulative counts at the end of second `atS` since the round opened. A score is drawn from these alone. */
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
  /** Session of the newest attempt; null if the shard had too few devices for one. */
  sid: hashHexSchema.nullable(),
  /** |U1|, |U2|, |U3|; null before they are fixed. The last two are also null if the shard is left out. */
  advertised: count.nullable(),
  shared: count.nullable(),
  survivors: count.nullable(),
  /** q: masked updates that must be in for this shard to count. */
  threshold: count.nullable(),
  /** Why the shard is left out of the published sum. Its own sum was never opened, unless the sum itself was bad. */
  leftOut: errorCodeSchema.nullable(),
});

export const roundViewSchema = z.object({
  roundId: roundIdSchema,
  runId: runIdSchema,
  /** 1-based. */
  round: z.int().min(1),
  attempt: z.int().min(1),
  phase: phaseSchema,
  /** Set in phases voided and failed. */
  code: errorCodeSchema.nullable(),
  /** True if shares that open the sum were ever requested. */
  opened: z.boolean(),
  openedAt: instant,
  endedAt: instant.nullable(),
  /** In seconds since the round opened: now, the deadline of the current phase, and the ends of finished phases. */
  nowS: z.number(),
  deadlineS: z.number().nullable(),
  phaseEndsS: z.partialRecord(phaseSchema, z.number()),
  joined: count,
  /** Devices among them that are invited last because they left `departures` rounds within `minutes`; absent if none. */
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
  /** q: masked updates needed, summed over the shards that are in the round; null before the roster. */
  threshold: count.nullable(),
  /** Number of sums that the round is split into, and how many are left out; absent if there is only one. */
  shards: z.object({ count, leftOut: count }).optional(),
  goal: count,
  counts: z.array(countsSchema),
  traffic: z.array(trafficSchema),
  parentModelHash: hashHexSchema,
  modelHash: hashHexSchema.nullable(),
  /** Number of its model among those of the task; absent before it has committed. */
  version: modelNumberSchema.exactOptional(),
  /** Measures by name. Null until the model is evaluated, during the next round. */
  measures: measuresSchema.nullable(),
  /** The held-out set of these measures; absent without measures and in rounds of older versions. */
  measuredOn: hashHexSchema.exactOptional(),
  /** The full report of the evaluation (`GET /api/v1/rounds/{roundId}/report`); absent without measures and in older rounds. */
  reportHash: hashHexSchema.exactOptional(),
  /** Why the model of this round has no figures and will get none; absent in rounds of older versions. */
  notEvaluated: errorCodeSchema.nullable().optional(),
  /** From the sum, on the devices' own validation rows: of the parent model, and after local training. Empty without a sum. */
  deviceMeasures: deviceMeasuresSchema,
  /** L2 norm of the mean update, in the unit of the weights. */
  updateNormL2: z.number().nullable(),
});
export type RoundView = z.infer<typeof roundViewSchema>;

export const runNoticeSchema = z.object({ code: errorCodeSchema, message: z.string() });
export type RunNotice = z.infer<typeof runNoticeSchema>;

/** Figures of different sets are never compared. Absent in runs of older versions. */
const measuredOn = { measuredOn: hashHexSchema.exactOptional() };

export const runViewSchema = z.object({
  runId: runIdSchema,
  /** Counts the runs of its task from 1. */
  number: z.int().min(1),
  task: taskSlugSchema,
  taskVersion: taskVersionSchema,
  state: runStateSchema,
  /** Pause or stop was requested and takes effect after the current round. */
  pausing: z.boolean(),
  code: errorCodeSchema.nullable(),
  /** Who stopped the run or archived its task, once that was asked for; absent in runs of older versions. */
  endedBy: actor.nullable().optional(),
  /** Why an open run makes no progress, and what its operator can do; null or absent if it makes progress. */
  notice: runNoticeSchema.nullable().optional(),
  /** In state waiting: since when, how many devices are ready now, and how many a round needs. */
  waiting: waitingSchema.nullable().optional(),
  /** The run ends if at this time too few devices are ready or it is still queued. Null: it waits indefinitely. */
  waitUntil: instant.nullable().optional(),
  /** In state queued: the run of the same task whose turn it is. That run may be waiting itself. */
  queuedBehind: z
    .object({ runId: runIdSchema, number: z.int().min(1), state: runStateSchema })
    .nullable()
    .optional(),
  roundsPlanned: z.int().min(1),
  roundsCommitted: count,
  strategy: strategySchema,
  training: trainingPlanSchema,
  seed: z.int(),
  /** The version of the task's models with which the run begins. Absent: a new model from its seed. */
  beginsWith: z.object({ version: z.int().min(1), modelHash: hashHexSchema }).exactOptional(),
  configHash: hashHexSchema,
  /** What the coordinator ran and served when the run was launched; absent in runs of older versions. */
  launchedWith: ownCodeSchema.exactOptional(),
  launchedBy: actor,
  createdAt: instant,
  startedAt: instant.nullable(),
  endedAt: instant.nullable(),
  currentRound: roundViewSchema.nullable(),
  /** Number of the newest round, given up or not, 0 before the first; absent in runs of older versions. */
  newestRound: count.optional(),
  /** Number of the round whose sum became the newest model, 0 before the first; absent in runs of older versions. */
  newestVersion: count.optional(),
  /** Number of that model among those of the task, null before the first; absent in runs of older versions. */
  candidate: modelNumberSchema.nullable().optional(),
  /** The round whose model is being evaluated, 0 for the initial model; absent in runs of older versions. */
  evaluating: count.nullable().optional(),
  /** Central evaluation by committed round, 0 for the initial model. Rounds whose model has no figures are missing. */
  history: z.array(z.object({ round: count, measures: measuresSchema, ...measuredOn })),
  /**
   * On the rows that devices keep back, by the round whose model was measured: the sums of the round after it. The newest
   * model has no figures before the next round. Absent from runs of older versions.
   */
  deviceHistory: z.array(z.object({ round: count, measures: measuresSchema })).exactOptional(),
  modelHash: hashHexSchema.nullable(),
  /** Remaining rounds times the mean duration of the committed ones; null before the first. */
  secondsLeft: z.number().nullable(),
});
export type RunView = z.infer<typeof runViewSchema>;

export const launchSchema = z.strictObject({
  task: taskSlugSchema,
  rounds: z.int().min(1).max(LIMITS.roundsMax),
  /** Chosen by the launcher, a UUID without dashes. If the same launch is sent again, no second run starts. */
  runId: runIdSchema.optional(),
  strategy: strategySchema.optional(),
  training: trainingPlanSchema.optional(),
  /** Seed of the initial model and of the server's own draws. Random if absent. */
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .optional(),
  /**
   * A version of the task's models to begin with; a new model if absent. Its tensors must be those of the task's newest
   * version.
   */
  beginWith: z.int().min(1).optional(),
  /** Ends the run if at this time too few devices are ready or its turn has not come. If absent, the run waits. */
  waitUntil: z.iso.datetime({ offset: true }).optional(),
});
export type Launch = z.input<typeof launchSchema>;

export const eventViewSchema = z.object({
  /** Counts from 1 within its round, or within its run if `roundId` is null. */
  sequence: count,
  at: instant,
  roundId: roundIdSchema.nullable(),
  kind: z.string().max(64),
  /** One sentence for people. */
  sentence: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  /** Of a model that was evaluated, by the measure's name. */
  figures: z.record(z.string(), z.number()).exactOptional(),
  /** Of figures that have one, by the measure's name: the unit of a number that the task learns. */
  units: z.record(z.string(), unitSchema).exactOptional(),
});
export type EventView = z.infer<typeof eventViewSchema>;

/** Where `npm run verify` starts. PROTOCOL.md section 12. */
const roundTranscriptSchema = z.object({
  /** Covers the fields below and the hashes of the round's models and sum. */
  hash: hashHexSchema,
  sessions: z.array(z.object({ shard: count, hash: hashHexSchema, inputsRoot: hashHexSchema })),
  strategy: strategySchema,
  parentStateHash: hashHexSchema.nullable(),
  strategyStateHash: hashHexSchema.nullable(),
});

/** The kept opening shares, each sealed to the auditor's key. */
export const sealedOpeningsSchema = z.object({
  items: z.array(z.object({ position: positionSchema, sealed: z.string().regex(/^([0-9a-f]{2})+$/) })),
});

export const roundDetailSchema = roundViewSchema.extend({
  task: taskSlugSchema,
  taskVersion: taskVersionSchema,
  runNumber: z.int().min(1),
  configHash: hashHexSchema,
  roundHash: hashHexSchema,
  sid: hashHexSchema.nullable(),
  /** SHA-256 of the published integer sum (update, weight and sentinels, for each shard that is in it, ascending). */
  sumHash: hashHexSchema.nullable(),
  sumByteCount: count.nullable(),
  weightSum: count.nullable(),
  inputsRoot: hashHexSchema.nullable(),
  /** Absent before the round has committed, and in rounds older than transcripts. */
  transcript: roundTranscriptSchema.optional(),
  /** True while its transcript is kept for an auditor; absent unless it has one. */
  kept: z.boolean().exactOptional(),
  /** By shard, ascending; absent if the round is one sum, and before the rosters. */
  shardList: z.array(shardViewSchema).optional(),
  aggregation: aggregationPlanSchema,
  events: z.array(eventViewSchema),
});
export type RoundDetail = z.infer<typeof roundDetailSchema>;

/** A round's own log without what names devices, for whoever replays it. Facts are those of `round/event.ts`. */
export const roundLogSchema = z.object({
  items: z.array(
    z.object({
      sequence: count,
      event: z.object({ version: count, fact: z.looseObject({ type: z.string().max(64) }) }),
    }),
  ),
});

export const receiptSchema = z.object({
  sid: hashHexSchema,
  position: positionSchema,
  sha256: hashHexSchema,
  byteCount: count,
});
export type Receipt = z.infer<typeof receiptSchema>;

export const apiErrorSchema = z.object({ error: z.object(wireErrorSchema.shape) });
