import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Evaluation } from "#shared/task/engine.ts";
import { measuresFrom } from "#shared/task/measures.ts";
import type { Task } from "#shared/task/task.ts";
import type { Evaluator } from "../core/ports.ts";
import type { EvaluateJob } from "./evaluator-job.ts";
import { openJobWorker } from "./job-worker.ts";

/** It gives a sign of life every few hundred rows; only loading the rows and the engine takes longer. */
const PATIENCE_MS = 120_000;

/** Kept for as long as the files are the same: the thread may be busy with an evaluation, and a launch asks each time. */
interface HeldOutCount {
  readonly stamp: string;
  readonly count: Promise<number>;
}

/**
 * Central evaluation in one worker thread, so that sockets answer meanwhile.
 *
 * @param heldOutPath  Where the held-out rows of a task version lie; rows that are not there count as none.
 */
export function createEvaluator(heldOutPath: (slug: string, version: number) => string): Evaluator {
  const worker = openJobWorker<EvaluateJob, Evaluation>(new URL("./evaluator.worker.ts", import.meta.url), {
    name: "the evaluator",
    patienceMs: PATIENCE_MS,
  });
  const ask = (task: Task, modelBytes: Bytes | null) => {
    const job: EvaluateJob = { task, path: heldOutPath(task.slug, task.version), modelBytes };
    return worker.ask(job, modelBytes === null ? [] : [modelBytes.buffer]);
  };
  const counts = new Map<string, HeldOutCount>();
  const countHeldOut = async (task: Task) => {
    const path = heldOutPath(task.slug, task.version);
    const stamp = await stampOf(path);
    if (stamp === null) return 0;
    const known = counts.get(path);
    if (known?.stamp === stamp) return known.count;
    const count = ask(task, null).then((evaluation) => evaluation.count);
    const counting = { stamp, count };
    counts.set(path, counting);
    count.catch(() => counts.get(path) === counting && counts.delete(path));
    return count;
  };
  return {
    // Handed over as a copy: cloning a message takes twice the model on the way.
    evaluate: async (task, modelBytes) => {
      return { measures: measuresFrom(await ask(task, modelBytes.slice())), report: null };
    },
    countHeldOut,
    close: () => worker.close(),
  };
}

/** Changes when a held-out file does; null if nothing is there. */
async function stampOf(path: string): Promise<string | null> {
  const found = await stat(path, { bigint: true }).catch(() => null);
  if (found === null) return null;
  const files = found.isDirectory() ? (await readdir(path)).sort().map((name) => join(path, name)) : [path];
  const stamps = files.map(async (file) => {
    const { mtimeNs, size } = await stat(file, { bigint: true });
    return `${file} ${mtimeNs} ${size}`;
  });
  return (await Promise.all(stamps)).join("\n");
}
