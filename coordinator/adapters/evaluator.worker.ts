import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { modelFromBytes } from "#shared/codec/model-bytes.ts";
import { openEngine } from "#shared/engine/engine.ts";
import { assert } from "#shared/kernel/assert.ts";
import { release } from "#shared/kernel/release.ts";
import { type Dataset, readCsv, readIdx } from "#shared/task/dataset.ts";
import type { Evaluation } from "#shared/task/engine.ts";
import { modelTensors } from "#shared/task/model.ts";
import type { Task } from "#shared/task/task.ts";
import { answerJobs } from "./answer-jobs.ts";
import type { EvaluateJob } from "./evaluator-job.ts";

/* Judges models on held-out rows; the rows of the last task stay in memory, since every round asks for the same. */

const EMPTY: Dataset = { inputs: new Float32Array(0), labels: new Int32Array(0), count: 0 };
let loaded: { readonly path: string; readonly rows: Dataset } | null = null;

const engine = openEngine({ wasmPaths: null });
// One job after the other: the engine has one scope of tensors.
answerJobs(evaluateRows);

async function evaluateRows({ task, path, modelBytes }: EvaluateJob, beat: () => void): Promise<Evaluation> {
  const rows = await rowsAt(path, task);
  if (modelBytes === null) return { count: rows.count, correct: 0, lossSum: 0, lossSquareSum: 0 };
  const weights = modelFromBytes(modelTensors(task.model), modelBytes);
  assert(weights.ok, "the coordinator made this model itself");
  const used = await engine.use("wasm", false);
  assert(used.ok, `the engine did not start: ${used.ok ? "" : used.error}`);
  const evaluation = await engine.evaluate(task.model, weights.value, rows, beat);
  release(weights.value, modelBytes);
  return evaluation;
}

/** No rows where nothing was held out for the task. @throws with a sentence where the data are bad. */
async function rowsAt(path: string, task: Task): Promise<Dataset> {
  if (loaded?.path === path) return loaded.rows;
  const found = await stat(path).catch(() => null);
  if (found === null) return EMPTY;
  const read = found.isDirectory()
    ? await readIdxFolder(path, task)
    : readCsv(await readFile(path, "utf8"), task.features);
  if (!read.ok) throw new Error(`held-out data at ${path}: ${read.error.sentence}`);
  loaded = { path, rows: read.value.dataset };
  return loaded.rows;
}

async function readIdxFolder(path: string, task: Task) {
  if (task.features.kind !== "image") throw new Error(`${path} is a folder, but the task takes a table`);
  const names = await readdir(path);
  const unpacked = async (pattern: RegExp) => {
    const name = names.find((candidate) => pattern.test(candidate));
    if (name === undefined) throw new Error(`${path} lacks a file like ${pattern.source}`);
    const bytes = await readFile(join(path, name));
    return name.endsWith(".gz") ? gunzipSync(bytes) : bytes;
  };
  return readIdx(await unpacked(/idx3-ubyte(\.gz)?$/), await unpacked(/idx1-ubyte(\.gz)?$/), task.features);
}
