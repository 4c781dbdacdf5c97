import { z } from "zod";
import { ok } from "#shared/kernel/result.ts";
import { layer, layerNameSchema } from "#shared/layers/layer.ts";

/** A layer that the product does not have: each number times 1 + its own gain. Gain [...input]. */
export const gain = gainLayer("Gain", true);

/** The same with a fault: the backward pass forgets the gain. */
export const faultyGain = gainLayer("FaultyGain", false);

function gainLayer<const Name extends string>(className: Name, flowsThroughGain: boolean) {
  return layer({
    schema: z.strictObject({ className: z.literal(className), name: layerNameSchema }),
    needs: [],
    words: () => ({ full: `${className} of its own`, short: "own" }),
    outputShape: (_, input) => ok(input),
    tensors: (_, input) => [{ name: "gain", shape: input, initializer: { kind: "zeros" } }],
    forward: (ops, _, input, weights) => ops.multiply(input, ops.add(1, weights("gain"))),
    weightGradients: (ops, _, { input }, flow) => ({ gain: ops.sum(ops.multiply(flow, input), [0]) }),
    inputGradient: (ops, _, { weights }, flow) =>
      flowsThroughGain ? ops.multiply(flow, ops.add(1, weights("gain"))) : flow,
  });
}
