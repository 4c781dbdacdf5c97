import { primitives } from "#shared/node/system.ts";
import { makeModel } from "../core/models/model-jobs.ts";
import type { MadeModel, ModelJob } from "../core/ports/model-job.ts";
import { answerJobs } from "./answer-jobs.ts";

/* Makes large models. */

answerJobs<ModelJob, MadeModel>(
  (job) => makeModel(primitives, job),
  ({ modelBytes, stateBytes }) =>
    [modelBytes, stateBytes].flatMap((bytes) => (bytes === null ? [] : [bytes.buffer])),
);
