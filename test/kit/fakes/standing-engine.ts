import type { Trainer } from "#client/core/ports.ts";
import { createSlices } from "#client/core/slices.ts";
import type { EngineView } from "#client/core/view.ts";

/** The part of a made-up trainer that reports one working engine. */
export function standingEngine(): Omit<Trainer, "train"> {
  const engines = createSlices<EngineView>({ backend: "cpu", calibrating: false, table: [], losses: [] });
  return {
    engines,
    calibrate: async () => {},
    ready: async () => engines.get().backend,
    predict: async () => new Float32Array(3),
    heldBufferCount: async () => 0,
    dispose: async () => {},
  };
}
