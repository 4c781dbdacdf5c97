import type { Thresholds } from "../cohort/threshold.ts";
import type { Seat } from "../kernel/places.ts";
import type { VersionedMap } from "../kernel/versioned-map.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { LogHead } from "../protocol/ids.ts";
import type { Advert, ForbiddenPair, Publication, RoundOpened } from "./event.ts";
import { isEndPhase, type TIMED_PHASES } from "./phases.ts";

/*
 * The states of a round. Each has only the fields that are valid in it.
 *
 * recruiting -> training -> advertising -> sharing -> collecting -> confirming -> unmasking -> committed | voided
 *                               ^_______________________________________|
 *                               attempt + 1, at most 3; then failed
 *
 * A large cohort is split into shards. Each has its own sum, session, thresholds and sets, but all go through the phases
 * together. A shard that falls short is left out, and the round continues if the others reach the goal (R23). Seats are
 * numbered across all shards, those of shard 0 first.
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

export type LivePhase = (typeof TIMED_PHASES)[number];
export type LiveState = Extract<RoundState, { readonly phase: LivePhase }>;

/** A device that checked in to this round. */
export interface Member {
  /** Random u32; see `CheckedIn`. */
  readonly lot: number;
  /** See `CheckIn`. */
  readonly askedLast: boolean;
  readonly connected: boolean;
  /** When the connection was lost; null while there is one. */
  readonly goneSinceMs: number | null;
  /**
   * Why this device no longer takes part in the round: it left, came too late or was not chosen. Null while it takes part.
   * An input that it uploaded before a set was sealed stays in that set.
   */
  readonly out: ErrorCode | "LEFT" | null;
  /** The attempt in which it dropped out. */
  readonly outAttempt: number | null;
  /** True if it was invited to this round. */
  readonly invited: boolean;
  /** The shard whose sum would include this device's input; 0 until it is invited. */
  readonly shard: number;
  /** Its shard as a log without names gives it; see `CheckIn`. */
  readonly givenShard?: number;
  /** True if it advertised in any attempt; below, if it uploaded in any attempt. */
  readonly trained: boolean;
  readonly sent: boolean;
  /** True if a phase of this round waited for it in vain, until the deadline or until it was gone. */
  readonly missed: boolean;
}

/** Cumulative counts at the end of second `atS`. There is a row for each second in which a count changed. */
export interface CountsRow {
  readonly atS: number;
  readonly joined: number;
  readonly trained: number;
  readonly sent: number;
  readonly left: number;
}

/** What the current phase waits for in one shard; see tally.ts. */
export interface ShardTally {
  readonly shard: number;
  /** Number of answers that count. */
  readonly have: number;
  /** Number of answers and of devices that may still answer. */
  readonly possible: number;
  /** When the last device without an answer counts as gone; infinite while one is connected, 0 if all have answered. */
  readonly awaitedUntilMs: number;
  /** True if this shard has what it needs. */
  readonly isReached: boolean;
  /** True if it has what it needs or may still get it. */
  readonly mayReach: boolean;
}

interface Base {
  readonly facts: RoundOpened;
  /** Time of the newest event. */
  readonly nowMs: number;
  /** By identity, in the order of the check-ins. */
  readonly members: VersionedMap<string, Member>;
  /** Number of shards that the invited devices are split into; 1 before the invitation. */
  readonly shardCount: number;
  /** Pairs from the run and from this round. */
  readonly forbiddenPairs: readonly ForbiddenPair[];
  readonly removed: readonly string[];
  readonly counts: readonly CountsRow[];
  /** When each timed phase ended in the latest attempt, in milliseconds since the round opened. */
  readonly phaseEndsMs: Readonly<Partial<Record<LivePhase, number>>>;
  readonly attempt: number;
  /** Why the newest attempt before this one was given up. */
  readonly retriedFor: ErrorCode | null;
  /** By shard, ascending. Empty while the round recruits and after it has ended. */
  readonly tallies: readonly ShardTally[];
}

