/** Lengths of a tensor's axes, from the outermost in. */
export type Shape = readonly number[];

/** A tensor, or a number that stands for every element. */
export type Operand<Tensor> = Tensor | number;

/** How a window moves over a picture; `same` pads the border so that only the strides shrink it. */
export interface Window {
  readonly strides: number;
  readonly padding: "valid" | "same";
}

/**
 * The tensor operations that layers, activations and losses are written in. An engine implements them once and can then run
 * every layer.
 *
 * `Tensor` is the engine's own handle, opaque to layers: immutable, float32, row-major. A picture is [rows, height, width,
 * channels] and the kernel of a convolution [height, width, channels, filters]. The engine frees what an operation returns;
 * layers free nothing. Operands of different shapes are broadcast as NumPy does it.
 */
export interface Ops<Tensor extends object> {
  shapeOf(tensor: Tensor): Shape;
  reshape(tensor: Tensor, shape: Shape): Tensor;
  add(left: Operand<Tensor>, right: Operand<Tensor>): Tensor;
  subtract(left: Operand<Tensor>, right: Operand<Tensor>): Tensor;
  multiply(left: Operand<Tensor>, right: Operand<Tensor>): Tensor;
  divide(left: Operand<Tensor>, right: Operand<Tensor>): Tensor;
  negate(tensor: Tensor): Tensor;
  square(tensor: Tensor): Tensor;
  exp(tensor: Tensor): Tensor;
  relu(tensor: Tensor): Tensor;
  tanh(tensor: Tensor): Tensor;
  sigmoid(tensor: Tensor): Tensor;
  /** 1 for positive elements, else 0. */
  step(tensor: Tensor): Tensor;
  /** Over the last axis. */
  softmax(tensor: Tensor): Tensor;
  /** Over the last axis. */
  logSoftmax(tensor: Tensor): Tensor;
  /** Over the named axes, which go. A negative axis counts from the last. */
  sum(tensor: Tensor, axes: readonly number[]): Tensor;
  /** Over the last axis, which stays with length 1. */
  sumLastAxis(tensor: Tensor): Tensor;
  /** [n, k] times [k, m]; a transposed operand is given as [k, n] or [m, k]. */
  matMul(
    left: Tensor,
    right: Tensor,
    transposed?: { readonly left?: boolean; readonly right?: boolean },
  ): Tensor;
  conv2d(input: Tensor, kernel: Tensor, window: Window): Tensor;
  /** The flow at a convolution's input, [rows, ...], from the flow at its output. */
  conv2dInputGradient(flow: Tensor, kernel: Tensor, inputShape: Shape, window: Window): Tensor;
  conv2dKernelGradient(flow: Tensor, input: Tensor, kernelShape: Shape, window: Window): Tensor;
  /** The largest of each `size` x `size` window; no padding. */
  maxPool2d(input: Tensor, size: number, strides: number): Tensor;
  maxPool2dInputGradient(flow: Tensor, input: Tensor, output: Tensor, size: number, strides: number): Tensor;
}

/** Operations that some backends lack. A layer that uses one names it in `needs`, so that such a backend is not tried. */
export type ScarceOp = "conv2dKernelGradient";

/** 1 for a scalar. */
export function elementCount(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}
