import { elementCount } from "#shared/kernel/shape.ts";
import type { Operand, Ops, Pool, Shape } from "#shared/layers/ops.ts";

/*
 * The operations of layers in double precision and plain loops: a second implementation beside the engine's, slow but
 * exact enough for finite differences.
 */

export interface PlainTensor {
  readonly shape: Shape;
  readonly data: Float64Array;
}

export function plainTensor(shape: Shape, values: ArrayLike<number>): PlainTensor {
  return { shape, data: Float64Array.from(values) };
}

const map = ({ shape, data }: PlainTensor, of: (value: number) => number): PlainTensor => ({
  shape,
  data: data.map(of),
});

/** NumPy's broadcasting. */
function combine(
  left: Operand<PlainTensor>,
  right: Operand<PlainTensor>,
  of: (left: number, right: number) => number,
): PlainTensor {
  const [a, b] = [left, right].map((side) => (typeof side === "number" ? plainTensor([], [side]) : side));
  if (a === undefined || b === undefined) throw new Error("two operands");
  const rank = Math.max(a.shape.length, b.shape.length);
  const padded = ({ shape }: PlainTensor) => [...new Array(rank - shape.length).fill(1), ...shape];
  const [aShape, bShape] = [padded(a), padded(b)];
  const shape = aShape.map((size, axis) => Math.max(size, bShape[axis] ?? 1));
  const at = (tensor: PlainTensor, sizes: readonly number[], index: readonly number[]) => {
    const offset = sizes.reduce((sum, size, axis) => sum * size + (size === 1 ? 0 : (index[axis] ?? 0)), 0);
    return tensor.data[offset] ?? Number.NaN;
  };
  const data = new Float64Array(elementCount(shape));
  for (const [flat, index] of indicesOf(shape)) data[flat] = of(at(a, aShape, index), at(b, bShape, index));
  return { shape, data };
}

function* indicesOf(shape: Shape): Iterable<readonly [flat: number, index: readonly number[]]> {
  for (let flat = 0; flat < elementCount(shape); flat++) {
    const index: number[] = [];
    let rest = flat;
    for (const size of shape.toReversed()) {
      index.unshift(rest % size);
      rest = Math.floor(rest / size);
    }
    yield [flat, index];
  }
}

function sumOver(tensor: PlainTensor, axes: readonly number[], keep: boolean): PlainTensor {
  const gone = axes.map((axis) => (axis < 0 ? tensor.shape.length + axis : axis));
  const kept = tensor.shape.map((size, axis) => (gone.includes(axis) ? 1 : size));
  const data = new Float64Array(elementCount(kept));
  for (const [flat, index] of indicesOf(tensor.shape)) {
    const to = kept.reduce((sum, size, axis) => sum * size + (size === 1 ? 0 : (index[axis] ?? 0)), 0);
    data[to] = (data[to] ?? 0) + (tensor.data[flat] ?? 0);
  }
  return { shape: keep ? kept : kept.filter((_, axis) => !gone.includes(axis)), data };
}

/** Calls `visit` for each number that a window reads, with flat indices of input, kernel and output. */
function slide(
  [rows = 0, height = 0, width = 0, channels = 0]: Shape,
  [kernelHeight = 0, kernelWidth = 0, , filters = 0]: Shape,
  { strides, padding }: { readonly strides: number; readonly padding: "valid" | "same" },
  visit: (input: number, kernel: number, output: number) => void,
): Shape {
  const out = (size: number, kernel: number) =>
    padding === "same" ? Math.ceil(size / strides) : Math.floor((size - kernel) / strides) + 1;
  const [outHeight, outWidth] = [out(height, kernelHeight), out(width, kernelWidth)];
  const before = (size: number, kernel: number, outSize: number) =>
    padding === "same" ? Math.floor(Math.max(0, (outSize - 1) * strides + kernel - size) / 2) : 0;
  const [top, left] = [before(height, kernelHeight, outHeight), before(width, kernelWidth, outWidth)];
  const shape = [rows, outHeight, outWidth, filters];
  for (const [output, [row = 0, outY = 0, outX = 0, filter = 0]] of indicesOf(shape)) {
    for (const [window, [dy = 0, dx = 0, channel = 0]] of indicesOf([kernelHeight, kernelWidth, channels])) {
      const [y, x] = [outY * strides - top + dy, outX * strides - left + dx];
      if (y < 0 || x < 0 || y >= height || x >= width) continue;
      visit(((row * height + y) * width + x) * channels + channel, window * filters + filter, output);
    }
  }
  return shape;
}

