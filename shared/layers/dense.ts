import { z } from "zod";
import { err, ok } from "../kernel/result.ts";
import { activationSchema } from "./activations/table.ts";
import { biasTensor, kernelTensor } from "./initializer.ts";
import { layer, layerNameSchema } from "./layer.ts";

/** x K + b. Kernel [in, units], bias [units]. */
export const dense = layer({
  schema: z.strictObject({
    className: z.literal("Dense"),
    name: layerNameSchema,
    units: z.int().min(1).max(65_536),
    activation: activationSchema,
  }),
  needs: [],
  words: ({ units }) => ({ full: `Dense ${units}`, short: String(units) }),
  outputShape: ({ units }, input) =>
    input.length === 1 ? ok([units]) : err("put a Flatten layer before it"),
  tensors: ({ units }, [width = 0]) => [kernelTensor([width, units]), biasTensor(units)],
  forward: (ops, _, input, weights) => ops.add(ops.matMul(input, weights("kernel")), weights("bias")),
  weightGradients: (ops, _, { input }, flow) => ({
    kernel: ops.matMul(input, flow, { left: true }),
    bias: ops.sum(flow, [0]),
  }),
  inputGradient: (ops, _, { weights }, flow) => ops.matMul(flow, weights("kernel"), { right: true }),
});
