import type { Portability } from "#shared/export/portability.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Position } from "#shared/kernel/places.ts";
import type { MonotonicClock, Primitives, RandomBytes, Signer, WallClock } from "#shared/kernel/ports.ts";
import type { Result } from "#shared/kernel/result.ts";
import type { EventView, RoundView, RunView } from "#shared/protocol/api.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { CoordinatorMessage } from "#shared/protocol/messages/coordinator.ts";
import type { OwnCode } from "#shared/protocol/own-code.ts";
import type { EndPhase } from "#shared/round/phases.ts";
import type { Measures } from "#shared/stats/measure.ts";
import type { Comparison } from "#shared/task/report/comparison.ts";
import type { Task } from "#shared/task/task.ts";
import type { InputChunk } from "#shared/transcript/spot-check.ts";
import type { ExportJob } from "./export-job.ts";
import type { HeldOutFiles, HeldOutRows } from "./held-out-files.ts";
import type { MadeModel, ModelJob } from "./model-job.ts";
import type { PublicLog } from "./public-log.ts";
import type { Store } from "./store.ts";

/* What the core needs from its platform. The store has its own file, store.ts. */

export type * from "./held-out-files.ts";
export type * from "./note.ts";
export type * from "./store.ts";
export type * from "./tracking-store.ts";

/** Bytes that are on disk and not yet a blob. One of both is called once. */
export interface StagedBlob {
  readonly hash: string;
  readonly byteCount: number;
  /** Makes them a blob, durably. */
  keep(): Promise<void>;
  discard(): Promise<void>;
}

/** Content-addressed, immutable files: models, strategy states, published sums. Written, fsynced, renamed. */
export interface Blobs {
  put(bytes: Uint8Array): Promise<string>;
  /** Receives bytes of any size in constant memory. Nothing stays if the body ends early. */
  stage(body: AsyncIterable<Uint8Array>): Promise<StagedBlob>;
  get(hash: string): Promise<Bytes | null>;
  /** Null if there is no such blob. */
  byteCount(hash: string): Promise<number | null>;
  stream(hash: string): Promise<ReadableStream<Uint8Array> | null>;
  /** Deletes a blob that nothing names any more. Nothing happens if it is absent. */
  remove(hash: string): Promise<void>;
}

/** The disk of the data folder. */
export interface Disk {
  /**
   * False below `LIMITS.diskFreeByteCountMin` or above the quota: work under way continues, nothing new begins.
   *
   * @param byteCount  What is about to be stored, if that is known.
   */
  hasRoom(byteCount?: number): Promise<boolean>;
}

/** Uploads on disk until they are folded. No upload is added to a sum before it is complete. */
export interface Spool {
  /** Bytes of (sid, position) already received, for a resume. */
  offset(sid: string, position: Position): Promise<number>;
  /**
   * Appends from `offset`. At `byteCount` bytes it fsyncs, checks the root of what is on disk, and returns.
   * Bytes with another root are deleted.
   */
  receive(
    upload: {
      readonly sid: string;
      readonly position: Position;
      readonly offset: number;
      readonly byteCount: number;
      /** Merkle root over the 64-KiB chunks, hex, as signed by the device. */
      readonly root: string;
    },
    body: AsyncIterable<Uint8Array>,
    /** Called with each piece of the body once it is no longer needed. */
    free?: (piece: Uint8Array) => void,
  ): Promise<
    Result<
      "complete" | "partial",
      { readonly type: "bad-root" | "bad-length" | "bad-offset" | "storage-full" }
    >
  >;
  path(sid: string, position: Position): string;
  /**
   * A 64-KiB chunk of a complete upload (the last may be shorter) with its Merkle path.
   *
   * @param root  From the receipt, hex.
   * Errors: `not-found`; `damaged` if the file or that chunk differs from what was receipted.
   */
  chunk(
    sid: string,
    position: Position,
    index: number,
    root: string,
  ): Promise<Result<InputChunk, { readonly type: "not-found" | "damaged" }>>;
  /** Sessions with any upload. */
  sessions(): Promise<readonly string[]>;
  /** Deletes a session's uploads, except `kept`. */
  discard(sid: string, kept?: readonly Position[]): Promise<void>;
}

/**
 * Adds files and masks in worker threads, one slice of the vector each. Memory is O(model), plus O(chunk) per
 * file.
 */
