import { z } from "zod";
import { securityModelSchema } from "../cohort/security-model.ts";
import type { DeepReadonly } from "../kernel/deep-readonly.ts";
import type { Seat } from "../kernel/places.ts";
import { errorCodeSchema } from "../protocol/errors.ts";
import { logHeadSchema } from "../protocol/ids.ts";
import { deviceMeasuresSchema, measuresSchema } from "../stats/measure.ts";

/*
 * The events of a round, in the shape of the newest log version; `upcast.ts` converts older ones. The log consists of
 * events: facts and digests only. Sealed shares, opening shares, masked inputs and tensors stay in the store (S11). Each
 * event has `atMs`, monotonic milliseconds since the round opened.
 *
 * | event           | means                                                         | comes from       |
 * | --------------- | ------------------------------------------------------------- | ---------------- |
 * | opened          | the round exists; first in every log                          | the run          |
 * | checked-in      | devices are ready, each with a random lot                     | device           |
 * | connected       | a member has a connection (again)                             | socket           |
 * | disconnected    | a member's last connection is gone                            | socket           |
 * | left            | a member leaves for good                                      | device           |
 * | advertised      | R0, its signature verified                                    | device           |
 * | shared          | R1, its bundle verified and stored                            | device           |
 * | complained      | a share of `against` did not open or match, signed            | device           |
 * | input-received  | R2, verified, on disk, and receipted in the same step         | device           |
 * | confirmed       | R3, its signature verified                                    | device           |
 * | unmask-received | R4, verified and stored; shares off their commitment are named | device          |
 * | combined        | the sum is published or void                                  | the coordinator  |
 * | damaged         | before the opening: inputs on disk differ from their receipts | the coordinator  |
 * | ticked          | time passed                                                   | a timer          |
 * | stopped         | someone stops the run                                         | the run          |
 * | given-up        | a fault ends the run, and its round with it                   | the run          |
 * | restarted       | the coordinator came back; `whole` if nothing is missing     | the coordinator  |
 */
const count = z.int().min(0);
const attempt = z.int().min(1);
const seat = z
  .int()
  .min(1)
  .transform((value) => value as Seat);
const atMs = z.number().min(0);
/** Bytes as lower-case hex, an even number of digits. */
const hex = z.string().regex(/^(?:[0-9a-f]{2})+$/);
/** A digest, root or signature that the machine only compares and passes on. */
const opaque = z.string();

/** The identities of two devices that never sit in one roster again in this run. */
export const forbiddenPairSchema = z.tuple([hex, hex]);
export type ForbiddenPair = DeepReadonly<z.infer<typeof forbiddenPairSchema>>;

/** An `AgreedGraph` without the bounds of today's tasks. */
const graphSchema = z.union([
  z.literal("complete"),
  z.object({ kind: z.literal("shards"), size: z.int().min(1), count: z.int().min(1) }),
  z.object({
    kind: z.literal("k-regular"),
    corruptShare: z.number().min(0).max(1),
    dropoutShare: z.number().min(0).max(1),
  }),
]);

/** The part of the aggregation plan that the round's decisions depend on. */
const roundRulesSchema = z.object({
  goal: z.int().min(1),
  overSelection: z.number().min(1),
  cohortSizeMin: z.int().min(1),
  cohortSizeMax: z.int().min(1),
  securityModel: securityModelSchema,
  deadlines: z.object({
    recruitingMs: count,
    trainingMs: count,
    sharingMs: count,
    collectingMs: count,
    confirmingMs: count,
    unmaskingMs: count,
    graceMs: count,
  }),
  /** Recruiting stays open for at least this long. */
  recruitingMinMs: count,
  /** With shards, the cohort sizes apply to one shard and the goal to the round. */
  graph: graphSchema,
  /**
   * Only in rounds opened before lots decided within a shard: a shard with too many devices takes the first that
   * advertised, and the round invites without checking that its shards fill.
   */
  seatsByArrival: z.literal(true).exactOptional(),
});
export type RoundRules = DeepReadonly<z.infer<typeof roundRulesSchema>>;

