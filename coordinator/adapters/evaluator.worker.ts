import { createHash } from "node:crypto";
import { canonicalJson } from "#shared/codec/canonical-json.ts";
import { modelFromBytes } from "#shared/codec/model-bytes.ts";
import { openEngine } from "#shared/engine/engine.ts";
import { judgeRows } from "#shared/engine/evaluate.ts";
import { assert } from "#shared/kernel/assert.ts";
import { utf8 } from "#shared/kernel/bytes.ts";
import { release } from "#shared/kernel/release.ts";
import { hashHexSchema } from "#shared/protocol/ids.ts";
import type { Dataset } from "#shared/task/dataset.ts";
import { modelTensors } from "#shared/task/model.ts";
import { compareJudged } from "#shared/task/report/compare-judged.ts";
import { makeReport } from "#shared/task/report/make-report.ts";
import { resamplingToCompare } from "#shared/task/report/resampling.ts";
import { groupCountOf, targetOf } from "#shared/task/target.ts";
import type { Task } from "#shared/task/task.ts";
import type { JudgedModel } from "../core/ports/ports.ts";
import { answerJobs } from "./answer-jobs.ts";
import type {
  CompareAnswer,
  CompareJob,
  EvaluateAnswer,
  EvaluateJob,
  EvaluatorAnswer,
  EvaluatorJob,
  PortabilityAnswer,
  PortabilityJob,
  RowsPlace,
} from "./evaluator-job.ts";
import { readHeldOutRows } from "./held-out/read-rows.ts";
import type { JudgedSet } from "./portability.ts";

/*
 * Evaluates and compares models on held-out rows. The last rows stay in memory, because every round needs them: bytes never change under
 * their hash.
 */

/** What computes, for reports. */
const ENGINE = "tfjs, wasm";

let loaded: { readonly name: string; readonly rows: Dataset } | null = null;

const engine = openEngine({ wasmPaths: null });
// One job at a time, because the engine has a single tensor scope.
answerJobs<EvaluatorJob, EvaluatorAnswer>(
  (job, beat) => answerOf(job, beat),
  (answer) => (answer.kind === "evaluate" ? [answer.report.buffer] : []),
);

function answerOf(job: EvaluatorJob, beat: () => void): Promise<EvaluatorAnswer> {
  switch (job.kind) {
    case "evaluate":
      return evaluateRows(job, beat);
    case "compare":
      return compareOnRows(job, beat);
    case "portability":
      return tryElsewhere(job, beat);
  }
}

async function evaluateRows(job: EvaluateJob, beat: () => void): Promise<EvaluateAnswer> {
  const { task, modelBytes, heldOutHash, operatingPoint, code } = job;
  const { sums, judged } = await judge(job, await rowsOf(job, task), beat);
  const modelHash = hashHexSchema.parse(createHash("sha256").update(modelBytes).digest("hex"));
  release(modelBytes);
  const runtime = `Node.js ${process.version}`;
  const facts = { code: code.version, runtime, engine: ENGINE, codeHash: code.hash };
  const hash = hashHexSchema.parse(createHash("sha256").update(canonicalJson(facts)).digest("hex"));
  const environment = Object.assign(facts, { hash });
  const source = { task, modelHash, heldOutHash, operatingPoint, judged, environment };
  const report = makeReport(source, () => beat());
  return { kind: "evaluate", sums, report: utf8(canonicalJson(report)) };
}

async function compareOnRows(job: CompareJob, beat: () => void): Promise<CompareAnswer> {
  const { first, second, heldOutHash, operatingPoint } = job;
  const rows = await rowsOf(job, first.task);
  const one = await judge(first, rows, beat);
  const other = await judge(second, await rowsOf(job, second.task), beat);
  release(first.modelBytes, second.modelBytes);
  const target = targetOf(first.task.features);
  const resampling = resamplingToCompare(heldOutHash, rows.count, groupCountOf(target));
  const measures = compareJudged(
    { task: first.task, judged: one.judged },
    { task: second.task, judged: other.judged },
    resampling,
    () => beat(),
    operatingPoint,
  );
  const comparison = { comparable: true, heldOutHash, rowCount: rows.count, resampling, measures } as const;
  return { kind: "compare", comparison };
}

async function tryElsewhere(job: PortabilityJob, beat: () => void): Promise<PortabilityAnswer> {
  const { task, modelBytes, place } = job;
  const weights = weightsOf(job);
  await useEngine();
  let set: JudgedSet | null = null;
  if (place !== null) {
    const rows = await rowsOf(place, task);
    const { judged } = await judgeRows(task, weights, rows, () => beat());
    set = { heldOutHash: place.heldOutHash, rows, judged };
  }
  // Its WebAssembly takes memory, which a coordinator that nobody asks for this never spends.
  const { portabilityOf } = await import("./portability.ts");
  const source = { name: task.slug, about: "", task, weights, metadata: {} };
  const portability = await portabilityOf(source, set, () => beat());
  release(weights, modelBytes);
  return { kind: "portability", portability };
}

async function judge(model: JudgedModel, rows: Dataset, beat: () => void) {
  const weights = weightsOf(model);
  await useEngine();
  const found = await judgeRows(model.task, weights, rows, () => beat());
  release(weights);
  return found;
}

function weightsOf({ task, modelBytes }: JudgedModel) {
  const weights = modelFromBytes(modelTensors(task.model), modelBytes);
  assert(weights.ok, "the coordinator made this model itself");
  return weights.value;
}

async function useEngine(): Promise<void> {
  const used = await engine.use("wasm", false);
  assert(used.ok, `the engine did not start: ${used.ok ? "" : used.error}`);
}

/** @throws Error with a sentence if the rows no longer fit the task: they did when they became a set. */
async function rowsOf({ path, reading }: RowsPlace, task: Task): Promise<Dataset> {
  const name = `${path} ${task.version} ${JSON.stringify(reading)}`;
  if (loaded?.name === name) return loaded.rows;
  const read = await readHeldOutRows(path, reading, task);
  if (!read.ok) throw new Error(`held-out rows at ${path}: ${read.error.sentence}`);
  loaded = { name, rows: read.value.dataset };
  return loaded.rows;
}
