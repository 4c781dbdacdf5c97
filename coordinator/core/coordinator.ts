import type { NamelessRow } from "#shared/audit/nameless-log.ts";
import type { CardFormat } from "#shared/export/card/formats.ts";
import type { ExportFormat } from "#shared/export/formats.ts";
import type { Portability } from "#shared/export/portability.ts";
import type { TableFormat } from "#shared/export/table/formats.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Position } from "#shared/kernel/places.ts";
import type { Result } from "#shared/kernel/result.ts";
import type { Alias, FreeAlias } from "#shared/protocol/aliases.ts";
import type {
  ArchiveView,
  EventView,
  HeldOutBegin,
  HeldOutState,
  HeldOutUpload,
  Launch,
  Receipt,
  RoundDetail,
  RoundView,
  RunView,
  TaskCreated,
  TaskHistory,
  TaskView,
} from "#shared/protocol/api.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import type { LogHead } from "#shared/protocol/ids.ts";
import type { LogEntryView, LogStateView, LogView } from "#shared/protocol/log-api.ts";
import type { DeviceMessageOf, InputHeaders } from "#shared/protocol/messages/device.ts";
import type { Reply } from "#shared/protocol/messages/reply.ts";
import type {
  AliasMove,
  AliasView,
  Decision,
  GateReport,
  ModelVersionView,
} from "#shared/protocol/registry.ts";
import type { SettingsView } from "#shared/protocol/settings-view.ts";
import type { Comparison } from "#shared/task/report/comparison.ts";
import type { EvaluationReport } from "#shared/task/report/report.ts";
import type { TaskSettingChanges } from "#shared/task/settings.ts";
import type { Task } from "#shared/task/task.ts";
import type { LogProof } from "#shared/tlog/log-proof.ts";
import type { LogReader } from "./access/permissions.ts";
import type { Places } from "./access/places.ts";
import type { Overrides } from "./access/promotions.ts";
import type { ExportedFile } from "./models/exports.ts";
import type { FoundRun, RunNames } from "./ports/own-run-search.ts";
import type { Listed, Page, Readable } from "./ports/ports.ts";
import type { Tracking } from "./tracking/tracking.ts";

/*
 * HTTP routes, sockets and commands call this. All arguments are decoded and have passed their schemas. The
 * device's identity was established by access/ before `deviceUp`.
 */

/** Messages of an authenticated device. hello and authenticate are handled in access/device-login.ts. */
export type RoundMessage = DeviceMessageOf<
  "check-in" | "advertise" | "share" | "confirm" | "unmask" | "complaint" | "leave"
>;

/** Permission to send one masked input. The spool checks `byteCount` and `root`. */
export interface UploadTicket {
  readonly sid: string;
  readonly position: Position;
  readonly byteCount: number;
  readonly sha256: string;
  readonly root: string;
  readonly signature: string;
  /** What the device had seen of the public log; absent without a log. */
  readonly log?: LogHead;
  /** Set if this same input has a receipt. Answer with that and do not read the body. */
  readonly receipt: Receipt | null;
}

/** The whole core, by subject. Callers take only the subjects that they need. */
export interface Coordinator {
  readonly lifecycle: Lifecycle;
  readonly tasks: Tasks;
  readonly heldOut: HeldOut;
  readonly registry: ModelRegistry;
  readonly runs: Runs;
  readonly rounds: Rounds;
  readonly auditLog: AuditLog;
  readonly exports: Exported;
  readonly reports: Reported;
  readonly runFiles: RunFiles;
  readonly assessor: Assessor;
  readonly runSearch: RunSearch;
  readonly devices: DeviceDesk;
  readonly uploads: Uploads;
  readonly projects: Projects;
  readonly places: Places;
  readonly tracking: Tracking;
}

export interface Lifecycle {
  /** Reloads open runs and rounds and continues them. Resolves once devices may be let in. */
  start(): Promise<void>;
  /** Accepts no more work and lets current writes finish. The next start continues open rounds. */
  stop(): Promise<void>;
  /**
   * Called when this process loses the store and another may write. Every open run is read again from its
   * log as soon as possible.
   */
  interrupt(reason: Error): void;
}

