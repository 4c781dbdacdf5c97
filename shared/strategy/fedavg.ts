import { assert } from "../kernel/assert.ts";
import type { Strategy } from "./strategy.ts";

/**
 * w <- w + lr mean. With lr = 1 the next model is the weighted mean of the devices' clipped models.
 *
 * Source: McMahan et al. 2017, arXiv:1602.05629, algorithm 1; the server learning rate as in Reddi et al. 2021.
 */
export function fedAvg(options: { readonly serverLearningRate: number }): Strategy {
  const { serverLearningRate } = options;
  return {
    name: "fedavg",
    segments: ["update", "weight"],
    initialState: () => ({}),
    next(state, model, { updateSum, weightSum, updateScale }) {
      assert(updateSum.length === model.length && weightSum >= 1, "one sum for each weight");
      const nextModel = new Float32Array(model.length);
      for (let i = 0; i < model.length; i++) {
        const mean = (updateSum[i]! * updateScale) / weightSum; // hot loop
        nextModel[i] = Math.fround(model[i]! + serverLearningRate * mean);
      }
      return { state, model: nextModel };
    },
  };
}
