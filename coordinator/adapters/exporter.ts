import type { Bytes } from "#shared/kernel/bytes.ts";
import type { ExportJob } from "../core/ports/export-job.ts";
import type { Exporter } from "../core/ports/ports.ts";
import { openJobWorker } from "./job-worker.ts";

/** Deflating the largest models takes half a minute. */
const PATIENCE_MS = 300_000;

/** Writes models in a worker, one after the other: anyone may ask for a public task's, and the devices' messages must not wait. */
export function openExporter(): Exporter {
  const worker = openJobWorker<ExportJob, Bytes>(new URL("./exports.worker.ts", import.meta.url), {
    name: "the thread that exports models",
    patienceMs: PATIENCE_MS,
  });
  return {
    make: (job) => worker.ask(job, [job.modelBytes.buffer]),
    close: () => worker.close(),
  };
}
