import { parentPort } from "node:worker_threads";
import { openEngine } from "#shared/engine/engine.ts";
import { present } from "#shared/kernel/assert.ts";
import type { ToEngine } from "../core/engine/engine-messages.ts";
import { openEngineHost } from "./engine-host.ts";
import { END } from "./engine-thread.ts";
import { installNodeGpu } from "./node-gpu.ts";

/** Time for Dawn's last messages. */
const SETTLE_MS = 100;

/* An edge's engine, in its own thread beside the one that keeps the connection. */

const port = present(parentPort, "a thread has a port");
let hasGpu: Promise<boolean> | null = null;

const host = openEngineHost({
  engine: openEngine({ wasmPaths: null }),
  post: (message) => port.postMessage(message),
  prepare: async (backend) => {
    if (backend !== "webgpu") return;
    hasGpu ??= installNodeGpu();
    await hasGpu;
  },
});

port.on("message", (message: ToEngine | typeof END) => {
  if (message !== END) host.take(message);
  else void host.leave().then(() => setTimeout(() => process.exit(0), SETTLE_MS));
});
