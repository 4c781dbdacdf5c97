import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Folder, FoldJob } from "#coordinator/core/ports.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { release } from "#shared/kernel/release.ts";
import type { SliceReply, SliceTask } from "./fold-messages.ts";

/** More would only take cores from the event loop; two reach the disk's and the memory's speed. */
const WORKERS_MAX = 2;
/** A slice whose worker dies or fails is tried again, from its start, by another one. */
const ATTEMPTS_MAX = 3;

export interface FolderOptions {
  readonly workerCount?: number;
}

/** A slice in line. Its worker gets copies: a worker that dies takes nothing with it. */
interface Waiting {
  readonly task: () => SliceTask;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (sum: Uint32Array<ArrayBuffer>) => void;
  readonly reject: (error: Error) => void;
  attempts: number;
}

/**
 * Adds vectors and masks in worker threads, each one slice of the vector.
 *
 * A slice's sum is made in memory of its worker and handed over whole, so a half-done one is never seen and a retry
 * starts clean; in all that is two vectors, O(chunk) a file. Workers start with the first fold and stay for the next.
 * `fold` rejects where a file is missing or has another length, after three attempts, and with the signal's reason.
 */
export function openFolder(options: FolderOptions = {}): Folder {
  const workerCount = options.workerCount ?? Math.min(WORKERS_MAX, availableParallelism());
  const idle: Worker[] = [];
  const busy = new Set<Worker>();
  const line: Waiting[] = [];
  let closed = false;

  function pump(): void {
    while (line.length > 0 && (idle.length > 0 || busy.size < workerCount)) {
      const next = present(line.shift(), "the line is not empty");
      if (next.signal?.aborted === true) next.reject(reasonOf(next.signal));
      else runOn(idle.pop() ?? startWorker(), next);
    }
  }

  function startWorker(): Worker {
    const worker = new Worker(new URL("./fold.worker.ts", import.meta.url));
    // A worker that waits for work must not keep the process alive; one that works is held by `runOn`.
    worker.unref();
    worker.on("exit", () => {
      const index = idle.indexOf(worker);
      if (index >= 0) idle.splice(index, 1);
    });
    return worker;
  }

  function runOn(worker: Worker, job: Waiting): void {
    busy.add(worker);
    worker.ref();
    job.attempts += 1;

    const end = (outcome: SliceReply | Error, isWorkerAlive: boolean) => {
      worker.removeAllListeners("message");
      worker.off("error", onError);
      worker.off("exit", onExit);
      job.signal?.removeEventListener("abort", onAbort);
      busy.delete(worker);
      if (isWorkerAlive && !closed) {
        worker.unref();
        idle.push(worker);
      } else {
        worker.on("error", () => undefined);
        void worker.terminate();
      }
      if (job.signal?.aborted === true) job.reject(reasonOf(job.signal));
      else if (outcome instanceof Error) again(job, outcome);
      else if (outcome.ok) job.resolve(outcome.sum);
      else again(job, new Error(outcome.message));
      pump();
    };
    const onError = (error: Error) => end(error, false);
    const onExit = (code: number) => end(new Error(`a fold worker ended with code ${code}`), false);
    // The worker is in a loop and hears nothing: it goes, and the next slice gets a new one.
    const onAbort = () => end(new Error("cancelled"), false);
    worker.on("message", (reply: SliceReply) => end(reply, true));
    worker.on("error", onError);
    worker.on("exit", onExit);
    job.signal?.addEventListener("abort", onAbort, { once: true });

    const task = job.task();
    worker.postMessage(task, task.initial === null ? [] : [task.initial.buffer]);
  }

  function again(job: Waiting, error: Error): void {
    if (closed || job.attempts >= ATTEMPTS_MAX) job.reject(error);
    else line.unshift(job);
  }

  function foldSlice(job: FoldJob, from: number, to: number, signal: AbortSignal | undefined) {
    return new Promise<Uint32Array<ArrayBuffer>>((resolve, reject) => {
      const task = (): SliceTask => ({
        from,
        to,
        length: job.length,
        paths: job.paths,
        initial: job.initial === undefined ? null : new Uint32Array(job.initial.subarray(from, to)),
        masks: job.masks,
      });
      line.push({ task, signal, resolve, reject, attempts: 0 });
      pump();
    });
  }

  return {
    fold: async (job, signal) => {
      assert(!closed, "the folder is closed");
      assert(Number.isInteger(job.length) && job.length >= 0, `a vector of ${job.length}`);
      assert(
        job.initial === undefined || job.initial.length === job.length,
        "the initial sum has another length",
      );
      const sum = new Uint32Array(job.length);
      // One slice that cannot be folded ends the others too.
      const failed = new AbortController();
      const either = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
      const slices = sliceBounds(job.length, workerCount).map(async ({ from, to }) => {
        try {
          const slice = await foldSlice(job, from, to, either);
          sum.set(slice, from);
          release(slice);
        } catch (error) {
          failed.abort(error);
          throw error;
        }
      });
      await Promise.all(slices);
      return sum;
    },
    close: async () => {
      closed = true;
      for (const job of line.splice(0)) job.reject(new Error("the folder is closed"));
      await Promise.all([...idle.splice(0), ...busy].map((worker) => worker.terminate()));
    },
  };
}

/** Cuts [0, length) into at most `count` slices of equal length, on borders of AES blocks (4 coordinates). */
export function sliceBounds(length: number, count: number): { from: number; to: number }[] {
  const width = 4 * Math.max(1, Math.ceil(length / (4 * count)));
  const bounds: { from: number; to: number }[] = [];
  for (let from = 0; from < length; from += width) bounds.push({ from, to: Math.min(length, from + width) });
  return bounds;
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error("the fold was cancelled");
}
