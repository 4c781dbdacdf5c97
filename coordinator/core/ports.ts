import type { Bytes } from "#shared/kernel/bytes.ts";
import type { MonotonicClock, Primitives, RandomBytes, Signer, WallClock } from "#shared/kernel/ports.ts";
import type { Result } from "#shared/kernel/result.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { CoordinatorMessage } from "#shared/protocol/messages/coordinator.ts";
import type { Measures } from "#shared/stats/measure.ts";
import type { Task } from "#shared/task/task.ts";
import type { InputChunk } from "#shared/transcript/spot-check.ts";
import type { MadeModel, ModelJob } from "./model-jobs.ts";
import type { Store } from "./store.ts";

/* What the coordinator's core needs from its platform. The store has a file of its own: store.ts. */

export type * from "./store.ts";

/** Content-addressed, immutable: models, strategy states, published sums. Written, fsynced, renamed. */
export interface Blobs {
  put(bytes: Uint8Array): Promise<string>;
  get(hash: string): Promise<Bytes | null>;
  /** Null where there is none. */
  byteCount(hash: string): Promise<number | null>;
  stream(hash: string): Promise<ReadableStream<Uint8Array> | null>;
}

/** The disk of the data folder. */
export interface Disk {
  /** False below `LIMITS.diskFreeByteCountMin`: what has begun goes on, nothing new begins. */
  hasRoom(): Promise<boolean>;
}

/** Uploads on disk until they are folded. Never added to a sum while they arrive. */
export interface Spool {
  /** Bytes of (sid, position) that are already here, for a resume. */
  offset(sid: string, position: number): Promise<number>;
  /**
   * Appends from `offset` on; at `byteCount` bytes it fsyncs, checks the chunk root of what is on disk and returns.
   * Bytes of another root are deleted.
   */
  receive(
    upload: {
      readonly sid: string;
      readonly position: number;
      readonly offset: number;
      readonly byteCount: number;
      /** Over the 64-KiB chunks, hex, as their device signed it. */
      readonly root: string;
    },
    body: AsyncIterable<Uint8Array>,
    /** Is given each piece of the body once it is no longer needed. */
    free?: (piece: Uint8Array) => void,
  ): Promise<
    Result<
      "complete" | "partial",
      { readonly type: "bad-digest" | "bad-length" | "bad-offset" | "storage-full" }
    >
  >;
  path(sid: string, position: number): string;
  /**
   * 64 KiB of a complete upload, the last ones fewer, with the way to its root.
   *
   * @param root  Of its receipt, hex.
   * Errors: `not-found`; `damaged` if the file, or that chunk of it, is not what was receipted.
   */
  chunk(
    sid: string,
    position: number,
    index: number,
    root: string,
  ): Promise<Result<InputChunk, { readonly type: "not-found" | "damaged" }>>;
  /** Those of which anything is here. */
  sessions(): Promise<readonly string[]>;
  /** Deletes all of a session, or all but `kept`. */
  discard(sid: string, kept?: readonly number[]): Promise<void>;
}

/** Adds files and masks in worker threads, each worker one slice of the vector: O(model) in all, O(chunk) a file. */
export interface Folder {
  /**
   * sum over `inputs` of the vectors, plus sign x key stream for each mask, mod 2^32. `length` in coordinates.
   * Every byte that is added was hashed in the memory from which it is added. Errors: `input-damaged` if a file is not
   * the one of its root, is cut off, gone or cannot be read.
   */
  fold(job: FoldJob, signal?: AbortSignal): Promise<Result<Uint32Array<ArrayBuffer>, InputDamaged>>;
  close(): Promise<void>;
}
export interface InputDamaged {
  readonly type: "input-damaged";
  /** Of `inputs`, ascending. */
  readonly indexes: readonly number[];
}
export interface FoldInput {
  readonly path: string;
  /** Over its 64-KiB chunks, hex: the one that its device signed and the receipt is of. */
  readonly root: string;
}
export interface FoldJob {
  readonly length: number;
  readonly inputs: readonly FoldInput[];
  /** A sum of an earlier fold to start from; zero if absent. Handed over: afterwards it may have no elements. */
  readonly initial?: Uint32Array<ArrayBuffer>;
  readonly masks: readonly { readonly key: Bytes; readonly sign: 1 | -1 }[];
}

/** Makes models, large ones where that holds nobody up. The same job makes the same bytes. */
export interface Models {
  make(job: ModelJob): Promise<MadeModel>;
  close(): Promise<void>;
}

/** What an evaluator finds of a model. */
export interface Judgement {
  readonly measures: Measures;
  /** What it reports besides, for people: bytes that are stored and named by their hash. Null: nothing. */
  readonly report: Bytes | null;
}

/** Forward passes in a worker thread, on held-out rows that it loads itself. */
export interface Evaluator {
  evaluate(task: Task, modelBytes: Bytes): Promise<Judgement>;
  /** Held-out rows of this task; 0 if there are none. Throws if they cannot be read. */
  countHeldOut(task: Task): Promise<number>;
  close(): Promise<void>;
}

/** The devices' connections, by identity. Delivery is best effort: a device that comes back is told again. */
export interface Devices {
  send(identity: string, message: CoordinatorMessage): void;
  /** Ends the connection after an error that cannot be mended. */
  drop(identity: string, code: ErrorCode): void;
  /** Bytes up and down of that device's socket so far. */
  traffic(identity: string): { readonly upByteCount: number; readonly downByteCount: number };
}

/** What the dashboards hear; fan-out only, nothing depends on it. */
export interface Broadcast {
  publish(topic: "run" | "round" | "event", runId: string, view: unknown): void;
}

export interface Metrics {
  roundEnded(phase: "committed" | "voided" | "failed", seconds: number): void;
  phaseEnded(phase: string, seconds: number): void;
  dropouts(phase: string, count: number): void;
  /** Check-ins of a round that come after the others'. */
  askedLast(count: number): void;
  folded(byteCount: number, seconds: number): void;
  uploaded(byteCount: number): void;
  evaluated(outcome: "evaluated" | "failed", seconds: number): void;
}

/** Structured log; fields hold ids, counts and codes, never a secret or a person's data (S11). */
export interface Log {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface CoordinatorPorts {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly spool: Spool;
  readonly disk: Disk;
  readonly folder: Folder;
  readonly models: Models;
  readonly evaluator: Evaluator;
  readonly devices: Devices;
  readonly broadcast: Broadcast;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly primitives: Primitives;
  readonly random: RandomBytes;
  readonly clock: MonotonicClock;
  readonly wall: WallClock;
  readonly after: (delayMs: number, run: () => void) => () => void;
  /** Certifies identities. */
  readonly issuer: Signer;
  readonly projectId: string;
  readonly codeVersion: string;
  /** Null: nothing of a round is kept once it is over. */
  readonly keeping: Keeping | null;
}

/** What is kept for an auditor. */
export interface Keeping {
  /** Newest committed rounds of each task whose inputs, sealed openings and transcript stay; at least 1. */
  readonly rounds: number;
  /** X25519. */
  readonly auditorKey: Bytes;
}
