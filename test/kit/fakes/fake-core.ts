import type { AccessPorts } from "#coordinator/core/access/device-login.ts";
import type {
  Archive,
  Assessor,
  DeviceDesk,
  Exported,
  HeldOut,
  ModelRegistry,
  Reported,
  Rounds,
  RunFiles,
  Runs,
  Tasks,
  Uploads,
  UploadTicket,
} from "#coordinator/core/coordinator.ts";
import type { ExportedFile } from "#coordinator/core/models/exports.ts";
import type { EnrolmentRow, NewEnrolment } from "#coordinator/core/ports/access-store.ts";
import type { Store } from "#coordinator/core/ports/ports.ts";
import type { Place, Placed } from "#coordinator/core/ports/store.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import type { Portability } from "#shared/export/portability.ts";
import type { Position } from "#shared/kernel/places.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { FreeAlias } from "#shared/protocol/aliases.ts";
import type { HeldOutBegin, HeldOutUpload, RunView, TaskView } from "#shared/protocol/api.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { HashHex, RunId } from "#shared/protocol/ids.ts";
import type { AliasMove, AliasView } from "#shared/protocol/registry.ts";
import type { Comparison } from "#shared/task/report/comparison.ts";
import type { EvaluationReport } from "#shared/task/report/report.ts";
import { taskSettingsSchema } from "#shared/task/settings.ts";
import type { Task } from "#shared/task/task.ts";
import type { LogProof } from "#shared/tlog/log-proof.ts";

/*
 * A core that only records what reached it, so that a test can assert that nothing did. One task, one run, one upload
 * slot.
 */

export const RUN_ID = "0197a000000070008000000000000001" as RunId;
export const SID = "cd".repeat(32);
export const SLOT = "s".repeat(43);
export const UPLOAD_BYTE_COUNT = 4 * 50_000;
const HASH = "ef".repeat(32) as HashHex;

/** The upload of the fake, which is named like its run. */
function heldOutUpload(task: Task, format: HeldOutUpload["format"], byteCount: number): HeldOutUpload {
  return {
    ...{ uploadId: RUN_ID, task: task.slug, format, byteCount, state: "receiving" },
    ...{ receivedByteCount: 0, rowsChecked: 0, checkedShare: 0, refusal: null, set: null },
  };
}

