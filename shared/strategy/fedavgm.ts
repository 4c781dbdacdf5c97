import { assert, present } from "../kernel/assert.ts";
import type { Strategy } from "./strategy.ts";

/**
 * v <- momentum v + mean; w <- w + lr v. Starts at v = 0.
 *
 * Source: Hsu, Qi and Brown 2019, arXiv:1909.06335, section 4.3 (there with the pseudo-gradient, minus the mean).
 */
export function fedAvgM(options: {
  readonly serverLearningRate: number;
  readonly momentum: number;
}): Strategy {
  const { serverLearningRate, momentum } = options;
  return {
    name: "fedavgm",
    segments: ["update", "weight"],
    initialState: (parameterCount) => ({ velocity: new Float32Array(parameterCount) }),
    next(state, model, { updateSum, weightSum, updateScale }) {
      const velocity = present(state["velocity"], "the state is of this strategy");
      assert(
        updateSum.length === model.length && velocity.length === model.length,
        "one sum for each weight",
      );
      assert(weightSum >= 1, "a mean needs weight");
      const nextModel = new Float32Array(model.length);
      const nextVelocity = new Float32Array(model.length);
      for (let i = 0; i < model.length; i++) {
        const mean = (updateSum[i]! * updateScale) / weightSum; // hot loop
        const v = Math.fround(momentum * velocity[i]! + mean);
        nextVelocity[i] = v;
        nextModel[i] = Math.fround(model[i]! + serverLearningRate * v);
      }
      return { state: { velocity: nextVelocity }, model: nextModel };
    },
  };
}
