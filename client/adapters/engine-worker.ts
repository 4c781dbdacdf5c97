import type { BackendName } from "#shared/task/engine.ts";
import type { EngineListener, EngineWorker, FromEngine } from "../core/engine/engine-messages.ts";
import { lifeLockName, onLifeEnd } from "./life-lock.ts";

/** The engines that a browser may have, the fastest kinds first. */
export const BROWSER_BACKENDS: readonly BackendName[] = ["webgpu", "webgl", "wasm", "cpu"];

/** An engine in a browser worker. */
export function openEngineWorker(listener: EngineListener): EngineWorker {
  const worker = new Worker(new URL("./trainer.worker.ts", import.meta.url), { type: "module" });
  const life = lifeLockName();
  let forget: () => void = () => {};
  worker.onmessage = ({ data }: MessageEvent<FromEngine>) => {
    if (data.kind === "ready") forget = onLifeEnd(life, () => listener.onEnd("ended", ""));
    listener.onMessage(data);
  };
  worker.onerror = (event) => {
    // Handled here; otherwise the browser reports it to the page as an error of the participant's own worker.
    event.preventDefault();
    // If the script could not be loaded, the event has no message.
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