/** The first entry of a round's log. */
export const roundOpenedSchema = z.object({
  type: z.literal("opened"),
  runId: z.string(),
  round: z.int().min(1),
  roundId: z.string(),
  /** Unix milliseconds, for people. */
  openedAtUnixMs: z.number(),
  rules: roundRulesSchema,
  configHash: hex,
  roundHash: hex,
  parentModelHash: hex,
  modelByteCount: count,
  forbiddenPairs: z.array(forbiddenPairSchema),
  /** Identities that the run no longer accepts. */
  removed: z.array(hex),
  /** Session ids by attempt, in logs without names of a sparse graph only (A62). In all others they follow from the adverts. */
  sids: z.array(z.strictObject({ attempt, sid: hex })).exactOptional(),
});
export type RoundOpened = DeepReadonly<z.infer<typeof roundOpenedSchema>>;

const checkInSchema = z.object({
  identity: hex,
  /** A random u32 drawn by the coordinator. If too many devices come, the lowest lots are invited. */
  lot: count,
  /** It recently left several rounds, so others come first. Rule R30. */
  askedLast: z.literal(true).exactOptional(),
  /** Its shard, in logs without names only (A62). In all others it follows from the identity. */
  shard: count.exactOptional(),
});
export type CheckIn = DeepReadonly<z.infer<typeof checkInSchema>>;

const checkedInSchema = z.object({
  type: z.literal("checked-in"),
  atMs,
  /** All devices that are ready when a round opens are in one event. */
  devices: z.array(checkInSchema),
  /** Only in logs from before lots were kept, when a device that came back drew a new one. */
  drawsAnew: z.literal(true).exactOptional(),
});
export type CheckedIn = DeepReadonly<z.infer<typeof checkedInSchema>>;

const presenceSchema = z.object({
  type: z.enum(["connected", "disconnected", "left"]),
  atMs,
  identity: hex,
});
export type Presence = DeepReadonly<z.infer<typeof presenceSchema>>;

const advertSchema = z.object({ c: hex, s: hex, bCommit: hex, signature: hex });
export type Advert = DeepReadonly<z.infer<typeof advertSchema>>;

const advertisedSchema = z.object({
  type: z.literal("advertised"),
  atMs,
  attempt,
  identity: hex,
  advert: advertSchema,
});
export type Advertised = DeepReadonly<z.infer<typeof advertisedSchema>>;

const sharedSchema = z.object({
  type: z.literal("shared"),
  atMs,
  attempt,
  seat,
  /** SHA-256 of the stored message. */
  digest: opaque,
});
export type Shared = DeepReadonly<z.infer<typeof sharedSchema>>;

const complainedSchema = z.object({
  type: z.literal("complained"),
  atMs,
  attempt,
  seat,
  against: seat,
});
export type Complained = DeepReadonly<z.infer<typeof complainedSchema>>;

const inputReceivedSchema = z.object({
  type: z.literal("input-received"),
  atMs,
  attempt,
  seat,
  sha256: opaque,
  root: opaque,
  /** The public log as the device saw it when it signed; absent without a log. */
  log: logHeadSchema.exactOptional(),
});
export type InputReceived = DeepReadonly<z.infer<typeof inputReceivedSchema>>;

const confirmedSchema = z.object({
  type: z.literal("confirmed"),
  atMs,
  attempt,
  seat,
  signature: opaque,
});
export type Confirmed = DeepReadonly<z.infer<typeof confirmedSchema>>;

const unmaskReceivedSchema = z.object({
  type: z.literal("unmask-received"),
  atMs,
  attempt,
  seat,
  digest: opaque,
  /** Owners whose share differs from the one that was dealt. `seat` is to blame, and these shares do not count (S9). */
  offCommitment: z.array(seat),
});
export type UnmaskReceived = DeepReadonly<z.infer<typeof unmaskReceivedSchema>>;

