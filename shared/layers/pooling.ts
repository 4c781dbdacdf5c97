import { z } from "zod";
import { ok } from "../kernel/result.ts";
import { layer, layerNameSchema } from "./layer.ts";
import type { Ops, Pool } from "./ops.ts";
import { asPictures, asSeries, pictureAxes, placesOf, seriesAxes } from "./window.ts";

/* Pooling of pictures and series: the maximum or the mean of each window, channel by channel. */

/** What is taken of each window. */
interface Pooling {
  forward<Tensor extends object>(ops: Ops<Tensor>, input: Tensor, pool: Pool): Tensor;
  inputGradient<Tensor extends object>(
    ops: Ops<Tensor>,
    flow: Tensor,
    input: Tensor,
    output: Tensor,
    pool: Pool,
  ): Tensor;
}

const maximum: Pooling = {
  forward: (ops, input, pool) => ops.maxPool2d(input, pool),
  inputGradient: (ops, flow, input, output, pool) => ops.maxPool2dInputGradient(flow, input, output, pool),
};

const mean: Pooling = {
  forward: (ops, input, pool) => ops.averagePool2d(input, pool),
  inputGradient: (ops, flow, input, _, pool) => ops.averagePool2dInputGradient(flow, input, pool),
};

interface PoolFields {
  readonly poolSize: number;
  readonly strides: number;
}
const outLength = (length: number, { poolSize, strides }: PoolFields) =>
  placesOf(length, poolSize, { strides, padding: "valid" });

function pooling2d<const Name extends string>(className: Name, kind: Pooling) {
  const poolOf = ({ poolSize, strides }: PoolFields): Pool => ({
    size: [poolSize, poolSize],
    strides: [strides, strides],
  });
  return layer({
    schema: z.strictObject({
      className: z.literal(className),
      name: layerNameSchema,
      poolSize: z.int().min(1).max(16),
      strides: z.int().min(1).max(16),
    }),
    needs: [],
    words: ({ poolSize }) => ({ full: `${className} ${poolSize} × ${poolSize}`, short: null }),
    outputShape(spec, input) {
      const axes = pictureAxes(input);
      if (!axes.ok) return axes;
      const { height, width, channels } = axes.value;
      return ok([outLength(height, spec), outLength(width, spec), channels]);
    },
    tensors: () => [],
    forward: (ops, spec, input) => kind.forward(ops, input, poolOf(spec)),
    weightGradients: () => ({}),
    inputGradient: (ops, spec, { input, output }, flow) =>
      kind.inputGradient(ops, flow, input, output, poolOf(spec)),
  });
}

function pooling1d<const Name extends string>(className: Name, kind: Pooling) {
  const poolOf = ({ poolSize, strides }: PoolFields): Pool => ({
    size: [1, poolSize],
    strides: [1, strides],
  });
  return layer({
    schema: z.strictObject({
      className: z.literal(className),
      name: layerNameSchema,
      poolSize: z.int().min(1).max(256),
      strides: z.int().min(1).max(256),
    }),
    needs: [],
    words: ({ poolSize }) => ({ full: `${className} ${poolSize}`, short: null }),
    outputShape(spec, input) {
      const axes = seriesAxes(input);
      return axes.ok ? ok([outLength(axes.value.length, spec), axes.value.channels]) : axes;
    },
    tensors: () => [],
    forward: (ops, spec, input) => asSeries(ops, kind.forward(ops, asPictures(ops, input), poolOf(spec))),
    weightGradients: () => ({}),
    inputGradient: (ops, spec, { input, output }, flow) => {
      const [flows, inputs, outputs] = [flow, input, output].map((series) => asPictures(ops, series)) as [
        typeof flow,
        typeof flow,
        typeof flow,
      ];
      return asSeries(ops, kind.inputGradient(ops, flows, inputs, outputs, poolOf(spec)));
    },
  });
}

export const maxPooling2d = pooling2d("MaxPooling2D", maximum);
export const averagePooling2d = pooling2d("AveragePooling2D", mean);
export const maxPooling1d = pooling1d("MaxPooling1D", maximum);
export const averagePooling1d = pooling1d("AveragePooling1D", mean);
