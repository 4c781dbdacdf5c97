import { modelTensors } from "#shared/task/model.ts";
import { type MadeModel, type ModelJob, makeModel } from "../core/model-jobs.ts";
import type { Models } from "../core/ports.ts";
import { openJobWorker } from "./job-worker.ts";
import { primitives } from "./system.ts";

/** Weights of a model that is made in a few milliseconds; a larger one would hold up the devices' messages. */
const HERE_MAX = 50_000;

/** The largest model takes seconds. */
const PATIENCE_MS = 300_000;

/** Makes small models at once, and large ones in a worker thread. */
export function openModels(): Models {
  const worker = openJobWorker<ModelJob, MadeModel>(new URL("./models.worker.ts", import.meta.url), {
    name: "the thread that makes models",
    patienceMs: PATIENCE_MS,
  });
  return {
    make: (job) => {
      const isSmall = modelTensors(job.task.model).parameterCount <= HERE_MAX;
      return isSmall ? makeModel(primitives, job) : worker.ask(job, vectorsOf(job));
    },
    close: () => worker.close(),
  };
}

function vectorsOf(job: ModelJob): ArrayBuffer[] {
  switch (job.kind) {
    case "initial":
      return [];
    case "void-step":
      return [job.modelBytes.buffer];
    case "next": {
      const { stateBytes, modelBytes, coordinateSum } = job;
      return [modelBytes.buffer, coordinateSum.buffer, ...(stateBytes === null ? [] : [stateBytes.buffer])];
    }
  }
}
