import { type Transferable, Worker } from "node:worker_threads";
import { type Silence, watchSilence } from "#shared/kernel/silence.ts";
import { after, monotonicClock } from "./system.ts";

/** What comes back from a worker of jobs: beats while it works, then one answer. */
export type JobReply<Result> =
  | { readonly kind: "beat" }
  | { readonly kind: "done"; readonly result: Result }
  | { readonly kind: "failed"; readonly message: string };

export interface JobWorkerOptions {
  /** In the errors: "the evaluator". */
  readonly name: string;
  /** A worker that has a job and is silent for this long is ended. */
  readonly patienceMs: number;
  /** By which silence is counted; the system's where absent. */
  readonly time?: Parameters<typeof watchSilence>[0];
}

export interface JobWorker<Job, Result> {
  /** @param handedOver  Buffers of the job; this thread does not have them any more. */
  ask(job: Job, handedOver: readonly Transferable[]): Promise<Result>;
  close(): Promise<void>;
}

interface Waiting<Job, Result> {
  readonly job: Job;
  readonly handedOver: readonly Transferable[];
  readonly resolve: (result: Result) => void;
  readonly reject: (fault: Error) => void;
}

interface Running<Job, Result> {
  readonly waiting: Waiting<Job, Result>;
  readonly silence: Silence;
}

/**
 * One worker thread for jobs of a kind, one after the other, started with the first of them. A worker that dies or hangs
 * takes with it the job that it has (which rejects), and the next job starts another.
 */
export function openJobWorker<Job, Result>(url: URL, options: JobWorkerOptions): JobWorker<Job, Result> {
  const { name, patienceMs, time = { clock: monotonicClock, after } } = options;
  const line: Waiting<Job, Result>[] = [];
  let running: Running<Job, Result> | null = null;
  let worker: Worker | null = null;
  let closed = false;

  const start = (): Worker => {
    const started = new Worker(url);
    started.on("message", (reply: JobReply<Result>) => {
      if (worker === started) hear(reply);
    });
    started.on("error", (fault) => lose(started, fault instanceof Error ? fault : new Error(String(fault))));
    started.on("exit", (code) => lose(started, new Error(`${name} ended with code ${code}`)));
    return started;
  };
  const next = (): void => {
    const waiting = line.shift();
    if (waiting === undefined) {
      worker?.unref();
      return;
    }
    const asked = worker ?? start();
    worker = asked;
    const silence = watchSilence(
      time,
      () => patienceMs,
      () => lose(asked, new Error(`${name} gave no sign of life for ${patienceMs / 1_000} s and was ended`)),
    );
    running = { waiting, silence };
    // A process that waits for a job must not end before it.
    asked.ref();
    asked.postMessage(waiting.job, [...waiting.handedOver]);
  };
  const hear = (reply: JobReply<Result>): void => {
    if (reply.kind === "beat") {
      running?.silence.heard();
      return;
    }
    const waiting = take();
    if (reply.kind === "done") waiting?.resolve(reply.result);
    else waiting?.reject(new Error(reply.message));
    next();
  };
  const lose = (lost: Worker, fault: Error): void => {
    if (worker !== lost) return;
    worker = null;
    void lost.terminate();
    take()?.reject(fault);
    next();
  };
  const take = (): Waiting<Job, Result> | undefined => {
    const taken = running;
    running = null;
    taken?.silence.end();
    return taken?.waiting;
  };

  return {
    ask: (job, handedOver) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new Error(`${name} is closed`));
        line.push({ job, handedOver, resolve, reject });
        if (running === null) next();
      }),
    close: async () => {
      closed = true;
      for (const { reject } of line.splice(0)) reject(new Error(`${name} is closed`));
      take()?.reject(new Error(`${name} is closed`));
      const last = worker;
      worker = null;
      await last?.terminate();
    },
  };
}
