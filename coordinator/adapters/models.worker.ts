import { type MadeModel, type ModelJob, makeModel } from "../core/model-jobs.ts";
import { answerJobs } from "./answer-jobs.ts";
import { primitives } from "./system.ts";

/* Makes large models. */

answerJobs<ModelJob, MadeModel>(
  (job) => makeModel(primitives, job),
  ({ modelBytes, stateBytes }) =>
    [modelBytes, stateBytes].flatMap((bytes) => (bytes === null ? [] : [bytes.buffer])),
);
