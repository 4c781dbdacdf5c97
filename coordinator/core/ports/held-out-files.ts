import type { Result } from "#shared/kernel/result.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import type { HeldOutBalance, HeldOutFormat, HeldOutReading, HeldOutSet } from "#shared/task/held-out.ts";
import type { OperatingPoint } from "#shared/task/operating-point.ts";
import type { Task } from "#shared/task/task.ts";

/** What the rows of a file turned out to be. */
export interface CheckedRows {
  /** SHA-256 of the file's bytes, hex. */
  readonly hash: string;
  readonly rowCount: number;
  readonly balance: HeldOutBalance;
}

/** Why a file is not a set of held-out rows of a task. */
export interface HeldOutRefusal {
  readonly error: WireError;
  /** The first rows that do not fit. */
  readonly problems: readonly { readonly row: number | null; readonly sentence: string }[];
}

export interface CheckProgress {
  readonly rowsChecked: number;
  /** Of the bytes, from 0 to 1. */
  readonly checkedShare: number;
}

/** A set's file: in use, or one that is still an upload. */
export type HeldOutPlace = { readonly uploadId: string } | { readonly slug: string; readonly hash: string };

/** Rows that a data folder has for a version from before sets had names. */
export interface EarlierHeldOut {
  readonly format: HeldOutFormat;
  readonly byteCount: number;
  /** Copies them into an upload. */
  copyInto(uploadId: string): Promise<void>;
  /** Deletes them, once they are a set. */
  remove(): Promise<void>;
}

/** Files of held-out rows, on the coordinator's disk. Nothing of an upload is a set before `keep`. */
export interface HeldOutFiles {
  /** Bytes of an upload that have arrived. */
  offset(uploadId: string): Promise<number>;
  /**
   * Appends to an upload from `offset` on. `all-here` once it has `byteCount` bytes, durably.
   *
   * @param free  Called with each piece of the body once it is no longer needed.
   * Errors: as named; `bad-length` if more comes than `byteCount`.
   */
  receive(
    upload: { readonly uploadId: string; readonly offset: number; readonly byteCount: number },
    body: AsyncIterable<Uint8Array>,
    free?: (piece: Uint8Array) => void,
  ): Promise<Result<"partial" | "all-here", { readonly type: "bad-length" | "bad-offset" | "storage-full" }>>;
  /**
   * Reads every row of a file, off the main thread, and hashes it. Files are checked one after the other.
   *
   * @param signal  Ends the check, also while it waits for its turn. It then rejects with the signal's reason.
   * Errors: see `HeldOutRefusal`. @throws if the file cannot be read, or if the thread dies.
   */
  check(
    place: HeldOutPlace,
    reading: HeldOutReading,
    task: Task,
    onProgress: (progress: CheckProgress) => void,
    signal: AbortSignal,
  ): Promise<Result<CheckedRows, HeldOutRefusal>>;
  /** Makes a checked upload the file of a set, durably. Nothing happens if the set is there already. */
  keep(uploadId: string, slug: string, hash: string): Promise<void>;
  /** Deletes what has arrived of an upload. */
  discard(uploadId: string): Promise<void>;
  has(slug: string, hash: string): Promise<boolean>;
  /** Deletes the sets of a task, except the one with hash `kept`. */
  remove(slug: string, kept: string | null): Promise<void>;
  earlier(slug: string, version: number): Promise<EarlierHeldOut | null>;
  close(): Promise<void>;
}

/** Names the rows that a model is judged on, and where costs and sensitivity are read off; absent for the usual point. */
export type HeldOutRows = Pick<HeldOutSet, "hash"> &
  HeldOutReading & { readonly operatingPoint?: OperatingPoint };
