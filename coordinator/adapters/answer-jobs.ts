import { parentPort } from "node:worker_threads";
import { present } from "#shared/kernel/assert.ts";
import { answerCall, type Call } from "#shared/kernel/calls.ts";
import { SerialQueue } from "#shared/kernel/serial-queue.ts";
import type { FromThread } from "./call-thread.ts";

/**
 * The worker's side of `openJobWorker`. Runs one job at a time.
 *
 * @param work      Calls `beat` now and then during long work, because a silent worker is ended. May say how far it is.
 * @param handOver  Buffers of a result that this thread no longer needs.
 */
export function answerJobs<Job, Result>(
  work: (job: Job, beat: (progress?: unknown) => void) => Promise<Result>,
  handOver: (result: Result) => readonly ArrayBuffer[] = () => [],
): void {
  const port = present(parentPort, "this file runs as a worker");
  const post = (message: FromThread<Result>, handedOver: readonly ArrayBuffer[] = []) =>
    port.postMessage(message, handedOver);
  const perform = (job: Job) => work(job, (progress) => post({ kind: "beat", progress }));
  const queue = new SerialQueue();
  // A rejection ends the thread, so that the caller of a job without an answer does not wait forever.
  const answer = async (call: Call<Job>) => queue.run(() => answerCall(call, perform, post, handOver));
  port.on("message", (call: Call<Job>) => void answer(call));
}
