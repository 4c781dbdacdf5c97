import type { ExportFormat } from "#shared/export/formats.ts";
import type { Position } from "#shared/kernel/places.ts";
import type { Result } from "#shared/kernel/result.ts";
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
  SettingsView,
  TaskCreated,
  TaskHistory,
  TaskView,
} from "#shared/protocol/api.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import type { DeviceMessageOf, InputHeaders } from "#shared/protocol/messages/device.ts";
import type { Reply } from "#shared/protocol/messages/reply.ts";
import type { TaskSettingChanges } from "#shared/task/settings.ts";
import type { Task } from "#shared/task/task.ts";
import type { Places } from "./access/places.ts";
import type { ExportedModel } from "./models/exports.ts";
import type { Listed, Page, Readable } from "./ports/ports.ts";

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
  /** Set if this same input has a receipt. Answer with that and do not read the body. */
  readonly receipt: Receipt | null;
}

/** The whole core, by subject. Callers take only the subjects that they need. */
export interface Coordinator {
  readonly lifecycle: Lifecycle;
  readonly tasks: Tasks;
  readonly heldOut: HeldOut;
  readonly runs: Runs;
  readonly rounds: Rounds;
  readonly exports: Exported;
  readonly devices: DeviceDesk;
  readonly uploads: Uploads;
  readonly projects: Projects;
  readonly places: Places;
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
}

/** Models in formats of other tools. Errors: NOT_FOUND, also if there is no model yet. */
export interface Exported {
  ofRun(runId: string, format: ExportFormat): Promise<Result<ExportedModel, WireError>>;
  ofRound(roundId: string, format: ExportFormat): Promise<Result<ExportedModel, WireError>>;
}

export interface DeviceDesk {
  /**
   * Called after authentication and after each reconnect. Tells the device what its current step needs.
   *
   * @param address  Key of its address, as limits count it; kept in memory only (R30).
   */
  deviceUp(identity: string, task: string, address?: string | null): void;
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
