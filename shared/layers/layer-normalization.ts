import { z } from "zod";
import { ok } from "../kernel/result.ts";
import { biasTensor } from "./initializer.ts";
import { layer, layerNameSchema } from "./layer.ts";
import type { Ops } from "./ops.ts";

/**
 * Each row's last axis gets mean 0 and variance 1, then a learnt scale and shift: gamma (x - mean) / sqrt(variance +
 * epsilon) + beta. Gamma and beta are [size of the last axis]. Nothing is shared between rows, which is why it is on the
 * list and batch normalization is not (refused.ts).
 *
 * Source: Ba et al. 2016, arXiv:1607.06450.
 */
export const layerNormalization = layer({
  schema: z.strictObject({
    className: z.literal("LayerNormalization"),
    name: layerNameSchema,
    epsilon: z.number().min(1e-6).max(0.1),
  }),
  needs: [],
  words: () => ({ full: "LayerNormalization", short: null }),
  outputShape: (_, input) => ok(input),
  tensors(_, input) {
    const size = input.at(-1) ?? 1;
    return [
      { name: "gamma", shape: [size], initializer: { kind: "ones" } },
      { ...biasTensor(size), name: "beta" },
    ];
  },
  forward: (ops, { epsilon }, input, weights) =>
    ops.add(ops.multiply(normalized(ops, input, epsilon).values, weights("gamma")), weights("beta")),
  weightGradients(ops, { epsilon }, { input }, flow) {
    const { values } = normalized(ops, input, epsilon);
    const others = ops
      .shapeOf(input)
      .slice(0, -1)
      .map((_, axis) => axis);
    return { gamma: ops.sum(ops.multiply(flow, values), others), beta: ops.sum(flow, others) };
  },
  inputGradient(ops, { epsilon }, { input, weights }, flow) {
    const { values, deviation } = normalized(ops, input, epsilon);
    const scaled = ops.multiply(flow, weights("gamma"));
    const along = ops.multiply(values, meanLastAxis(ops, ops.multiply(scaled, values)));
    const centred = ops.subtract(scaled, meanLastAxis(ops, scaled));
    return ops.divide(ops.subtract(centred, along), deviation);
  },
});

/** Before scale and shift; `deviation` has the last axis with length 1. */
function normalized<Tensor extends object>(
  ops: Ops<Tensor>,
  input: Tensor,
  epsilon: number,
): { readonly values: Tensor; readonly deviation: Tensor } {
  const centred = ops.subtract(input, meanLastAxis(ops, input));
  const deviation = ops.sqrt(ops.add(meanLastAxis(ops, ops.square(centred)), epsilon));
  return { values: ops.divide(centred, deviation), deviation };
}

function meanLastAxis<Tensor extends object>(ops: Ops<Tensor>, tensor: Tensor): Tensor {
  return ops.divide(ops.sumLastAxis(tensor), ops.shapeOf(tensor).at(-1) ?? 1);
}