export interface Folder {
  /**
   * Sums the vectors of `inputs`, plus sign x key stream for each mask, mod 2^32. `length` is in coordinates.
   * Every byte added was hashed in the memory it is added from. Errors: `input-damaged` if a file does not
   * match its root, is cut short, missing or unreadable.
   */
  fold(job: FoldJob, signal?: AbortSignal): Promise<Result<Uint32Array<ArrayBuffer>, InputDamaged>>;
  close(): Promise<void>;
}
export interface InputDamaged {
  readonly type: "input-damaged";
  /** Indexes into `inputs`, ascending. */
  readonly indexes: readonly number[];
}
export interface FoldInput {
  readonly path: string;
  /** Merkle root over its 64-KiB chunks, hex, as signed by the device and receipted. */
  readonly root: string;
}
export interface FoldJob {
  readonly length: number;
  readonly inputs: readonly FoldInput[];
  /**
   * Sum of an earlier fold to start from; zero if absent. It is transferred, so it may be empty afterwards.
   */
  readonly initial?: Uint32Array<ArrayBuffer>;
  readonly masks: readonly { readonly key: Bytes; readonly sign: 1 | -1 }[];
}

/** Makes models, large ones in the background. The same job makes the same bytes. */
export interface Models {
  make(job: ModelJob): Promise<MadeModel>;
  close(): Promise<void>;
}

/** Writes models in formats of other tools, in the background. The same job gives the same bytes. */
export interface Exporter {
  make(job: ExportJob): Promise<Bytes>;
  close(): Promise<void>;
}

/** What an evaluator finds out about a model. */
export interface Judgement {
  readonly measures: Measures;
  /** A further report for people, stored under its hash; null if there is none. */
  readonly report: Bytes | null;
}

/** A model, as safetensors, and the version of the task that it is of. */
export interface JudgedModel {
  readonly task: Task;
  readonly modelBytes: Bytes;
}

/** Runs forward passes in a worker thread, on held-out rows that it loads itself. */
export interface Evaluator {
  evaluate(task: Task, modelBytes: Bytes, rows: HeldOutRows): Promise<Judgement>;
  /** The same, in line with comparisons: no round waits for it. */
  evaluateAside(model: JudgedModel, rows: HeldOutRows): Promise<Judgement>;
  /** Asks both models of the same rows, anew. Both tasks take these rows and have the same classes or number. */
  compare(first: JudgedModel, second: JudgedModel, rows: HeldOutRows): Promise<Comparison>;
  /** How a model does in onnxruntime. @param rows  Null: on random data alone. */
  portability(model: JudgedModel, rows: HeldOutRows | null): Promise<Portability>;
  close(): Promise<void>;
}

/** The devices' connections by identity. Delivery is best effort: a returning device is told again. */
export interface Devices {
  send(identity: string, message: CoordinatorMessage): void;
  /** Ends the connection after an unrecoverable error. */
  drop(identity: string, code: ErrorCode): void;
  /** Bytes sent and received on that device's socket so far. */
  traffic(identity: string): { readonly upByteCount: number; readonly downByteCount: number };
}

/** What dashboards receive, by topic. */
export interface LiveViews {
  readonly run: RunView;
  readonly round: RoundView;
  readonly event: EventView;
}

/** Whose update it is; whoever may read the project may see it. */
export interface PublishedOf {
  readonly runId: string;
  readonly projectId: string;
}

/** Live updates for dashboards. Nothing depends on them. */
export interface Broadcast {
  publish<Topic extends keyof LiveViews>(topic: Topic, of: PublishedOf, view: LiveViews[Topic]): void;
}

export interface Metrics {
  roundEnded(phase: EndPhase, seconds: number): void;
  phaseEnded(phase: string, seconds: number): void;
  dropouts(phase: string, count: number): void;
  /** Number of a round's check-ins that come after the others. */
  askedLast(count: number): void;
  folded(byteCount: number, seconds: number): void;
  uploaded(byteCount: number): void;
  evaluated(outcome: "evaluated" | "failed", seconds: number): void;
}

/** Structured log. Fields hold ids, counts and codes, never secrets or personal data (S11). */
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
  readonly exporter: Exporter;
  readonly evaluator: Evaluator;
  readonly heldOutFiles: HeldOutFiles;
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
  readonly code: OwnCode;
  /** Absent or null in worlds without a log: devices then ask for no proofs. */
  readonly publicLog?: PublicLog | null;
  /** Null if nothing of a round is kept once it is over. */
  readonly keeping: Keeping | null;
}

/** What is kept for an auditor. */
export interface Keeping {
  /**
   * Number of newest committed rounds per task that keep inputs, sealed openings and transcript; at least 1.
   */
  readonly rounds: number;
  /** X25519 public key. */
  readonly auditorKey: Bytes;
}
