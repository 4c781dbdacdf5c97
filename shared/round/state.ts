import type { VersionedMap } from "../kernel/versioned-map.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { Thresholds } from "../secagg/threshold.ts";
import type { Advert, ForbiddenPair, Publication, RoundOpened } from "./event.ts";

/*
 * Where a round is. A state carries only what is valid in it.
 *
 * recruiting -> training -> advertising -> sharing -> collecting -> confirming -> unmasking -> committed | voided
 *                               ^_______________________________________|
 *                               attempt + 1, at most 3; then failed
 *
 * A large cohort is split into shards, each a sum of its own with its own session, thresholds and sets; the phases are
 * the round's. A shard that falls short is left out and the round goes on where the others reach the goal (R23). Seats
 * are numbered through all shards, those of shard 0 first; what the events call a position is such a seat.
 */
export type RoundState =
  | Recruiting
  | Training
  | Advertising
  | Sharing
  | Collecting
  | Confirming
  | Unmasking
  | Committed
  | Voided
  | Failed;

export type LivePhase = Exclude<RoundState["phase"], "committed" | "voided" | "failed">;
export type LiveState = Extract<RoundState, { readonly phase: LivePhase }>;

/** A device that checked in to this round. */
export interface Member {
  /** Random u32; see `CheckedIn`. */
  readonly lot: number;
  /** See `CheckIn`. */
  readonly askedLast: boolean;
  readonly connected: boolean;
  /** When the connection was lost; null while it is there. */
  readonly goneSinceMs: number | null;
  /**
   * Why this device has no part in the round any more: it left, came too late, or was not chosen. Null: it takes part.
   * What it had uploaded before a set was sealed stays in that set.
   */
  readonly out: ErrorCode | "LEFT" | null;
  /** The attempt in which it fell out. */
  readonly outAttempt: number | null;
  /** Whether it was told of this round at all. */
  readonly invited: boolean;
  /** Which of the round's sums this device's input would be in; 0 until it is invited. */
  readonly shard: number;
  /** Whether it ever advertised, and ever uploaded, in any attempt. */
  readonly trained: boolean;
  readonly sent: boolean;
  /** Whether a phase of this round waited for it in vain: until its deadline, or until it was gone. */
  readonly missed: boolean;
}

/** Cumulative counts at the end of second `atS`; a row for each second in which one of them changed. */
export interface CountsRow {
  readonly atS: number;
  readonly joined: number;
  readonly trained: number;
  readonly sent: number;
  readonly left: number;
}

/** What the current phase waits for, of one shard; see tally.ts. */
export interface ShardTally {
  readonly shard: number;
  /** Answers that count. */
  readonly have: number;
  /** Answers, and devices that may still bring one. */
  readonly possible: number;
  /** When the last device without an answer will count as gone; infinite while one is connected, 0 if there is none. */
  readonly awaitedUntilMs: number;
  /** Whether this shard has what it needs. */
  readonly isReached: boolean;
  /** Whether it has, or may still get it. */
  readonly mayReach: boolean;
}

interface Base {
  readonly facts: RoundOpened;
  /** Of the newest event. */
  readonly nowMs: number;
  /** By identity, in the order of the check-ins. */
  readonly members: VersionedMap<string, Member>;
  /** Into how many sums those invited are split; 1 until then. */
  readonly shardCount: number;
  /** Of the run and of this round. */
  readonly forbiddenPairs: readonly ForbiddenPair[];
  readonly removed: readonly string[];
  readonly counts: readonly CountsRow[];
  /** When each timed phase ended, in milliseconds since the round opened; the latest attempt's. */
  readonly phaseEndsMs: Readonly<Partial<Record<LivePhase, number>>>;
  readonly attempt: number;
  /** Why the newest attempt before this one was given up. */
  readonly retriedFor: ErrorCode | null;
  /** By shard, ascending; none while the round recruits and once it has ended. */
  readonly tallies: readonly ShardTally[];
}

export interface Recruiting extends Base {
  readonly phase: "recruiting";
  readonly deadlineMs: number;
}

