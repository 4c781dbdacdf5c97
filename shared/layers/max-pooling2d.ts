import { z } from "zod";
import { err, ok } from "../kernel/result.ts";
import { layer, layerNameSchema } from "./layer.ts";

/** The largest number of each window of a picture, channel by channel. */
export const maxPooling2d = layer({
  schema: z.strictObject({
    className: z.literal("MaxPooling2D"),
    name: layerNameSchema,
    poolSize: z.int().min(1).max(16),
    strides: z.int().min(1).max(16),
  }),
  needs: [],
  outputShape({ poolSize, strides }, input) {
    const [height = 0, width = 0, channels = 0] = input;
    if (input.length !== 3) return err("takes a picture, not a flat vector");
    const out = (size: number) => Math.floor((size - poolSize) / strides) + 1;
    return ok([out(height), out(width), channels]);
  },
  tensors: () => [],
  forward: (ops, { poolSize, strides }, input) => ops.maxPool2d(input, poolSize, strides),
  weightGradients: () => ({}),
  inputGradient: (ops, { poolSize, strides }, { input, output }, flow) =>
    ops.maxPool2dInputGradient(flow, input, output, poolSize, strides),
});
