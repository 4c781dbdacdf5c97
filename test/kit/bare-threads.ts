import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Mask } from "#shared/crypto/mask-stream.ts";

export type BareTask =
  | { readonly type: "cipher"; readonly byteCount: number }
  | { readonly type: "prototype"; readonly length: number; readonly masks: readonly Mask[] };

/**
 * Threads that do the bare minimum, so that a bench can print what the machine itself could do. They run alternately
 * with the product's threads, as many of them.
 */
export function openBareThreads(count: number) {
  const url = new URL("./children/bare-worker.ts", import.meta.url);
  const workers = Array.from({ length: count }, () => new Worker(url));

  const ask = async (worker: Worker, task: BareTask): Promise<Uint32Array> => {
    worker.postMessage(task);
    const [reply] = (await once(worker, "message")) as [Uint32Array];
    return reply;
  };

  return {
    /** Encrypts `byteCount` bytes in total with AES-256-CTR, an equal part in each thread. */
    cipherAlone: async (byteCount: number): Promise<void> => {
      await Promise.all(
        workers.map((worker) => ask(worker, { type: "cipher", byteCount: byteCount / count })),
      );
    },
    /** The sum of the masks as a thirty-line prototype computes it, in one thread. */
    prototype: (length: number, masks: readonly Mask[]): Promise<Uint32Array> => {
      const [first] = workers;
      if (first === undefined) throw new Error("no thread");
      return ask(first, { type: "prototype", length, masks });
    },
    close: async (): Promise<void> => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

export type BareThreads = ReturnType<typeof openBareThreads>;
