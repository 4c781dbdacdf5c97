import { assert, present } from "../kernel/assert.ts";
import type { Strategy } from "./strategy.ts";

/**
 * m <- beta1 m + (1 - beta1) mean; v <- beta2 v + (1 - beta2) mean^2; w <- w + lr m / (sqrt(v) + tau).
 *
 * Starts at m = 0 and v = tau^2, the smallest start that the paper allows, and corrects no bias, as there.
 * Source: Reddi et al. 2021, arXiv:2003.00295, algorithm 2 (FedAdam).
 */
export function fedAdam(options: {
  readonly serverLearningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  /** Adaptivity: the larger, the closer to FedAvgM. */
  readonly tau: number;
}): Strategy {
  const { serverLearningRate, beta1, beta2, tau } = options;
  return {
    name: "fedadam",
    segments: ["update", "weight"],
    initialState: (parameterCount) => ({
      firstMoment: new Float32Array(parameterCount),
      secondMoment: new Float32Array(parameterCount).fill(tau * tau),
    }),
    next(state, model, { updateSum, weightSum, updateScale }) {
      const first = present(state["firstMoment"], "the state is of this strategy");
      const second = present(state["secondMoment"], "the state is of this strategy");
      assert(updateSum.length === model.length && first.length === model.length, "one sum for each weight");
      assert(second.length === model.length && weightSum >= 1, "a mean needs weight");
      const nextModel = new Float32Array(model.length);
      const firstMoment = new Float32Array(model.length);
      const secondMoment = new Float32Array(model.length);
      for (let i = 0; i < model.length; i++) {
        const mean = (updateSum[i]! * updateScale) / weightSum; // hot loop
        const m = Math.fround(beta1 * first[i]! + (1 - beta1) * mean);
        const v = Math.fround(beta2 * second[i]! + (1 - beta2) * (mean * mean));
        firstMoment[i] = m;
        secondMoment[i] = v;
        nextModel[i] = Math.fround(model[i]! + (serverLearningRate * m) / (Math.sqrt(v) + tau));
      }
      return { state: { firstMoment, secondMoment }, model: nextModel };
    },
  };
}