export class FakeCore
  implements
    Tasks,
    HeldOut,
    ModelRegistry,
    Runs,
    Rounds,
    Exported,
    Reported,
    RunFiles,
    Assessor,
    DeviceDesk,
    Uploads
{
  /** Every call that could change something, by name, with its first argument. */
  readonly writes: { readonly name: string; readonly about: unknown }[] = [];
  readonly up: string[] = [];
  /** The address of each; null: an operator invited it. */
  readonly addresses: (string | null)[] = [];
  readonly down: string[] = [];
  readonly task = bundledTask("digits", 8, 1);
  /** What beginUpload expects; a test sets it to the bytes that it sends. */
  upload: Pick<UploadTicket, "sha256" | "root"> | null = null;
  /** If true, the next device message fails inside. */
  breaks = false;

  /** Where each of its things belongs. */
  readonly place: Place = { projectId: "default", slug: this.task.slug, joining: "public" };
  readonly places = {
    of: async ({ type, id }: Placed): Promise<readonly Place[]> => {
      const isThere =
        id === (type === "task" ? this.task.slug : RUN_ID) || type === "round" || type === "model";
      return isThere ? [this.place] : [];
    },
  };

  async createTask(task: Task) {
    this.#write("createTask", task.slug);
    return task.slug === this.task.slug ? err(wireError("CONFLICT")) : ok(this.#taskView(task));
  }
  async listTasks() {
    return { items: [this.#taskView(this.task)], next: null };
  }
  async listVersions(slug: string) {
    return { items: slug === this.task.slug ? [this.#taskView(this.task)] : [], next: null };
  }
  async taskView(slug: string, version?: number) {
    return slug === this.task.slug && (version ?? 1) === 1 ? this.#taskView(this.task) : null;
  }
  async taskSettings(slug: string) {
    return slug === this.task.slug ? { slug: this.task.slug, settings: taskSettingsSchema.parse({}) } : null;
  }
  async changeTaskSettings(slug: string) {
    const view = await this.taskSettings(slug);
    if (view === null) return err(wireError("NOT_FOUND"));
    this.#write("changeTaskSettings", slug);
    return ok(view);
  }
  async archiveView(slug: string) {
    return slug === this.task.slug ? { archived: null, sentence: "ada archived digits." } : null;
  }
  async archive(slug: string) {
    const view = await this.archiveView(slug);
    if (view === null) return err(wireError("NOT_FOUND"));
    this.#write("archive", slug);
    return ok(view);
  }
  async taskHistory(slug: string) {
    return slug === this.task.slug ? { items: [] } : null;
  }
  async beginHeldOut(slug: string, { format, byteCount }: HeldOutBegin) {
    if (slug !== this.task.slug) return err(wireError("NOT_FOUND"));
    this.#write("beginHeldOut", slug);
    return ok(heldOutUpload(this.task, format, byteCount));
  }
  async receiveHeldOut(slug: string, uploadId: string, { byteCount }: { readonly byteCount: number }) {
    if (slug !== this.task.slug || uploadId !== RUN_ID) return err({ error: wireError("NOT_FOUND") });
    this.#write("receiveHeldOut", slug);
    return ok(heldOutUpload(this.task, "csv", byteCount));
  }
  async heldOutUpload(slug: string, uploadId: string) {
    return slug === this.task.slug && uploadId === RUN_ID ? heldOutUpload(this.task, "csv", 100) : null;
  }
  async heldOutState(slug: string) {
    return slug === this.task.slug ? { set: null, uploads: [] } : null;
  }
  async stopHeldOut(slug: string, uploadId: string) {
    const view = await this.heldOutUpload(slug, uploadId);
    if (view === null) return err(wireError("NOT_FOUND"));
    this.#write("stopHeldOut", slug);
    return ok(view);
  }
  async removeHeldOut(slug: string) {
    if (slug !== this.task.slug) return err(wireError("NOT_FOUND"));
    this.#write("removeHeldOut", slug);
    return ok(undefined);
  }
  async listModels() {
    return { items: [], next: null };
  }
  async model() {
    return null;
  }
  async aliases() {
    return [];
  }
  async modelByAlias() {
    return null;
  }
  async moveAlias(slug: string, alias: FreeAlias, { version }: AliasMove) {
    return this.#name("moveAlias", slug, { alias, version });
  }
  async promote(slug: string, { version }: { readonly version: number }) {
    return this.#name("promote", slug, { alias: "champion", version });
  }
  async gates(slug: string) {
    if (slug !== this.task.slug) return err(wireError("NOT_FOUND"));
    return ok({ version: 1, champion: null, open: true, promoteByItself: false, gates: [] });
  }
  async decisions() {
    return [];
  }
  async overrideRefusal() {
    return wireError("UNAVAILABLE");
  }
  async promoteDespiteGates() {
    return err(wireError("UNAVAILABLE"));
  }
  async rollBack(slug: string) {
    return this.#name("rollBack", slug, { alias: "champion", version: 1 });
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
  async namelessLog() {
    return null;
  }
  async sealedInputsProof(): Promise<Result<LogProof, WireError>> {
    return err(wireError("NOT_FOUND"));
  }
  async logView() {
    return null;
  }
  async listEntries() {
    return { items: [], next: null };
  }
  logState() {
    return { state: "none" as const, size: 0, checkpointAgeMs: null, sentence: null };
  }
  async ofVersion(): Promise<Result<ExportedFile, WireError>> {
    return this.ofRun();
  }
  async ofRun(): Promise<Result<ExportedFile, WireError>> {
    return err(wireError("NOT_FOUND"));
  }
  async ofRound(): Promise<Result<ExportedFile, WireError>> {
    return err(wireError("NOT_FOUND"));
  }
  figures(): Promise<Result<ExportedFile, WireError>> {
    return this.ofRun();
  }
  async search() {
    return ok({ items: [], next: null, foundCount: 0, allCount: 0 });
  }
  async names() {
    return { params: [], metrics: [], tags: [] };
  }
  file(): Promise<Result<ExportedFile, WireError>> {
    return this.ofRun();
  }
  async runArchive(): Promise<Result<Archive, WireError>> {
    return err(wireError("NOT_FOUND"));
  }
  async assessorFile(): Promise<Result<Archive, WireError>> {
    return err(wireError("NOT_FOUND"));
  }
  async report(): Promise<Result<EvaluationReport, WireError>> {
    return err(wireError("NOT_FOUND"));
  }
  async compare(): Promise<Result<Comparison, WireError>> {
    return err(wireError("NOT_FOUND"));
  }
  async card(): Promise<Result<ExportedFile, WireError>> {
    return err(wireError("NOT_FOUND"));
  }
  async portability(): Promise<Result<Portability, WireError>> {
    return err(wireError("NOT_FOUND"));
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
    position: Position,
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

  #name(name: string, slug: string, named: Pick<AliasView, "alias" | "version">) {
    if (slug !== this.task.slug) return err(wireError("NOT_FOUND"));
    this.#write(name, slug);
    return ok({ ...named, movedAt: null, movedBy: null });
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
      measures: null,
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

type FakeStorePart = AccessPorts["store"] & Pick<Store, "ping">;

/** The part of the store that the outer shell uses. */
export class FakeStore implements FakeStorePart {
  readonly devices = new Set<string>();
  readonly enrolments: EnrolmentRow[] = [];
  answers = true;
  /** Every read and write, by name. */
  readonly calls: string[] = [];

  async findPlaces({ id }: Placed): Promise<readonly Place[]> {
    this.calls.push("findPlaces");
    return id === "digits" ? [{ projectId: "default", slug: "digits", joining: "public" }] : [];
  }
  async findEnrolments(identity: string) {
    this.calls.push("findEnrolments");
    return this.enrolments.filter((row) => row.identity === identity);
  }
  async enrol(tokenId: string, usesMax: number, row: NewEnrolment) {
    this.calls.push("enrol");
    if (this.enrolments.some((one) => one.tokenId === tokenId && one.identity === row.identity))
      return "enrolled" as const;
    if (this.enrolments.filter((one) => one.tokenId === tokenId).length >= usesMax) return "spent" as const;
    this.enrolments.push({ ...row, tokenId });
    return "enrolled" as const;
  }
  async deleteEnrolments() {
    this.calls.push("deleteEnrolments");
  }
  async noteDevice(identity: string) {
    this.calls.push("noteDevice");
    this.devices.add(identity);
  }
  async hasDevice(identity: string) {
    this.calls.push("hasDevice");
    return this.devices.has(identity);
  }
  async ping() {
    if (!this.answers) throw new Error("planted: the database is gone");
  }
}
