import { modelFromBytes } from "#shared/codec/model-bytes.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { present } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type ErrorCode, wireError } from "#shared/protocol/errors.ts";
import { type Authority, agreedConfigOf, layoutOf, tensorsOf } from "#shared/task/agreed-config.ts";
import {
  type Dataset,
  type Imported,
  type ImportRefusal,
  type ImportReport,
  readCsv,
  refuseImport,
  rowsMaxOf,
} from "#shared/task/dataset.ts";
import type { Task } from "#shared/task/task.ts";
import { splitLocal } from "../core/local-data.ts";
import { createMemory } from "../core/memory.ts";
import { keysByteCountAbout } from "../core/message-sizes.ts";
import { createModelCache, type LoadedModel, type ModelCache } from "../core/model-cache.ts";
import type { BackendName, Link, Trainer } from "../core/ports.ts";
import { createSession, type Session, type SessionView } from "../core/session.ts";
import { createSlices, type Slices } from "../core/slices.ts";
import type {
  ContributionDetail,
  DataSlice,
  ImportView,
  ParticipantView,
  Refusal,
  Stage,
  TaskSlice,
} from "../core/view.ts";
import type { OpenError, ParticipantOptions } from "../index.ts";
import { BrowserStore, type StoredConsent } from "./browser-store.ts";
import { ContributionArchive } from "./contribution-archive.ts";
import { ExampleBlocks } from "./example-blocks.ts";
import { readPictureFile } from "./picture-file.ts";
import { platformAfter, platformClock, platformRandom, platformWall } from "./platform-ports.ts";
import type { Actions } from "./worker-rpc.ts";

/*
 * A participant behind the door: the session of core/ with a browser's storage, engines and lock. Runs in the worker.
 */

const CSV_BYTES_MAX = 500_000_000;
const ROUNDS_MAX = 100;

