import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type ErrorCode, wireError } from "#shared/protocol/errors.ts";
import { type Authority, agreedConfigOf } from "#shared/task/agreed-config.ts";
import {
  type Dataset,
  type Imported,
  type ImportRefusal,
  type ImportReport,
  refuseImport,
  rowsMaxOf,
} from "#shared/task/dataset.ts";
import type { BackendName } from "#shared/task/engine.ts";
import type { Task } from "#shared/task/task.ts";
import { splitLocal } from "../core/local-data.ts";
import { createMemory } from "../core/memory.ts";
import type { Link, Trainer } from "../core/ports.ts";
import { createSession, type Session, type SessionView } from "../core/session.ts";
import { createSlices, type Slices } from "../core/slices.ts";
import type {
  ContributionDetail,
  DataSlice,
  ImportView,
  ParticipantView,
  Refusal,
  Stage,
} from "../core/view.ts";
import type { ParticipantOptions } from "../index.ts";
import type { BrowserStore, StoredConsent } from "./browser-store.ts";
import { ContributionArchive } from "./contribution-archive.ts";
import { ExampleBlocks } from "./example-blocks.ts";
import { importCsv, importDrawing, importPicture, importPictures } from "./imports.ts";
import { ModelInUse } from "./model-in-use.ts";
import { platformAfter, platformClock, platformRandom, platformWall } from "./platform-ports.ts";
import { taskSlice } from "./task-slice.ts";
import type { Actions } from "./worker-rpc.ts";

/*
 * A participant behind the door: the session of core/ with a browser's storage, engines and lock. Runs in the worker.
 */

const ROUNDS_MAX = 100;

export interface Parts {
  readonly options: ParticipantOptions;
  readonly link: Link;
  readonly store: BrowserStore;
  readonly trainer: Trainer;
  readonly primitives: Primitives;
  examples: ExampleBlocks;
  archive: ContributionArchive;
  readonly task: Task;
  readonly authority: Authority;
}

export class ParticipantHere implements Actions {
  readonly view: Slices<ParticipantView>;
  readonly #parts: Parts;
  #consent: StoredConsent | null;
  #session: Session | null = null;
  #unsubscribe: () => void = () => {};
  #releaseLock: (() => void) | null = null;
  #halt: "paused" | "left" | "locked" | null = null;
  #hidden = false;
  readonly #model: ModelInUse;
  /** As it was served when the page opened. */
  #latestModelHash: string | null = null;

  constructor(parts: Parts, consent: StoredConsent | null, taskHash: string) {
    this.#parts = parts;
    this.#consent = consent;
    this.#model = new ModelInUse(parts.task, parts.store, parts, (model) => this.view.patch({ model }));
    const since = platformWall.nowUnixMs();
    this.view = createSlices<ParticipantView>({
      stage: "consent",
      connection: { state: "offline", since, upByteCount: 0, downByteCount: 0 },
      task: taskSlice(parts.task, taskHash),
      consent: null,
      data: { count: 0, countByClass: [], localCount: 0, examples: [], lastImport: null },
      engine: parts.trainer.engines.get(),
      round: null,
      contributions: [],
      latest: null,
      budget: { used: 0, limit: parts.options.roundsMax ?? ROUNDS_MAX },
      refusal: null,
      model: null,
    });
    parts.trainer.engines.subscribe(() => this.view.patch({ engine: parts.trainer.engines.get() }));
  }

