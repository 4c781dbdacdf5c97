import { parentPort, type Transferable } from "node:worker_threads";
import { present } from "#shared/kernel/assert.ts";
import type { JobMessage, JobReply } from "./job-worker.ts";

/**
 * The worker's side of `openJobWorker`: jobs one behind the other.
 *
 * @param handOver  Buffers of a result that this thread does not need any more.
 */
export function answerJobs<Job, Result>(
  work: (job: Job) => Promise<Result>,
  handOver: (result: Result) => readonly Transferable[] = () => [],
): void {
  const port = present(parentPort, "this file runs as a worker");
  let queue: Promise<void> = Promise.resolve();
  const answer = async ({ id, job }: JobMessage<Job>): Promise<void> => {
    try {
      const result = await work(job);
      port.postMessage({ id, ok: true, result } satisfies JobReply<Result>, [...handOver(result)]);
    } catch (fault) {
      const message = fault instanceof Error ? fault.message : String(fault);
      port.postMessage({ id, ok: false, message } satisfies JobReply<Result>);
    }
  };
  port.on("message", (message: JobMessage<Job>) => {
    queue = queue.then(() => answer(message));
  });
}
