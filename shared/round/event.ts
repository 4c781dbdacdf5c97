import type { ErrorCode } from "../protocol/errors.ts";
import type { SecurityModel } from "../secagg/threshold.ts";
import type { GraphPlan } from "../task/graph-plan.ts";
import type { Deadlines } from "../task/task.ts";

/*
 * What happens to a round. Events are the log: facts and digests only. Sealed shares, opening shares, masked inputs and
 * tensors stay in the store (S11). Each carries `atMs`, monotonic milliseconds since the round opened. A position, and
 * an owner of a share, is a seat of the round: numbered through all its shards.
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
 * | restarted       | the coordinator came back; `whole` where nothing is missing   | the coordinator  |
 */
export type RoundEvent =
  | CheckedIn
  | Presence
  | Advertised
  | Shared
  | Complained
  | InputReceived
  | Confirmed
  | UnmaskReceived
  | Combined
  | Damaged
  | { readonly type: "ticked"; readonly atMs: number }
  | { readonly type: "stopped"; readonly atMs: number }
  | { readonly type: "given-up"; readonly atMs: number; readonly code: ErrorCode }
  | { readonly type: "restarted"; readonly atMs: number; readonly whole: boolean };

export type RoundEventType = RoundEvent["type"];

/** Two devices, by identity, that never share a roster again in this run. */
export type ForbiddenPair = readonly [string, string];

/** The first entry of a round's log. */
export interface RoundOpened {
  readonly type: "opened";
  readonly runId: string;
  readonly round: number;
  readonly roundId: string;
  /** Unix milliseconds, for people. */
  readonly openedAtUnixMs: number;
  readonly rules: RoundRules;
  readonly configHash: string;
  readonly roundHash: string;
  readonly parentModelHash: string;
  readonly modelByteCount: number;
  readonly forbiddenPairs: readonly ForbiddenPair[];
  /** Identities that the run no longer takes. */
  readonly removed: readonly string[];
}

/** The part of the aggregation plan that the round's decisions depend on. */
export interface RoundRules {
  readonly goal: number;
  readonly overSelection: number;
  readonly cohortSizeMin: number;
  readonly cohortSizeMax: number;
  readonly securityModel: SecurityModel;
  readonly deadlines: Deadlines;
  /** Recruiting stays open at least this long; absent in logs from before it could be chosen, where it was 2,000. */
  readonly recruitingMinMs?: number;
  /** Complete where absent. With shards the cohort sizes are of one shard and the goal is of the round. */
  readonly graph?: GraphPlan;
}

export interface CheckIn {
  readonly identity: string;
  /** A random u32 of the coordinator: where more came than fit, the lowest lots are invited. */
  readonly lot: number;
  /** It left several rounds of late: others come first. Rule R30. */
  readonly askedLast?: true;
}
/** Those who are ready when a round opens stand in one event. */
export type CheckedIn =
  | { readonly type: "checked-in"; readonly atMs: number; readonly devices: readonly CheckIn[] }
  /** In logs from before they did. */
  | ({ readonly type: "checked-in"; readonly atMs: number } & CheckIn);
export interface Presence {
  readonly type: "connected" | "disconnected" | "left";
  readonly atMs: number;
  readonly identity: string;
}
/** All hex. */
export interface Advert {
  readonly c: string;
  readonly s: string;
  readonly bCommit: string;
  readonly signature: string;
}
export interface Advertised {
  readonly type: "advertised";
  readonly atMs: number;
  readonly attempt: number;
  readonly identity: string;
  readonly advert: Advert;
}
export interface Shared {
  readonly type: "shared";
  readonly atMs: number;
  readonly attempt: number;
  readonly position: number;
  /** SHA-256 of the stored message. */
  readonly digest: string;
}
export interface Complained {
  readonly type: "complained";
  readonly atMs: number;
  readonly attempt: number;
  readonly position: number;
  readonly against: number;
}
export interface InputReceived {
  readonly type: "input-received";
  readonly atMs: number;
  readonly attempt: number;
  readonly position: number;
  readonly sha256: string;
  /** Root over the 64-KiB chunks. */
  readonly root: string;
}
export interface Confirmed {
  readonly type: "confirmed";
  readonly atMs: number;
  readonly attempt: number;
  readonly position: number;
  readonly signature: string;
}
export interface UnmaskReceived {
  readonly type: "unmask-received";
  readonly atMs: number;
  readonly attempt: number;
  readonly position: number;
  readonly digest: string;
  /** Owners whose share is not the one that was dealt: `position` is to blame, and these shares do not count (S9). */
  readonly offCommitment: readonly number[];
}
export interface Damaged {
  readonly type: "damaged";
  readonly atMs: number;
  readonly attempt: number;
  /** Ascending. */
  readonly positions: readonly number[];
}
export interface Combined {
  readonly type: "combined";
  readonly atMs: number;
  readonly attempt: number;
  readonly result: CombineResult;
}

export type CombineResult = Publication | VoidResult;

/** What was published, all of it already in the blob store when the event is written. */
export interface Publication {
  readonly kind: "committed";
  readonly modelHash: string;
  readonly strategyStateHash: string | null;
  /** Of the integer sum: update, weight, sentinels; of each shard that is in it, one after the other. */
  readonly sumHash: string;
  readonly sumByteCount: number;
  readonly weightSum: number;
  /** Over the survivors' input roots in order of position; with several shards over the roots of these. */
  readonly inputsRoot: string;
  readonly metrics: PublishedMetrics;
  /** What the sum is made of, in the order in which it is published; absent where it is one. */
  readonly shards?: readonly PublishedShard[];
  /** Shards whose sum was bad and is not in; none where absent. */
  readonly leftOut?: readonly ShardLeftOut[];
  /** Absent in logs that are older than transcripts. */
  readonly transcript?: PublishedTranscript;
}
export interface PublishedShard {
  readonly shard: number;
  readonly survivors: number;
  readonly weightSum: number;
  readonly inputsRoot: string;
}
export interface ShardLeftOut {
  readonly shard: number;
  readonly code: ErrorCode;
  /** As in `VoidResult`. */
  readonly dealers: readonly string[];
}
/** What an outsider starts from; PROTOCOL.md section 12. */
export interface PublishedTranscript {
  /** See `roundTranscriptHash`. */
  readonly hash: string;
  /** In the order of the published sum. */
  readonly sessions: readonly { readonly shard: number; readonly hash: string }[];
  /** Of the strategy before this round. */
  readonly parentStateHash: string | null;
}
export interface VoidResult {
  readonly kind: "voided";
  readonly code: ErrorCode;
  /** Identities whose secrets did not match what they had announced. */
  readonly dealers: readonly string[];
}

/** A mean with the half width of its 95 % interval over `count` rows. */
export interface MeasureFact {
  readonly value: number;
  readonly halfWidth95: number;
  readonly count: number;
}
interface PublishedMetrics {
  /** Of central evaluation, in logs that are older than the run's `evaluated`. */
  readonly accuracy?: MeasureFact;
  readonly loss?: MeasureFact;
  readonly deviceAccuracyBefore: MeasureFact | null;
  readonly deviceAccuracyAfter: MeasureFact | null;
  /** In the unit of the weights. */
  readonly updateNormL2: number;
}
