import { Worker } from "node:worker_threads";
import type { EngineListener, EngineWorker, FromEngine } from "../core/engine/engine-messages.ts";

/** What it is sent besides the trainer's messages: to end itself as soon as nothing of it is under way. */
export const END = "end";
/** A thread that is left alone is waited for so long. */
const GONE_MS_MAX = 3_000;

/**
 * An engine in a thread of Node.
 *
 * Dawn ends the whole process with an assertion where a thread is terminated while one of its promises is pending. So a
 * thread that has used the GPU is asked to end itself, and one that does not is left alone until the process ends.
 */
export function openEngineThread(listener: EngineListener): EngineWorker {
  const thread = new Worker(new URL("./trainer.thread.ts", import.meta.url));
  let ended = false;
  let usesGpu = false;
  const end = (...[cause, note]: Parameters<EngineListener["onEnd"]>) => {
    if (ended) return;
    ended = true;
    listener.onEnd(cause, note);
  };
  thread.on("message", (message: FromEngine) => ended || listener.onMessage(message));
  thread.on("messageerror", (fault) => end("fault", fault.message));
  thread.on("error", (fault: NodeJS.ErrnoException) =>
    end(fault.code === "ERR_WORKER_OUT_OF_MEMORY" ? "out-of-memory" : "fault", fault.message),
  );
  thread.on("exit", (code) => end("ended", `exit code ${code}`));
  return {
    post: (message) => {
      if ("backend" in message && message.backend === "webgpu") usesGpu = true;
      thread.postMessage(message);
    },
    terminate: async () => {
      if (ended) return;
      ended = true;
      if (!usesGpu) {
        await thread.terminate();
        return;
      }
      const gone = new Promise<void>((resolve) => {
        const late = setTimeout(() => {
          // It must not keep the process from ending.
          thread.unref();
          resolve();
        }, GONE_MS_MAX);
        thread.once("exit", () => {
          clearTimeout(late);
          resolve();
        });
      });
      thread.postMessage(END);
      await gone;
    },
  };
}