function accumulate(into: Float64Array, index: number, value: number): void {
  into[index] = (into[index] ?? 0) + value;
}

/** Calls `visit` for each number that a pooling window reads, with flat indices of input and output. */
function slidePool(
  [rows = 0, height = 0, width = 0, channels = 0]: Shape,
  { size: [tall, wide], strides: [down, right] }: Pool,
  visit: (input: number, output: number) => void,
): Shape {
  const shape = [
    rows,
    Math.floor((height - tall) / down) + 1,
    Math.floor((width - wide) / right) + 1,
    channels,
  ];
  for (const [output, [row = 0, outY = 0, outX = 0, channel = 0]] of indicesOf(shape)) {
    for (const [, [dy = 0, dx = 0]] of indicesOf([tall, wide])) {
      visit(((row * height + outY * down + dy) * width + outX * right + dx) * channels + channel, output);
    }
  }
  return shape;
}

/** The input index of the largest number in each window; the first one if there are several. */
function winners(input: PlainTensor, pool: Pool): { shape: Shape; index: readonly number[] } {
  const index: number[] = [];
  const shape = slidePool(input.shape, pool, (from, to) => {
    const best = index[to];
    if (best === undefined || (input.data[from] ?? 0) > (input.data[best] ?? 0)) index[to] = from;
  });
  return { shape, index };
}

/** A kernel [h, w, channels, multiplier] as the equal one of an ordinary convolution, zero between other channels. */
function ordinaryKernel({ shape, data }: PlainTensor): PlainTensor {
  const [tall = 0, wide = 0, channels = 0, multiplier = 0] = shape;
  const kernel = new Float64Array(tall * wide * channels * channels * multiplier);
  for (let window = 0; window < tall * wide; window++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let m = 0; m < multiplier; m++) {
        const from = (window * channels + channel) * multiplier + m;
        kernel[(window * channels + channel) * channels * multiplier + channel * multiplier + m] =
          data[from] ?? 0;
      }
    }
  }
  return { shape: [tall, wide, channels, channels * multiplier], data: kernel };
}

function transpose({ shape: [rows = 0, columns = 0], data }: PlainTensor): PlainTensor {
  const shape = [columns, rows];
  return plainTensor(
    shape,
    [...indicesOf(shape)].map(([, [row = 0, column = 0]]) => data[column * columns + row] ?? Number.NaN),
  );
}

const exponentials = (tensor: PlainTensor) => map(tensor, Math.exp);
const softmax = (tensor: PlainTensor) =>
  combine(exponentials(tensor), sumOver(exponentials(tensor), [-1], true), (a, b) => a / b);

