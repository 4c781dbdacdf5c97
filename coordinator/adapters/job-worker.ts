import { type Transferable, Worker } from "node:worker_threads";

/** What goes to a worker of jobs, and what comes back. */
export interface JobMessage<Job> {
  readonly id: number;
  readonly job: Job;
}
export type JobReply<Result> =
  | { readonly id: number; readonly ok: true; readonly result: Result }
  | { readonly id: number; readonly ok: false; readonly message: string };

export interface JobWorker<Job, Result> {
  /** @param handedOver  Buffers of the job; this thread does not have them any more. */
  ask(job: Job, handedOver: readonly Transferable[]): Promise<Result>;
  close(): Promise<void>;
}

interface Waiting<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (fault: Error) => void;
}

/**
 * One worker thread for jobs of a kind, started with the first of them. A worker that dies takes its jobs with it (they
 * reject) and the next job starts another.
 *
 * @param name  In the errors: "the evaluator".
 */
export function openJobWorker<Job, Result>(url: URL, name: string): JobWorker<Job, Result> {
  const waiting = new Map<number, Waiting<Result>>();
  let worker: Worker | null = null;
  let nextId = 1;
  let closed = false;

  const start = (): Worker => {
    const started = new Worker(url);
    started.unref();
    started.on("message", (reply: JobReply<Result>) => {
      const job = waiting.get(reply.id);
      waiting.delete(reply.id);
      if (reply.ok) job?.resolve(reply.result);
      else job?.reject(new Error(reply.message));
      if (waiting.size === 0) started.unref();
    });
    started.on("error", (fault) => lose(started, fault instanceof Error ? fault : new Error(String(fault))));
    started.on("exit", (code) => lose(started, new Error(`${name} ended with code ${code}`)));
    return started;
  };
  const lose = (lost: Worker, fault: Error) => {
    if (worker !== lost) return;
    worker = null;
    for (const { reject } of waiting.values()) reject(fault);
    waiting.clear();
  };

  return {
    ask: (job, handedOver) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new Error(`${name} is closed`));
        worker ??= start();
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        // A process that waits for a job must not end before it.
        worker.ref();
        worker.postMessage({ id, job } satisfies JobMessage<Job>, [...handedOver]);
      }),
    close: async () => {
      closed = true;
      await worker?.terminate();
    },
  };
}
