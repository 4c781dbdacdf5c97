import type { EngineListener, EngineWorker, FromEngine } from "../core/engine/engine-messages.ts";
import { lifeLockName, onLifeEnd } from "./life-lock.ts";

/** An engine in a worker of the browser. */
export function openEngineWorker(listener: EngineListener): EngineWorker {
  const worker = new Worker(new URL("./trainer.worker.ts", import.meta.url), { type: "module" });
  const life = lifeLockName();
  let forget: () => void = () => {};
  worker.onmessage = ({ data }: MessageEvent<FromEngine>) => {
    if (data.kind === "ready") forget = onLifeEnd(life, () => listener.onEnd("ended", ""));
    listener.onMessage(data);
  };
  worker.onerror = (event) => {
    // Told here; else the browser tells it to the page as a fault of the participant's own worker.
    event.preventDefault();
    // A script that could not be loaded comes without a message.
    const note = event.message || "its code could not be loaded";
    listener.onEnd(/memory/i.test(note) ? "out-of-memory" : "fault", note);
  };
  worker.onmessageerror = () => listener.onEnd("fault", "a message could not be read");
  worker.postMessage({ kind: "life", name: life });
  return {
    post: (message) => worker.postMessage(message),
    terminate: async () => {
      forget();
      worker.onmessage = worker.onerror = worker.onmessageerror = null;
      worker.terminate();
    },
  };
}
