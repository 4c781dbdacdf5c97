import type { Evaluation } from "#shared/task/evaluation.ts";
import { measuresFrom } from "#shared/task/measures/index.ts";
import { targetOf } from "#shared/task/target.ts";
import type { Evaluator } from "../core/ports/ports.ts";
import type { EvaluateJob } from "./evaluator-job.ts";
import { openJobWorker } from "./job-worker.ts";

/** The worker beats every few hundred rows; only loading rows and engine takes longer. */
const PATIENCE_MS = 120_000;

/**
 * Central evaluation in a worker thread, which leaves the main thread free.
 *
 * @param setPath  File of a task's set of held-out rows.
 */
export function createEvaluator(setPath: (slug: string, hash: string) => string): Evaluator {
  const worker = openJobWorker<EvaluateJob, Evaluation>(new URL("./evaluator.worker.ts", import.meta.url), {
    name: "the evaluator",
    patienceMs: PATIENCE_MS,
  });
  return {
    evaluate: async (task, modelBytes, { hash, ...reading }) => {
      // Transfers a copy, because cloning a message needs twice the model's memory.
      const copy = modelBytes.slice();
      const job: EvaluateJob = { task, path: setPath(task.slug, hash), reading, modelBytes: copy };
      const sums = await worker.ask(job, [copy.buffer]);
      return { measures: measuresFrom(sums, targetOf(task.features)), report: null };
    },
    close: () => worker.close(),
  };
}
