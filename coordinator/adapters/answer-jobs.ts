import { parentPort, type Transferable } from "node:worker_threads";
import { present } from "#shared/kernel/assert.ts";
import type { JobReply } from "./job-worker.ts";

/**
 * The worker's side of `openJobWorker`: jobs one behind the other.
 *
 * @param work      Calls `beat` now and then if it takes long: a silent worker is ended.
 * @param handOver  Buffers of a result that this thread does not need any more.
 */
export function answerJobs<Job, Result>(
  work: (job: Job, beat: () => void) => Promise<Result>,
  handOver: (result: Result) => readonly Transferable[] = () => [],
): void {
  const port = present(parentPort, "this file runs as a worker");
  const answer = (reply: JobReply<Result>, handedOver: readonly Transferable[] = []) =>
    port.postMessage(reply, handedOver);
  const perform = async (job: Job): Promise<void> => {
    try {
      const result = await work(job, () => answer({ kind: "beat" }));
      answer({ kind: "done", result }, handOver(result));
    } catch (fault) {
      answer({ kind: "failed", message: fault instanceof Error ? fault.message : String(fault) });
    }
  };
  let queue: Promise<void> = Promise.resolve();
  port.on("message", (job: Job) => {
    queue = queue.then(() => perform(job));
  });
}
