import {
  type Imported,
  type ImportRefusal,
  type ImportReport,
  refuseImport,
  rowsMaxOf,
} from "#shared/data/report.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type ErrorCode, wireError } from "#shared/protocol/errors.ts";
import { type Authority, agreedConfigOf } from "#shared/task/agreed-config.ts";
import type { ConsentEntry } from "#shared/task/consent-ledger.ts";
import type { BackendName } from "#shared/task/engine.ts";
import { countByGroup, targetOf } from "#shared/task/target.ts";
import type { Enrolment, EnrolmentView } from "../enrolment/enrolment.ts";
import { splitLocal } from "../local-data.ts";
import { pinLog, storedEvidence } from "../log-pin.ts";
import { createMemory } from "../memory.ts";
import type { OwnReceipt } from "../round/own-receipt.ts";
import { createSlices, type Slices } from "../slices.ts";
import type { ContributionDetail, DataSlice, ImportView, ParticipantView, Refusal, Stage } from "../view.ts";
import { ModelInUse, type ServedModel } from "./model-in-use.ts";
import type { Belongings, NamedText, ParticipantPorts, ParticipantTerms, StoredConsent } from "./ports.ts";
import { taskSlice } from "./task-slice.ts";

/* A person's device in one task: consent, data, the enrolment that takes part, and the view that the page renders. */

const ROUNDS_MAX = 100;
const OTHER_LOG =
  "The coordinator no longer states the public log that you agreed to. Nothing is sent. Ask whoever runs it. To start anew, delete everything of this coordinator's tasks from this browser first.";

export class ParticipantCore {
  readonly view: Slices<ParticipantView>;
  readonly #ports: ParticipantPorts;
  readonly #terms: ParticipantTerms;
  #kept: Belongings;
  #consent: StoredConsent | null;
  #enrolment: Enrolment | null = null;
  #unsubscribe: () => void = () => {};
  #releaseLock: (() => void) | null = null;
  #starting: Promise<Result<void, Refusal>> | null = null;
  #halt: "paused" | "left" | "locked" | null = null;
  #hidden = false;
  readonly #model: ModelInUse;

