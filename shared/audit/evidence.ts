import type { Result } from "../kernel/result.ts";
import type { LogRow } from "../log/row.ts";
import type { Task } from "../task/task.ts";
import type { Fault } from "../transcript/fault.ts";
import type { StatedHead } from "../transcript/stated-head.ts";
import type { RoundRecord } from "./record.ts";

/** An entry of the log that was proved to be under the root that is looked at. */
export interface ProvedEntry {
  /** From 0. */
  readonly index: number;
  readonly kind: string;
  /** Unix milliseconds; null for entries from before entries had a time. */
  readonly at: number | null;
  readonly body: Readonly<Record<string, unknown>>;
}

/** How the log's newest checkpoint relates to others. */
export interface LogSight {
  readonly size: number;
  /** Names of the witnesses that signed it. */
  readonly witnesses: readonly string[];
  /** How many witnesses the log has. */
  readonly witnessCount: number;
  /** Entries in the checkpoint that was seen here before; null if there was none. */
  readonly seenSize: number | null;
  /** Number of states that the round's devices signed, and that the log goes on from; absent if none could be read. */
  readonly statedCount?: number;
  /** What contradicts what was seen before, or what a device signed; null if the log only grew. */
  readonly contradiction: string | null;
}

/** Roots over what devices signed, computed from the round's transcripts. By session. */
export interface CheckedSignatures {
  /** Of all kinds. */
  readonly count: number;
  /** What the devices signed of the log. */
  readonly heads: readonly StatedHead[];
  readonly sessions: ReadonlyMap<string, SessionRoots>;
}

/** 64 hex digits each. */
export interface SessionRoots {
  readonly adverts: string;
  readonly inputs: string;
  readonly confirmations: string;
}

/** All that the statements about a round are judged by. Nothing in it is believed beyond what is said beside it. */
export interface RoundEvidence {
  /** The coordinator's word. */
  readonly record: RoundRecord;
  /** The coordinator's word. Null if it does not say. */
  readonly launchedBy: string | null;
  /** As served; its hash is compared. Null if it is not. */
  readonly task: Task | null;
  readonly entries: readonly ProvedEntry[];
  /** Every entry from `from` to the one before `to` was read, so that none of them is missing from `entries`. */
  readonly read: { readonly from: number; readonly to: number };
  /** The round's own log without names; null if it is not served. */
  readonly log: readonly LogRow[] | null;
  /** What came of computing the next model again; null if there is none to compute. */
  readonly reproduced: Result<{ readonly isLinked: boolean }, Fault> | null;
  /** What came of checking every signature of the round's transcripts, or why they cannot be read here. */
  readonly signatures: Result<CheckedSignatures, Fault> | "not-kept" | "not-shown";
  readonly sight: LogSight;
}
