import * as tf from "@tensorflow/tfjs-core";
import type { Engine } from "../task/engine.ts";
import { type EngineAssets, timeBackend, useBackend } from "./backends.ts";
import { evaluate, predict } from "./evaluate.ts";
import { destroyDevice, watchBackend } from "./loss.ts";
import { train } from "./train.ts";

/** The engine on tfjs, which is one for a thread or worker: two of these share the backend in use. */
export function openEngine(assets: EngineAssets): Engine {
  return {
    use: (backend, allowSoftware) => useBackend(backend, assets, allowSoftware),
    time: (backend, model, plan, allowSoftware, onStart) =>
      timeBackend(backend, model, plan, assets, allowSoftware, onStart),
    train,
    evaluate,
    predict,
    watch: watchBackend,
    liveTensorCount: () => tf.memory().numTensors,
    close: destroyDevice,
  };
}
