import { modelFromBytes } from "#shared/codec/model-bytes.ts";
import { openEngine } from "#shared/engine/engine.ts";
import { assert } from "#shared/kernel/assert.ts";
import { release } from "#shared/kernel/release.ts";
import type { Dataset } from "#shared/task/dataset.ts";
import type { Evaluation } from "#shared/task/evaluation.ts";
import { modelTensors } from "#shared/task/model.ts";
import { answerJobs } from "./answer-jobs.ts";
import type { EvaluateJob } from "./evaluator-job.ts";
import { readHeldOutRows } from "./held-out/read-rows.ts";

/*
 * Evaluates models on held-out rows. The last rows stay in memory, because every round needs them: bytes never change under
 * their hash.
 */

let loaded: { readonly name: string; readonly rows: Dataset } | null = null;

const engine = openEngine({ wasmPaths: null });
// One job at a time, because the engine has a single tensor scope.
answerJobs(evaluateRows);

async function evaluateRows(job: EvaluateJob, beat: () => void): Promise<Evaluation> {
  const { task, modelBytes } = job;
  const rows = await rowsOf(job);
  const weights = modelFromBytes(modelTensors(task.model), modelBytes);
  assert(weights.ok, "the coordinator made this model itself");
  const used = await engine.use("wasm", false);
  assert(used.ok, `the engine did not start: ${used.ok ? "" : used.error}`);
  const evaluation = await engine.evaluate(task, weights.value, rows, () => beat());
  release(weights.value, modelBytes);
  return evaluation;
}

/** @throws Error with a sentence if the rows no longer fit the task: they did when they became a set. */
async function rowsOf({ task, path, reading }: EvaluateJob): Promise<Dataset> {
  const name = `${path} ${task.version} ${JSON.stringify(reading)}`;
  if (loaded?.name === name) return loaded.rows;
  const read = await readHeldOutRows(path, reading, task);
  if (!read.ok) throw new Error(`held-out rows at ${path}: ${read.error.sentence}`);
  loaded = { name, rows: read.value.dataset };
  return loaded.rows;
}