export interface Tasks {
  /**
   * Errors: CONFLICT if this slug and version exist, or the slug belongs to another project.
   *
   * A version of an archived task takes it up again. Held-out rows in use that do not fit the version are not used for it,
   * and the answer says so.
   *
   * @param projectId  By default the one that the coordinator was started for.
   */
  createTask(task: Task, actor: string, projectId?: string): Promise<Result<TaskCreated, WireError>>;
  /** Archived ones only if asked. */
  listTasks(readable: Readable & { readonly archived?: boolean }, page: Page): Promise<Listed<TaskView>>;
  /** Versions of a task, newest first; none if there is no such task. */
  listVersions(slug: string, page: Page): Promise<Listed<TaskView>>;
  /** The newest version by default. */
  taskView(slug: string, version?: number): Promise<TaskView | null>;
  /** The settings, for all versions of the slug; null if there is no such task. */
  taskSettings(slug: string): Promise<SettingsView | null>;
  /** Asks no participant again. Errors: NOT_FOUND. */
  changeTaskSettings(
    slug: string,
    changes: TaskSettingChanges,
    actor: string,
  ): Promise<Result<SettingsView, WireError>>;
  /** What archiving would do, or has done; null if there is no such task. */
  archiveView(slug: string, actor: string): Promise<ArchiveView | null>;
  /**
   * Takes the task off the list: runs in line are cancelled, the active one ends after its round, then devices are told.
   * Models, log and figures stay. Errors: NOT_FOUND; CONFLICT, with who did it when, if it is archived.
   */
  archive(slug: string, actor: string): Promise<Result<ArchiveView, WireError>>;
  /** What people decided about it, newest first; null if there is no such task. */
  taskHistory(slug: string): Promise<TaskHistory | null>;
}

/** Rows that judge a task's models, as the coordinator has them (E20). */
export interface HeldOut {
  /** Errors: NOT_FOUND, CONFLICT, RATE_LIMITED, STORAGE_FULL. */
  beginHeldOut(slug: string, begin: HeldOutBegin, actor: string): Promise<Result<HeldOutUpload, WireError>>;
  /**
   * Takes a part of an upload, from `offset` on. With the last one the check begins, which the view follows.
   *
   * @returns The view. Errors: NOT_FOUND, BAD_LENGTH, STORAGE_FULL; CONFLICT with the offset that was reached.
   */
  receiveHeldOut(
    slug: string,
    uploadId: string,
    part: {
      readonly offset: number;
      /** Of the whole upload. */
      readonly byteCount: number;
      readonly body: AsyncIterable<Uint8Array>;
      /** Called with each piece of the body once it is no longer needed. */
      readonly free?: (piece: Uint8Array) => void;
    },
  ): Promise<Result<HeldOutUpload, { readonly error: WireError; readonly reached?: number }>>;
  /** Null if there is no such upload. */
  heldOutUpload(slug: string, uploadId: string): Promise<HeldOutUpload | null>;
  /** Null if there is no such task. */
  heldOutState(slug: string): Promise<HeldOutState | null>;
  /** Errors: NOT_FOUND; CONFLICT if it is over. */
  stopHeldOut(slug: string, uploadId: string): Promise<Result<HeldOutUpload, WireError>>;
  /** From now on devices alone judge its models. Errors: NOT_FOUND; CONFLICT if they do already. */
  removeHeldOut(slug: string, actor: string): Promise<Result<void, WireError>>;
}

/**
 * The models that a task's rounds have made, by number, and which of them have a name (G1 to G4). Moves compare what the
 * sender believes with what is. Errors of all moves: NOT_FOUND if there is no such task or version; CONFLICT, with the
 * present holder, if the alias names another version than expected. Nothing is moved then.
 */
export interface ModelRegistry extends Overrides {
  /** Newest first; none if there is no such task. */
  listModels(slug: string, page: Page): Promise<Listed<ModelVersionView>>;
  model(slug: string, version: number): Promise<ModelVersionView | null>;
  /** All aliases, also those that name nothing. */
  aliases(slug: string): Promise<readonly AliasView[]>;
  modelByAlias(slug: string, alias: Alias): Promise<ModelVersionView | null>;
  /** Moves an alias that people move freely, or removes it. */
  moveAlias(
    slug: string,
    alias: FreeAlias,
    move: AliasMove,
    actor: string,
  ): Promise<Result<AliasView, WireError>>;
  /** What the task's gates say of a version, the newest by default. Errors: NOT_FOUND. */
  gates(slug: string, version?: number): Promise<Result<GateReport, WireError>>;
  /** What was decided about a version, newest first, with what each gate said then. */
  decisions(slug: string, version: number): Promise<readonly Decision[]>;
  /**
   * Makes a version the champion, and the champion until now the previous one. Errors: CONFLICT if it is already; GATES_SHUT
   * with the reasons if not all gates are open.
   */
  promote(
    slug: string,
    promotion: { readonly version: number; readonly expected: number | null },
    actor: string,
  ): Promise<Result<AliasView, WireError>>;
  /** Makes the previous one the champion again. Errors: CONFLICT without one. */
  rollBack(slug: string, expected: number, actor: string): Promise<Result<AliasView, WireError>>;
}

