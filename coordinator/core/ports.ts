import type { Bytes } from "#shared/kernel/bytes.ts";
import type { MonotonicClock, Primitives, RandomBytes, Signer, WallClock } from "#shared/kernel/ports.ts";
import type { Result } from "#shared/kernel/result.ts";
import type { Receipt } from "#shared/protocol/api.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { CoordinatorMessage } from "#shared/protocol/messages/coordinator.ts";
import type { Task } from "#shared/task/task.ts";
import type { InputChunk } from "#shared/transcript/spot-check.ts";

/*
 * What the coordinator's core needs from its platform. Two databases stand behind `Store` (embedded and PostgreSQL) and
 * pass one contract suite; test/kit has a memory one.
 */

/** A stream of events: one a run, one a round. Sequences count from 1 without gaps. */
export interface StreamId {
  readonly kind: "run" | "round";
  readonly id: string;
}
export interface StoredEvent {
  readonly sequence: number;
  /** Unix milliseconds, for people. */
  readonly at: number;
  /** JSON: facts and digests, never tensors, secrets or shares. */
  readonly event: unknown;
}

/**
 * What is written beside an event, in its transaction (STYLE, state machines). The round and run rows are projections
 * that a reader may lose and rebuild from the streams; the others are facts of their own.
 */
export type StoreRecord =
  | { readonly type: "run-row"; readonly runId: string; readonly row: RunRow }
  | { readonly type: "round-row"; readonly roundId: string; readonly row: RoundRow }
  | { readonly type: "audit-leaf"; readonly kind: string; readonly body: unknown }
  | { readonly type: "model-offered"; readonly modelHash: string; readonly runId: string }
  | { readonly type: "model-opened"; readonly modelHash: string; readonly sid: string }
  | { readonly type: "model-version"; readonly version: ModelVersionRow }
  | {
      readonly type: "open-slots";
      readonly sid: string;
      readonly byteCount: number;
      readonly slots: readonly SlotRow[];
    }
  /** Sealing U3: from here on no upload of this session is taken; `inputs` outside `kept` may be deleted. */
  | { readonly type: "close-slots"; readonly sid: string; readonly kept: readonly number[] };

export interface RunRow {
  readonly projectId: string;
  readonly task: string;
  readonly taskVersion: number;
  readonly number: number;
  readonly state: string;
  readonly actor: string;
  readonly createdAt: number;
  /** The view that the API shows, kept by the driver. */
  readonly view: unknown;
}
export interface RoundRow {
  readonly runId: string;
  readonly round: number;
  readonly phase: string;
  readonly view: unknown;
}
export interface ModelVersionRow {
  readonly runId: string;
  readonly round: number;
  readonly modelHash: string;
  readonly parentHash: string | null;
  /** Blob of the strategy's state after this model; null for a stateless strategy. */
  readonly strategyStateHash: string | null;
  readonly metrics: unknown;
}
export interface SlotRow {
  readonly position: number;
  /** SHA-256 of the slot token, hex; the token itself is only in the device's message. */
  readonly slotHash: string;
}
export interface InputRow {
  readonly sid: string;
  readonly position: number;
  readonly sha256: string;
  readonly root: string;
  readonly signature: string;
  readonly byteCount: number;
}

export interface KeptTranscript {
  readonly sid: string;
  readonly roundId: string;
  readonly task: string;
  readonly shard: number;
}
export interface TranscriptRow extends KeptTranscript {
  /** As `transcriptToBytes` made them. */
  readonly bytes: Bytes;
}

export interface Store {
  /** `embedded` survives a kill of the process, not of the power. */
  readonly kind: "embedded" | "postgresql";
  /**
   * Appends one event and its records in one transaction. An unknown outcome throws: stop, reload, go on.
   * Errors: `sequence-taken` where another writer was first.
   */
  append(
    stream: StreamId,
    event: StoredEvent,
    records: readonly StoreRecord[],
  ): Promise<Result<void, { readonly type: "sequence-taken" }>>;
  readStream(stream: StreamId): Promise<readonly StoredEvent[]>;
  /** Streams of runs that have not ended, and their newest round's. */
  openRunIds(): Promise<readonly string[]>;

  createTask(
    task: Task,
    taskHash: string,
    actor: string,
    at: number,
  ): Promise<Result<void, { readonly type: "exists" }>>;
  findTask(slug: string, version?: number): Promise<StoredTask | null>;
  /** Newest version of each. */
  listTasks(page: Page): Promise<Listed<StoredTask>>;

  nextRunNumber(task: string): Promise<number>;
  findRun(runId: string): Promise<RunRow | null>;
  listRuns(
    filter: { readonly task?: string },
    page: Page,
  ): Promise<Listed<RunRow & { readonly runId: string }>>;
  findRound(roundId: string): Promise<RoundRow | null>;
  listRounds(runId: string, page: Page): Promise<Listed<RoundRow & { readonly roundId: string }>>;
  /** Newest first; of the run and its rounds. */
  listEvents(
    runId: string,
    page: Page,
  ): Promise<Listed<{ readonly stream: StreamId; readonly stored: StoredEvent }>>;
  listModelVersions(runId: string): Promise<readonly ModelVersionRow[]>;
  /** The run that offered this model, and the session that opened a sum for it, if any. */
  findOffer(modelHash: string): Promise<{ readonly runId: string; readonly openedSid: string | null } | null>;
  auditLeaves(
    page: Page,
  ): Promise<Listed<{ readonly sequence: number; readonly kind: string; readonly body: unknown }>>;

