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
  /** Jobs that the worker has at once, of which it does the first: with more than one it never waits for this thread. */
  readonly jobsAtOnce?: number;
  /** By which silence is counted; the system's where absent. */
  readonly time?: Parameters<typeof watchSilence>[0];
}

export interface JobWorker<Job, Result> {
  /** @param handedOver  Buffers of the job; this thread does not have them any more. */
  ask(job: Job, handedOver: readonly Transferable[]): Promise<Result>;
  /** Whether there is a thread; the next job starts one. */
  isStarted(): boolean;
  close(): Promise<void>;
}

interface Waiting<Job, Result> {
  readonly job: Job;
  readonly handedOver: readonly Transferable[];
  readonly resolve: (result: Result) => void;
  readonly reject: (fault: Error) => void;
}

/**
 * One worker thread for jobs of a kind, one after the other, started with the first of them. If a worker dies or hangs,
 * the job that it was doing rejects, and another worker does those behind it. A job whose buffers the lost worker had
 * rejects as well.
 */
export function openJobWorker<Job, Result>(url: URL, options: JobWorkerOptions): JobWorker<Job, Result> {
  const { name, patienceMs, jobsAtOnce = 1, time = { clock: monotonicClock, after } } = options;
  const line: Waiting<Job, Result>[] = [];
  /** With the worker, in the order of its answers. */
  const handed: Waiting<Job, Result>[] = [];
  let silence: Silence | null = null;
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
  const pump = (): void => {
    while (handed.length < jobsAtOnce) {
      const next = line.shift();
      if (next === undefined) break;
      worker ??= start();
      handed.push(next);
      worker.postMessage(next.job, [...next.handedOver]);
    }
    watch();
  };
  /** A process that waits for a job must not end before it. */
  const watch = (): void => {
    const asked = worker;
    if (asked === null || handed.length === 0) {
      silence?.end();
      silence = null;
      asked?.unref();
      return;
    }
    asked.ref();
    silence ??= watchSilence(
      time,
      () => patienceMs,
      () => lose(asked, new Error(`${name} gave no sign of life for ${patienceMs / 1_000} s and was ended`)),
    );
  };
  const hear = (reply: JobReply<Result>): void => {
    silence?.heard();
    if (reply.kind === "beat") return;
    const answered = handed.shift();
    if (reply.kind === "done") answered?.resolve(reply.result);
    else answered?.reject(new Error(reply.message));
    pump();
  };
  const lose = (lost: Worker, fault: Error): void => {
    if (worker !== lost) return;
    worker = null;
    void lost.terminate();
    const [doing, ...behind] = handed.splice(0);
    doing?.reject(fault);
    for (const { handedOver, reject } of behind) if (handedOver.length > 0) reject(fault);
    line.unshift(...behind.filter(({ handedOver }) => handedOver.length === 0));
    silence?.end();
    silence = null;
    pump();
  };

  return {
    ask: (job, handedOver) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new Error(`${name} is closed`));
        line.push({ job, handedOver, resolve, reject });
        pump();
      }),
    isStarted: () => worker !== null,
    close: async () => {
      closed = true;
      const last = worker;
      worker = null;
      for (const { reject } of [...handed.splice(0), ...line.splice(0)])
        reject(new Error(`${name} is closed`));
      watch();
      await last?.terminate();
    },
  };
}
