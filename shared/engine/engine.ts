import * as tf from "@tensorflow/tfjs-core";
import type { Engine } from "../task/engine.ts";
import { type EngineAssets, timeBackend, useBackend } from "./backends.ts";
import { answers, evaluate, predict } from "./evaluate.ts";
import { destroyDevice, watchBackend } from "./loss.ts";
import { train } from "./train.ts";

/** The engine on tfjs. tfjs is global in a thread or worker, so two engines there share the backend in use. */
export function openEngine(assets: EngineAssets): Engine {
  return {
    use: (backend, allowSoftware) => useBackend(backend, assets, allowSoftware),
    time: (backend, task, allowSoftware, onStart) =>
      timeBackend(backend, task, assets, allowSoftware, onStart),
    train,
    evaluate,
    predict,
    answers,
    watch: watchBackend,
    heldBufferCount: () => tf.memory().numTensors,
    close: destroyDevice,
  };
}
