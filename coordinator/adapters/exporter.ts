import type { Bytes } from "#shared/kernel/bytes.ts";
import { modelTensors } from "#shared/task/model.ts";
import type { ExportJob } from "../core/ports/export-job.ts";
import type { Exporter } from "../core/ports/ports.ts";
import { exportHere } from "./export-model.ts";
import { openJobWorker } from "./job-worker.ts";

/** As for making models: more weights would delay the devices' messages. */
const HERE_MAX = 50_000;
/** Deflating the largest models takes half a minute. */
const PATIENCE_MS = 300_000;

/** Writes small models in this thread and large ones in a worker. */
export function openExporter(): Exporter {
  const worker = openJobWorker<ExportJob, Bytes>(new URL("./exports.worker.ts", import.meta.url), {
    name: "the thread that exports models",
    patienceMs: PATIENCE_MS,
  });
  return {
    make: async (job) => {
      const isSmall = modelTensors(job.task.model).parameterCount <= HERE_MAX;
      return isSmall ? exportHere(job) : worker.ask(job, [job.modelBytes.buffer]);
    },
    close: () => worker.close(),
  };
}