  /** @param kept  What this device holds for the task; `restore` puts it into the view. */
  constructor(
    ports: ParticipantPorts,
    terms: ParticipantTerms,
    kept: Belongings,
    consent: StoredConsent | null,
  ) {
    this.#ports = ports;
    this.#terms = terms;
    this.#kept = kept;
    this.#consent = consent;
    this.#model = new ModelInUse(terms.task, ports.models, ports, (model) => this.view.patch({ model }));
    const since = ports.wall.nowUnixMs();
    this.view = createSlices<ParticipantView>({
      stage: "consent",
      connection: { state: "offline", since, upByteCount: 0, downByteCount: 0 },
      task: taskSlice(terms.task, terms.taskHash, terms.invitation, terms.archivedAt),
      consent: null,
      consents: [],
      data: { count: 0, countByGroup: [], localCount: 0, examples: [], lastImport: null },
      reading: null,
      engine: ports.trainer.engines.get(),
      round: null,
      contributions: [],
      latest: null,
      budget: { used: 0, limit: this.#roundsMax },
      refusal: null,
      contradiction: null,
      model: null,
    });
    ports.trainer.engines.subscribe(() => this.view.patch({ engine: ports.trainer.engines.get() }));
  }

  /** Loads what is stored into the view. */
  async restore(served: ServedModel | null): Promise<void> {
    const details = await this.#kept.archive.details();
    this.view.patch({
      contributions: details.map(withoutSamples),
      latest: details[0] ?? null,
      budget: await this.#budget(),
    });
    await this.#showConsents();
    this.#showConsent();
    this.#showData(null);
    await this.#model.restore(served);
    this.view.patch({ contradiction: await storedEvidence(this.#ports.cells, this.#logKey) });
    if (this.#consent !== null) this.#warmUp();
  }

  /** Of the log that this device has agreed to, or would. */
  get #logKey(): string {
    return (this.#consent ?? this.#terms).authority.logKey;
  }

  /** Times the engines and fetches the model in use, in the background. Nothing while the log is contradicted (A43). */
  #warmUp(): void {
    if (this.view.get().contradiction !== null) return;
    const { trainer } = this.#ports;
    const { task, backend } = this.#terms;
    const { table, calibrating } = trainer.engines.get();
    if (table.length === 0 && !calibrating) void trainer.calibrate(task, backend);
    const { wanted } = this.#model;
    if (wanted !== null) void this.#model.cache.fetch(wanted);
  }

  /** @param words  What the person was shown, as text. */
  async agree(version: number, words: string): Promise<Result<void, Refusal>> {
    const { task, taskHash, authority } = this.#terms;
    if (version !== task.version) return err(this.#refusal("TASK_VERSION"));
    if (this.view.get().task.archivedAt !== null) return err(this.#refusal("TASK_ARCHIVED"));
    const agreedAt = this.#ports.wall.nowUnixMs();
    await this.#endEnrolment();
    // A log that this device has agreed to is not given up for none or for another one by a click.
    if (!(await this.#pinsLog())) return this.#refuse("LOG_CONTRADICTED", OTHER_LOG);
    const { projectId, codeVersion, issuerKey, logKey, logOrigin } = authority;
    const pinned = { projectId, codeVersion, issuerKey, logKey, logOrigin };
    this.#consent = { slug: task.slug, version, taskHash, agreedAt, task, authority: pinned };
    await this.#ports.consents.put(this.#consent, this.#entryOf("agreed", this.#consent, words));
    await this.#showConsents();
    this.#halt = null;
    this.#showConsent();
    this.#warmUp();
    return ok(undefined);
  }

  /** False if the coordinator states another log than this browser knows of it, in whichever task. Rule A45. */
  #pinsLog(): Promise<boolean> {
    const { coordinator, authority } = this.#terms;
    return pinLog(this.#ports.cells, coordinator, authority, this.#consent?.authority ?? null);
  }

  async withdraw(): Promise<void> {
    await this.leave();
    const ended = this.#consent;
    if (ended === null) return;
    const entry = this.#entryOf("withdrawn", { ...ended, agreedAt: this.#ports.wall.nowUnixMs() }, null);
    await this.#ports.consents.delete(this.#terms.task.slug, entry);
    this.#consent = null;
    await this.#showConsents();
    this.#showConsent();
  }

  #entryOf(
    act: ConsentEntry["act"],
    { agreedAt, task, taskHash, authority }: StoredConsent,
    words: string | null,
  ): ConsentEntry {
    const at = new Date(agreedAt).toISOString();
    return { act, at, coordinator: this.#terms.coordinator, taskHash, task, authority, words };
  }

  async #showConsents(): Promise<void> {
    this.view.patch({ consents: await this.#ports.consents.ledger(this.#terms.task.slug) });
  }

  /** Adds rows read from the person's files, unless they exceed the limit. @param name  Shown with the result. */
  async add(
    name: string,
    read: Result<Imported, ImportRefusal>,
  ): Promise<Result<ImportReport, ImportRefusal>> {
    const rowsMax = rowsMaxOf(this.#terms.task.features);
    const tooMany = read.ok && this.view.get().data.count + read.value.dataset.count > rowsMax;
    const added = tooMany
      ? refuseImport(
          "too-many-rows",
          `With these there would be more than ${rowsMax} rows, the most that one device may hold. Remove some or add fewer.`,
        )
      : read;
    const at = this.#ports.wall.nowUnixMs();
    if (!added.ok) {
      this.#showData({ name, at, report: null, refusal: added.error });
      return added;
    }
    await this.#kept.examples.add(added.value.dataset);
    this.#showData({ name, at, report: added.value.report, refusal: null });
    return ok(added.value.report);
  }

  async removeExample(id: number): Promise<void> {
    await this.#kept.examples.remove(id);
    this.#showData(this.view.get().data.lastImport);
    if (this.view.get().data.count === 0 && this.#enrolment !== null) await this.pause();
  }

  /** During a start, another one is the same start: it must not find its own device's lock taken. */
  start(): Promise<Result<void, Refusal>> {
    this.#starting ??= this.#start().finally(() => {
      this.#starting = null;
    });
    return this.#starting;
  }

  async #start(): Promise<Result<void, Refusal>> {
    const consent = this.#consent;
    const { data, consent: shown, task } = this.view.get();
    if (task.archivedAt !== null) return this.#refuse("TASK_ARCHIVED");
    if (consent === null || shown?.current !== true)
      return this.#refuse("TASK_VERSION", "Read what the task asks for and agree to it first.");
    if (data.count === 0) return this.#refuse("STATE", "Add data first; there is nothing to train on yet.");
    this.#releaseLock ??= await this.#ports.lock();
    if (this.#releaseLock === null) {
      this.#halt = "locked";
      this.#showStage();
      return this.#refuse("LOCKED");
    }
    this.#halt = null;
    if (!(await this.#pinsLog())) {
      await this.#disarm();
      return this.#refuse("LOG_CONTRADICTED", OTHER_LOG);
    }
    this.#enrolment ??= await this.#makeEnrolment(consent);
    if ((await this.#ports.trainer.ready()) === null) return this.#refuse("NO_ENGINE");
    this.#enrolment.setHidden(this.#hidden);
    this.#enrolment.start();
    this.#showStage();
    return ok(undefined);
  }

  async pause(): Promise<void> {
    await this.#started();
    this.#halt = "paused";
    await this.#enrolment?.pause();
    this.#showStage();
  }

  async leave(): Promise<void> {
    await this.#endEnrolment();
    this.#halt = "left";
    this.#showStage();
  }

  async trustLogAnew(): Promise<void> {
    if (this.#enrolment !== null) return this.#enrolment.trustAnew();
    const { createLogMemory } = await import("../round/own-receipt.ts");
    await createLogMemory(this.#ports.cells).trustAnew(this.#logKey);
    this.view.patch({ contradiction: null, refusal: null });
  }

  async deleteMyData(): Promise<void> {
    await this.#endEnrolment();
    this.#kept = await this.#ports.forget();
    this.#consent = null;
    this.#model.forget();
    this.#halt = null;
    const budget = await this.#budget();
    this.view.patch({ round: null, contributions: [], latest: null, refusal: null, budget });
    await this.#showConsents();
    this.#showConsent();
    this.#showData(null);
  }

  async setBackend(backend: BackendName | null): Promise<void> {
    await this.#ports.trainer.calibrate(this.#terms.task, backend ?? undefined);
  }

  async predict(input: Float32Array): Promise<Float32Array | null> {
    const { trainer } = this.#ports;
    const { weights } = this.#model;
    if (weights === null) return null;
    this.#warmUp();
    return (await trainer.ready()) === null ? null : trainer.predict(this.#terms.task, weights, input);
  }

  heldBufferCount(): Promise<number> {
    return this.#ports.trainer.heldBufferCount();
  }

  /** A receipt that the own list of this contribution is under an entry of the public log. Errors: see `ownReceipt`. */
  async receipt(id: string): Promise<Result<OwnReceipt, Refusal>> {
    const contribution = await this.#kept.archive.find(id);
    const consent = this.#consent;
    if (contribution === null || consent === null) return err(this.#refusal("STATE"));
    const { ownReceipt, createLogMemory } = await import("../round/own-receipt.ts");
    const { link, cells, primitives, wall } = this.#ports;
    const made = await ownReceipt(
      {
        ports: { link, logs: createLogMemory(cells), primitives, wall },
        expectedConfig: await agreedConfigOf(primitives, consent.task, consent.authority),
        onContradiction: (file) => this.#onContradiction(file),
      },
      contribution,
    );
    return made.ok ? made : err(this.#refusal(made.error.code, made.error.message));
  }

  #onContradiction(file: string): void {
    this.view.patch({ contradiction: file });
    this.#enrolment?.contradict(file);
  }

  contribution(id: string): Promise<ContributionDetail | null> {
    return this.#kept.archive.find(id);
  }

  /** As a tar. */
  packContribution(id: string): Promise<Bytes | null> {
    return this.#kept.archive.tarOne(id, this.#ports.wall.nowUnixMs());
  }

  packContributions(texts: readonly NamedText[]): Promise<Bytes> {
    return this.#kept.archive.tarAll(this.#consent, texts, this.#ports.wall.nowUnixMs());
  }

  setHidden(hidden: boolean): void {
    this.#hidden = hidden;
    this.#enrolment?.setHidden(hidden);
  }

  async #makeEnrolment({ task, authority }: StoredConsent): Promise<Enrolment> {
    const { link, trainer, cells, primitives, random, clock, wall, after } = this.#ports;
    const signer = await this.#ports.signer();
    const roundsMax = this.#roundsMax;
    const memory = createMemory(cells, roundsMax);
    const { archive } = this.#kept;
    const { joinToken } = this.#terms;
    // Fetched now: a page reads and agrees without the code of rounds.
    const { createEnrolment, createLogMemory } = await import("../enrolment/enrolment.ts");
    const logs = createLogMemory(cells);
    const ports = { link, trainer, archive, signer, primitives, memory, logs, random, clock, wall, after };
    const enrolment = createEnrolment(ports, {
      task,
      authority,
      roundsMax,
      expectedConfig: await agreedConfigOf(primitives, task, authority),
      models: this.#model.cache,
      data: async () =>
        splitLocal(this.#kept.examples.rows(), task.evaluation.localFraction, signer.publicKey),
      ...(joinToken === undefined ? {} : { joinToken }),
      earlier: this.view.get().contributions,
    });
    this.#unsubscribe = enrolment.view.subscribe((patch) => this.#onEnrolment(patch));
    return enrolment;
  }

  #onEnrolment({ activity, model: made, latest, ...patch }: Partial<EnrolmentView>): void {
    const model = this.#model.isPromoted ? null : made;
    this.view.patch({
      ...patch,
      ...(latest == null ? {} : { latest }),
      ...(model == null ? {} : { model }),
    });
    if (model != null) void this.#model.comesFrom(model);
    // A coordinator that archives a task tells the devices that are connected, and those that check in.
    if (patch.refusal?.code === "TASK_ARCHIVED")
      this.view.patch({ task: { ...this.view.get().task, archivedAt: patch.refusal.at } });
    if (activity !== undefined) this.#showStage();
  }

  /** Resolves once no start is under way, which would otherwise go on after a later pause or farewell. */
  async #started(): Promise<void> {
    await this.#starting?.catch(() => undefined);
  }

  async #endEnrolment(): Promise<void> {
    await this.#started();
    await this.#disarm();
  }

  async #disarm(): Promise<void> {
    await this.#enrolment?.pause();
    this.#unsubscribe();
    this.#enrolment = null;
    this.#releaseLock?.();
    this.#releaseLock = null;
  }

  get #roundsMax(): number {
    return this.#terms.roundsMax ?? ROUNDS_MAX;
  }

  async #budget(): Promise<ParticipantView["budget"]> {
    const { cells } = this.#ports;
    const memory = createMemory(cells, Number.POSITIVE_INFINITY);
    return { used: await memory.participations(this.#terms.task.slug), limit: this.#roundsMax };
  }

  #refuse(code: ErrorCode, sentence?: string): Result<never, Refusal> {
    const refused = this.#refusal(code, sentence);
    this.view.patch({ refusal: refused });
    return err(refused);
  }

  #refusal(code: ErrorCode, sentence?: string): Refusal {
    const { message, retry } = wireError(code, sentence);
    return { code, sentence: message, retry, by: "device", at: this.#ports.wall.nowUnixMs() };
  }

  #showConsent(): void {
    const consent = this.#consent;
    const sameTask = consent?.taskHash === this.#terms.taskHash;
    const current = sameTask && sameAuthority(consent.authority, this.#terms.authority);
    const shown =
      consent === null
        ? null
        : { version: consent.version, taskHash: consent.taskHash, agreedAt: consent.agreedAt, current };
    this.view.patch({ consent: shown });
    this.#showStage();
  }

  #showData(lastImport: ImportView | null): void {
    const { examples } = this.#kept;
    const { task } = this.#terms;
    const labels = examples.labels();
    const count = labels.length;
    const data: DataSlice = {
      count,
      countByGroup: countByGroup(targetOf(task.features), labels),
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
    const activity = this.#enrolment?.view.get().activity ?? "idle";
    if (activity !== "idle") return activity;
    return this.#halt ?? "ready";
  }
}

function withoutSamples({ sample: _sample, histograms: _histograms, ...summary }: ContributionDetail) {
  return summary;
}

/** Other keys or another code version need a new agreement. */
function sameAuthority(left: Authority, right: Authority): boolean {
  const keys = ["projectId", "codeVersion", "issuerKey", "logKey", "logOrigin"] as const;
  return keys.every((key) => left[key] === right[key]);
}