interface Parts {
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

/** What was served, or what was agreed to where the coordinator cannot be reached. */
export async function openParticipantHere(
  options: ParticipantOptions,
  link: Link,
  trainer: Trainer,
): Promise<Result<ParticipantHere, OpenError>> {
  const store = new BrowserStore(options.coordinatorUrl);
  const consent = (await store.consents.get(options.task)) ?? null;
  const [status, served] = [await link.fetchStatus(), await link.fetchTask(options.task)];
  if (!served.ok && served.error.type === "refused")
    return err({ type: "no-such-task", sentence: served.error.error.message });
  const offline = !status.ok || !served.ok;
  if (offline && consent === null) {
    return err({
      type: "offline",
      sentence: "The coordinator does not answer. Check the connection and reload.",
    });
  }
  const { task, authority } = offline
    ? present(consent, "checked above")
    : { task: served.value.task, authority: status.value };
  const primitives = await selectPrimitives(globalThis.crypto.subtle);
  const examples = await ExampleBlocks.open(store, options.task);
  const archive = new ContributionArchive(store, options.task);
  const taskHash = offline ? present(consent, "checked above").taskHash : served.value.taskHash;
  const parts = { options, link, store, trainer, primitives, examples, archive, task, authority };
  const participant = new ParticipantHere(parts, consent, taskHash);
  await participant.restore(offline ? null : served.value.latestModelHash);
  return ok(participant);
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
  #models: ModelCache;
  #model: LoadedModel | null = null;
  #calibrated: Promise<void> = Promise.resolve();

  constructor(parts: Parts, consent: StoredConsent | null, taskHash: string) {
    this.#parts = parts;
    this.#consent = consent;
    this.#models = this.#modelCache(parts.task);
    const since = platformWall.nowUnixMs();
    this.view = createSlices<ParticipantView>({
      stage: "consent",
      connection: { state: "offline", since, upByteCount: 0, downByteCount: 0 },
      task: taskSlice(parts.task, taskHash),
      consent: null,
      data: { count: 0, countByClass: [], localCount: 0, examples: [], lastImport: null },
      engine: { backend: null, calibrating: false, table: [] },
      round: null,
      contributions: [],
      latest: null,
      budget: { used: 0, limit: parts.options.roundsMax ?? ROUNDS_MAX },
      refusal: null,
      model: null,
    });
  }

  /** What is stored, into the view; engines are timed and the newest model is fetched in the background. */
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
    await this.#restoreModel();
    if (this.#consent !== null) void this.#calibrate(options.backend ?? null);
    if (this.#model === null && latestModelHash !== null) void this.#models.fetch(latestModelHash);
  }

  async #restoreModel(): Promise<void> {
    const stored = await this.#parts.store.models.get(this.#parts.task.slug);
    const weights = stored === undefined ? null : decodeModel(stored.bytes, this.#parts.task);
    if (stored === undefined || weights === null) return;
    const { modelHash, runId, round, bytes } = stored;
    this.#model = { hash: modelHash, weights, byteCount: bytes.length };
    this.view.patch({ model: { modelHash, runId, round, byteCount: bytes.length } });
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
    if (this.#parts.trainer.backend === null) void this.#calibrate(this.#parts.options.backend ?? null);
    return ok(undefined);
  }

  async withdraw(): Promise<void> {
    await this.leave();
    await this.#parts.store.consents.delete(this.#parts.task.slug);
    this.#consent = null;
    this.#showConsent();
  }

  async addCsv(file: File): Promise<Result<ImportReport, ImportRefusal>> {
    const { task } = this.#parts;
    if (file.size > CSV_BYTES_MAX) {
      return this.#keep(
        file.name,
        refuseImport("too-many-rows", "The file is larger than 500 MB. Give a part of it."),
      );
    }
    return this.#keep(file.name, readCsv(await file.text(), task.features));
  }

  async addDrawing(pixels: Float32Array, label: number): Promise<Result<ImportReport, ImportRefusal>> {
    const { features } = this.#parts.task;
    const fits =
      features.kind === "image" &&
      pixels.length === features.height * features.width &&
      pixels.every((value) => value >= 0 && value <= 1) &&
      Number.isInteger(label) &&
      label >= 0 &&
      label < features.classes.length;
    if (!fits)
      return this.#keep(
        "drawing",
        refuseImport("bad-shape", "This drawing does not have the size and classes that the task takes."),
      );
    return this.#keep("drawing", ok(imported([pixels], label, [])));
  }

  async addImages(files: readonly File[], label: number): Promise<Result<ImportReport, ImportRefusal>> {
    const { features } = this.#parts.task;
    const name = files.length === 1 ? (files[0]?.name ?? "") : `${files.length} files`;
    if (features.kind !== "image")
      return this.#keep(name, refuseImport("not-a-picture", "This task takes a CSV file, not pictures."));
    const taken: Float32Array[] = [];
    const problems: { row: null; sentence: string }[] = [];
    for (const file of files) {
      const pixels = await readPictureFile(file, features);
      if (pixels.ok) taken.push(pixels.value);
      else problems.push({ row: null, sentence: `${file.name.slice(0, 80)} ${pixels.error}.` });
    }
    if (taken.length > 0) return this.#keep(name, ok(imported(taken, label, problems)));
    const sentence = problems[0]?.sentence ?? "No file was chosen.";
    return this.#keep(
      name,
      refuseImport("not-a-picture", `${sentence} Give a PNG or JPEG picture.`, problems),
    );
  }

