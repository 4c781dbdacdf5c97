import { modelFromBytes } from "#shared/codec/model-bytes.ts";
import type { Mapping } from "#shared/data/match/mapping.ts";
import { mappingForTask } from "#shared/data/match/mapping-of.ts";
import type { ImportRefusal, ImportReport } from "#shared/data/report.ts";
import type { Signer } from "#shared/kernel/ports.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { after, monotonicClock, primitives, randomBytes, wallClock } from "#shared/node/system.ts";
import { VERSION } from "#shared/node/version.ts";
import type { Status } from "#shared/protocol/api.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import { siteAddressFault } from "#shared/protocol/site-address.ts";
import { agreedConfigOf, taskHashOf } from "#shared/task/agreed-config.ts";
import { type AgreedConfig, agreedLog } from "#shared/task/config.ts";
import type { BackendName } from "#shared/task/engine.ts";
import { modelTensors } from "#shared/task/model.ts";
import type { Task } from "#shared/task/task.ts";
import { keepAgreement } from "./adapters/consent-file.ts";
import { type EdgeProxy, extraAuthorities } from "./adapters/edge-way.ts";
import { openEngineThread } from "./adapters/engine-thread.ts";
import { lookAtTable, readDataset } from "./adapters/file-dataset.ts";
import { type JournalCells, openJournalCells } from "./adapters/journal-cells.ts";
import { readMapping } from "./adapters/mapping-file.ts";
import { offlineSentence } from "./adapters/offline-words.ts";
import { keepReceipts } from "./adapters/receipt-folder.ts";
import { openRecordFolder } from "./adapters/record-folder.ts";
import { openSocketLink } from "./adapters/socket-link.ts";
import { describeFileFault, openStateFolder } from "./adapters/state-folder.ts";
import { TunnelTransport } from "./adapters/tunnel-socket.ts";
import { edgeConsentWords } from "./core/edge-consent.ts";
import { createTrainer } from "./core/engine/trainer.ts";
import { createEnrolment, type Enrolment, type EnrolmentView } from "./core/enrolment/enrolment.ts";
import { splitLocal } from "./core/local-data.ts";
import { createLogMemory } from "./core/log-memory.ts";
import { createMemory } from "./core/memory.ts";
import { createModelCache } from "./core/model-cache.ts";
import type { Archive, ClientPorts, Link, LinkError, Trainer } from "./core/ports.ts";
import { ownReceipt } from "./core/round/own-receipt.ts";
import type { Slices } from "./core/slices.ts";
import type { EngineView } from "./core/view.ts";

/* The edge's door: one device as a Node process, with data from its own disk. */

export type { EnrolmentView } from "./core/enrolment/enrolment.ts";
export type * from "./core/view.ts";

export interface EdgeOptions {
  readonly coordinatorUrl: string;
  readonly task: string;
  /** A CSV file, or a folder or zip archive of IDX files or of a folder of pictures for each class. */
  readonly dataPath: string;
  /** A JSON file that says which columns and words of the CSV file are the task's (`mappingSchema`). */
  readonly mappingPath?: string;
  /** Which of several sets in `dataPath`, as the edge names them if none is said. */
  readonly set?: string;
  /** Default: the fastest on this machine. */
  readonly backend?: BackendName;
  readonly joinToken?: string;
  /** Holds the identity key and what the device remembers. */
  readonly stateFolder: string;
  /** Where this device's own updates are kept in the clear, for its owner. */
  readonly recordFolder?: string;
  /** This device's own limit on rounds in this task. */
  readonly roundsMax: number;
  /** Told why a receipt could not be kept. */
  readonly onReceiptProblem?: (sentence: string) => void;
  /** The proxy that this process uses, see `useProxy`. */
  readonly proxy?: EdgeProxy;
}

export interface Edge {
  readonly enrolment: Enrolment;
  readonly report: ImportReport;
  /** What this start has agreed to, in words; null if this device had agreed to it before. */
  readonly agreed: string | null;
  /** What changed in the coordinator's keys since the last start, in words; null for nothing. */
  readonly notice: string | null;
  /** The engine that trains, and those that have stopped. */
  readonly engines: Slices<EngineView>;
  readonly view: () => EnrolmentView;
  /** Asks the coordinator once. @returns why it cannot be reached, for the edge's owner; null if it can. */
  whyOffline(): Promise<string | null>;
  /** Leaves, and releases the state folder. */
  close(): Promise<void>;
}

/** @param sentence  For the person who started the edge. */
export interface EdgeError {
  readonly type: "coordinator" | "data" | "backend" | "state" | "access";
  readonly sentence: string;
}