  /** What is stored, into the view. */
  async restore(latestModelHash: string | null): Promise<void> {
    const { archive, store, options, task } = this.#parts;
    const details = await archive.details();
    const used = await createMemory(store, Number.POSITIVE_INFINITY).participations(task.slug);
    this.view.patch({
      contributions: details.map(withoutSamples),
      latest: details[0] ?? null,
      budget: { used, limit: options.roundsMax ?? ROUNDS_MAX },
    });
    this.#showConsent();
    this.#showData(null);
    await this.#model.restore();
    this.#latestModelHash = latestModelHash;
    if (this.#consent !== null) this.#warmUp();
  }

  /** In the background: engines are timed, and the newest model is fetched for trying it. */
  #warmUp(): void {
    const { trainer, options } = this.#parts;
    const { table, calibrating } = trainer.engines.get();
    if (table.length === 0 && !calibrating) void trainer.calibrate(this.#parts.task, options.backend);
    const wanted = this.#latestModelHash;
    if (this.#model.weights === null && wanted !== null) void this.#model.cache.fetch(wanted);
  }

  async agree(version: number): Promise<Result<void, Refusal>> {
    const { task, store, authority } = this.#parts;
    if (version !== task.version) return err(refusal("TASK_VERSION"));
    const { taskHash } = this.view.get().task;
    const agreedAt = platformWall.nowUnixMs();
    await this.#endSession();
    const { projectId, codeVersion, issuerKey, logKey } = authority;
    const pinned = { projectId, codeVersion, issuerKey, logKey };
    this.#consent = { slug: task.slug, version, taskHash, agreedAt, task, authority: pinned };
    await store.consents.put(this.#consent);
    this.#halt = null;
    this.#showConsent();
    this.#warmUp();
    return ok(undefined);
  }

  async withdraw(): Promise<void> {
    await this.leave();
    await this.#parts.store.consents.delete(this.#parts.task.slug);
    this.#consent = null;
    this.#showConsent();
  }

  async addCsv(file: File): Promise<Result<ImportReport, ImportRefusal>> {
    return this.#keep(file.name, await importCsv(file, this.#parts.task.features));
  }

  addDrawing(pixels: Float32Array, label: number): Promise<Result<ImportReport, ImportRefusal>> {
    return this.#keep("drawing", importDrawing(pixels, label, this.#parts.task.features));
  }

  async addImages(files: readonly File[], label: number): Promise<Result<ImportReport, ImportRefusal>> {
    const name = files.length === 1 ? (files[0]?.name ?? "") : `${files.length} files`;
    return this.#keep(name, await importPictures(files, label, this.#parts.task.features));
  }

  readPicture(file: File): Promise<Result<Float32Array, ImportRefusal>> {
    return importPicture(file, this.#parts.task.features);
  }

  async removeExample(id: number): Promise<void> {
    await this.#parts.examples.remove(id);
    this.#showData(this.view.get().data.lastImport);
    if (this.view.get().data.count === 0 && this.#session !== null) await this.pause();
  }

  async start(): Promise<Result<void, Refusal>> {
    const consent = this.#consent;
    const { data, consent: shown } = this.view.get();
    if (consent === null || shown?.current !== true)
      return this.#refuse("TASK_VERSION", "Read what the task asks for and agree to it first.");
    if (data.count === 0) return this.#refuse("STATE", "Add data first; there is nothing to train on yet.");
    if (this.#releaseLock === null && !(await this.#takeLock())) {
      this.#halt = "locked";
      this.#showStage();
      return this.#refuse("LOCKED");
    }
    this.#halt = null;
    this.#session ??= await this.#makeSession(consent);
    if ((await this.#parts.trainer.ready()) === null) return this.#refuse("NO_ENGINE");
    this.#session.setHidden(this.#hidden);
    this.#session.start();
    this.#showStage();
    return ok(undefined);
  }

  async pause(): Promise<void> {
    this.#halt = "paused";
    await this.#session?.pause();
    this.#showStage();
  }

  resume(): Promise<Result<void, Refusal>> {
    return this.start();
  }

  async leave(): Promise<void> {
    await this.#endSession();
    this.#halt = "left";
    this.#showStage();
  }

  async deleteMyData(): Promise<void> {
    await this.#endSession();
    const { store, task, options } = this.#parts;
    await store.forget(task.slug);
    this.#parts.examples = await ExampleBlocks.open(store, task.slug);
    this.#parts.archive = new ContributionArchive(store, task.slug);
    this.#consent = null;
    this.#model.forget();
    this.#halt = null;
    const used = await createMemory(store, Number.POSITIVE_INFINITY).participations(task.slug);
    const budget = { used, limit: options.roundsMax ?? ROUNDS_MAX };
    this.view.patch({ round: null, contributions: [], latest: null, refusal: null, budget });
    this.#showConsent();
    this.#showData(null);
  }

  async setBackend(backend: BackendName | null): Promise<void> {
    await this.#parts.trainer.calibrate(this.#parts.task, backend ?? undefined);
  }

  async predict(input: Float32Array): Promise<Float32Array | null> {
    const { trainer, task } = this.#parts;
    const { weights } = this.#model;
    if (weights === null) return null;
    this.#warmUp();
    return (await trainer.ready()) === null ? null : trainer.predict(task, weights, input);
  }

  liveTensorCount(): Promise<number> {
    return this.#parts.trainer.liveTensorCount();
  }

  contribution(id: string): Promise<ContributionDetail | null> {
    return this.#parts.archive.find(id);
  }

  async downloadContribution(id: string): Promise<Blob | null> {
    const bytes = await this.#parts.archive.tarOne(id, platformWall.nowUnixMs());
    return bytes === null ? null : tarBlob(bytes);
  }

  async downloadContributions(): Promise<Blob> {
    return tarBlob(await this.#parts.archive.tarAll(this.#consent, platformWall.nowUnixMs()));
  }

  setHidden(hidden: boolean): void {
    this.#hidden = hidden;
    this.#session?.setHidden(hidden);
  }

  async #makeSession(consent: StoredConsent): Promise<Session> {
    const { link, trainer, store, archive, primitives, options } = this.#parts;
    const { task, authority } = consent;
    const signer = await store.signer(platformRandom);
    const roundsMax = options.roundsMax ?? ROUNDS_MAX;
    const ports = {
      link,
      trainer,
      archive,
      signer,
      primitives,
      memory: createMemory(store, roundsMax),
      random: platformRandom,
      clock: platformClock,
      wall: platformWall,
      after: platformAfter,
    };
    const session = createSession(ports, {
      task,
      authority,
      roundsMax,
      expectedConfig: await agreedConfigOf(primitives, task, authority),
      models: this.#model.cache,
      data: async () => splitLocal(this.#rows(), task.evaluation.localFraction, signer.publicKey),
      ...(options.joinToken === undefined ? {} : { joinToken: options.joinToken }),
      earlier: this.view.get().contributions,
    });
    this.#unsubscribe = session.view.subscribe((patch) => this.#onSession(patch));
    return session;
  }

  #onSession({ activity, model, latest, ...patch }: Partial<SessionView>): void {
    this.view.patch({
      ...patch,
      ...(latest == null ? {} : { latest }),
      ...(model == null ? {} : { model }),
    });
    if (model != null) void this.#model.comesFrom(model);
    if (activity !== undefined) this.#showStage();
  }

  async #endSession(): Promise<void> {
    await this.#session?.pause();
    this.#unsubscribe();
    this.#session = null;
    this.#releaseLock?.();
    this.#releaseLock = null;
  }

  /** One tab of this browser takes part at a time; the lock ends with the worker. */
  #takeLock(): Promise<boolean> {
    return new Promise((resolve) => {
      const name = `chorus ${new URL(this.#parts.options.coordinatorUrl).host}`;
      void navigator.locks.request(name, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        if (lock === null) return undefined;
        return new Promise<void>((release) => {
          this.#releaseLock = release;
        });
      });
    });
  }

  async #keep(
    name: string,
    read: Result<Imported, ImportRefusal>,
  ): Promise<Result<ImportReport, ImportRefusal>> {
    const { examples, task } = this.#parts;
    const rowsMax = rowsMaxOf(task.features);
    const tooMany = read.ok && this.view.get().data.count + read.value.dataset.count > rowsMax;
    const kept = tooMany
      ? refuseImport(
          "too-many-rows",
          `With these there would be more than ${rowsMax} rows, the most that one device takes. Remove some or give fewer.`,
        )
      : read;
    const at = platformWall.nowUnixMs();
    if (!kept.ok) {
      this.#showData({ name, at, report: null, refusal: kept.error });
      return kept;
    }
    await examples.add(kept.value.dataset);
    this.#showData({ name, at, report: kept.value.report, refusal: null });
    return ok(kept.value.report);
  }

  #rows(): Dataset {
    return this.#parts.examples.rows();
  }

  #refuse(code: ErrorCode, sentence?: string): Result<never, Refusal> {
    const refused = refusal(code, sentence);
    this.view.patch({ refusal: refused });
    return err(refused);
  }

  #showConsent(): void {
    const consent = this.#consent;
    const sameTask = consent?.taskHash === this.view.get().task.taskHash;
    const current = sameTask && sameAuthority(consent.authority, this.#parts.authority);
    const shown =
      consent === null
        ? null
        : { version: consent.version, taskHash: consent.taskHash, agreedAt: consent.agreedAt, current };
    this.view.patch({ consent: shown });
    this.#showStage();
  }

  #showData(lastImport: ImportView | null): void {
    const { examples, task } = this.#parts;
    const countByClass = examples.countByClass(task.features.classes.length);
    const count = countByClass.reduce((sum, value) => sum + value, 0);
    const data: DataSlice = {
      count,
      countByClass,
      localCount: Math.min(Math.floor(count * task.evaluation.localFraction), Math.max(0, count - 1)),
      examples: examples.examples(task.features.kind === "image"),
      lastImport,
    };
    this.view.patch({ data });
    this.#showStage();
  }

  #showStage(): void {
    const stage = this.#stage();
    if (this.view.get().stage !== stage) this.view.patch({ stage });
  }

  #stage(): Stage {
    const { consent, data } = this.view.get();
    if (this.#halt === "left") return "left";
    if (consent?.current !== true) return "consent";
    if (data.count === 0) return "data";
    const activity = this.#session?.view.get().activity ?? "idle";
    if (activity !== "idle") return activity;
    return this.#halt ?? "ready";
  }
}

function withoutSamples({ sample: _sample, histograms: _histograms, ...summary }: ContributionDetail) {
  return summary;
}

/** Other keys or other code is another agreement. */
function sameAuthority(left: Authority, right: Authority): boolean {
  const keys = ["projectId", "codeVersion", "issuerKey", "logKey"] as const;
  return keys.every((key) => left[key] === right[key]);
}

function refusal(code: ErrorCode, sentence?: string): Refusal {
  const { message, retry } = wireError(code, sentence);
  return { code, sentence: message, retry, by: "device", at: platformWall.nowUnixMs() };
}

function tarBlob(bytes: Bytes): Blob {
  return new Blob([bytes], { type: "application/x-tar" });
}