export interface Projects {
  /**
   * Deletes tasks, runs, models and everything else that a project has, after `agreed` has recorded it. Files go before the
   * rows that name them, so that a deletion that was cut short can be done again. If it fails, no run is launched in the
   * project until it was done. Errors: those of `agreed`, CONFLICT while one of its runs is open or being launched.
   *
   * @throws if a file or the rows cannot be deleted now.
   */
  deleteData(
    projectId: string,
    agreed: (counts: {
      readonly taskCount: number;
      readonly runCount: number;
    }) => Promise<Result<void, WireError>>,
  ): Promise<Result<void, WireError>>;
}

/** What is known of models on the held-out rows (E60 to E62). */
export interface Reported {
  /** Errors: NOT_FOUND, also for a model that was not evaluated on held-out rows. */
  report(roundId: string): Promise<Result<EvaluationReport, WireError>>;
  /**
   * How a task's second model differs from the first on the task's present held-out rows. Errors: NOT_FOUND without such
   * models.
   */
  compare(slug: string, first: number, second: number): Promise<Result<Comparison, WireError>>;
  /** How a task's model does in onnxruntime as it leaves, and what 8 bits cost it. Errors: NOT_FOUND without such a model. */
  portability(slug: string, version: number): Promise<Result<Portability, WireError>>;
  /** A model's card. Errors: NOT_FOUND without such a model. */
  card(slug: string, version: number, format: CardFormat): Promise<Result<ExportedFile, WireError>>;
}

export interface Runs {
  /**
   * Launches a run, queued behind the task's active run if there is one. Errors: UNKNOWN_TASK, BAD_REQUEST,
   * RATE_LIMITED.
   */
  launch(launch: Launch, actor: string): Promise<Result<RunView, WireError>>;
  /** Errors: NOT_FOUND, CONFLICT if the run's state does not allow it. */
  pause(runId: string, actor: string): Promise<Result<RunView, WireError>>;
  resume(runId: string, actor: string): Promise<Result<RunView, WireError>>;
  stopRun(runId: string, actor: string): Promise<Result<RunView, WireError>>;
  runView(runId: string): Promise<RunView | null>;
  listRuns(filter: Readable & { readonly task?: string }, page: Page): Promise<Listed<RunView>>;
  /** Events of the run and its rounds, newest first. */
  listEvents(runId: string, page: Page): Promise<Listed<EventView>>;
}

export interface Rounds {
  /** Ascending. */
  listRounds(runId: string, page: Page): Promise<Listed<RoundView>>;
  roundDetail(roundId: string): Promise<RoundDetail | null>;
  /** Blob of the published integer sum (i32 little-endian); null until the round has committed. */
  publishedSumHash(roundId: string): Promise<string | null>;
  /** Its own log without names; null while it lives, and if it cannot be replayed without names. */
  namelessLog(roundId: string): Promise<readonly NamelessRow[] | null>;
  /** For a participant's receipt. @param from  Number of entries of the log that the reader has seen. */
  sealedInputsProof(roundId: string, sid: string, from: number): Promise<Result<LogProof, WireError>>;
}

/** The public log for those who look at it from outside. Tiles and checkpoints prove; this only says where to look. */
export interface AuditLog {
  /** Null if this coordinator keeps no log, or has signed nothing yet. */
  logView(): Promise<LogView | null>;
  /** Signed entries that fit, newest first. The list may be short, or empty, and go on. */
  listEntries(search: LogSearch, page: Page, reader: LogReader): Promise<Listed<LogEntryView>>;
  /** How the log is doing, for those who run something here. */
  logState(): LogStateView;
}

