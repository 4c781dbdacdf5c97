import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Position } from "#shared/kernel/places.ts";
import type { Result } from "#shared/kernel/result.ts";
import type { RoundDetail, RoundView } from "#shared/protocol/api.ts";
import type { StoredSettingChanges, TaskSettings } from "#shared/task/settings.ts";
import type { Task } from "#shared/task/task.ts";
import type { AccessRowRecord, AccessStore } from "./access-store.ts";
import type { AuthRecords } from "./auth-records.ts";
import type { LeafStore } from "./leaf-store.ts";
import type { Note } from "./note.ts";
import type { OwnRunSearch } from "./own-run-search.ts";
import type { Readable } from "./readable.ts";
import type {
  Listed,
  ModelAliasRecord,
  ModelInUse,
  ModelVersionRow,
  Page,
  RegistryStore,
} from "./registry-store.ts";
import type { NewestModel, RunRow } from "./run-row.ts";
import type { TrackingStore } from "./tracking-store.ts";

export { ALL_READABLE, type Readable } from "./readable.ts";
export type { Listed, ModelMetrics, ModelVersionRow, Page } from "./registry-store.ts";
export type { NewestModel, RunRow } from "./run-row.ts";

/*
 * What the coordinator keeps, by role. SQLite, PostgreSQL and test/kit's memory implement `Store` and pass
 * one contract suite per role. Expected errors are in the results. Everything else (a lost connection, a full
 * disk) rejects, and `storeTrouble` tells whether waiting helps. After a rejected write the outcome is
 * unknown.
 */

/** Kinds of streams. */
export const STREAM_KINDS = ["run", "round", "project", "registry", "access"] as const;

/** A stream of events, one per run, round, project, or registry of a task. Sequences count from 1 without gaps. */
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

/** A note and the event it belongs to. */
export interface StoredNote extends Omit<StoredEvent, "event"> {
  readonly stream: StreamId;
  readonly note: Note;
}

/**
 * Written beside an event in its transaction. Round and run rows are projections that can be rebuilt from the
 * streams; the others are facts of their own.
 */
export type StoreRecord =
  | { readonly type: "run-row"; readonly runId: string; readonly row: RunRow }
  | { readonly type: "round-row"; readonly roundId: string; readonly row: RoundRow }
  /** At most one per event. */
  | { readonly type: "note"; readonly note: Note }
  | AccessRowRecord
  | {
      readonly type: "audit-leaf";
      readonly kind: string;
      readonly body: unknown;
      /** Who decided it, by name: kept beside the leaf, never in it. Absent if nobody did. */
      readonly actor?: string;
    }
  /** Nobody can tell any more which leaves were this person's acts. */
  | { readonly type: "actor-forgotten"; readonly actor: string }
  /** For a project's stream; only with `appendNext`. */
  | { readonly type: "task-row"; readonly row: TaskRow }
  /** For a project's stream. Replaces these settings of the slug and keeps the others. */
  | { readonly type: "task-settings"; readonly slug: string; readonly changes: StoredSettingChanges }
  | { readonly type: "model-offered"; readonly modelHash: string; readonly runId: string }
  | { readonly type: "model-opened"; readonly modelHash: string; readonly sid: string }
  | {
      readonly type: "model-version";
      readonly version: ModelVersionRow;
      /** If a round has made this version: the task whose next number it takes, unless it has one. */
      readonly numberedIn?: string;
    }
  /** For the registry's stream of the task. */
  | ModelAliasRecord
  | {
      readonly type: "open-slots";
      readonly sid: string;
      readonly byteCount: number;
      readonly slots: readonly SlotRow[];
    }
  /** Puts an input into its open slot; its device gets a receipt for it. */
  | { readonly type: "input"; readonly input: InputRow }
  /**
   * An R1 or R4 message as received. Replaces bytes that have no event, which earlier versions could leave
   * behind.
   */
  | {
      readonly type: "material";
      readonly sid: string;
      readonly step: "share" | "unmask";
      readonly position: Position;
      readonly bytes: Bytes;
    }
  /** Seals U3: no further upload of this session is accepted, and inputs outside `kept` may be deleted. */
  | { readonly type: "close-slots"; readonly sid: string; readonly kept: readonly Position[] };

export interface TaskRow {
  readonly projectId: string;
  readonly task: Task;
  readonly taskHash: string;
  readonly createdAt: number;
  readonly actor: string;
}
export interface RoundRow {
  readonly runId: string;
  readonly round: number;
  readonly phase: string;
  readonly view: RoundViews;
}
/** What a round's row keeps for readers. */
export interface RoundViews {
  readonly view: RoundView;
  readonly detail: Omit<RoundDetail, keyof RoundView | "events" | "kept">;
}

