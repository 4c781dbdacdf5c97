import { z } from "zod";
import { present } from "../kernel/assert.ts";
import { ok } from "../kernel/result.ts";
import { elementCount } from "../kernel/shape.ts";
import { layer, layerNameSchema } from "./layer.ts";

/** Flattens any shape to one axis, row-major. */
export const flatten = layer({
  schema: z.strictObject({ className: z.literal("Flatten"), name: layerNameSchema }),
  needs: [],
  words: () => ({ full: "Flatten", short: null }),
  outputShape: (_, input) => ok([elementCount(input)]),
  tensors: () => [],
  forward(ops, _, input) {
    const [rows, ...rest] = ops.shapeOf(input);
    return ops.reshape(input, [present(rows, "a batch has rows"), elementCount(rest)]);
  },
  weightGradients: () => ({}),
  inputGradient: (ops, _, { input }, flow) => ops.reshape(flow, ops.shapeOf(input)),
});
