import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Result } from "#shared/kernel/result.ts";
import type { Receipt, RunView, TaskView } from "#shared/protocol/api.ts";
import type { TaskSettingChanges, TaskSettings } from "#shared/task/settings.ts";
import type { Task } from "#shared/task/task.ts";
import type { RoundViews } from "./round-view.ts";

/*
 * What the coordinator keeps, by role. SQLite, PostgreSQL and test/kit's memory stand behind `Store` and pass one
 * contract suite for each role. What is expected is in the results; everything else (a lost connection, a full disk)
 * rejects, and `storeTrouble` tells what waiting can mend. After a rejected write the outcome is unknown.
 */

/** Of what there are streams. Registry and access have their place; nothing is written to them yet. */
export const STREAM_KINDS = ["run", "round", "project", "registry", "access"] as const;

/** A stream of events: one of each run, round or project. Sequences count from 1 without gaps. */
export interface StreamId {
  readonly kind: (typeof STREAM_KINDS)[number];
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
 * What is written beside an event, in its transaction. The round and run rows are projections that can be lost and rebuilt
 * from the streams; the others are facts of their own.
 */
export type StoreRecord =
  | { readonly type: "run-row"; readonly runId: string; readonly row: RunRow }
  | { readonly type: "round-row"; readonly roundId: string; readonly row: RoundRow }
  | { readonly type: "audit-leaf"; readonly kind: string; readonly body: unknown }
  /** Of the project; with `appendNext` only. */
  | { readonly type: "task-row"; readonly row: TaskRow }
  /** Of the project: these settings of the slug are replaced, the others stay. */
  | { readonly type: "task-settings"; readonly slug: string; readonly changes: TaskSettingChanges }
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

export interface TaskRow {
  readonly task: Task;
  readonly taskHash: string;
  readonly createdAt: number;
  readonly actor: string;
}
export interface RunRow {
  readonly projectId: string;
  readonly task: string;
  readonly taskVersion: number;
  readonly number: number;
  readonly state: string;
  readonly actor: string;
  readonly createdAt: number;
  /** The view that the API shows, kept by the driver; of an older version where fields may be absent. */
  readonly view: RunView;
  /** Null until the run has committed a round. */
  readonly newest: NewestModel | null;
}
export interface NewestModel {
  readonly modelHash: string | null;
  /** Null if it has not been evaluated. */
  readonly accuracy: TaskView["accuracy"];
}
export interface RoundRow {
  readonly runId: string;
  readonly round: number;
  readonly phase: string;
  readonly view: RoundViews;
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

export interface EvidenceRow {
  readonly salt: Bytes;
  /** Little-endian words of the ring. */
  readonly words: Bytes;
}

/** The streams, and the log that outsiders check. */
export interface EventLog {
  /**
   * Appends one event and its records in one transaction. An unknown outcome throws: stop, reload, go on.
   * Errors: `sequence-taken` if another writer was first.
   */
  append(
    stream: StreamId,
    event: StoredEvent,
    records: readonly StoreRecord[],
  ): Promise<Result<void, { readonly type: "sequence-taken" }>>;
  /**
   * As `append`, at the end of a stream of which nobody keeps a state; its sequence is given in the transaction.
   * Errors: `exists` if a task version of `records` is there already; nothing is written then.
   *
   * @returns The sequence.
   */
  appendNext(
    stream: StreamId,
    event: Omit<StoredEvent, "sequence">,
    records: readonly StoreRecord[],
  ): Promise<Result<number, { readonly type: "exists" }>>;
  readStream(stream: StreamId): Promise<readonly StoredEvent[]>;
  /** Those of a stream that people are shown: a handful, where a large round has tens of thousands. */
  readShown(stream: StreamId): Promise<readonly StoredEvent[]>;
  /** Newest first; of the run and its rounds. */
  listEvents(
    runId: string,
    page: Page,
  ): Promise<Listed<{ readonly stream: StreamId; readonly stored: StoredEvent }>>;
  auditLeaves(
    page: Page,
  ): Promise<Listed<{ readonly sequence: number; readonly kind: string; readonly body: unknown }>>;
}

/** Tasks: rows that `appendNext` writes beside the events of their project. */
export interface TaskStore {
  findTask(slug: string, version?: number): Promise<StoredTask | null>;
  /** Newest version of each. */
  listTasks(page: Page): Promise<Listed<StoredTask>>;
}

/** Runs, their rounds and models: rows that `append` writes beside the events. */
export interface RunStore {
  /** Runs that have not ended, oldest first. */
  openRunIds(): Promise<readonly string[]>;
  /** Runs that have ended and left a round open, as earlier versions did. */
  halfEndedRunIds(): Promise<readonly string[]>;
  /** Each number of a task is given once, from 1. */
  nextRunNumber(task: string): Promise<number>;
  findRun(runId: string): Promise<RunRow | null>;
  listRuns(
    filter: { readonly task?: string },
    page: Page,
  ): Promise<Listed<RunRow & { readonly runId: string }>>;
  findRound(roundId: string): Promise<RoundRow | null>;
  listRounds(runId: string, page: Page): Promise<Listed<RoundRow & { readonly roundId: string }>>;
  listModelVersions(runId: string): Promise<readonly ModelVersionRow[]>;
  /** The run that offered this model, and the session that opened a sum for it, if any. */
  findOffer(modelHash: string): Promise<{ readonly runId: string; readonly openedSid: string | null } | null>;
}

/** Slots that `append` opens and closes, and the masked inputs that were accepted into them. */
export interface UploadStore {
  /** The slot's state for an upload that wants to start. */
  findSlot(
    sid: string,
    position: number,
  ): Promise<{ readonly slotHash: string; readonly byteCount: number; readonly open: boolean } | null>;
  /** Unique on (sid, position): the same digest returns the stored receipt, another is a conflict, a sealed set is closed. */
  acceptInput(input: InputRow): Promise<Result<Receipt, { readonly type: "conflict" | "closed" }>>;
  findInput(sid: string, position: number): Promise<InputRow | null>;
  /** By position. */
  listInputs(sid: string): Promise<readonly InputRow[]>;
}

/** What devices sent for one session, and what is kept of it for an auditor. */
export interface TranscriptStore {
  /** R1 and R4 as they came, durable before they are acknowledged; idempotent by (sid, step, position). */
  saveMaterial(
    sid: string,
    step: "share" | "unmask",
    position: number,
    bytes: Bytes,
  ): Promise<"saved" | "same" | "different">;
  /** By position. */
  loadMaterial(sid: string, step: "share" | "unmask"): Promise<ReadonlyMap<number, Bytes>>;
  /** After publication or abandonment (S11). */
  deleteMaterial(sid: string): Promise<void>;
  /** Sessions with material, or with evidence that has not been sealed: all that have not been forgotten (S11). */
  unforgotten(): Promise<readonly string[]>;
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
}

/**
 * What is not published of a session's sum, and the salt of its commitment. Never a blob: those are served to anyone who
 * names their hash. Rule A8.
 */
export interface EvidenceStore {
  /** @returns The evidence that stands: the first that was saved for this session. */
  saveEvidence(sid: string, evidence: EvidenceRow): Promise<EvidenceRow>;
  loadEvidence(sid: string): Promise<EvidenceRow | null>;
  /** Keeps its box for the auditor; the first one stands. The session has evidence. */
  sealEvidence(sid: string, sealed: Bytes): Promise<void>;
  loadSealedEvidence(sid: string): Promise<Bytes | null>;
  /** With its box. */
  deleteEvidence(sid: string): Promise<void>;
}

/** Join tokens, devices and small durable settings. */
export interface SettingStore {
  putJoinToken(tokenHash: string, uses: number, expiresAt: number): Promise<void>;
  useJoinToken(tokenHash: string, now: number): Promise<boolean>;
  /** Records of an identity: first seen. Certificates are deterministic and not stored. */
  noteDevice(identity: string, at: number): Promise<void>;
  /** By name. */
  getSetting(name: string): Promise<string | null>;
  /** The value that stands: the first one that was put. */
  putSettingOnce(name: string, value: string): Promise<string>;
}

/** All roles, as they are wired; a consumer takes those that it needs. */
export interface Store
  extends EventLog,
    TaskStore,
    RunStore,
    UploadStore,
    TranscriptStore,
    EvidenceStore,
    SettingStore {
  /** `embedded`: SQLite in the data folder. */
  readonly kind: "embedded" | "postgresql";
  /** Resolves when the database answers; readiness. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
export interface StoredTask extends TaskRow {
  /** Of the newest run of the task that has one, whichever version it ran. */
  readonly newest: NewestModel | null;
  readonly settings: TaskSettings;
}
export interface Page {
  readonly limit: number;
  readonly cursor?: string | undefined;
}
export interface Listed<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}
