import { unzipSync } from "fflate";
import type { Result } from "#shared/kernel/result.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import { roundIdOf } from "#shared/secagg/attempt.ts";
import type { Exported, Rounds as RoundDesk } from "../coordinator.ts";
import { everyItem } from "../ports/every-item.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import { jsonFile, ROUNDS_FOLDER, roundFileName, roundOfFile } from "../views/round-file.ts";
import type { ListedFile, OwnFiles, ServedFile } from "./artifacts.ts";

/*
 * Files of Chorus's own models, made when they are read:
 *
 * | path                               | holds                                                 |
 * | ---------------------------------- | ----------------------------------------------------- |
 * | chorus/TASK/VERSION/...            | a version as MLflow keeps a model                     |
 * | EXPERIMENT/RUN/artifacts/model/... | the newest model of a run, or the model of a round    |
 * | .../artifacts/weights/NAME         | its weights as safetensors                            |
 * | .../artifacts/rounds/NNNNN.json    | of a run: the record of each round, as the API has it |
 */

type Exports = Pick<Exported, "ofRun" | "ofRound" | "ofVersion">;
type Rounds = Pick<RoundDesk, "listRounds" | "roundDetail">;
type Ports = Pick<CoordinatorPorts, "store" | "clock" | "primitives">;
type Files = ReadonlyMap<string, Uint8Array>;

/** What a path is among, and what is left of the path below it. */
interface Place {
  /** Null if there is no such model. */
  readonly files: () => Promise<Files | null>;
  /** The run whose rounds have records there; null without. */
  readonly runId: string | null;
  readonly rest: string;
}

/** A client lists a folder and then fetches its files one by one, so what was made is kept for a moment. */
const KEPT_MS = 60_000;
const KEPT_MAX = 4;

export function createOwnFiles(
  ports: Ports,
  { exports, rounds }: { readonly exports: Exports; readonly rounds: Rounds },
): OwnFiles {
  const { store, clock } = ports;
  const records = createRoundRecords(ports, rounds);
  const kept = new Map<string, { readonly files: Promise<Files | null>; readonly untilMs: number }>();

  function remembered(key: string, make: () => Promise<Files | null>): Promise<Files | null> {
    const known = kept.get(key);
    if (known !== undefined && clock.nowMs() < known.untilMs) return known.files;
    const files = make();
    kept.delete(key);
    kept.set(key, { files, untilMs: clock.nowMs() + KEPT_MS });
    files.catch(() => kept.delete(key));
    for (const oldest of kept.keys()) if (kept.size > KEPT_MAX) kept.delete(oldest);
    return files;
  }

  async function place(projectId: string, path: string): Promise<Place | null> {
    const [first = "", second = "", third = "", ...deeper] = path.split("/");
    const rest = deeper.join("/");
    if (first === "chorus") {
      const owner = /^[1-9]\d{0,8}$/.test(third) ? await store.showTask(second) : null;
      if (owner?.projectId !== projectId) return null;
      const make = () => versionFiles(exports, second, Number(third));
      return { files: () => remembered(`${second}/${third}`, make), runId: null, rest };
    }
    const run = third === "artifacts" ? await store.findTrackedRun(projectId, second) : null;
    if (run?.run.isOwn !== true || run.run.experimentId !== first) return null;
    const row = await store.showRun(second);
    // A run that goes on gets newer models, and their figures a little later.
    const key = row === null ? second : [second, row.view.modelHash, row.view.history.length].join(" ");
    return {
      files: () => remembered(key, () => runFiles(exports, second, row !== null)),
      runId: row === null ? null : second,
      rest,
    };
  }

  return {
    list: async (projectId, folder) => {
      const found = await place(projectId, folder);
      if (found === null) return null;
      const { runId, rest } = found;
      if (runId !== null && isOfRounds(rest)) return rest === ROUNDS_FOLDER ? records.list(runId) : [];
      const files = await found.files();
      if (files === null) return null;
      const shown = listed(files, rest);
      if (runId === null || rest !== "" || !(await records.has(runId))) return shown;
      return [...shown, { path: ROUNDS_FOLDER, isFolder: true, byteCount: null }];
    },
    open: async (projectId, path) => {
      const found = await place(projectId, path);
      if (found === null) return null;
      const { runId, rest } = found;
      const isRecord = runId !== null && isOfRounds(rest);
      const bytes = isRecord ? await records.read(runId, rest) : (await found.files())?.get(rest);
      return bytes === undefined || bytes === null ? null : served(bytes);
    },
    isOwn: async (projectId, path) => {
      const [first, second = ""] = path.split("/");
      if (first === "chorus") return true;
      return (await store.findTrackedRun(projectId, second))?.run.isOwn === true;
    },
  };
}

const isOfRounds = (path: string): boolean => path === ROUNDS_FOLDER || path.startsWith(`${ROUNDS_FOLDER}/`);

/** Records of a run's rounds, each made when it is read: a run may have thousands. */
function createRoundRecords({ primitives }: Pick<Ports, "primitives">, rounds: Rounds) {
  return {
    has: async (runId: string) => (await rounds.listRounds(runId, { limit: 1 })).items.length > 0,
    list: async (runId: string): Promise<readonly ListedFile[]> => {
      const all = await everyItem((page) => rounds.listRounds(runId, page));
      return all.map(({ round }) => ({ path: roundFileName(round), isFolder: false, byteCount: null }));
    },
    /** @param path  Below the files of the run. */
    read: async (runId: string, path: string): Promise<Uint8Array | null> => {
      const round = roundOfFile(path.slice(ROUNDS_FOLDER.length + 1));
      if (round === null) return null;
      const detail = await rounds.roundDetail(await roundIdOf(primitives, runId, round));
      return detail && jsonFile(detail);
    },
  };
}

async function versionFiles(exports: Exports, slug: string, version: number): Promise<Files | null> {
  return unzipped(await exports.ofVersion(slug, version, "mlflow"));
}

/** Empty before there is a model. */
async function runFiles(exports: Exports, id: string, isRun: boolean): Promise<Files> {
  const of = (format: "mlflow" | "safetensors") =>
    isRun ? exports.ofRun(id, format) : exports.ofRound(id, format);
  const [folder, weights] = await Promise.all([of("mlflow"), of("safetensors")]);
  const model = [...(unzipped(folder) ?? [])].map(([name, bytes]) => [`model/${name}`, bytes] as const);
  const { fileName, bytes } = weights.ok ? weights.value : { fileName: "", bytes: null };
  return new Map([...model, ...(bytes === null ? [] : [[`weights/${fileName}`, bytes] as const])]);
}

/** Null if there is no such model. */
function unzipped(file: Result<{ readonly bytes: Uint8Array }, WireError>): Files | null {
  return file.ok ? new Map(Object.entries(unzipSync(file.value.bytes))) : null;
}

function listed(files: Files, folder: string): readonly ListedFile[] {
  const start = folder === "" ? 0 : folder.length + 1;
  const names = new Map<string, ListedFile>();
  for (const [path, bytes] of files) {
    if (folder !== "" && !path.startsWith(`${folder}/`)) continue;
    const [name = "", ...deeper] = path.slice(start).split("/");
    const isFolder = deeper.length > 0;
    names.set(name, { path: name, isFolder, byteCount: isFolder ? null : bytes.length });
  }
  return [...names.values()];
}

function served(bytes: Uint8Array): ServedFile {
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  return { byteCount: bytes.length, stream };
}
