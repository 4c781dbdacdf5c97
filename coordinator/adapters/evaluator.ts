import { assert, present } from "#shared/kernel/assert.ts";
import { measuresFrom } from "#shared/task/measures/index.ts";
import { USUAL_POINT } from "#shared/task/operating-point.ts";
import { targetOf } from "#shared/task/target.ts";
import type { Evaluator, HeldOutRows, JudgedModel, Judgement } from "../core/ports/ports.ts";
import type { EvaluatorAnswer, EvaluatorJob, ReportedCode } from "./evaluator-job.ts";
import { openJobWorker } from "./job-worker.ts";

/** The worker beats every few hundred rows; only loading rows and engine takes longer. */
const PATIENCE_MS = 120_000;

/**
 * Central evaluation in a worker thread, which leaves the main thread free.
 *
 * @param setPath  File of a task's set of held-out rows.
 */
export function createEvaluator(
  setPath: (slug: string, hash: string) => string,
  code: ReportedCode,
): Evaluator {
  const open = (name: string) =>
    openJobWorker<EvaluatorJob, EvaluatorAnswer>(new URL("./evaluator.worker.ts", import.meta.url), {
      name,
      patienceMs: PATIENCE_MS,
    });
  const worker = open("the evaluator");
  // In a thread of its own, which starts with the first: a round waits for its figures, and for no comparison or gate.
  const trials = open("the thread that tries models");
  const placeOf = (slug: string, { hash, operatingPoint = USUAL_POINT, ...reading }: HeldOutRows) => ({
    path: setPath(slug, hash),
    reading,
    heldOutHash: hash,
    operatingPoint,
  });
  const evaluateIn = async (
    thread: typeof worker,
    { task, modelBytes }: JudgedModel,
    rows: HeldOutRows,
  ): Promise<Judgement> => {
    // Transfers a copy, because cloning a message needs twice the model's memory.
    const copy = modelBytes.slice();
    const place = placeOf(task.slug, rows);
    const job = { kind: "evaluate", task, modelBytes: copy, code, ...place } as const;
    const answer = await thread.ask(job, [copy.buffer]);
    assert(answer.kind === "evaluate", "answers are of the job's kind");
    return { measures: measuresFrom(answer.sums, targetOf(task.features)), report: answer.report };
  };
  return {
    evaluate: (task, modelBytes, rows) => evaluateIn(worker, { task, modelBytes }, rows),
    evaluateAside: (model, rows) => evaluateIn(trials, model, rows),
    compare: async (first, second, rows) => {
      const copies = [first, second].map(({ task, modelBytes }) => ({
        task,
        modelBytes: modelBytes.slice(),
      }));
      const [one, other] = [present(copies[0], "a first"), present(copies[1], "a second")];
      const place = placeOf(first.task.slug, rows);
      const job = { kind: "compare", first: one, second: other, ...place } as const;
      const answer = await trials.ask(
        job,
        copies.map(({ modelBytes }) => modelBytes.buffer),
      );
      assert(answer.kind === "compare", "answers are of the job's kind");
      return answer.comparison;
    },
    portability: async ({ task, modelBytes }, rows) => {
      const copy = modelBytes.slice();
      const place = rows === null ? null : placeOf(task.slug, rows);
      const answer = await trials.ask({ kind: "portability", task, modelBytes: copy, place }, [copy.buffer]);
      assert(answer.kind === "portability", "answers are of the job's kind");
      return answer.portability;
    },
    close: async () => {
      await Promise.all([worker.close(), trials.close()]);
    },
  };
}
