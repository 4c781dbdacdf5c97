import { z } from "zod";
import { ok } from "../kernel/result.ts";
import { activationSchema } from "./activations/table.ts";
import { biasTensor } from "./initializer.ts";
import { layer, layerNameSchema } from "./layer.ts";
import { pictureAxes, placesOf } from "./window.ts";

/**
 * Convolution of each channel of a picture for itself, with square windows: `depthMultiplier` filters a channel. Kernel
 * [k, k, channels, depthMultiplier], bias [channels depthMultiplier].
 */
export const depthwiseConv2d = layer({
  schema: z.strictObject({
    className: z.literal("DepthwiseConv2D"),
    name: layerNameSchema,
    kernelSize: z.int().min(1).max(31),
    depthMultiplier: z.int().min(1).max(64),
    strides: z.int().min(1).max(8),
    padding: z.enum(["valid", "same"]),
    activation: activationSchema,
  }),
  needs: ["depthwiseConv2dGradients"],
  words: ({ kernelSize, depthMultiplier }) => ({
    full: `DepthwiseConv2D ${kernelSize} × ${kernelSize}${depthMultiplier === 1 ? "" : `, ${depthMultiplier} a channel`}`,
    short: "dw",
  }),
  outputShape(spec, input) {
    const axes = pictureAxes(input);
    if (!axes.ok) return axes;
    const { height, width, channels } = axes.value;
    const places = (length: number) => placesOf(length, spec.kernelSize, spec);
    return ok([places(height), places(width), channels * spec.depthMultiplier]);
  },
  tensors({ kernelSize, depthMultiplier }, [, , channels = 0]) {
    // An output sees one channel only, so the other channels do not count as its inputs.
    const window = kernelSize * kernelSize;
    return [
      {
        name: "kernel",
        shape: [kernelSize, kernelSize, channels, depthMultiplier],
        initializer: { kind: "glorot-uniform", fanIn: window, fanOut: window * depthMultiplier },
      },
      biasTensor(channels * depthMultiplier),
    ];
  },
  forward: (ops, spec, input, weights) =>
    ops.add(ops.depthwiseConv2d(input, weights("kernel"), spec), weights("bias")),
  weightGradients: (ops, spec, { input, weights }, flow) => ({
    kernel: ops.depthwiseConv2dKernelGradient(flow, input, ops.shapeOf(weights("kernel")), spec),
    bias: ops.sum(flow, [0, 1, 2]),
  }),
  inputGradient: (ops, spec, { input, weights }, flow) =>
    ops.depthwiseConv2dInputGradient(flow, weights("kernel"), ops.shapeOf(input), spec),
});