/** Reads everything and contacts only the API; `enrolment.start()` takes part. */
export async function openEdge(options: EdgeOptions): Promise<Result<Edge, EdgeError>> {
  const fault = siteAddressFault("The coordinator's address", URL.parse(options.coordinatorUrl));
  if (fault !== null) return cannotStart("coordinator", fault);
  const link = openSocketLink(
    options.coordinatorUrl,
    options.proxy == null ? {} : { webSocket: TunnelTransport },
  );
  link.show(options.joinToken ?? null);
  const served = await readCoordinator(link, options);
  if (!served.ok) return served;
  const { status, task } = served.value;
  const mapping = await readMapping(options.mappingPath);
  if (!mapping.ok) return cannotStart("data", mapping.error);
  const data = await readDataset(options.dataPath, task.features, {
    mapping: mapping.value,
    set: options.set,
  });
  if (!data.ok) return cannotStart("data", unsureAdvice(data.error));
  const state = await openState(options.stateFolder, status);
  if (!state.ok) return state;
  const { signer, cells } = state.value;
  const opened = await openTrainer(task, options.backend);
  if (!opened.ok) {
    await state.value.close();
    return opened;
  }
  const trainer = opened.value;
  const agreed = await agree(task, status, options);
  if (!agreed.ok) {
    await trainer.dispose();
    await state.value.close();
    return agreed;
  }

  const rows = splitLocal(data.value.dataset, task.evaluation.localFraction, signer.publicKey);
  const tensors = modelTensors(task.model);
  const ports = {
    link,
    trainer,
    signer,
    primitives,
    memory: createMemory(cells, options.roundsMax),
    logs: createLogMemory(cells),
    archive: options.recordFolder === undefined ? NO_ARCHIVE : openRecordFolder(options.recordFolder),
    random: randomBytes,
    clock: monotonicClock,
    wall: wallClock,
    after,
  };
  const expectedConfig = await agreedConfigOf(primitives, task, status);
  const enrolment = createEnrolment(ports, {
    task,
    authority: status,
    expectedConfig,
    models: createModelCache(ports, task, (bytes) => {
      const weights = modelFromBytes(tensors, bytes);
      return weights.ok ? weights.value : null;
    }),
    data: async () => rows,
    roundsMax: options.roundsMax,
    version: VERSION,
    ...(options.joinToken === undefined ? {} : { joinToken: options.joinToken }),
  });
  const endReceipts =
    agreedLog(expectedConfig) === null
      ? async () => {}
      : receiptsOf(enrolment, ports, expectedConfig, options);
  return ok({
    enrolment,
    report: data.value.report,
    agreed: agreed.value,
    notice: state.value.notice,
    engines: trainer.engines,
    view: () => enrolment.view.get(),
    whyOffline: async () => {
      const answer = await link.fetchStatus();
      return answer.ok || answer.error.type !== "offline" ? null : describe(answer.error, options);
    },
    close: async () => {
      await enrolment.close();
      await endReceipts();
      await trainer.dispose();
      await state.value.close();
    },
  });
}

/** Keeps a receipt of each sum that this device's list is in. Rule A72. */
function receiptsOf(
  enrolment: Enrolment,
  ports: ClientPorts,
  expectedConfig: AgreedConfig,
  { stateFolder: folder, onReceiptProblem: onProblem = () => {} }: EdgeOptions,
): () => Promise<void> {
  const onContradiction = (file: string) => enrolment.contradict(file);
  return keepReceipts({
    folder,
    view: enrolment.view,
    make: (contribution) => ownReceipt({ ports, expectedConfig, onContradiction }, contribution),
    onProblem,
  });
}

/**
 * Whoever starts an edge agrees to the task's current version: its state folder keeps that, once for each version and each
 * set of keys. Rule A70.
 */
async function agree(
  task: Task,
  { projectId, codeVersion, issuerKey, logKey, logOrigin }: Status,
  { coordinatorUrl, stateFolder }: EdgeOptions,
): Promise<Result<string | null, EdgeError>> {
  const words = edgeConsentWords(task);
  try {
    const isNew = await keepAgreement(stateFolder, {
      act: "agreed",
      at: new Date(wallClock.nowUnixMs()).toISOString(),
      coordinator: new URL(coordinatorUrl).origin,
      taskHash: await taskHashOf(primitives, task),
      task,
      authority: { projectId, codeVersion, issuerKey, logKey, logOrigin },
      words,
    });
    return ok(isNew ? words : null);
  } catch (fault) {
    return cannotStart("state", describeFileFault(stateFolder, fault));
  }
}

