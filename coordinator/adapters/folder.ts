import { availableParallelism } from "node:os";
import type { Folder, FoldJob } from "#coordinator/core/ports/ports.ts";
import { VECTOR_CHUNK_BYTES } from "#shared/codec/vector-bytes.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { release } from "#shared/kernel/release.ts";
import { err, ok } from "#shared/kernel/result.ts";
import type { Slice, SliceTask } from "./fold-messages.ts";
import { FoldWorkers, reasonOf } from "./fold-workers.ts";
import type { Intake } from "./intake.ts";

/** Two saturate disk and memory. More would only take cores from the event loop. */
const WORKERS_MAX = 2;
const WORDS_PER_AES_BLOCK = 4;
const WORDS_PER_CHUNK = VECTOR_CHUNK_BYTES / 4;

export interface FolderOptions {
  readonly workerCount?: number;
  /** Holds inputs in memory; without it all are read from disk. */
  readonly intake?: Pick<Intake, "add">;
}

type Adding = Pick<Intake, "add"> | undefined;

/**
 * Adds vectors and masks in worker threads, one slice of the vector each.
 *
 * A slice's sum is made in its worker's memory and handed over whole, so nobody sees half of one and a retry
 * starts clean. In total that takes two vectors, plus O(chunk) per file. The workers hash the chunks they
 * add, and one of them compares the roots, so that this thread does no long work. `fold` rejects after three
 * attempts if workers die or fail, with the signal's reason on abort, and if the intake's thread ends
 * together with `initial`, of which there is no copy.
 */
export function openFolder(options: FolderOptions = {}): Folder {
  const workers = new FoldWorkers(options.workerCount ?? Math.min(WORKERS_MAX, availableParallelism()));
  return {
    fold: (job, signal) => fold(workers, options.intake, job, signal),
    close: () => workers.close(),
  };
}

/** Adds the inputs that the intake holds in memory, then the rest from disk. */
async function fold(
  workers: FoldWorkers,
  intake: Adding,
  job: FoldJob,
  signal: AbortSignal | undefined,
): ReturnType<Folder["fold"]> {
  assert(!workers.closed, "the folder is closed");
  const { length, inputs, initial, masks } = job;
  assert(Number.isInteger(length) && length >= 0, `a vector of ${length}`);
  assert(initial === undefined || initial.length === length, "the initial sum has another length");
  if (signal?.aborted === true) throw reasonOf(signal);
  const added =
    inputs.length === 0 ? null : await unlessAborted(intake?.add(length, inputs, initial), signal);
  const begun = added?.sum ?? initial;
  const indexes = added?.missing ?? [...inputs.keys()];
  if (begun !== undefined && indexes.length === 0 && masks.length === 0) return ok(begun);
  const rest = indexes.map((index) => present(inputs[index], "an input"));
  const given = begun === undefined ? {} : { initial: begun };
  const folded = await foldFiles(workers, { length, inputs: rest, masks, ...given }, signal);
  if (begun !== undefined) release(begun);
  if (folded.ok) return folded;
  const damaged = folded.error.indexes.map((index) => present(indexes[index], "an index"));
  return err({ type: "input-damaged", indexes: damaged });
}

/** Folds slice by slice. Leaves `initial` unmodified. */
async function foldFiles(
  workers: FoldWorkers,
  job: FoldJob,
  signal: AbortSignal | undefined,
): ReturnType<Folder["fold"]> {
  const { length, inputs, initial, masks } = job;
  const sum = new Uint32Array(length);
  // If one slice fails, the others stop.
  const failed = new AbortController();
  const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const step = inputs.length > 0 ? WORDS_PER_CHUNK : WORDS_PER_AES_BLOCK;
  const paths = inputs.map(({ path }) => path);
  const work = sliceBounds(length, workers.count, step).map(async ({ from, to }) => {
    const task = (): SliceTask => {
      const start = initial === undefined ? null : new Uint32Array(initial.subarray(from, to));
      return { type: "slice", from, to, length, paths, masks, initial: start };
    };
    try {
      const slice = await workers.ask(task, stop);
      sum.set(slice.sum, from);
      release(slice.sum);
      return slice;
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  const slices = await Promise.all(work);
  const indexes = inputs.length === 0 ? [] : await damagedOf(workers, job, slices, stop);
  return indexes.length === 0 ? ok(sum) : err({ type: "input-damaged", indexes });
}

/** Indexes of files that were unreadable or have another root. */
async function damagedOf(
  workers: FoldWorkers,
  { inputs }: FoldJob,
  slices: readonly Slice[],
  signal: AbortSignal,
): Promise<readonly number[]> {
  const files = inputs.map(({ root }, index) => {
    const leaves = slices.map((slice) => slice.leaves[index] ?? null);
    return { index, root, leaves: leaves.filter((hashes) => hashes !== null) };
  });
  const whole = files.filter(({ leaves }) => leaves.length === slices.length);
  const { wrong } = await workers.ask(() => ({ type: "roots", files: whole }), signal);
  const good = new Set(whole.filter((_, at) => !wrong.includes(at)).map(({ index }) => index));
  return files.map(({ index }) => index).filter((index) => !good.has(index));
}

/** Cuts [0, length) into at most `count` slices of about equal length, on multiples of `step`. */
export function sliceBounds(length: number, count: number, step: number): { from: number; to: number }[] {
  const width = step * Math.max(1, Math.ceil(length / (step * count)));
  const bounds: { from: number; to: number }[] = [];
  for (let from = 0; from < length; from += width) bounds.push({ from, to: Math.min(length, from + width) });
  return bounds;
}

/** Settles like `work`, but rejects at once if `signal` aborts first. */
function unlessAborted<Value>(work: Promise<Value> | undefined, signal: AbortSignal | undefined) {
  if (signal === undefined || work === undefined) return work;
  return new Promise<Value>((resolve, reject) => {
    const onAbort = () => reject(reasonOf(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
