import { Worker } from "node:worker_threads";
import { present } from "#shared/kernel/assert.ts";
import type { FoldReply, FoldTask } from "./fold-messages.ts";

/** A task whose worker dies or fails starts over in another worker. */
const ATTEMPTS_MAX = 3;

type Answer = Exclude<FoldReply, { type: "failed" }>;

/** A queued task. Its worker gets copies, so that nothing is lost if the worker dies. */
interface Waiting {
  readonly task: () => FoldTask;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  attempts: number;
}

/**
 * Threads that work through a queue of tasks. They start with the first task and are reused. One that dies,
 * fails or is cancelled is replaced.
 *
 * They have a line of their own instead of the kernel's calls: over those, the fastest fold of 20 vectors of a million
 * took 19 to 27 % longer in three pairs of runs.
 */
export class FoldWorkers {
  readonly count: number;
  readonly #idle: Worker[] = [];
  readonly #busy = new Set<Worker>();
  readonly #line: Waiting[] = [];
  #closed = false;

  constructor(count: number) {
    this.count = count;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * @param task  Called again for each attempt.
   * @throws The worker's error after three attempts, or the signal's reason.
   */
  ask<Type extends FoldTask["type"]>(
    task: () => Extract<FoldTask, { type: Type }>,
    signal: AbortSignal | undefined,
  ): Promise<Extract<Answer, { type: Type }>> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Error("the folder is closed"));
      // A worker's answer has the type of its task.
      const answered = resolve as (answer: Answer) => void;
      this.#line.push({ task, signal, resolve: answered, reject, attempts: 0 });
      this.#pump();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#line.splice(0)) job.reject(new Error("the folder is closed"));
    await Promise.all([...this.#idle.splice(0), ...this.#busy].map((worker) => worker.terminate()));
  }

  #pump(): void {
    while (this.#line.length > 0 && (this.#idle.length > 0 || this.#busy.size < this.count)) {
      const next = present(this.#line.shift(), "the line is not empty");
      if (next.signal?.aborted === true) next.reject(reasonOf(next.signal));
      else this.#runOn(this.#idle.pop() ?? this.#start(), next);
    }
  }

  #start(): Worker {
    const worker = new Worker(new URL("./fold.worker.ts", import.meta.url));
    // An idle worker must not keep the process alive. `#runOn` holds a busy one.
    worker.unref();
    // Without a listener, the error of an idle or abandoned worker would end the process. The worker exits after it.
    worker.on("error", () => undefined);
    worker.on("exit", () => {
      const index = this.#idle.indexOf(worker);
      if (index >= 0) this.#idle.splice(index, 1);
    });
    return worker;
  }

  #runOn(worker: Worker, job: Waiting): void {
    this.#busy.add(worker);
    worker.ref();
    job.attempts += 1;

    const end = (outcome: FoldReply | Error, isWorkerAlive: boolean) => {
      worker.removeAllListeners("message");
      worker.off("error", onError);
      worker.off("exit", onExit);
      job.signal?.removeEventListener("abort", onAbort);
      this.#release(worker, isWorkerAlive);
      this.#settle(job, outcome);
      this.#pump();
    };
    const onError = (error: Error) => end(error, false);
    const onExit = (code: number) => end(new Error(`a fold worker ended with code ${code}`), false);
    // A busy worker hears nothing, so it is terminated. The next task gets a new one.
    const onAbort = () => end(new Error("cancelled"), false);
    worker.on("message", (reply: FoldReply) => end(reply, true));
    worker.on("error", onError);
    worker.on("exit", onExit);
    job.signal?.addEventListener("abort", onAbort, { once: true });

    const task = job.task();
    const handed = task.type === "slice" && task.initial !== null ? [task.initial.buffer] : [];
    worker.postMessage(task, handed);
  }

  #release(worker: Worker, isAlive: boolean): void {
    this.#busy.delete(worker);
    if (isAlive && !this.#closed) {
      worker.unref();
      this.#idle.push(worker);
    } else {
      void worker.terminate();
    }
  }

  #settle(job: Waiting, outcome: FoldReply | Error): void {
    if (job.signal?.aborted === true) job.reject(reasonOf(job.signal));
    else if (outcome instanceof Error) this.#again(job, outcome);
    else if (outcome.type === "failed") this.#again(job, new Error(outcome.message));
    else job.resolve(outcome);
  }

  #again(job: Waiting, error: Error): void {
    if (this.#closed || job.attempts >= ATTEMPTS_MAX) job.reject(error);
    else this.#line.unshift(job);
  }
}

/** The signal's reason as an error. */
export function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error("the fold was cancelled");
}
