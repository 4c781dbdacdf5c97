import { z } from "zod";
import { assert } from "../kernel/assert.ts";
import { defineStrategy, serverLearningRate } from "./strategy.ts";

/**
 * w <- w + lr mean. With lr = 1 the next model is the weighted mean of the devices' models after clipping.
 *
 * Source: McMahan et al. 2017, arXiv:1602.05629, algorithm 1; the server learning rate follows Reddi et al. 2021.
 */
export const fedAvg = defineStrategy({
  title: "FedAvg",
  schema: z.strictObject({ kind: z.literal("fedavg"), serverLearningRate: serverLearningRate(1) }),
  create: (options) => ({
    segments: ["update", "weight"],
    clientPlan: (planned) => planned,
    initialState: () => ({}),
    next(state, model, mean) {
      assert(mean.length === model.length, "a mean for each weight");
      const nextModel = new Float32Array(model.length);
      for (let i = 0; i < model.length; i++) {
        nextModel[i] = Math.fround(model[i]! + options.serverLearningRate * mean[i]!); // hot loop
      }
      return { state, model: nextModel };
    },
  }),
});
