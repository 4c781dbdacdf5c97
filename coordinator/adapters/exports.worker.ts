import { readFileSync } from "node:fs";
import { modelFromBytes } from "#shared/codec/model-bytes.ts";
import { exportModel } from "#shared/export/export-model.ts";
import { assert } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { modelTensors } from "#shared/task/model.ts";
import type { ExportJob } from "../core/ports/export-job.ts";
import { answerJobs } from "./answer-jobs.ts";

/* Writes models in formats of other tools. */

const runtime = readFileSync(new URL("../../shared/export/javascript/runtime.mjs", import.meta.url), "utf8");

answerJobs<ExportJob, Bytes>(
  async (job) => written(job),
  (bytes) => [bytes.buffer],
);

function written({ format, modelBytes, ...source }: ExportJob): Bytes {
  const weights = modelFromBytes(modelTensors(source.task.model), modelBytes);
  assert(weights.ok, "the coordinator made this model itself");
  return exportModel(format, { ...source, weights: weights.value }, runtime);
}