/** How the CSV file would be read, as a mapping for `mappingPath` that its owner checks and changes. */
export async function proposeEdgeMapping(options: EdgeOptions): Promise<Result<Mapping, EdgeError>> {
  const { coordinatorUrl, task, dataPath, mappingPath, joinToken } = options;
  const link = openSocketLink(coordinatorUrl, options.proxy == null ? {} : { webSocket: TunnelTransport });
  link.show(joinToken ?? null);
  const served = await readCoordinator(link, options);
  if (!served.ok) return served;
  const said = await readMapping(mappingPath);
  if (!said.ok) return cannotStart("data", said.error);
  const look = await lookAtTable(dataPath, served.value.task.features, {
    mapping: said.value,
    set: options.set,
  });
  return look.ok ? ok(mappingForTask(look.value, said.value, task)) : cannotStart("data", look.error);
}

function unsureAdvice({ type, sentence }: ImportRefusal): string {
  if (type === "several-sets") return `${sentence} Say which with --set.`;
  return type === "unsure-columns"
    ? `${sentence} Run the same command with --map for a mapping to check, then give it with --mapping.`
    : sentence;
}

/** What the coordinator states about itself and about the task. */
async function readCoordinator(
  link: Link,
  options: EdgeOptions,
): Promise<Result<{ readonly status: Status; readonly task: Task }, EdgeError>> {
  const { coordinatorUrl, task } = options;
  const status = await untilThere(() => link.fetchStatus());
  if (!status.ok) return cannotStart("coordinator", describe(status.error, options));
  const served = await untilThere(() => link.fetchTask(task));
  if (served.ok) return ok({ status: status.value, task: served.value.task });
  if (served.error.type === "refused" && ACCESS_CODES.has(served.error.error.code))
    return cannotStart("access", served.error.error.message);
  const missing = served.error.type !== "offline" && served.error.error.code === "NOT_FOUND";
  return cannotStart(
    "coordinator",
    missing
      ? `There is no task ${task} at ${coordinatorUrl}. Check --task; its home page lists them.`
      : describe(served.error, options),
  );
}

interface EdgeState {
  readonly signer: Signer;
  readonly cells: JournalCells;
  readonly notice: string | null;
  /** Releases the folder. */
  close(): Promise<void>;
}

async function openState(folder: string, status: Status): Promise<Result<EdgeState, EdgeError>> {
  const state = await openStateFolder(folder, randomBytes, status);
  if (!state.ok) return cannotStart("state", state.error);
  const { signer, notice, release } = state.value;
  try {
    const cells = await openJournalCells(folder);
    const close = async () => {
      await cells.close();
      release();
    };
    return ok({ signer, cells, notice, close });
  } catch (fault) {
    release();
    return cannotStart("state", describeFileFault(folder, fault));
  }
}

/** @param backend  An error if the operator named one that does not work here. Another is used only if it stops later. */
async function openTrainer(task: Task, backend?: BackendName): Promise<Result<Trainer, EdgeError>> {
  const trainer = createTrainer(
    { openWorker: openEngineThread, clock: monotonicClock, wall: wallClock, after },
    ["webgpu", "wasm", "cpu"],
  );
  await trainer.calibrate(task, backend);
  const ready = await trainer.ready();
  if (ready !== null && (backend === undefined || ready === backend)) return ok(trainer);
  const { table } = trainer.engines.get();
  await trainer.dispose();
  const tried = table.filter((row) => backend === undefined || row.backend === backend);
  const reasons = tried.map(({ backend: name, note }) => `${name}: ${note ?? "failed"}`).join("; ");
  return cannotStart("backend", `No engine runs this task here (${reasons}). Try --backend auto.`);
}

const ACCESS_CODES: ReadonlySet<ErrorCode> = new Set(["BY_INVITATION", "TOKEN_ENDED"]);
const NO_ARCHIVE: Archive = { save: async () => {} };
const TRIES = 20;
const TRY_AGAIN_MS = 500;

/** Gives a coordinator that is just starting ten seconds to answer. */
async function untilThere<T>(ask: () => Promise<Result<T, LinkError>>): Promise<Result<T, LinkError>> {
  let answer = await ask();
  for (let tries = 1; tries < TRIES && !answer.ok && isPassing(answer.error); tries++) {
    await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
    answer = await ask();
  }
  return answer;
}

/** Certificates and passwords do not change while a coordinator starts. */
function isPassing(error: LinkError): boolean {
  if (error.type === "refused") return error.error.retry !== "never";
  return error.reason === undefined || error.reason.type === "unreachable";
}

function describe(error: LinkError, { coordinatorUrl, proxy = null }: EdgeOptions): string {
  if (error.type === "refused") return error.error.message;
  return offlineSentence(error.reason, {
    coordinatorUrl,
    proxy,
    extraAuthorities: extraAuthorities(process.env),
  });
}

function cannotStart(type: EdgeError["type"], sentence: string): Result<never, EdgeError> {
  return err({ type, sentence });
}