  /** R1 and R4 as they came, durable before they are acknowledged; idempotent by (sid, step, position). */
  saveMaterial(
    sid: string,
    step: "share" | "unmask",
    position: number,
    bytes: Bytes,
  ): Promise<"saved" | "same" | "different">;
  loadMaterial(sid: string, step: "share" | "unmask"): Promise<ReadonlyMap<number, Bytes>>;
  /** After publication or abandonment (S11). */
  deleteMaterial(sid: string): Promise<void>;

  /** What an auditor may ask for later; the same again changes nothing. */
  saveTranscript(transcript: TranscriptRow): Promise<void>;
  /** Keeps these boxes for the auditor, by position, and deletes all material of the session, in one transaction. */
  keepOpenings(sid: string, sealed: ReadonlyMap<number, Bytes>): Promise<void>;
  loadTranscript(roundId: string, shard: number): Promise<TranscriptRow | null>;
  /** The session whose transcript `loadTranscript` would load. */
  findTranscript(roundId: string, shard: number): Promise<string | null>;
  /** By position. */
  loadOpenings(sid: string): Promise<ReadonlyMap<number, Bytes>>;
  /** Sessions whose transcript is kept, newest first. */
  listTranscripts(): Promise<readonly KeptTranscript[]>;
  /** With its openings. */
  deleteTranscript(sid: string): Promise<void>;

  /** The slot's state for an upload that wants to start. */
  findSlot(
    sid: string,
    position: number,
  ): Promise<{ readonly slotHash: string; readonly byteCount: number; readonly open: boolean } | null>;
  /** Unique on (sid, position): the same digest returns the stored receipt, another is a conflict, a sealed set is closed. */
  acceptInput(input: InputRow): Promise<Result<Receipt, { readonly type: "conflict" | "closed" }>>;
  listInputs(sid: string): Promise<readonly InputRow[]>;

  putJoinToken(tokenHash: string, uses: number, expiresAt: number): Promise<void>;
  useJoinToken(tokenHash: string, now: number): Promise<boolean>;
  /** Records of an identity: first seen. Certificates are deterministic and not stored. */
  noteDevice(identity: string, at: number): Promise<void>;
  /** Small durable settings such as the issuer's key (by name). */
  getSetting(name: string): Promise<string | null>;
  putSettingOnce(name: string, value: string): Promise<string>;

  /** Resolves when the database answers; readiness. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
export interface StoredTask {
  readonly task: Task;
  readonly taskHash: string;
  readonly createdAt: number;
  readonly actor: string;
}
export interface Page {
  readonly limit: number;
  readonly cursor?: string | undefined;
}
export interface Listed<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

/** Content-addressed, immutable: models, strategy states, published sums. Written, fsynced, renamed. */
export interface Blobs {
  put(bytes: Uint8Array): Promise<string>;
  get(hash: string): Promise<Bytes | null>;
  /** Null where there is none. */
  byteCount(hash: string): Promise<number | null>;
  stream(hash: string): Promise<ReadableStream<Uint8Array> | null>;
}

/** Uploads on disk until they are folded. Never added to a sum while they arrive. */
export interface Spool {
  /** Bytes of (sid, position) that are already here, for a resume. */
  offset(sid: string, position: number): Promise<number>;
  /**
   * Appends from `offset` on, hashing; at `byteCount` bytes it checks length, digest and chunk root, fsyncs and returns.
   * A wrong digest deletes what arrived.
   */
  receive(
    upload: {
      readonly sid: string;
      readonly position: number;
      readonly offset: number;
      readonly byteCount: number;
      readonly sha256: string;
      readonly root: string;
    },
    body: AsyncIterable<Uint8Array>,
  ): Promise<
    Result<
      "complete" | "partial",
      { readonly type: "bad-digest" | "bad-length" | "bad-offset" | "storage-full" }
    >
  >;
  path(sid: string, position: number): string;
  /** 64 KiB of a complete upload, the last ones fewer, with the way to the root; null where there is none. */
  chunk(sid: string, position: number, index: number): Promise<InputChunk | null>;
  /** Deletes all of a session, or all but `kept`. */
  discard(sid: string, kept?: readonly number[]): Promise<void>;
}

/** Adds files and masks in worker threads, each worker one slice of the vector: O(model) in all, O(chunk) a file. */
export interface Folder {
  /**
   * sum over `paths` of the vectors, plus sign x key stream for each mask, mod 2^32. `length` in coordinates.
   * Idempotent: the same job gives the same sum.
   */
  fold(job: FoldJob, signal?: AbortSignal): Promise<Uint32Array<ArrayBuffer>>;
  close(): Promise<void>;
}
export interface FoldJob {
  readonly length: number;
  readonly paths: readonly string[];
  /** A sum of an earlier fold to start from; zero where absent. */
  readonly initial?: Uint32Array;
  readonly masks: readonly { readonly key: Bytes; readonly sign: 1 | -1 }[];
}

/** Forward passes in a worker thread, on held-out rows that it loads itself. */
export interface Evaluator {
  evaluate(task: Task, modelBytes: Bytes): Promise<CentralEvaluation>;
  close(): Promise<void>;
}
export interface CentralEvaluation {
  readonly count: number;
  readonly correct: number;
  readonly lossSum: number;
  /** Sum of squares of the row losses, for the interval. */
  readonly lossSquareSum: number;
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
  folded(byteCount: number, seconds: number): void;
  uploaded(byteCount: number): void;
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
  readonly folder: Folder;
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
