import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Folder, FoldJob } from "#coordinator/core/ports.ts";
import { VECTOR_CHUNK_BYTES } from "#shared/codec/vector-bytes.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { release } from "#shared/kernel/release.ts";
import { err, ok } from "#shared/kernel/result.ts";
import type { FoldReply, FoldTask, Slice, SliceTask } from "./fold-messages.ts";
import type { Intake } from "./intake.ts";

/** More would only take cores from the event loop; two reach the disk's and the memory's speed. */
const WORKERS_MAX = 2;
/** A task whose worker dies or fails is tried again, from its start, by another one. */
const ATTEMPTS_MAX = 3;
const WORDS_PER_AES_BLOCK = 4;
const WORDS_PER_CHUNK = VECTOR_CHUNK_BYTES / 4;

export interface FolderOptions {
  readonly workerCount?: number;
  /** Which has inputs in memory; without it all are read from disk. */
  readonly intake?: Pick<Intake, "add">;
}

type Answer = Exclude<FoldReply, { type: "failed" }>;

/** A task in line. Its worker gets copies: a worker that dies takes nothing with it. */
interface Waiting {
  readonly task: () => FoldTask;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  attempts: number;
}

/**
 * Adds vectors and masks in worker threads, each one slice of the vector.
 *
 * A slice's sum is made in memory of its worker and handed over whole, so a half-done one is never seen and a retry
 * starts clean; in all that is two vectors, O(chunk) a file. Workers start with the first fold and stay for the next.
 * They hash the chunks that they add, and one of them compares the roots, so that this thread does nothing long.
 * `fold` rejects after three attempts of a worker that dies or fails, and with the signal's reason.
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
    // Without a listener, an error of a worker that has no task, or was given up, would end the process. It exits then.
    worker.on("error", () => undefined);
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

    const end = (outcome: FoldReply | Error, isWorkerAlive: boolean) => {
      worker.removeAllListeners("message");
      worker.off("error", onError);
      worker.off("exit", onExit);
      job.signal?.removeEventListener("abort", onAbort);
      busy.delete(worker);
      if (isWorkerAlive && !closed) {
        worker.unref();
        idle.push(worker);
      } else {
        void worker.terminate();
      }
      if (job.signal?.aborted === true) job.reject(reasonOf(job.signal));
      else if (outcome instanceof Error) again(job, outcome);
      else if (outcome.type === "failed") again(job, new Error(outcome.message));
      else job.resolve(outcome);
      pump();
    };
    const onError = (error: Error) => end(error, false);
    const onExit = (code: number) => end(new Error(`a fold worker ended with code ${code}`), false);
    // The worker is in a loop and hears nothing: it goes, and the next slice gets a new one.
    const onAbort = () => end(new Error("cancelled"), false);
    worker.on("message", (reply: FoldReply) => end(reply, true));
    worker.on("error", onError);
    worker.on("exit", onExit);
    job.signal?.addEventListener("abort", onAbort, { once: true });

    const task = job.task();
    const handed = task.type === "slice" && task.initial !== null ? [task.initial.buffer] : [];
    worker.postMessage(task, handed);
  }

  function again(job: Waiting, error: Error): void {
    if (closed || job.attempts >= ATTEMPTS_MAX) job.reject(error);
    else line.unshift(job);
  }

  function ask<Type extends FoldTask["type"]>(
    task: () => Extract<FoldTask, { type: Type }>,
    signal: AbortSignal | undefined,
  ) {
    return new Promise<Extract<Answer, { type: Type }>>((resolve, reject) => {
      // The folder may have been closed while the intake added.
      if (closed) return reject(new Error("the folder is closed"));
      // A worker answers with what it was asked for.
      line.push({ task, signal, resolve: resolve as (answer: Answer) => void, reject, attempts: 0 });
      pump();
    });
  }

  /** Files that are not what they should be, from what was hashed while they were added. */
  async function damagedOf({ inputs }: FoldJob, slices: readonly Slice[], signal: AbortSignal) {
    const files = inputs.map(({ root }, index) => {
      const leaves = slices.map((slice) => slice.leaves[index] ?? null);
      return { index, root, leaves: leaves.filter((hashes) => hashes !== null) };
    });
    const whole = files.filter(({ leaves }) => leaves.length === slices.length);
    const { wrong } = await ask(() => ({ type: "roots", files: whole }), signal);
    const isGood = new Set(whole.filter((_, at) => !wrong.includes(at)).map(({ index }) => index));
    return files.map(({ index }) => index).filter((index) => !isGood.has(index));
  }

  /** `initial` is left as it is. */
  async function foldFiles(job: FoldJob, signal: AbortSignal | undefined): ReturnType<Folder["fold"]> {
    const { length, inputs, initial, masks } = job;
    const sum = new Uint32Array(length);
    // One slice that cannot be folded ends the others too.
    const failed = new AbortController();
    const either = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
    const bounds = sliceBounds(
      length,
      workerCount,
      inputs.length > 0 ? WORDS_PER_CHUNK : WORDS_PER_AES_BLOCK,
    );
    const paths = inputs.map(({ path }) => path);
    const work = bounds.map(async ({ from, to }) => {
      const task = (): SliceTask => ({
        ...{ type: "slice", from, to, length, paths, masks },
        initial: initial === undefined ? null : new Uint32Array(initial.subarray(from, to)),
      });
      try {
        const slice = await ask(task, either);
        sum.set(slice.sum, from);
        release(slice.sum);
        return slice;
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    });
    const slices = await Promise.all(work);
    const indexes = inputs.length === 0 ? [] : await damagedOf(job, slices, either);
    return indexes.length === 0 ? ok(sum) : err({ type: "input-damaged", indexes });
  }

  return {
    fold: async (job, signal) => {
      assert(!closed, "the folder is closed");
      const { length, inputs, initial, masks } = job;
      assert(Number.isInteger(length) && length >= 0, `a vector of ${length}`);
      assert(initial === undefined || initial.length === length, "the initial sum has another length");
      if (signal?.aborted === true) throw reasonOf(signal);
      const added = inputs.length === 0 ? null : await options.intake?.add(length, inputs, initial);
      const begun = added?.sum ?? initial;
      const indexes = added?.missing ?? [...inputs.keys()];
      if (begun !== undefined && indexes.length === 0 && masks.length === 0) return ok(begun);
      const rest = indexes.map((index) => present(inputs[index], "an input"));
      const given = begun === undefined ? {} : { initial: begun };
      const folded = await foldFiles({ length, inputs: rest, masks, ...given }, signal);
      if (begun !== undefined) release(begun);
      if (folded.ok) return folded;
      const damaged = folded.error.indexes.map((index) => present(indexes[index], "an index"));
      return err({ type: "input-damaged", indexes: damaged });
    },
    close: async () => {
      closed = true;
      for (const job of line.splice(0)) job.reject(new Error("the folder is closed"));
      await Promise.all([...idle.splice(0), ...busy].map((worker) => worker.terminate()));
    },
  };
}

/** Cuts [0, length) into at most `count` slices of about equal length, on multiples of `step`. */
export function sliceBounds(length: number, count: number, step: number): { from: number; to: number }[] {
  const width = step * Math.max(1, Math.ceil(length / (step * count)));
  const bounds: { from: number; to: number }[] = [];
  for (let from = 0; from < length; from += width) bounds.push({ from, to: Math.min(length, from + width) });
  return bounds;
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error("the fold was cancelled");
}