  async readPicture(file: File): Promise<Result<Float32Array, ImportRefusal>> {
    const { features } = this.#parts.task;
    if (features.kind !== "image")
      return refuseImport("not-a-picture", "This task takes a table, not pictures.");
    const pixels = await readPictureFile(file, features);
    if (pixels.ok) return pixels;
    return refuseImport(
      "not-a-picture",
      `${file.name.slice(0, 80)} ${pixels.error}. Give a PNG or JPEG picture.`,
    );
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
    await this.#calibrated;
    if (this.#parts.trainer.backend === null)
      return this.#refuse("UNAVAILABLE", "No engine of this browser can train this task.");
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
    this.#model = null;
    this.#halt = null;
    const used = await createMemory(store, Number.POSITIVE_INFINITY).participations(task.slug);
    const budget = { used, limit: options.roundsMax ?? ROUNDS_MAX };
    this.view.patch({ round: null, contributions: [], latest: null, refusal: null, model: null, budget });
    this.#showConsent();
    this.#showData(null);
  }

  async setBackend(backend: BackendName | null): Promise<void> {
    await this.#calibrate(backend);
  }

  async predict(input: Float32Array): Promise<Float32Array | null> {
    const { trainer, task } = this.#parts;
    const model = this.#model;
    if (model === null) return null;
    if (trainer.backend === null) void this.#calibrate(this.#parts.options.backend ?? null);
    await this.#calibrated;
    return trainer.backend === null ? null : trainer.predict(task, model.weights, input);
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
      models: this.#models,
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
    if (model != null) void this.#storeModelOrigin(model.modelHash, model.runId, model.round);
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

  #calibrate(force: BackendName | null): Promise<void> {
    const { trainer, task } = this.#parts;
    this.view.patch({ engine: { ...this.view.get().engine, calibrating: true } });
    this.#calibrated = (async () => {
      const timed = await trainer.calibrate(task, force ?? undefined);
      // The others keep their rows, so that the person may go back to one of them.
      const others =
        trainer.backend === null && force !== null
          ? await trainer.calibrate(task)
          : this.view.get().engine.table;
      const table = [
        ...others.filter(({ backend }) => timed.every((row) => row.backend !== backend)),
        ...timed,
      ];
      this.view.patch({ engine: { backend: trainer.backend, calibrating: false, table } });
    })();
    return this.#calibrated;
  }

  #modelCache(task: Task): ModelCache {
    const { link, primitives } = this.#parts;
    return createModelCache(
      { link, primitives },
      task,
      decodeModel,
      (model, bytes) => void this.#useModel(model, bytes),
    );
  }

  async #useModel(model: LoadedModel, bytes: Bytes): Promise<void> {
    this.#model = model;
    this.view.patch({
      model: { modelHash: model.hash, runId: null, round: null, byteCount: model.byteCount },
    });
    if (this.#consent === null) return;
    const stored = { slug: this.#parts.task.slug, modelHash: model.hash, runId: null, round: null, bytes };
    await this.#parts.store.models.put(stored);
  }

  async #storeModelOrigin(modelHash: string, runId: string | null, round: number | null): Promise<void> {
    const { store, task } = this.#parts;
    await store.models
      .where({ slug: task.slug })
      .and((model) => model.modelHash === modelHash)
      .modify({ runId, round });
  }

  #refuse(code: ErrorCode, sentence?: string): Result<never, Refusal> {
    const refused = refusal(code, sentence);
    this.view.patch({ refusal: refused });
    return err(refused);
  }

  #showConsent(): void {
    const consent = this.#consent;
    const current = consent?.taskHash === this.view.get().task.taskHash;
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

function taskSlice(task: Task, taskHash: string): TaskSlice {
  const layout = layoutOf(task);
  return {
    task,
    taskHash,
    othersMin: task.aggregation.cohortSizeMin - 1,
    parameterCount: tensorsOf(task).parameterCount,
    vectorLength: layout.length,
    maskedByteCount: 4 * layout.length,
    keysByteCountAbout: keysByteCountAbout(task.aggregation.goal),
    segments: layout.segments.map(({ name, length }) => ({ name, length })),
  };
}

function decodeModel(bytes: Bytes, task: Task): Float32Array | null {
  const weights = modelFromBytes(tensorsOf(task), bytes);
  return weights.ok ? weights.value : null;
}

function imported(
  pictures: readonly Float32Array[],
  label: number,
  problems: readonly { row: null; sentence: string }[],
): Imported {
  const size = pictures[0]?.length ?? 0;
  const inputs = new Float32Array(pictures.length * size);
  for (const [index, pixels] of pictures.entries()) inputs.set(pixels, index * size);
  return {
    dataset: { inputs, labels: new Int32Array(pictures.length).fill(label), count: pictures.length },
    report: { rowsRead: pictures.length, rowsLeftOut: problems.length, problems: problems.slice(0, 50) },
  };
}

function withoutSamples({ sample: _sample, histograms: _histograms, ...summary }: ContributionDetail) {
  return summary;
}

function refusal(code: ErrorCode, sentence?: string): Refusal {
  const { message, retry } = wireError(code, sentence);
  return { code, sentence: message, retry, by: "device", at: platformWall.nowUnixMs() };
}

function tarBlob(bytes: Bytes): Blob {
  return new Blob([bytes], { type: "application/x-tar" });
}
