import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Evaluation } from "#shared/task/engine.ts";
import { measuresFrom } from "#shared/task/measures.ts";
import type { Task } from "#shared/task/task.ts";
import type { Evaluator } from "../core/ports.ts";
import type { EvaluateJob } from "./evaluator-job.ts";
import { openJobWorker } from "./job-worker.ts";

/** It gives a sign of life every few hundred rows; only loading the rows and the engine takes longer. */
const PATIENCE_MS = 120_000;

/**
 * Central evaluation in one worker thread, so that sockets answer meanwhile.
 *
 * @param heldOutPath  Where the held-out rows of a task version lie; rows that are not there count as none.
 */
export function createEvaluator(heldOutPath: (slug: string, version: number) => string): Evaluator {
  const worker = openJobWorker<EvaluateJob, Evaluation>(new URL("./evaluator.worker.ts", import.meta.url), {
    name: "the evaluator",
    patienceMs: PATIENCE_MS,
  });
  const ask = (task: Task, modelBytes: Bytes | null) => {
    const job: EvaluateJob = { task, path: heldOutPath(task.slug, task.version), modelBytes };
    return worker.ask(job, modelBytes === null ? [] : [modelBytes.buffer]);
  };
  return {
    // Handed over as a copy: cloning a message takes twice the model on the way.
    evaluate: async (task, modelBytes) => {
      return { measures: measuresFrom(await ask(task, modelBytes.slice())), report: null };
    },
    countHeldOut: async (task) => (await ask(task, null)).count,
    close: () => worker.close(),
  };
}
