import { primitives } from "#shared/node/system.ts";
import { modelTensors } from "#shared/task/model.ts";
import { makeModel } from "../core/models/model-jobs.ts";
import type { MadeModel, ModelJob } from "../core/ports/model-job.ts";
import type { Models } from "../core/ports/ports.ts";
import { openJobWorker } from "./job-worker.ts";

/**
 * Largest model made in this thread. It takes a few milliseconds; larger ones would delay the devices'
 * messages.
 */
const HERE_MAX = 50_000;

/** The largest models take seconds. */
const PATIENCE_MS = 300_000;

/** Makes small models in this thread and large ones in a worker. */
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
