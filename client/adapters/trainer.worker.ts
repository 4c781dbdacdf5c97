import { openEngine } from "#shared/engine/engine.ts";
import type { FromEngine, ToEngine } from "../core/engine/engine-messages.ts";
import { type EngineRoom, openEngineRoom } from "./engine-room.ts";
import { holdForLife } from "./life-lock.ts";

/* A page's engine, in a worker below the participant's. */

const WASM_PATHS = {
  "tfjs-backend-wasm.wasm": new URL(
    "../../node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm",
    import.meta.url,
  ).href,
  "tfjs-backend-wasm-simd.wasm": new URL(
    "../../node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm",
    import.meta.url,
  ).href,
  // Never loaded, but tfjs wants all three names.
  "tfjs-backend-wasm-threaded-simd.wasm": "",
};

const post = (message: FromEngine) => globalThis.postMessage(message);
let room: EngineRoom | null = null;

globalThis.onmessage = ({
  data,
}: MessageEvent<ToEngine | { readonly kind: "life"; readonly name: string }>) => {
  if (data.kind !== "life") {
    room?.take(data);
    return;
  }
  // Ready once its end can be noticed.
  void holdForLife(data.name).then(() => {
    room = openEngineRoom({ engine: openEngine({ wasmPaths: WASM_PATHS }), post });
  });
};
