import type { Result } from "#shared/kernel/result.ts";
import type {
  EventView,
  Launch,
  Receipt,
  RoundDetail,
  RoundView,
  RunView,
  SettingsView,
  TaskView,
} from "#shared/protocol/api.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import type { DeviceMessageOf, InputHeaders } from "#shared/protocol/messages/device.ts";
import type { Reply } from "#shared/protocol/messages/reply.ts";
import type { TaskSettingChanges } from "#shared/task/settings.ts";
import type { Task } from "#shared/task/task.ts";
import type { Listed, Page } from "./ports.ts";

/*
 * What the HTTP routes, the sockets and the commands call. Everything that arrives here is decoded and has passed its
 * schema; who the device is was settled by access/ before `deviceUp`.
 */

/** What an authenticated device may send; hello and authenticate end in access/device-login.ts. */
export type RoundMessage = DeviceMessageOf<
  "check-in" | "advertise" | "share" | "confirm" | "unmask" | "complaint" | "leave"
>;

/** Leave to send one masked input: what the spool must check while it receives. */
export interface UploadTicket {
  readonly sid: string;
  readonly position: number;
  readonly byteCount: number;
  readonly sha256: string;
  readonly root: string;
  readonly signature: string;
  /** The input is here already, with the same digest: answer this and read no body. */
  readonly receipt: Receipt | null;
}

/** The whole core, by subject. Whoever calls it takes the subjects that it needs. */
export interface Coordinator {
  readonly lifecycle: Lifecycle;
  readonly tasks: Tasks;
  readonly runs: Runs;
  readonly rounds: Rounds;
  readonly devices: DeviceDesk;
  readonly uploads: Uploads;
}

export interface Lifecycle {
  /** Reloads the open runs and rounds and goes on with them. Resolves when devices may be let in. */
  start(): Promise<void>;
  /** Takes no more, lets what is being written end, and leaves open rounds to the next start. */
  stop(): Promise<void>;
  /**
   * The store was out of this process's hands, and another may have written: every run is read again from its log as soon
   * as that can be read.
   */
  interrupt(reason: Error): void;
}

export interface Tasks {
  /** Errors: CONFLICT if this slug and version exist. */
  createTask(task: Task, actor: string): Promise<Result<TaskView, WireError>>;
  listTasks(page: Page): Promise<Listed<TaskView>>;
  /** The newest version unless one is given. */
  taskView(slug: string, version?: number): Promise<TaskView | null>;
  /** As they are set, for all versions of the slug; null if there is no such task. */
  taskSettings(slug: string): Promise<SettingsView | null>;
  /** No participant is asked again. Errors: NOT_FOUND. */
  changeTaskSettings(
    slug: string,
    changes: TaskSettingChanges,
    actor: string,
  ): Promise<Result<SettingsView, WireError>>;
}

export interface Runs {
  /** Queued behind the task's active run, if there is one. Errors: UNKNOWN_TASK, BAD_REQUEST, RATE_LIMITED. */
  launch(launch: Launch): Promise<Result<RunView, WireError>>;
  /** Errors: NOT_FOUND, CONFLICT if the run's state does not allow it. */
  pause(runId: string, actor: string): Promise<Result<RunView, WireError>>;
  resume(runId: string, actor: string): Promise<Result<RunView, WireError>>;
  stopRun(runId: string, actor: string): Promise<Result<RunView, WireError>>;
  runView(runId: string): Promise<RunView | null>;
  listRuns(filter: { readonly task?: string }, page: Page): Promise<Listed<RunView>>;
  /** Newest first, with those of its rounds. */
  listEvents(runId: string, page: Page): Promise<Listed<EventView>>;
}

export interface Rounds {
  /** Ascending. */
  listRounds(runId: string, page: Page): Promise<Listed<RoundView>>;
  roundDetail(roundId: string): Promise<RoundDetail | null>;
  /** Blob of the published integer sum (i32 little-endian); null before the round committed. */
  publishedSumHash(roundId: string): Promise<string | null>;
}

export interface DeviceDesk {
  /**
   * After authentication, and again after each reconnect: the device is told what its current step needs.
   *
   * @param address  Key of the address that it came from, as limits count it; kept in memory only (R30).
   */
  deviceUp(identity: string, task: string, address?: string | null): void;
  /** Its last connection is gone. */
  deviceDown(identity: string): void;
  /** Never throws on a peer's message; what is refused changes nothing. */
  onDeviceMessage(identity: string, message: RoundMessage): Promise<Reply>;
}

export interface Uploads {
  /**
   * Checks slot, signature and step before a byte is read.
   * Errors: BAD_SLOT, SLOT_CLOSED, BAD_SIGNATURE, CONFLICT (another digest was taken for this slot), RATE_LIMITED.
   *
   * @param address  Key of the sender's address, to which wrong slots are charged (W10); null: nobody counts.
   */
  beginUpload(
    sid: string,
    position: number,
    headers: InputHeaders,
    address?: string | null,
  ): Promise<Result<UploadTicket, WireError>>;
  /** After the spool holds the complete, checked file. Errors: SLOT_CLOSED, CONFLICT; the file is deleted then. */
  finishUpload(ticket: UploadTicket): Promise<Result<Receipt, WireError>>;
}
