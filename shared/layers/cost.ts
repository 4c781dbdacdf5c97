import { assert } from "../kernel/assert.ts";
import { elementCount } from "../kernel/shape.ts";
import { type Chain, forward, lossGradients, tensorShapes } from "./chain.ts";
import { lossOf } from "./losses/table.ts";
import type { Operand, Ops, Pool, Shape, Window } from "./ops.ts";
import { placesOf } from "./window.ts";

/*
 * What a chain of layers costs, found by running its own forward pass and gradient on shapes instead of numbers. A new
 * layer is counted without a word of its own.
 */

export interface Cost {
  /** Multiplications, each with the addition that follows, in matrix products and convolutions. */
  readonly multiplyAdds: number;
  /** Bytes of all results, which engines keep until the step is over. */
  readonly byteCount: number;
}

/** Of one training step: forward pass, loss and gradient, without the optimizer. The chain must fit its input. */
export function stepCost(chain: Chain, batchSize: number): Cost {
  const shapes = tensorShapes(chain);
  assert(shapes.ok, "the layers fit each other");
  const of = (rowCount: number): Cost => {
    const { ops, cost } = countingOps();
    const batch = { shape: [rowCount, ...chain.inputShape] };
    const targets = forward(countingOps().ops, chain, shapes.value, batch);
    const aim = { loss: lossOf(chain), targets, rowWeights: null };
    lossGradients(ops, chain, shapes.value, batch, aim, () => 0);
    return cost();
  };
  // Every operation's cost is linear in the rows, so two small batches are enough for a batch of any size.
  const [one, two] = [of(1), of(2)];
  const grow = (first: number, second: number) => first + (batchSize - 1) * (second - first);
  return {
    multiplyAdds: grow(one.multiplyAdds, two.multiplyAdds),
    byteCount: grow(one.byteCount, two.byteCount),
  };
}

interface Traced {
  readonly shape: Shape;
}

function countingOps(): { readonly ops: Ops<Traced>; readonly cost: () => Cost } {
  let [multiplyAdds, byteCount] = [0, 0];
  const made = (shape: Shape): Traced => {
    byteCount += 4 * elementCount(shape);
    return { shape };
  };
  const multiplied = (count: number, shape: Shape): Traced => {
    multiplyAdds += count;
    return made(shape);
  };
  const same = ({ shape }: Traced) => made(shape);
  const both = (left: Operand<Traced>, right: Operand<Traced>) => made(broadcast(left, right));
  const windowed = (output: Shape, kernelShape: Shape, perOutput: number, result: Shape) =>
    multiplied(elementCount(output) * elementCount(kernelShape.slice(0, 2)) * perOutput, result);
  const channels = (kernelShape: Shape) => kernelShape[2] ?? 1;
  const ops: Ops<Traced> = {
    shapeOf: ({ shape }) => shape,
    constant: (_, shape) => made(shape),
    // Engines share the numbers.
    reshape: (_, shape) => ({ shape }),
    add: both,
    subtract: both,
    multiply: both,
    divide: both,
    negate: same,
    square: same,
    sqrt: same,
    exp: same,
    relu: same,
    tanh: same,
    sigmoid: same,
    step: same,
    softmax: same,
    logSoftmax: same,
    sum: ({ shape }, axes) => made(withoutAxes(shape, axes)),
    sumLastAxis: ({ shape }) => made([...shape.slice(0, -1), 1]),
    matMul(left, right, transposed = {}) {
      const [rows = 0, inner = 0] = transposed.left === true ? left.shape.toReversed() : left.shape;
      const [, columns = 0] = transposed.right === true ? right.shape.toReversed() : right.shape;
      return multiplied(rows * inner * columns, [rows, columns]);
    },
    conv2d(input, kernel, window) {
      const output = convolved(input.shape, kernel.shape, window, kernel.shape[3] ?? 0);
      return windowed(output, kernel.shape, channels(kernel.shape), output);
    },
    conv2dInputGradient: (flow, kernel, inputShape) =>
      windowed(flow.shape, kernel.shape, channels(kernel.shape), inputShape),
    conv2dKernelGradient: (flow, _, kernelShape) =>
      windowed(flow.shape, kernelShape, channels(kernelShape), kernelShape),
    depthwiseConv2d(input, kernel, window) {
      const filters = channels(kernel.shape) * (kernel.shape[3] ?? 1);
      const output = convolved(input.shape, kernel.shape, window, filters);
      return windowed(output, kernel.shape, 1, output);
    },
    depthwiseConv2dInputGradient: (flow, kernel, inputShape) =>
      windowed(flow.shape, kernel.shape, 1, inputShape),
    depthwiseConv2dKernelGradient: (flow, _, kernelShape) =>
      windowed(flow.shape, kernelShape, 1, kernelShape),
    maxPool2d: ({ shape }, pool) => made(pooled(shape, pool)),
    maxPool2dInputGradient: (_, input) => same(input),
    averagePool2d: ({ shape }, pool) => made(pooled(shape, pool)),
    averagePool2dInputGradient: (_, input) => same(input),
  };
  return { ops, cost: () => ({ multiplyAdds, byteCount }) };
}

function broadcast(left: Operand<Traced>, right: Operand<Traced>): Shape {
  const [a, b] = [left, right].map((side) => (typeof side === "number" ? [] : side.shape)) as [Shape, Shape];
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => Math.max(a.at(axis - rank) ?? 1, b.at(axis - rank) ?? 1));
}

function withoutAxes(shape: Shape, axes: readonly number[]): Shape {
  const gone = axes.map((axis) => (axis < 0 ? shape.length + axis : axis));
  return shape.filter((_, axis) => !gone.includes(axis));
}

function convolved(
  [rows = 0, height = 0, width = 0]: Shape,
  [kernelHeight = 0, kernelWidth = 0]: Shape,
  window: Window,
  filters: number,
): Shape {
  return [rows, placesOf(height, kernelHeight, window), placesOf(width, kernelWidth, window), filters];
}

function pooled([rows = 0, height = 0, width = 0, channels = 0]: Shape, { size, strides }: Pool): Shape {
  const places = (length: number, axis: 0 | 1) =>
    placesOf(length, size[axis], { strides: strides[axis], padding: "valid" });
  return [rows, places(height, 0), places(width, 1), channels];
}
