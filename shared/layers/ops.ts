/** Lengths of a tensor's axes, outermost first. */
export type Shape = readonly number[];

/** A tensor, or a number in place of every element. */
export type Operand<Tensor> = Tensor | number;

/** How a window moves over a picture. `same` pads the border so that only the strides shrink the output. */
export interface Window {
  readonly strides: number;
  readonly padding: "valid" | "same";
}

/** Windows of a pooling, [height, width], without padding. */
export interface Pool {
  readonly size: readonly [number, number];
  readonly strides: readonly [number, number];
}

/**
 * The tensor operations in which layers, activations and losses are written. An engine that implements them can run every
 * layer.
 *
 * `Tensor` is the engine's handle, opaque to layers: immutable, float32, row-major. Pictures are [rows, height, width,
 * channels], the kernel of a convolution is [height, width, channels, filters]. The engine frees the results of
 * operations; layers free nothing. Operands of different shapes are broadcast as in NumPy.
 */
export interface Ops<Tensor extends object> {
  shapeOf(tensor: Tensor): Shape;
  /** A tensor of these numbers, which the caller no longer changes. */
  constant(values: Float32Array, shape: Shape): Tensor;
  reshape(tensor: Tensor, shape: Shape): Tensor;
  add(left: Operand<Tensor>, right: Operand<Tensor>): Tensor;
  subtract(left: Operand<Tensor>, right: Operand<Tensor>): Tensor;
  multiply(left: Operand<Tensor>, right: Operand<Tensor>): Tensor;
  divide(left: Operand<Tensor>, right: Operand<Tensor>): Tensor;
  negate(tensor: Tensor): Tensor;
  square(tensor: Tensor): Tensor;
  sqrt(tensor: Tensor): Tensor;
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
  /** Sums over the named axes and removes them. A negative axis counts from the last. */
  sum(tensor: Tensor, axes: readonly number[]): Tensor;
  /** Sums over the last axis and keeps it with length 1. */
  sumLastAxis(tensor: Tensor): Tensor;
  /** [n, k] times [k, m]. Pass a transposed operand as [k, n] or [m, k]. */
  matMul(
    left: Tensor,
    right: Tensor,
    transposed?: { readonly left?: boolean; readonly right?: boolean },
  ): Tensor;
  conv2d(input: Tensor, kernel: Tensor, window: Window): Tensor;
  /** The gradient by a convolution's input, [rows, ...], from `flow`, the gradient by its output. */
  conv2dInputGradient(flow: Tensor, kernel: Tensor, inputShape: Shape, window: Window): Tensor;
  conv2dKernelGradient(flow: Tensor, input: Tensor, kernelShape: Shape, window: Window): Tensor;
  /** Each channel for itself, with a kernel [height, width, channels, multiplier]; output channel c multiplier + m. */
  depthwiseConv2d(input: Tensor, kernel: Tensor, window: Window): Tensor;
  depthwiseConv2dInputGradient(flow: Tensor, kernel: Tensor, inputShape: Shape, window: Window): Tensor;
  depthwiseConv2dKernelGradient(flow: Tensor, input: Tensor, kernelShape: Shape, window: Window): Tensor;
  /** The maximum of each window. */
  maxPool2d(input: Tensor, pool: Pool): Tensor;
  maxPool2dInputGradient(flow: Tensor, input: Tensor, output: Tensor, pool: Pool): Tensor;
  /** The mean of each window. */
  averagePool2d(input: Tensor, pool: Pool): Tensor;
  averagePool2dInputGradient(flow: Tensor, input: Tensor, pool: Pool): Tensor;
}

/** Operations that some backends lack. A layer that uses one names it in `needs`, so that such backends are not tried. */
export type ScarceOp = "conv2dKernelGradient" | "depthwiseConv2dGradients";
