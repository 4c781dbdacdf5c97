import { Worker } from "node:worker_threads";
import type { EngineListener, EngineWorker, FromEngine } from "../core/engine/engine-messages.ts";

/** The one message besides the trainer's: the thread must end itself as soon as it has no work left. */
export const END = "end";
/** How long to wait for a thread that was asked to end itself. */
const GONE_MS_MAX = 3_000;

/**
 * An engine in a Node thread.
 *
 * Dawn aborts the whole process if a thread is terminated while one of its promises is pending. So a thread that has
 * used the GPU is asked to end itself, and if it does not, it is left alone until the process ends.
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
      const request = message.kind === "call" ? message.request : null;
      if (request !== null && "backend" in request && request.backend === "webgpu") usesGpu = true;
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
          // The thread must not keep the process alive.
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
