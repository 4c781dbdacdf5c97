import { openEngine } from "#shared/engine/engine.ts";
import type { FromEngine, ToEngine } from "../core/engine/engine-messages.ts";
import { type EngineHost, openEngineHost } from "./engine-host.ts";
import { holdForLife } from "./life-lock.ts";

/* A page's engine, in a worker started by the participant's worker. */

const WASM_PATHS = {
  "tfjs-backend-wasm.wasm": new URL(
    "../../node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm",
    import.meta.url,
  ).href,
  "tfjs-backend-wasm-simd.wasm": new URL(
    "../../node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm",
    import.meta.url,
  ).href,
  // Never loaded, but tfjs requires all three names.
  "tfjs-backend-wasm-threaded-simd.wasm": "",
};

const post = (message: FromEngine) => globalThis.postMessage(message);
let host: EngineHost | null = null;

globalThis.onmessage = ({
  data,
}: MessageEvent<ToEngine | { readonly kind: "life"; readonly name: string }>) => {
  if (data.kind !== "life") {
    host?.take(data);
    return;
  }
  // Report ready only once this worker's end can be detected.
  void holdForLife(data.name).then(() => {
    host = openEngineHost({ engine: openEngine({ wasmPaths: WASM_PATHS }), post });
  });
};
