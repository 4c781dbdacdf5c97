import { z } from "zod";
import { ok } from "../kernel/result.ts";
import { activationSchema } from "./activations/table.ts";
import { biasTensor, kernelTensor } from "./initializer.ts";
import { layer, layerNameSchema } from "./layer.ts";
import type { Ops, Shape } from "./ops.ts";
import { asPictures, asSeries, pictureShape, placesOf, seriesAxes } from "./window.ts";

/** Convolution of a series along its length. Kernel [k, channels, filters], bias [filters]. */
export const conv1d = layer({
  schema: z.strictObject({
    className: z.literal("Conv1D"),
    name: layerNameSchema,
    filters: z.int().min(1).max(1_024),
    kernelSize: z.int().min(1).max(255),
    strides: z.int().min(1).max(64),
    padding: z.enum(["valid", "same"]),
    activation: activationSchema,
  }),
  needs: ["conv2dKernelGradient"],
  words: ({ filters, kernelSize }) => ({
    full: `Conv1D ${filters} of ${kernelSize}`,
    short: `${filters}c`,
  }),
  outputShape(spec, input) {
    const axes = seriesAxes(input);
    return axes.ok ? ok([placesOf(axes.value.length, spec.kernelSize, spec), spec.filters]) : axes;
  },
  tensors: ({ kernelSize, filters }, [, channels = 0]) => [
    kernelTensor([kernelSize, channels, filters]),
    biasTensor(filters),
  ],
  forward: (ops, spec, input, weights) =>
    ops.add(
      asSeries(ops, ops.conv2d(asPictures(ops, input), flatKernel(ops, weights("kernel")), spec)),
      weights("bias"),
    ),
  weightGradients(ops, spec, { input, weights }, flow) {
    const shape = ops.shapeOf(weights("kernel"));
    const gradient = ops.conv2dKernelGradient(
      asPictures(ops, flow),
      asPictures(ops, input),
      flatKernelShape(shape),
      spec,
    );
    return { kernel: ops.reshape(gradient, shape), bias: ops.sum(flow, [0, 1]) };
  },
  inputGradient: (ops, spec, { input, weights }, flow) =>
    asSeries(
      ops,
      ops.conv2dInputGradient(
        asPictures(ops, flow),
        flatKernel(ops, weights("kernel")),
        pictureShape(ops.shapeOf(input)),
        spec,
      ),
    ),
});

/** The kernel of the same convolution over pictures of height 1. */
function flatKernel<Tensor extends object>(ops: Ops<Tensor>, kernel: Tensor): Tensor {
  return ops.reshape(kernel, flatKernelShape(ops.shapeOf(kernel)));
}

function flatKernelShape(shape: Shape): Shape {
  return [1, ...shape];
}
