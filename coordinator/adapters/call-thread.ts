import { type ResourceLimits, Worker } from "node:worker_threads";
import { type Answer, Calls } from "#shared/kernel/calls.ts";

/** What a thread sends: an answer for each call and, if it likes, beats while it works, maybe with how far it is. */
export type FromThread<Value> = { readonly kind: "beat"; readonly progress?: unknown } | Answer<Value>;

export interface CallThreadOptions {
  /** Name in error messages, such as "the evaluator". */
  readonly name: string;
  readonly limits?: ResourceLimits;
  /** Called for every answer and beat, before the answer settles its call. @param progress  That of a beat. */
  readonly onMessage?: (progress?: unknown) => void;
  /** Called once if the thread ends by itself. Its pending calls reject with the same error. */
  readonly onLost: (fault: Error) => void;
}

/** A worker thread that answers calls. Every call settles, whatever becomes of the thread. */
export class CallThread<Request> {
  readonly #worker: Worker;
  readonly #calls: Calls<Request>;
  #isEnded = false;

  constructor(url: URL, { name, limits, onMessage, onLost }: CallThreadOptions) {
    const worker = new Worker(url, limits === undefined ? {} : { resourceLimits: limits });
    this.#worker = worker;
    this.#calls = new Calls((call, handedOver) => worker.postMessage(call, [...handedOver]));
    const lose = (fault: Error) => {
      if (this.#isEnded) return;
      this.#isEnded = true;
      this.#calls.end(fault);
      onLost(fault);
    };
    worker.on("message", (message: FromThread<unknown>) => {
      if (this.#isEnded) return;
      if (message.kind === "beat") return onMessage?.(message.progress);
      onMessage?.();
      this.#calls.hear(message);
    });
    // Also needed once it has ended: an error without a listener would end the process.
    worker.on("error", (fault) => lose(fault instanceof Error ? fault : new Error(`${name} failed`)));
    worker.on("exit", (code) => lose(new Error(`${name} ended with code ${code}`)));
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /**
   * @param handedOver  Buffers of the request, transferred away from this thread.
   * @throws The thread's error, or why it has ended.
   */
  ask<Value>(request: Request, handedOver: readonly ArrayBuffer[] = []): Promise<Value> {
    return this.#calls.ask(request, handedOver);
  }

  /** Whether the thread keeps the process alive. It does from its start. */
  setHeld(isHeld: boolean): void {
    if (isHeld) this.#worker.ref();
    else this.#worker.unref();
  }

  /** Ends the thread at once. Its pending calls and all later ones reject with this reason. */
  async end(reason: Error): Promise<void> {
    this.#isEnded = true;
    this.#calls.end(reason);
    await this.#worker.terminate();
  }
}
