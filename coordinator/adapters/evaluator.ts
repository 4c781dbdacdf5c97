import { Worker } from "node:worker_threads";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Task } from "#shared/task/task.ts";
import type { CentralEvaluation, Evaluator } from "../core/ports.ts";
import type { EvaluateJob, EvaluateReply } from "./evaluator-messages.ts";

interface Waiting {
  readonly resolve: (evaluation: CentralEvaluation) => void;
  readonly reject: (fault: Error) => void;
}

/**
 * Central evaluation in one worker thread, so that sockets answer meanwhile. A worker that dies takes its jobs with it
 * (they reject) and the next job starts another.
 *
 * @param heldOutPath  Where the held-out rows of a task version lie; rows that are not there count as none.
 */
export function createEvaluator(heldOutPath: (slug: string, version: number) => string): Evaluator {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | null = null;
  let nextId = 1;
  let closed = false;

  const start = (): Worker => {
    const started = new Worker(new URL("./evaluator.worker.ts", import.meta.url));
    started.unref();
    started.on("message", (reply: EvaluateReply) => {
      const job = waiting.get(reply.id);
      waiting.delete(reply.id);
      if (reply.ok) job?.resolve(reply.evaluation);
      else job?.reject(new Error(reply.message));
      if (waiting.size === 0) started.unref();
    });
    started.on("error", (fault) => lose(started, fault instanceof Error ? fault : new Error(String(fault))));
    started.on("exit", (code) => lose(started, new Error(`the evaluator ended with code ${code}`)));
    return started;
  };
  const lose = (lost: Worker, fault: Error) => {
    if (worker !== lost) return;
    worker = null;
    for (const { reject } of waiting.values()) reject(fault);
    waiting.clear();
  };

  const ask = (task: Task, modelBytes: Bytes | null) =>
    new Promise<CentralEvaluation>((resolve, reject) => {
      if (closed) return reject(new Error("the evaluator is closed"));
      worker ??= start();
      const id = nextId++;
      waiting.set(id, { resolve, reject });
      // A process that waits for an evaluation must not end before it.
      worker.ref();
      const path = heldOutPath(task.slug, task.version);
      const job: EvaluateJob = { id, task, path, modelBytes };
      worker.postMessage(job, modelBytes === null ? [] : [modelBytes.buffer]);
    });

  return {
    // Handed over as a copy: cloning a message takes twice the model on the way.
    evaluate: (task, modelBytes) => ask(task, modelBytes.slice()),
    countHeldOut: async (task) => (await ask(task, null)).count,
    close: async () => {
      closed = true;
      await worker?.terminate();
    },
  };
}
