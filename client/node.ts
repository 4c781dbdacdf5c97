import { modelFromBytes } from "#shared/codec/model-bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { agreedConfigOf } from "#shared/task/agreed-config.ts";
import type { ImportReport } from "#shared/task/dataset.ts";
import type { BackendName } from "#shared/task/engine.ts";
import { modelTensors } from "#shared/task/model.ts";
import { edgePrimitives } from "./adapters/edge-primitives.ts";
import { openEngineThread } from "./adapters/engine-thread.ts";
import { readDataset } from "./adapters/file-dataset.ts";
import { type JournalCells, openJournalCells } from "./adapters/journal-cells.ts";
import { platformAfter, platformClock, platformRandom, platformWall } from "./adapters/platform-ports.ts";
import { openRecordFolder } from "./adapters/record-folder.ts";
import { openSocketLink } from "./adapters/socket-link.ts";
import { describeFileFault, openStateFolder } from "./adapters/state-folder.ts";
import { createTrainer } from "./core/engine/trainer.ts";
import { splitLocal } from "./core/local-data.ts";
import { createMemory } from "./core/memory.ts";
import { createModelCache } from "./core/model-cache.ts";
import type { Archive, LinkError } from "./core/ports.ts";
import { createSession, type Session, type SessionView } from "./core/session/session.ts";
import type { Slices } from "./core/slices.ts";
import type { EngineView } from "./core/view.ts";

/*
 * The edge's door: one device as a Node process, on data that it reads from its own disk.
 */

export type { SessionView } from "./core/session/session.ts";
export type * from "./core/view.ts";

export interface EdgeOptions {
  readonly coordinatorUrl: string;
  readonly task: string;
  /** A CSV file, a folder of IDX files, or a folder of PNG folders. */
  readonly dataPath: string;
  /** Absent: the fastest on this machine. */
  readonly backend?: BackendName;
  readonly joinToken?: string;
  /** Identity key and what the device remembers. */
  readonly stateFolder: string;
  /** Where own updates are kept in clear, for their owner. */
  readonly recordFolder?: string;
  /** This device's own limit of rounds in this task. */
  readonly roundsMax: number;
}

export interface Edge {
  readonly session: Session;
  readonly report: ImportReport;
  /** Which one trains, and which have stopped. */
  readonly engines: Slices<EngineView>;
  readonly view: () => SessionView;
  /** Leaves, and lets go of the state folder. */
  close(): Promise<void>;
}

/** @param sentence  For the person who started the edge. */
export interface EdgeError {
  readonly type: "coordinator" | "data" | "backend" | "state";
  readonly sentence: string;
}

/** Reads everything and connects to nothing but the API; `session.start()` takes part. */
export async function openEdge(options: EdgeOptions): Promise<Result<Edge, EdgeError>> {
  const link = openSocketLink(options.coordinatorUrl);
  const status = await untilThere(() => link.fetchStatus());
  if (!status.ok) return refuse("coordinator", describe(status.error, options.coordinatorUrl));
  const served = await untilThere(() => link.fetchTask(options.task));
  if (!served.ok) {
    const missing = served.error.type !== "offline" && served.error.error.code === "NOT_FOUND";
    return refuse(
      "coordinator",
      missing
        ? `There is no task ${options.task} at ${options.coordinatorUrl}. Check --task; its home page lists them.`
        : describe(served.error, options.coordinatorUrl),
    );
  }
  const { task } = served.value;

  const data = await readDataset(options.dataPath, task.features);
  if (!data.ok) return refuse("data", data.error.sentence);
  const state = await openStateFolder(options.stateFolder, platformRandom, status.value);
  if (!state.ok) return refuse("state", state.error);
  const { signer, release } = state.value;
  const journal = await openJournal(options.stateFolder);
  if (!journal.ok) {
    release();
    return journal;
  }
  const cells = journal.value;

  const trainer = createTrainer(
    { openWorker: openEngineThread, clock: platformClock, wall: platformWall, after: platformAfter },
    ["webgpu", "wasm", "cpu"],
  );
  await trainer.calibrate(task, options.backend);
  const backend = await trainer.ready();
  // A named engine that does not work here is the operator's to know: another is taken only when it stops later.
  if (backend === null || (options.backend !== undefined && backend !== options.backend)) {
    const { table } = trainer.engines.get();
    await trainer.dispose();
    await cells.close();
    release();
    const tried = table.filter((row) => options.backend === undefined || row.backend === options.backend);
    const reasons = tried.map(({ backend: name, note }) => `${name}: ${note ?? "failed"}`).join("; ");
    return refuse("backend", `No engine runs this task here (${reasons}). Try --backend auto.`);
  }

  const primitives = await edgePrimitives();
  const rows = splitLocal(data.value.dataset, task.evaluation.localFraction, signer.publicKey);
  const tensors = modelTensors(task.model);
  const ports = {
    link,
    trainer,
    signer,
    primitives,
    memory: createMemory(cells, options.roundsMax),
    archive: options.recordFolder === undefined ? NO_ARCHIVE : openRecordFolder(options.recordFolder),
    random: platformRandom,
    clock: platformClock,
    wall: platformWall,
    after: platformAfter,
  };
  const authority = status.value;
  const session = createSession(ports, {
    task,
    authority,
    expectedConfig: await agreedConfigOf(primitives, task, authority),
    models: createModelCache(ports, task, (bytes) => {
      const weights = modelFromBytes(tensors, bytes);
      return weights.ok ? weights.value : null;
    }),
    data: async () => rows,
    roundsMax: options.roundsMax,
    ...(options.joinToken === undefined ? {} : { joinToken: options.joinToken }),
  });
  return ok({
    session,
    report: data.value.report,
    engines: trainer.engines,
    view: () => session.view.get(),
    close: async () => {
      await session.close();
      await trainer.dispose();
      await cells.close();
      release();
    },
  });
}

async function openJournal(folder: string): Promise<Result<JournalCells, EdgeError>> {
  try {
    return ok(await openJournalCells(folder));
  } catch (fault) {
    return refuse("state", describeFileFault(folder, fault));
  }
}

const NO_ARCHIVE: Archive = { save: async () => {} };
const TRIES = 20;
const TRY_AGAIN_MS = 500;

/** A coordinator that is just starting answers within ten seconds. */
async function untilThere<T>(ask: () => Promise<Result<T, LinkError>>): Promise<Result<T, LinkError>> {
  let answer = await ask();
  for (let tries = 1; tries < TRIES && !answer.ok && isPassing(answer.error); tries++) {
    await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
    answer = await ask();
  }
  return answer;
}

function isPassing(error: LinkError): boolean {
  return error.type === "offline" || error.error.retry !== "never";
}

function describe(error: LinkError, url: string): string {
  return error.type === "offline"
    ? `No coordinator answers at ${url}. Check the address, and that it runs.`
    : error.error.message;
}

function refuse(type: EdgeError["type"], sentence: string): Result<never, EdgeError> {
  return err({ type, sentence });
}
