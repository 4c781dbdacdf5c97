import type { ResourceLimits } from "node:worker_threads";
import { type Silence, watchSilence } from "#shared/kernel/silence.ts";
import { after, monotonicClock } from "#shared/node/system.ts";
import { CallThread } from "./call-thread.ts";

export interface JobWorkerOptions {
  /** Name in error messages, such as "the evaluator". */
  readonly name: string;
  /** A worker that is silent for this long during a job is ended. */
  readonly patienceMs: number;
  /**
   * Jobs that the worker holds at once. It runs the first; with more than one it never waits for this thread.
   */
  readonly jobsAtOnce?: number;
  /** Of its memory. */
  readonly limits?: ResourceLimits;
  /** Clock and timer that measure silence; the system's by default. */
  readonly time?: Parameters<typeof watchSilence>[0];
}

export interface JobWorker<Job, Result> {
  /**
   * @param handedOver  Buffers of the job, transferred away from this thread.
   * @param onProgress  Gets what the worker says with its beats during this job.
   */
  ask(
    job: Job,
    handedOver: readonly ArrayBuffer[],
    onProgress?: (progress: unknown) => void,
  ): Promise<Result>;
  /** Whether a thread is running. The next job starts one if not. */
  isStarted(): boolean;
  close(): Promise<void>;
}

interface Waiting<Job, Result> {
  readonly job: Job;
  readonly handedOver: readonly ArrayBuffer[];
  readonly onProgress: (progress: unknown) => void;
  readonly resolve: (result: Result) => void;
  readonly reject: (fault: Error) => void;
}

/**
 * One worker thread that runs jobs of one kind in order. It starts with the first job. If it dies or hangs,
 * its current job rejects and a new worker runs the waiting ones. Waiting jobs whose buffers were lost with
 * the worker reject as well.
 */
export function openJobWorker<Job, Result>(url: URL, options: JobWorkerOptions): JobWorker<Job, Result> {
  const { name, jobsAtOnce = 1, limits } = options;
  const line: Waiting<Job, Result>[] = [];
  /** Jobs handed to the worker, in its order. */
  const handed: Waiting<Job, Result>[] = [];
  let running: CallThread<Job> | null = null;
  let closed = false;
  const silence = silenceDuringJobs(options, (fault) => lose(fault));

  const start = () =>
    new CallThread<Job>(url, {
      name,
      ...(limits === undefined ? {} : { limits }),
      onMessage: (progress) => {
        silence.heard();
        if (progress !== undefined) handed[0]?.onProgress(progress);
      },
      onLost: (fault) => lose(fault),
    });
  const pump = (): void => {
    while (handed.length < jobsAtOnce) {
      const next = line.shift();
      if (next === undefined) break;
      running ??= start();
      handed.push(next);
      void hand(running, next);
    }
    // Without a job, the worker neither keeps the process alive nor has anything to say.
    const isBusy = running !== null && handed.length > 0;
    running?.setHeld(isBusy);
    silence.setWatched(isBusy);
  };
  const hand = async (to: CallThread<Job>, next: Waiting<Job, Result>): Promise<void> => {
    const settle = await to.ask<Result>(next.job, next.handedOver).then(
      (result) => () => next.resolve(result),
      (fault) => () => next.reject(fault),
    );
    // Jobs of a lost worker have been rejected or put back in line.
    if (running !== to) return;
    handed.splice(handed.indexOf(next), 1);
    settle();
    pump();
  };
  const lose = (fault: Error): void => {
    void end(fault);
    const [doing, ...behind] = handed.splice(0);
    doing?.reject(fault);
    for (const { handedOver, reject } of behind) if (handedOver.length > 0) reject(fault);
    line.unshift(...behind.filter(({ handedOver }) => handedOver.length === 0));
    pump();
  };
  const end = async (reason: Error): Promise<void> => {
    const last = running;
    running = null;
    silence.setWatched(false);
    await last?.end(reason);
  };

  return {
    ask: (job, handedOver, onProgress = () => {}) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new Error(`${name} is closed`));
        line.push({ job, handedOver, onProgress, resolve, reject });
        pump();
      }),
    isStarted: () => running !== null,
    close: async () => {
      closed = true;
      const reason = new Error(`${name} is closed`);
      for (const { reject } of [...handed.splice(0), ...line.splice(0)]) reject(reason);
      await end(reason);
    },
  };
}

/** Calls `onSilent` if nothing is heard for `patienceMs` while it is watched. */
function silenceDuringJobs(
  { name, patienceMs, time = { clock: monotonicClock, after } }: JobWorkerOptions,
  onSilent: (fault: Error) => void,
) {
  let silence: Silence | null = null;
  const fault = () => new Error(`${name} gave no sign of life for ${patienceMs / 1_000} s and was ended`);
  return {
    heard: () => silence?.heard(),
    setWatched: (isWatched: boolean): void => {
      if (isWatched) {
        silence ??= watchSilence(
          time,
          () => patienceMs,
          () => onSilent(fault()),
        );
      } else {
        silence?.end();
        silence = null;
      }
    },
  };
}