export interface SlotRow {
  readonly position: Position;
  /** SHA-256 of the slot token, hex. The token itself is only in the device's message. */
  readonly slotHash: string;
}
export interface InputRow {
  readonly sid: string;
  readonly position: Position;
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
export interface ListedTranscript extends KeptTranscript {
  /** Of the round, according to its row; null if it has none. */
  readonly phase: string | null;
}
export interface TranscriptRow extends KeptTranscript {
  /** Output of `transcriptToBytes`. */
  readonly bytes: Bytes;
}

export interface EvidenceRow {
  readonly salt: Bytes;
  /** Little-endian words of the ring. */
  readonly words: Bytes;
}

/** An event and what is written beside it. */
export interface LogEntry {
  readonly event: StoredEvent;
  readonly records: readonly StoreRecord[];
}

/** The streams and the audit log. */
export interface EventLog {
  /**
   * Appends consecutive events and their records in one transaction. Throws if the outcome is unknown: stop,
   * reload, go on. Errors: `sequence-taken` if another writer was first.
   */
  append(
    stream: StreamId,
    entries: readonly LogEntry[],
  ): Promise<Result<void, { readonly type: "sequence-taken" }>>;
  /**
   * Like `append` of one event, at the end of a stream that has no state in memory. The transaction assigns the sequence.
   * Errors: `exists` if a task version in `records` already exists, or its slug belongs to another project; nothing is
   * written then.
   *
   * @returns The sequence.
   */
  appendNext(
    stream: StreamId,
    event: Omit<StoredEvent, "sequence">,
    records: readonly StoreRecord[],
  ): Promise<Result<number, { readonly type: "exists" }>>;
  readStream(stream: StreamId): Promise<readonly StoredEvent[]>;
  /** In order. Even a large round with tens of thousands of events has only a handful of notes. */
  readNotes(stream: StreamId): Promise<readonly StoredNote[]>;
  /** Notes of the run and its rounds, newest first. */
  listNotes(runId: string, page: Page): Promise<Listed<StoredNote>>;
  auditLeaves(
    page: Page,
  ): Promise<Listed<{ readonly sequence: number; readonly kind: string; readonly body: unknown }>>;
}

/** Tasks: rows that `appendNext` writes beside their project's events. */
export interface TaskStore {
  findTask(slug: string, version?: number): Promise<StoredTask | null>;
  /** Ascending; empty if there is no such task. */
  listTaskVersions(slug: string): Promise<readonly number[]>;
  /** The newest version of each task that `readable` admits; archived ones only if asked. */
  listTasks(readable: Readable & { readonly archived?: boolean }, page: Page): Promise<Listed<StoredTask>>;
  /** Versions of a task, newest first; none if there is no such task. */
  listVersions(slug: string, page: Page): Promise<Listed<StoredTask>>;
  /** Number of tasks, whatever their versions, of each project. Projects without any are absent. */
  countTasks(): Promise<ReadonlyMap<string, number>>;
  /**
   * The tasks that something belongs to: one, except for a model that several tasks have used; none if there is no such
   * thing. By slug.
   */
  findPlaces(of: Placed): Promise<readonly Place[]>;
}

/** `id` is a task's slug, a run's or round's id, or a model's hash. */
export interface Placed {
  readonly type: "task" | "run" | "round" | "model";
  readonly id: string;
}
/** A task, as far as permissions depend on it. */
export interface Place {
  readonly projectId: string;
  readonly slug: string;
  readonly joining: TaskSettings["joining"];
}

/** Runs, their rounds and models: rows that `append` writes beside events. */
export interface RunStore {
  /** Runs that have not ended, oldest first. */
  openRunIds(): Promise<readonly string[]>;
  /** Ended runs that left a round open, as earlier versions did. */
  halfEndedRunIds(): Promise<readonly string[]>;
  /** Hands out each number of a task once, from 1. */
  nextRunNumber(task: string): Promise<number>;
  findRun(runId: string): Promise<RunRow | null>;
  listRuns(
    filter: Readable & { readonly task?: string },
    page: Page,
  ): Promise<Listed<RunRow & { readonly runId: string }>>;
  findRound(roundId: string): Promise<RoundRow | null>;
  listRounds(runId: string, page: Page): Promise<Listed<RoundRow & { readonly roundId: string }>>;
  listModelVersions(runId: string): Promise<readonly ModelVersionRow[]>;
  /** The run that offered this model, and the session that opened a sum for it, if any. */
  findOffer(modelHash: string): Promise<{ readonly runId: string; readonly openedSid: string | null } | null>;
}

/**
 * Single rows for people. Like lists, these reads may take their time: no round, launch or device waits behind
 * them, as it would behind a `find`.
 */
export interface ShownStore {
  showTask: TaskStore["findTask"];
  showRun: RunStore["findRun"];
  showRound: RunStore["findRound"];
}

/** Slots that `append` opens and closes, and the masked inputs accepted into them. */
export interface UploadStore {
  /** State of the slot for an upload that wants to start. */
  findSlot(
    sid: string,
    position: Position,
  ): Promise<{ readonly slotHash: string; readonly byteCount: number; readonly open: boolean } | null>;
  findInput(sid: string, position: Position): Promise<InputRow | null>;
  /** By position. */
  listInputs(sid: string): Promise<readonly InputRow[]>;
}

/** What devices sent for a session, as written by `append`, and what is kept of it for an auditor. */
export interface TranscriptStore {
  /** By position. */
  loadMaterial(sid: string, step: "share" | "unmask"): Promise<ReadonlyMap<Position, Bytes>>;
  /** After publication or abandonment (S11). */
  deleteMaterial(sid: string): Promise<void>;
  /** Sessions that still have material or unsealed evidence and so have not been forgotten (S11). */
  unforgotten(): Promise<readonly string[]>;
  /** Keeps a transcript for auditors. Saving it again changes nothing. */
  saveTranscript(transcript: TranscriptRow): Promise<void>;
  /**
   * Keeps these sealed shares for the auditor, by position, and deletes the session's material, in one
   * transaction.
   */
  keepOpenings(sid: string, sealed: ReadonlyMap<Position, Bytes>): Promise<void>;
  loadTranscript(roundId: string, shard: number): Promise<TranscriptRow | null>;
  /** The session whose transcript `loadTranscript` would load. */
  findTranscript(roundId: string, shard: number): Promise<string | null>;
  /** By position. */
  loadOpenings(sid: string): Promise<ReadonlyMap<Position, Bytes>>;
  /** Sessions whose transcripts are kept, newest first. */
  listTranscripts(): Promise<readonly ListedTranscript[]>;
  /** Deletes the transcript and its openings. */
  deleteTranscript(sid: string): Promise<void>;
}

/**
 * The unpublished part of a session's sum and the salt of its commitment. It is never a blob, because blobs
 * are served to anyone who names their hash. Rule A8.
 */
export interface EvidenceStore {
  /** Keeps the first evidence saved for this session. @returns The evidence kept. */
  saveEvidence(sid: string, evidence: EvidenceRow): Promise<EvidenceRow>;
  loadEvidence(sid: string): Promise<EvidenceRow | null>;
  /** Keeps the first sealed copy for the auditor. The session must have evidence. */
  sealEvidence(sid: string, sealed: Bytes): Promise<void>;
  loadSealedEvidence(sid: string): Promise<Bytes | null>;
  /** Deletes the evidence and its sealed copy. */
  deleteEvidence(sid: string): Promise<void>;
}

/** Devices and small durable settings. */
export interface SettingStore {
  /** Records when an identity was first seen. Certificates are deterministic and not stored. */
  noteDevice(identity: string, at: number): Promise<void>;
  /** True for an identity that was noted, in this life of the coordinator or an earlier one. */
  hasDevice(identity: string): Promise<boolean>;
  getSetting(name: string): Promise<string | null>;
  /** Keeps the first value. @returns The value kept. */
  putSettingOnce(name: string, value: string): Promise<string>;
}

/** All roles together. Consumers take only those that they need. */
export interface Store
  extends EventLog,
    TaskStore,
    RunStore,
    RegistryStore,
    ShownStore,
    UploadStore,
    TranscriptStore,
    EvidenceStore,
    SettingStore,
    AccessStore,
    LeafStore,
    AuthRecords,
    TrackingStore,
    OwnRunSearch {
  /** `embedded`: SQLite in the data folder. */
  readonly kind: "embedded" | "postgresql";
  /** Resolves if the database answers. Used for readiness. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
export interface StoredTask extends TaskRow {
  /** Model of the task's newest run that has one, whatever version it ran. */
  readonly newest: NewestModel | null;
  /** Null before the first round has committed. */
  readonly inUse: ModelInUse | null;
  readonly settings: TaskSettings;
}
