import { z } from "zod";
import { defineStrategy } from "#shared/strategy/strategy.ts";

/** A strategy that no real task has: it goes part of the way, asks for one epoch and keeps the last mean. */
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
