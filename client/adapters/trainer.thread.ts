import { parentPort } from "node:worker_threads";
import { present } from "#shared/kernel/assert.ts";
import { openEngineRoom } from "./engine-room.ts";
import { installNodeGpu } from "./node-gpu.ts";

/* An edge's engine, in a thread beside the one that keeps its connection. */

const port = present(parentPort, "a thread has a port");
let hasGpu: Promise<boolean> | null = null;

port.on(
  "message",
  openEngineRoom({
    assets: { wasmPaths: null },
    post: (message) => port.postMessage(message),
    prepare: async (backend) => {
      if (backend !== "webgpu") return;
      hasGpu ??= installNodeGpu();
      await hasGpu;
    },
  }),
);
