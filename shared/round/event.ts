import { z } from "zod";
import type { DeepReadonly } from "../kernel/deep-readonly.ts";
import { errorCodeSchema } from "../protocol/errors.ts";
import { measureSchema, measuresSchema } from "../stats/measure.ts";

/*
 * What happens to a round, in the shape that the newest version of the log has; `upcast.ts` makes it from older ones.
 * Events are the log: facts and digests only. Sealed shares, opening shares, masked inputs and tensors stay in the store
 * (S11). Each event carries `atMs`, monotonic milliseconds since the round opened. A position, and an owner of a share,
 * is a seat of the round: seats are numbered through all its shards.
 *
 * | event           | means                                                         | comes from       |
 * | --------------- | ------------------------------------------------------------- | ---------------- |
 * | opened          | the round exists; first in every log                          | the run          |
 * | checked-in      | devices are ready, each with a random lot                     | device           |
 * | connected       | a member's connection is there (again)                        | socket           |
 * | disconnected    | a member's last connection is gone                            | socket           |
 * | left            | a member goes for good                                        | device           |
 * | advertised      | R0, its signature verified                                    | device           |
 * | shared          | R1, its bundle verified and stored                            | device           |
 * | complained      | a share of `against` did not open or match, signed            | device           |
 * | input-received  | R2, verified, on disk, and receipted in the same step         | device           |
 * | confirmed       | R3, its signature verified                                    | device           |
 * | unmask-received | R4, verified and stored; shares off their commitment are named | device          |
 * | combined        | the sum is published, or void                                 | the coordinator  |
 * | damaged         | inputs on disk are not what was receipted, before the opening | the coordinator  |
 * | ticked          | time passed                                                   | a timer          |
 * | stopped         | someone stops the run                                         | the run          |
 * | given-up        | the run ends by a fault, and its round with it                | the run          |
 * | restarted       | the coordinator came back; `whole` if nothing is missing     | the coordinator  |
 */
const count = z.int().min(0);
const attempt = z.int().min(1);
const seat = z.int().min(1);
const atMs = z.number().min(0);
/** Bytes as lower-case hex, an even number of digits. */
const hex = z.string().regex(/^(?:[0-9a-f]{2})+$/);
/** A digest, root or signature that the machine only compares and hands on. */
const opaque = z.string();

/** Two devices, by identity, that never share a roster again in this run. */
export const forbiddenPairSchema = z.tuple([hex, hex]);
export type ForbiddenPair = DeepReadonly<z.infer<typeof forbiddenPairSchema>>;

/** An `AgreedGraph`, without the bounds that a task of today has to keep. */
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
  securityModel: z.enum(["active", "honest-but-curious"]),
  deadlines: z.object({
    recruitingMs: count,
    trainingMs: count,
    sharingMs: count,
    collectingMs: count,
    confirmingMs: count,
    unmaskingMs: count,
    graceMs: count,
  }),
  /** Recruiting stays open at least this long. */
  recruitingMinMs: count,
  /** With shards the cohort sizes are of one shard and the goal is of the round. */
  graph: graphSchema,
  /**
   * Only in rounds that were opened before lots decided within a shard: a shard with too many devices takes the first
   * that advertised, and a round invites without asking whether its shards fill.
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
  /** Identities that the run no longer takes. */
  removed: z.array(hex),
});
export type RoundOpened = DeepReadonly<z.infer<typeof roundOpenedSchema>>;

const checkInSchema = z.object({
  identity: hex,
  /** A random u32 of the coordinator: if more came than fit, the lowest lots are invited. */
  lot: count,
  /** It left several rounds of late: others come first. Rule R30. */
  askedLast: z.literal(true).exactOptional(),
});
export type CheckIn = DeepReadonly<z.infer<typeof checkInSchema>>;

const checkedInSchema = z.object({
  type: z.literal("checked-in"),
  atMs,
  /** Those who are ready when a round opens stand in one event. */
  devices: z.array(checkInSchema),
  /** Only in logs from before lots were kept: a device that left and came back drew a new one. */
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
  position: seat,
  /** SHA-256 of the stored message. */
  digest: opaque,
});
export type Shared = DeepReadonly<z.infer<typeof sharedSchema>>;

const complainedSchema = z.object({
  type: z.literal("complained"),
  atMs,
  attempt,
  position: seat,
  against: seat,
});
export type Complained = DeepReadonly<z.infer<typeof complainedSchema>>;

const inputReceivedSchema = z.object({
  type: z.literal("input-received"),
  atMs,
  attempt,
  position: seat,
  sha256: opaque,
  root: opaque,
});
export type InputReceived = DeepReadonly<z.infer<typeof inputReceivedSchema>>;

const confirmedSchema = z.object({
  type: z.literal("confirmed"),
  atMs,
  attempt,
  position: seat,
  signature: opaque,
});
export type Confirmed = DeepReadonly<z.infer<typeof confirmedSchema>>;

const unmaskReceivedSchema = z.object({
  type: z.literal("unmask-received"),
  atMs,
  attempt,
  position: seat,
  digest: opaque,
  /** Owners whose share is not the one that was dealt: `position` is to blame, and these shares do not count (S9). */
  offCommitment: z.array(seat),
});
export type UnmaskReceived = DeepReadonly<z.infer<typeof unmaskReceivedSchema>>;

const damagedSchema = z.object({
  type: z.literal("damaged"),
  atMs,
  attempt,
  /** Ascending. */
  positions: z.array(seat),
});
export type Damaged = DeepReadonly<z.infer<typeof damagedSchema>>;

const publishedMetricsSchema = z.object({
  /** Of central evaluation, in logs that are older than the run's `evaluated`. */
  measures: measuresSchema.exactOptional(),
  deviceAccuracyBefore: measureSchema.nullable(),
  deviceAccuracyAfter: measureSchema.nullable(),
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
  /** As in `VoidResult`. */
  dealers: z.array(hex),
});
export type ShardLeftOut = DeepReadonly<z.infer<typeof shardLeftOutSchema>>;

const publishedTranscriptSchema = z.object({
  /** See `roundTranscriptHash`. */
  hash: opaque,
  /** In the order of the published sum. */
  sessions: z.array(z.object({ shard: count, hash: opaque })),
  /** Of the strategy before this round. */
  parentStateHash: opaque.nullable(),
});
/** What an outsider starts from; PROTOCOL.md section 12. */
export type PublishedTranscript = DeepReadonly<z.infer<typeof publishedTranscriptSchema>>;

const publicationSchema = z.object({
  kind: z.literal("committed"),
  modelHash: opaque,
  strategyStateHash: opaque.nullable(),
  /** Of the integer sum: update, weight, sentinels; of each shard that is in it, one after the other. */
  sumHash: opaque,
  sumByteCount: count,
  weightSum: z.number(),
  /** Over the survivors' input roots in order of position; with several shards over the roots of these. */
  inputsRoot: opaque,
  metrics: publishedMetricsSchema,
  /** What the sum is made of, in the order in which it is published; absent if it is one. */
  shards: z.array(publishedShardSchema).exactOptional(),
  /** Shards whose sum was bad and is not in; absent if there are none. */
  leftOut: z.array(shardLeftOutSchema).exactOptional(),
  /** Null in rounds that are older than transcripts. */
  transcript: publishedTranscriptSchema.nullable(),
});
/** What was published, all of it already in the blob store when the event is written. */
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
export type RoundEventType = RoundEvent["type"];
