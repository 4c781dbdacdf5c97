import { Worker } from "node:worker_threads";
import type { EngineListener, EngineWorker, FromEngine } from "../core/engine-messages.ts";

/** An engine in a thread of Node. */
export function openEngineThread(listener: EngineListener): EngineWorker {
  const thread = new Worker(new URL("./trainer.thread.ts", import.meta.url));
  let ended = false;
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
    post: (message) => thread.postMessage(message),
    terminate: () => {
      ended = true;
      void thread.terminate();
    },
  };
}
