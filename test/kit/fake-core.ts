import type {
  DeviceDesk,
  Rounds,
  Runs,
  Tasks,
  Uploads,
  UploadTicket,
} from "#coordinator/core/coordinator.ts";
import type { Store } from "#coordinator/core/ports.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { err, ok } from "#shared/kernel/result.ts";
import type { RunView, TaskView } from "#shared/protocol/api.ts";
import { wireError } from "#shared/protocol/errors.ts";
import type { HashHex, RunId } from "#shared/protocol/ids.ts";
import type { Task } from "#shared/task/task.ts";

/*
 * A core that only remembers what reached it, so that a test can say: nothing did. One task, one run, one upload slot.
 */

export const RUN_ID = "0197a000000070008000000000000001" as RunId;
export const SID = "cd".repeat(32);
export const SLOT = "s".repeat(43);
export const UPLOAD_BYTE_COUNT = 4 * 50_000;
const HASH = "ef".repeat(32) as HashHex;

export class FakeCore implements Tasks, Runs, Rounds, DeviceDesk, Uploads {
  /** Every call that could change something, by name, with its first argument. */
  readonly writes: { readonly name: string; readonly about: unknown }[] = [];
  readonly up: string[] = [];
  /** Where each of them came from; null: an operator invited it. */
  readonly addresses: (string | null)[] = [];
  readonly down: string[] = [];
  readonly task = bundledTask("digits", 8, 1);
  /** What beginUpload expects; a test sets it to the bytes that it sends. */
  upload: Pick<UploadTicket, "sha256" | "root"> | null = null;
  /** Set to make the next device message fail inside. */
  breaks = false;

  async createTask(task: Task) {
    this.#write("createTask", task.slug);
    return task.slug === this.task.slug ? err(wireError("CONFLICT")) : ok(this.#taskView(task));
  }
  async listTasks() {
    return { items: [this.#taskView(this.task)], next: null };
  }
  async taskView(slug: string, version?: number) {
    return slug === this.task.slug && (version ?? 1) === 1 ? this.#taskView(this.task) : null;
  }
  async taskSettings(slug: string) {
    return slug === this.task.slug ? { slug: this.task.slug, settings: { invitation: null } } : null;
  }
  async changeTaskSettings(slug: string) {
    const view = await this.taskSettings(slug);
    if (view === null) return err(wireError("NOT_FOUND"));
    this.#write("changeTaskSettings", slug);
    return ok(view);
  }
  async launch() {
    this.#write("launch", null);
    return ok(runView(this.task));
  }
  async pause(runId: string) {
    return this.#act("pause", runId);
  }
  async resume(runId: string) {
    return this.#act("resume", runId);
  }
  async stopRun(runId: string) {
    return this.#act("stopRun", runId);
  }
  async runView(runId: string) {
    return runId === RUN_ID ? runView(this.task) : null;
  }
  async listRuns() {
    return { items: [runView(this.task)], next: null };
  }
  async listRounds() {
    return { items: [], next: null };
  }
  async listEvents() {
    return { items: [], next: null };
  }
  async roundDetail() {
    return null;
  }
  async publishedSumHash() {
    return null;
  }
  deviceUp(identity: string, _task: string, address: string | null = null): void {
    this.up.push(identity);
    this.addresses.push(address);
  }
  deviceDown(identity: string): void {
    this.down.push(identity);
  }
  async onDeviceMessage(identity: string, message: { readonly type: string }) {
    if (this.breaks) throw new Error("planted: the core fails");
    this.#write(message.type, identity);
    return { type: "accepted" as const };
  }
  async beginUpload(
    sid: string,
    position: number,
    headers: { readonly slot: string; readonly sha256: string },
  ) {
    if (sid !== SID || headers.slot !== SLOT || this.upload === null) return err(wireError("BAD_SLOT"));
    if (headers.sha256 !== this.upload.sha256) return err(wireError("CONFLICT"));
    const taken = this.writes.some(({ name }) => name === "finishUpload");
    const receipt = {
      sid: SID as HashHex,
      position,
      sha256: this.upload.sha256 as HashHex,
      byteCount: UPLOAD_BYTE_COUNT,
    };
    return ok({
      sid,
      position,
      byteCount: UPLOAD_BYTE_COUNT,
      signature: "",
      ...this.upload,
      receipt: taken ? receipt : null,
    });
  }
  async finishUpload({ position, sha256, byteCount }: UploadTicket) {
    this.#write("finishUpload", position);
    return ok({ sid: SID as HashHex, position, sha256: sha256 as HashHex, byteCount });
  }

  #act(name: string, runId: string) {
    if (runId !== RUN_ID) return err(wireError("NOT_FOUND"));
    this.#write(name, runId);
    return ok(runView(this.task));
  }
  #write(name: string, about: unknown): void {
    this.writes.push({ name, about });
  }
  #taskView(task: Task): TaskView {
    return {
      task,
      taskHash: HASH,
      parameterCount: 2_410,
      vectorLength: 2_421,
      bitsPerWeight: 32,
      deviceCount: 0,
      activeRunId: null,
      accuracy: null,
      latestModelHash: null,
      createdAt: "2026-01-01T00:00:00.000Z",
      createdBy: "test",
    };
  }
}

function runView(task: Task): RunView {
  return {
    runId: RUN_ID,
    number: 1,
    task: task.slug,
    taskVersion: task.version,
    state: "running",
    pausing: false,
    code: null,
    roundsPlanned: 3,
    roundsCommitted: 0,
    strategy: task.aggregation.strategy,
    training: task.training,
    seed: 1,
    configHash: HASH,
    launchedBy: "test",
    createdAt: "2026-01-01T00:00:00.000Z",
    startedAt: null,
    endedAt: null,
    currentRound: null,
    history: [],
    modelHash: null,
    secondsLeft: null,
  };
}

/** The part of the store that the outer shell uses. */
export class FakeStore
  implements Pick<Store, "findTask" | "useJoinToken" | "putJoinToken" | "noteDevice" | "ping">
{
  readonly devices = new Set<string>();
  readonly tokens = new Map<string, { uses: number; readonly expiresAt: number }>();
  answers = true;
  /** Every read and write, by name. */
  readonly calls: string[] = [];

  async findTask(slug: string) {
    this.calls.push("findTask");
    return slug === "digits"
      ? {
          task: bundledTask("digits", 8, 1),
          taskHash: HASH,
          createdAt: 0,
          actor: "test",
          newest: null,
          settings: { invitation: null },
        }
      : null;
  }
  async putJoinToken(tokenHash: string, uses: number, expiresAt: number) {
    this.tokens.set(tokenHash, { uses, expiresAt });
  }
  async useJoinToken(tokenHash: string, now: number) {
    this.calls.push("useJoinToken");
    const token = this.tokens.get(tokenHash);
    if (token === undefined || token.uses < 1 || token.expiresAt <= now) return false;
    token.uses -= 1;
    return true;
  }
  async noteDevice(identity: string) {
    this.calls.push("noteDevice");
    this.devices.add(identity);
  }
  async ping() {
    if (!this.answers) throw new Error("planted: the database is gone");
  }
}
