import { z } from "zod";
import { ok } from "../kernel/result.ts";
import { layer, layerNameSchema } from "./layer.ts";

/**
 * In training, sets each number to 0 with probability `rate` and divides the others by 1 - rate. Otherwise it does
 * nothing.
 *
 * Source: Srivastava et al. 2014, JMLR 15, in the form that scales while training.
 */
export const dropout = layer({
  schema: z.strictObject({
    className: z.literal("Dropout"),
    name: layerNameSchema,
    rate: z.number().gt(0).lte(0.95),
  }),
  needs: [],
  words: ({ rate }) => ({ full: `Dropout ${rate}`, short: null }),
  outputShape: (_, input) => ok(input),
  tensors: () => [],
  noise: ({ rate }, uniform) => (uniform() < rate ? 0 : 1 / (1 - rate)),
  forward: (_, __, input) => input,
  weightGradients: () => ({}),
  inputGradient: (_, __, ___, flow) => flow,
});