export type Invited = readonly (readonly string[])[];

/** All who take part are invited; nobody has advertised yet. */
export interface Training extends Base {
  readonly phase: "training";
  readonly deadlineMs: number;
  /** Identities of all who were invited, by shard. */
  readonly invited: Invited;
}

export interface Advertising extends Base {
  readonly phase: "advertising";
  readonly deadlineMs: number;
  readonly invited: Invited;
  /** By identity, of this attempt. */
  readonly adverts: VersionedMap<string, Advert>;
  /** Whose each key of them is. */
  readonly ownerByKey: VersionedMap<string, string>;
}

export interface Seat {
  readonly identity: string;
  readonly advert: Advert;
}

/** One of the sums of a round. Its seats stand together; `seat - seatsBefore` is the position in its session. */
export interface RoundShard {
  /** 0-based. */
  readonly shard: number;
  readonly seatsBefore: number;
  readonly thresholds: Thresholds;
  /** Why it has no part in the round any more. Null while it has. Rule R23. */
  readonly leftOut: ErrorCode | null;
}

export interface Seated extends Base {
  /** U1 of each shard one after the other, each sorted by identity, strictly ascending; seat = index + 1. */
  readonly roster: readonly Seat[];
  /** By identity. */
  readonly seats: ReadonlyMap<string, number>;
  /** Ascending; a shard that had too few devices for a roster is not among them. */
  readonly shards: readonly RoundShard[];
}

export interface Sharing extends Seated {
  readonly phase: "sharing";
  readonly deadlineMs: number;
  /** Digest by seat. */
  readonly bundles: VersionedMap<number, string>;
}

export interface InputFact {
  readonly sha256: string;
  readonly root: string;
}

export interface Collecting extends Seated {
  readonly phase: "collecting";
  readonly deadlineMs: number;
  /** Ascending seats of the shards that are not left out; so are the sets below. */
  readonly u2: readonly number[];
  readonly inputs: VersionedMap<number, InputFact>;
}

export interface Sealed extends Seated {
  readonly u2: readonly number[];
  /** Ascending; that of a shard never changes once it is here. */
  readonly u3: readonly number[];
  /** Of U3 only. */
  readonly inputs: VersionedMap<number, InputFact>;
}

export interface Confirming extends Sealed {
  readonly phase: "confirming";
  readonly deadlineMs: number;
  /** Signature by seat. */
  readonly confirmations: VersionedMap<number, string>;
}

/** Past the point of no return: shares that open the sum were asked for. */
export interface Unmasking extends Sealed {
  readonly phase: "unmasking";
  readonly deadlineMs: number;
  readonly graceEndsMs: number;
  /** Whether shares were asked for again at the deadline. */
  readonly askedAgain: boolean;
  /** Those that went out with the opening; later ones change nothing. */
  readonly confirmations: VersionedMap<number, string>;
  /** By seat. */
  readonly responses: VersionedMap<number, OpeningFact>;
}

/** What a device sent in R4. */
export interface OpeningFact {
  readonly digest: string;
  /** Owners whose share was not the one that was dealt. */
  readonly offCommitment: readonly number[];
}

export interface Committed extends Sealed {
  readonly phase: "committed";
  readonly confirmedCount: number;
  readonly unmaskedCount: number;
  readonly publication: Publication;
}

export interface Voided extends Sealed {
  readonly phase: "voided";
  readonly confirmedCount: number;
  readonly unmaskedCount: number;
  readonly code: ErrorCode;
}

/** Given up; nothing was ever opened. */
export interface Failed extends Base {
  readonly phase: "failed";
  readonly code: ErrorCode;
}

export function isLive(state: RoundState): state is LiveState {
  return state.phase !== "committed" && state.phase !== "voided" && state.phase !== "failed";
}

/** Whether shares that open the sum were ever asked for. */
export function wasOpened(state: RoundState): boolean {
  return state.phase === "unmasking" || state.phase === "committed" || state.phase === "voided";
}
