import * as tf from "@tensorflow/tfjs-core";
import type { Ops, Pool, Shape, Window } from "../layers/ops.ts";

/** The operations of layers on the tfjs backend in use. Call them inside tf.tidy, which frees their results. */
export const tfjsOps: Ops<tf.Tensor> = {
  shapeOf: ({ shape }) => shape,
  constant: (values, shape) => tf.tensor(values, [...shape], "float32"),
  reshape: (tensor, shape) => tf.reshape(tensor, [...shape]),
  add: (left, right) => tf.add(left, right),
  subtract: (left, right) => tf.sub(left, right),
  multiply: (left, right) => tf.mul(left, right),
  divide: (left, right) => tf.div(left, right),
  negate: (tensor) => tf.neg(tensor),
  square: (tensor) => tf.square(tensor),
  sqrt: (tensor) => tf.sqrt(tensor),
  exp: (tensor) => tf.exp(tensor),
  relu: (tensor) => tf.relu(tensor),
  tanh: (tensor) => tf.tanh(tensor),
  sigmoid: (tensor) => tf.sigmoid(tensor),
  step: (tensor) => tf.step(tensor),
  softmax: (tensor) => tf.softmax(tensor),
  logSoftmax: (tensor) => tf.logSoftmax(tensor),
  sum: (tensor, axes) => tf.sum(tensor, [...axes]),
  sumLastAxis: (tensor) => tf.sum(tensor, -1, true),
  matMul: (left, right, { left: leftTransposed = false, right: rightTransposed = false } = {}) =>
    tf.matMul(left, right, leftTransposed, rightTransposed),
  conv2d: (input, kernel, { strides, padding }) =>
    tf.conv2d(input as tf.Tensor4D, kernel as tf.Tensor4D, strides, padding),
  conv2dInputGradient: (flow, kernel, inputShape, { strides, padding }) =>
    tf.conv2dTranspose(flow as tf.Tensor4D, kernel as tf.Tensor4D, fourOf(inputShape), strides, padding),
  conv2dKernelGradient: (flow, input, kernelShape, { strides, padding }) =>
    runKernel(
      tf.Conv2DBackpropFilter,
      { x: input, dy: flow },
      { strides, pad: padding, dataFormat: "NHWC", filterShape: [...kernelShape] },
    ),
  depthwiseConv2d: (input, kernel, { strides, padding }) =>
    tf.depthwiseConv2d(input as tf.Tensor4D, kernel as tf.Tensor4D, strides, padding),
  depthwiseConv2dInputGradient: (flow, kernel, inputShape, window) =>
    runKernel(
      tf.DepthwiseConv2dNativeBackpropInput,
      { dy: flow, filter: kernel },
      { ...depthwise(window), inputShape: [...inputShape] },
    ),
  depthwiseConv2dKernelGradient: (flow, input, kernelShape, window) =>
    runKernel(
      tf.DepthwiseConv2dNativeBackpropFilter,
      { x: input, dy: flow },
      { ...depthwise(window), filterShape: [...kernelShape] },
    ),
  maxPool2d: (input, { size, strides }) => tf.maxPool(input as tf.Tensor4D, [...size], [...strides], "valid"),
  maxPool2dInputGradient: (flow, input, output, pool) =>
    runKernel(tf.MaxPoolGrad, { dy: flow, input, output }, pooling(pool)),
  averagePool2d: (input, { size, strides }) =>
    tf.avgPool(input as tf.Tensor4D, [...size], [...strides], "valid"),
  averagePool2dInputGradient: (flow, input, pool) =>
    runKernel(tf.AvgPoolGrad, { dy: flow, input }, pooling(pool)),
};

function pooling({ size, strides }: Pool): object {
  return { filterSize: [...size], strides: [...strides], pad: "valid" };
}

function depthwise({ strides, padding }: Window): object {
  return { strides: [strides, strides], dilations: [1, 1], pad: padding };
}

/** For the kernels that tfjs uses for its gradients but does not export as operations. */
function runKernel(name: string, inputs: Readonly<Record<string, tf.Tensor>>, attributes: object): tf.Tensor {
  return tf
    .engine()
    .runKernel(name, inputs as unknown as tf.NamedTensorMap, attributes as tf.NamedAttrMap) as tf.Tensor;
}

function fourOf(shape: Shape): [number, number, number, number] {
  return [...shape] as [number, number, number, number];
}
