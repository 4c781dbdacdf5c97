import { readFileSync } from "node:fs";
import { modelFromBytes } from "#shared/codec/model-bytes.ts";
import { exportModel } from "#shared/export/export-model.ts";
import { assert } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { modelTensors } from "#shared/task/model.ts";
import type { ExportJob } from "../core/ports/export-job.ts";

let runtime: string | null = null;

/** Writes a model in a format, in this thread. */
export function exportHere({ format, modelBytes, ...source }: ExportJob): Bytes {
  runtime ??= readFileSync(new URL("../../shared/export/javascript/runtime.mjs", import.meta.url), "utf8");
  const weights = modelFromBytes(modelTensors(source.task.model), modelBytes);
  assert(weights.ok, "the coordinator made this model itself");
  return exportModel(format, { ...source, weights: weights.value }, runtime);
}
