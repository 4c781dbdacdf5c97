import { z } from "zod";
import { ok } from "../kernel/result.ts";
import { activationSchema } from "./activations/table.ts";
import { biasTensor, kernelTensor } from "./initializer.ts";
import { layer, layerNameSchema } from "./layer.ts";
import { pictureAxes, placesOf } from "./window.ts";

/** Convolution of a picture with square windows. Kernel [k, k, channels, filters], bias [filters]. */
export const conv2d = layer({
  schema: z.strictObject({
    className: z.literal("Conv2D"),
    name: layerNameSchema,
    filters: z.int().min(1).max(1_024),
    kernelSize: z.int().min(1).max(31),
    strides: z.int().min(1).max(8),
    padding: z.enum(["valid", "same"]),
    activation: activationSchema,
  }),
  needs: ["conv2dKernelGradient"],
  words: ({ filters, kernelSize }) => ({
    full: `Conv2D ${filters} of ${kernelSize} × ${kernelSize}`,
    short: `${filters}c`,
  }),
  outputShape(spec, input) {
    const axes = pictureAxes(input);
    if (!axes.ok) return axes;
    const [height, width] = [axes.value.height, axes.value.width].map((length) =>
      placesOf(length, spec.kernelSize, spec),
    ) as [number, number];
    return ok([height, width, spec.filters]);
  },
  tensors: ({ kernelSize, filters }, [, , channels = 0]) => [
    kernelTensor([kernelSize, kernelSize, channels, filters]),
    biasTensor(filters),
  ],
  forward: (ops, spec, input, weights) =>
    ops.add(ops.conv2d(input, weights("kernel"), spec), weights("bias")),
  weightGradients: (ops, spec, { input, weights }, flow) => ({
    kernel: ops.conv2dKernelGradient(flow, input, ops.shapeOf(weights("kernel")), spec),
    bias: ops.sum(flow, [0, 1, 2]),
  }),
  inputGradient: (ops, spec, { input, weights }, flow) =>
    ops.conv2dInputGradient(flow, weights("kernel"), ops.shapeOf(input), spec),
});