export const plainOps: Ops<PlainTensor> = {
  shapeOf: ({ shape }) => shape,
  constant: (values, shape) => plainTensor(shape, values),
  reshape: ({ data }, shape) => ({ shape, data }),
  add: (left, right) => combine(left, right, (a, b) => a + b),
  subtract: (left, right) => combine(left, right, (a, b) => a - b),
  multiply: (left, right) => combine(left, right, (a, b) => a * b),
  divide: (left, right) => combine(left, right, (a, b) => a / b),
  negate: (tensor) => map(tensor, (value) => -value),
  square: (tensor) => map(tensor, (value) => value * value),
  sqrt: (tensor) => map(tensor, Math.sqrt),
  exp: exponentials,
  relu: (tensor) => map(tensor, (value) => Math.max(0, value)),
  tanh: (tensor) => map(tensor, Math.tanh),
  sigmoid: (tensor) => map(tensor, (value) => 1 / (1 + Math.exp(-value))),
  step: (tensor) => map(tensor, (value) => (value > 0 ? 1 : 0)),
  softmax,
  logSoftmax: (tensor) => map(softmax(tensor), Math.log),
  sum: (tensor, axes) => sumOver(tensor, axes, false),
  sumLastAxis: (tensor) => sumOver(tensor, [-1], true),
  matMul(left, right, transposed = {}) {
    const a = transposed.left === true ? transpose(left) : left;
    const b = transposed.right === true ? transpose(right) : right;
    const [rows = 0, inner = 0] = a.shape;
    const [, columns = 0] = b.shape;
    const data = new Float64Array(rows * columns);
    for (const [flat, [row = 0, column = 0]] of indicesOf([rows, columns])) {
      for (let k = 0; k < inner; k++) {
        accumulate(data, flat, (a.data[row * inner + k] ?? 0) * (b.data[k * columns + column] ?? 0));
      }
    }
    return { shape: [rows, columns], data };
  },
  conv2d(input, kernel, window) {
    const sums: number[] = [];
    const shape = slide(input.shape, kernel.shape, window, (from, weight, to) => {
      sums[to] = (sums[to] ?? 0) + (input.data[from] ?? 0) * (kernel.data[weight] ?? 0);
    });
    return plainTensor(
      shape,
      Array.from({ length: elementCount(shape) }, (_, index) => sums[index] ?? 0),
    );
  },
  conv2dInputGradient(flow, kernel, inputShape, window) {
    const data = new Float64Array(elementCount(inputShape));
    slide(inputShape, kernel.shape, window, (from, weight, to) =>
      accumulate(data, from, (flow.data[to] ?? 0) * (kernel.data[weight] ?? 0)),
    );
    return { shape: inputShape, data };
  },
  conv2dKernelGradient(flow, input, kernelShape, window) {
    const data = new Float64Array(elementCount(kernelShape));
    slide(input.shape, kernelShape, window, (from, weight, to) =>
      accumulate(data, weight, (flow.data[to] ?? 0) * (input.data[from] ?? 0)),
    );
    return { shape: kernelShape, data };
  },
  depthwiseConv2d: (input, kernel, window) => plainOps.conv2d(input, ordinaryKernel(kernel), window),
  depthwiseConv2dInputGradient: (flow, kernel, inputShape, window) =>
    plainOps.conv2dInputGradient(flow, ordinaryKernel(kernel), inputShape, window),
  depthwiseConv2dKernelGradient(flow, input, kernelShape, window) {
    const zeros = plainTensor(kernelShape, new Float64Array(elementCount(kernelShape)));
    const wide = plainOps.conv2dKernelGradient(flow, input, ordinaryKernel(zeros).shape, window);
    const [, , channels = 0, multiplier = 0] = kernelShape;
    for (const [to, [y = 0, x = 0, channel = 0, m = 0]] of indicesOf(kernelShape)) {
      const place = y * (kernelShape[1] ?? 0) + x;
      const from = (place * channels + channel) * channels * multiplier + channel * multiplier + m;
      zeros.data[to] = wide.data[from] ?? Number.NaN;
    }
    return zeros;
  },
  averagePool2d(input, pool) {
    const sums: number[] = [];
    const shape = slidePool(input.shape, pool, (from, to) => {
      sums[to] = (sums[to] ?? 0) + (input.data[from] ?? 0) / elementCount(pool.size);
    });
    return plainTensor(shape, sums);
  },
  averagePool2dInputGradient(flow, input, pool) {
    const data = new Float64Array(input.data.length);
    slidePool(input.shape, pool, (from, to) =>
      accumulate(data, from, (flow.data[to] ?? 0) / elementCount(pool.size)),
    );
    return { shape: input.shape, data };
  },
  maxPool2d(input, pool) {
    const { shape, index } = winners(input, pool);
    return { shape, data: Float64Array.from(index, (at) => input.data[at] ?? Number.NaN) };
  },
  maxPool2dInputGradient(flow, input, _, pool) {
    const data = new Float64Array(input.data.length);
    for (const [to, from] of winners(input, pool).index.entries()) {
      accumulate(data, from, flow.data[to] ?? 0);
    }
    return { shape: input.shape, data };
  },
};