const damagedSchema = z.object({
  type: z.literal("damaged"),
  atMs,
  attempt,
  /** Ascending. */
  seats: z.array(seat),
});
export type Damaged = DeepReadonly<z.infer<typeof damagedSchema>>;

const publishedMetricsSchema = z.object({
  /** Central evaluation, in logs older than the run's `evaluated`. */
  measures: measuresSchema.exactOptional(),
  deviceMeasures: deviceMeasuresSchema,
  /** In the unit of the weights. */
  updateNormL2: z.number(),
});

const publishedShardSchema = z.object({
  shard: count,
  survivors: count,
  weightSum: z.number(),
  inputsRoot: opaque,
});
export type PublishedShard = DeepReadonly<z.infer<typeof publishedShardSchema>>;

const shardLeftOutSchema = z.object({
  shard: count,
  code: errorCodeSchema,
  /** See `VoidResult`. */
  dealers: z.array(hex),
});
export type ShardLeftOut = DeepReadonly<z.infer<typeof shardLeftOutSchema>>;

const publishedTranscriptSchema = z.object({
  /** See `roundTranscriptHash`. */
  hash: opaque,
  /** In the order of the published sum. */
  sessions: z.array(z.object({ shard: count, hash: opaque })),
  /** Hash of the strategy's state before this round. */
  parentStateHash: opaque.nullable(),
});
/** Where an outsider's check starts. PROTOCOL.md section 12. */
export type PublishedTranscript = DeepReadonly<z.infer<typeof publishedTranscriptSchema>>;

const publicationSchema = z.object({
  kind: z.literal("committed"),
  modelHash: opaque,
  strategyStateHash: opaque.nullable(),
  /** Hash of the integer sum: update, weight and sentinels of each shard that is in it, one after the other. */
  sumHash: opaque,
  sumByteCount: count,
  weightSum: z.number(),
  /** Root over the survivors' input roots in order of position. With several shards, the root over the shards' roots. */
  inputsRoot: opaque,
  metrics: publishedMetricsSchema,
  /** The shards in the sum, in the order in which they are published; absent if there is only one. */
  shards: z.array(publishedShardSchema).exactOptional(),
  /** Shards that are not included because their sum was bad; absent if there are none. */
  leftOut: z.array(shardLeftOutSchema).exactOptional(),
  /** Null in rounds older than transcripts. */
  transcript: publishedTranscriptSchema.nullable(),
});
/** What was published. All of it is in the blob store before the event is written. */
export type Publication = DeepReadonly<z.infer<typeof publicationSchema>>;

const voidResultSchema = z.object({
  kind: z.literal("voided"),
  code: errorCodeSchema,
  /** Identities whose secrets did not match what they had announced. */
  dealers: z.array(hex),
});
export type VoidResult = DeepReadonly<z.infer<typeof voidResultSchema>>;
export type CombineResult = Publication | VoidResult;

const combinedSchema = z.object({
  type: z.literal("combined"),
  atMs,
  attempt,
  result: z.discriminatedUnion("kind", [publicationSchema, voidResultSchema]),
});
export type Combined = DeepReadonly<z.infer<typeof combinedSchema>>;

export const roundEventSchema = z.discriminatedUnion("type", [
  checkedInSchema,
  presenceSchema,
  advertisedSchema,
  sharedSchema,
  complainedSchema,
  inputReceivedSchema,
  confirmedSchema,
  unmaskReceivedSchema,
  combinedSchema,
  damagedSchema,
  z.object({ type: z.literal("ticked"), atMs }),
  z.object({ type: z.literal("stopped"), atMs }),
  z.object({ type: z.literal("given-up"), atMs, code: errorCodeSchema }),
  z.object({ type: z.literal("restarted"), atMs, whole: z.boolean() }),
]);
export type RoundEvent = DeepReadonly<z.infer<typeof roundEventSchema>>;
