import { z } from "zod";
import { assert, present } from "../kernel/assert.ts";
import { defineStrategy, serverLearningRate } from "./strategy.ts";

const decay = z.number().min(0).lt(1);

/**
 * m <- beta1 m + (1 - beta1) mean; v <- beta2 v + (1 - beta2) mean^2; w <- w + lr m / (sqrt(v) + tau).
 *
 * Starts at m = 0 and v = tau^2, the smallest start that the paper allows. Like the paper, applies no bias correction.
 * Source: Reddi et al. 2021, arXiv:2003.00295, algorithm 2 (FedAdam); the default is its middle learning rate.
 */
export const fedAdam = defineStrategy({
  title: "FedAdam",
  schema: z.strictObject({
    kind: z.literal("fedadam"),
    serverLearningRate: serverLearningRate(0.01),
    beta1: decay.default(0.9).meta({ title: "First moment, decay β1" }),
    beta2: decay.default(0.99).meta({ title: "Second moment, decay β2" }),
    /** Adaptivity, added to the root of the second moment. The larger it is, the closer to FedAvgM. */
    tau: z.number().gt(0).max(1).default(0.001).meta({ title: "Adaptivity, τ" }),
  }),
  create: (options) => ({
    segments: ["update", "weight"],
    clientPlan: (planned) => planned,
    initialState: (parameterCount) => ({
      firstMoment: new Float32Array(parameterCount),
      secondMoment: new Float32Array(parameterCount).fill(options.tau * options.tau),
    }),
    next(state, model, mean) {
      const { serverLearningRate: rate, beta1, beta2, tau } = options;
      const first = present(state["firstMoment"], "the state is of this strategy");
      const second = present(state["secondMoment"], "the state is of this strategy");
      assert(mean.length === model.length && first.length === model.length, "a mean for each weight");
      assert(second.length === model.length, "a second moment for each weight");
      const nextModel = new Float32Array(model.length);
      const firstMoment = new Float32Array(model.length);
      const secondMoment = new Float32Array(model.length);
      for (let i = 0; i < model.length; i++) {
        const own = mean[i]!; // hot loop
        const m = Math.fround(beta1 * first[i]! + (1 - beta1) * own);
        const v = Math.fround(beta2 * second[i]! + (1 - beta2) * (own * own));
        firstMoment[i] = m;
        secondMoment[i] = v;
        nextModel[i] = Math.fround(model[i]! + (rate * m) / (Math.sqrt(v) + tau));
      }
      return { state: { firstMoment, secondMoment }, model: nextModel };
    },
  }),
});
