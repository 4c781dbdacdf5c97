import { z } from "zod";
import { assert, present } from "../kernel/assert.ts";
import { defineStrategy, serverLearningRate } from "./strategy.ts";

/**
 * v <- momentum v + mean; w <- w + lr v. Starts at v = 0.
 *
 * Source: Hsu, Qi and Brown 2019, arXiv:1909.06335, section 4.3, which uses the pseudo-gradient, minus the mean.
 */
export const fedAvgM = defineStrategy({
  title: "FedAvgM",
  schema: z.strictObject({
    kind: z.literal("fedavgm"),
    serverLearningRate: serverLearningRate(1),
    momentum: z.number().min(0).lt(1).default(0.9),
  }),
  create: (options) => ({
    segments: ["update", "weight"],
    clientPlan: (planned) => planned,
    initialState: (parameterCount) => ({ velocity: new Float32Array(parameterCount) }),
    next(state, model, mean) {
      const velocity = present(state["velocity"], "the state is of this strategy");
      assert(mean.length === model.length && velocity.length === model.length, "a mean for each weight");
      const nextModel = new Float32Array(model.length);
      const nextVelocity = new Float32Array(model.length);
      for (let i = 0; i < model.length; i++) {
        const v = Math.fround(options.momentum * velocity[i]! + mean[i]!); // hot loop
        nextVelocity[i] = v;
        nextModel[i] = Math.fround(model[i]! + options.serverLearningRate * v);
      }
      return { state: { velocity: nextVelocity }, model: nextModel };
    },
  }),
});