/** What entries are looked for. All that is given must hold. */
export interface LogSearch {
  /** Words that the entry, or what it is about, has: "digits 3". */
  readonly text?: string | undefined;
  readonly kind?: string | undefined;
  readonly run?: string | undefined;
  readonly round?: string | undefined;
  /** A model's hash. */
  readonly model?: string | undefined;
  readonly actor?: string | undefined;
  /** Unix milliseconds, both ends included. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** Models in formats of other tools. Errors: NOT_FOUND, also if there is no model yet. */
export interface Exported {
  ofRun(runId: string, format: ExportFormat): Promise<Result<ExportedFile, WireError>>;
  ofRound(roundId: string, format: ExportFormat): Promise<Result<ExportedFile, WireError>>;
  ofVersion(slug: string, version: number, format: ExportFormat): Promise<Result<ExportedFile, WireError>>;
}

/** A run as files for other tools. Errors: NOT_FOUND. */
export interface RunFiles {
  /** Every measure of every model of the run, as a table. */
  figures(runId: string, format: TableFormat): Promise<Result<ExportedFile, WireError>>;
  runArchive(runId: string): Promise<Result<Archive, WireError>>;
}

/** A search as it is asked for, in MLflow's language. */
export interface RunSearchText {
  readonly filter: string;
  /** "metrics.accuracy DESC, started"; empty for the newest first. */
  readonly order: string;
}
/** A run as a search finds it. */
export interface FoundRunView extends Pick<FoundRun, "params" | "tags"> {
  readonly run: RunView;
  /** Null for what is no number. */
  readonly metrics: readonly { readonly key: string; readonly value: number | null; readonly step: number }[];
}
export interface FoundRuns extends Listed<FoundRunView> {
  /** Runs that the filter finds, on all pages, and runs that the reader may read. */
  readonly foundCount: number;
  readonly allCount: number;
}

/** Chorus's own runs, searched over all that a reader may read. Errors: BAD_REQUEST with what is wrong and where. */
export interface RunSearch {
  search(readable: Readable, text: RunSearchText, page: Page): Promise<Result<FoundRuns, WireError>>;
  names(readable: Readable): Promise<RunNames>;
  /** One row a run, with its params and newest figures; of the first 10,000 that are found. */
  file(
    readable: Readable,
    text: RunSearchText,
    format: TableFormat,
  ): Promise<Result<ExportedFile, WireError>>;
}

/** One model version as an assessor needs it. */
export interface Assessor {
  /** Errors: NOT_FOUND without such a model. */
  assessorFile(slug: string, version: number): Promise<Result<Archive, WireError>>;
}

export interface Archive {
  /** Of the archive and its folder, e.g. digits-run3. */
  readonly name: string;
  /** An estimate, for the deadline of its download. */
  readonly byteCountAbout: number;
  /** Paths and contents, each made when it is asked for. */
  readonly files: AsyncIterable<readonly [path: string, bytes: Bytes]>;
}

export interface DeviceDesk {
  /**
   * Called after authentication and after each reconnect. Tells the device what its current step needs.
   *
   * @param address  Key of its address, as limits count it; kept in memory only (R30).
   * @param logSize  Size of the public log as it saw it last; by default it saw nothing.
   */
  deviceUp(identity: string, task: string, address?: string | null, logSize?: number): void;
  /** Called when the device's last connection is gone. */
  deviceDown(identity: string): void;
  /** Never throws on a peer's message. A refused message changes nothing. */
  onDeviceMessage(identity: string, message: RoundMessage): Promise<Reply>;
}

export interface Uploads {
  /**
   * Checks slot, signature and step before a byte is read. Errors: BAD_SLOT, SLOT_CLOSED, BAD_SIGNATURE,
   * CONFLICT (the slot has another digest), RATE_LIMITED.
   *
   * @param address  Key of the sender's address, to which wrong slots are charged (W10); null if nobody
   *                 counts.
   */
  beginUpload(
    sid: string,
    position: Position,
    headers: InputHeaders,
    address?: string | null,
  ): Promise<Result<UploadTicket, WireError>>;
  /**
   * Called once the spool holds the complete, verified file. Errors: SLOT_CLOSED, CONFLICT; the file is then
   * deleted.
   */
  finishUpload(ticket: UploadTicket): Promise<Result<Receipt, WireError>>;
}