export interface Recruiting extends Base {
  readonly phase: "recruiting";
  readonly deadlineMs: number;
}

export type Invited = readonly (readonly string[])[];

/** All devices that take part are invited, and none has advertised yet. */
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
  /** The identity that each key in the adverts belongs to. */
  readonly ownerByKey: VersionedMap<string, string>;
}

/** A device of a roster, with the keys that it advertised. */
export interface RosterEntry {
  readonly identity: string;
  readonly advert: Advert;
}

/** One of the sums of a round. Its seats are contiguous, and `seat - seatsBefore` is the position in its session. */
export interface RoundShard {
  /** 0-based. */
  readonly shard: number;
  readonly seatsBefore: number;
  readonly thresholds: Thresholds;
  /** Why it is left out of the round; null while it is in. Rule R23. */
  readonly leftOut: ErrorCode | null;
}

/** For each seat (from index 0), the seats that hold shares of its secrets, including itself, ascending. */
export type HoldersBySeat = readonly (readonly Seat[])[];

export interface Seated extends Base {
  /** U1 of each shard one after the other, each sorted by identity, strictly ascending; seat = index + 1. */
  readonly roster: readonly RosterEntry[];
  /** By identity. */
  readonly seats: ReadonlyMap<string, Seat>;
  /** Ascending, without shards that had too few devices for a roster. */
  readonly shards: readonly RoundShard[];
  /** Null if everyone in a shard holds shares of everyone. */
  readonly holders: HoldersBySeat | null;
}

export interface Sharing extends Seated {
  readonly phase: "sharing";
  readonly deadlineMs: number;
  /** Digest by seat. */
  readonly bundles: VersionedMap<Seat, string>;
}

export interface InputFact {
  readonly sha256: string;
  readonly root: string;
  /** What the device had seen of the public log; absent without a log. */
  readonly log?: LogHead;
}

export interface Collecting extends Seated {
  readonly phase: "collecting";
  readonly deadlineMs: number;
  /** Ascending seats of the shards that are not left out. The same holds for the sets below. */
  readonly u2: readonly Seat[];
  readonly inputs: VersionedMap<Seat, InputFact>;
}

export interface Sealed extends Seated {
  readonly u2: readonly Seat[];
  /** Ascending. The part of a shard never changes once it is set. */
  readonly u3: readonly Seat[];
  /** Inputs of U3 only. */
  readonly inputs: VersionedMap<Seat, InputFact>;
}

export interface Confirming extends Sealed {
  readonly phase: "confirming";
  readonly deadlineMs: number;
  /** Signature by seat. */
  readonly confirmations: VersionedMap<Seat, string>;
}

/** Past the point of no return: shares that open the sum were asked for. */
export interface Unmasking extends Sealed {
  readonly phase: "unmasking";
  readonly deadlineMs: number;
  readonly graceEndsMs: number;
  /** True if shares were asked for again at the deadline. */
  readonly askedAgain: boolean;
  /** The confirmations that were sent with the opening. Later ones change nothing. */
  readonly confirmations: VersionedMap<Seat, string>;
  /** By seat. */
  readonly responses: VersionedMap<Seat, OpeningFact>;
}

/** A device's R4. */
export interface OpeningFact {
  readonly digest: string;
  /** Owners whose share differed from the one that was dealt. */
  readonly offCommitment: readonly Seat[];
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

/** Given up without opening anything. */
export interface Failed extends Base {
  readonly phase: "failed";
  readonly code: ErrorCode;
}

export function isLive(state: RoundState): state is LiveState {
  return !isEndPhase(state.phase);
}

/** True if shares that open the sum were ever asked for. */
export function wasOpened(state: RoundState): boolean {
  return state.phase === "unmasking" || state.phase === "committed" || state.phase === "voided";
}
