import type { Bytes } from "#shared/kernel/bytes.ts";
import type { ExportJob } from "../core/ports/export-job.ts";
import { answerJobs } from "./answer-jobs.ts";
import { exportHere } from "./export-model.ts";

/* Writes large models in other formats. */

answerJobs<ExportJob, Bytes>(
  async (job) => exportHere(job),
  (bytes) => [bytes.buffer],
);
