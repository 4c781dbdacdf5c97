import { z } from "zod";
import { defineStrategy } from "#shared/strategy/strategy.ts";

/** A strategy that no task has: it goes a part of the way, asks for one epoch and keeps the mean that it saw last. */
export const halves = defineStrategy({
  title: "Halves",
  schema: z.strictObject({
    kind: z.literal("halves"),
    serverLearningRate: z.number().gt(0).max(1).default(0.5),
    needs: z.enum(["metrics", "variate"]).default("metrics"),
  }),
  create: ({ serverLearningRate, needs }) => ({
    segments: ["update", "weight", needs],
    clientPlan: (planned) => ({ ...planned, training: { ...planned.training, epochs: 1 } }),
    initialState: (parameterCount) => ({ last: new Float32Array(parameterCount) }),
    next: (_, model, mean) => ({
      state: { last: Float32Array.from(mean) },
      model: model.map(
        (weight, index) => weight + serverLearningRate * (mean[index] as number),
      ) as Float32Array<ArrayBuffer>,
    }),
  }),
});
