import { AssertionFault, assert, present } from "../../kernel/assert.ts";
import { elementCount } from "../../kernel/shape.ts";
import type { Operand, Ops, Pool, Shape, Window } from "../../layers/ops.ts";
import type { Graph } from "./graph.ts";

/*
 * The operations of layers, recorded as nodes of an ONNX graph (opset 17). The forward pass of any model, run on these,
 * leaves its graph behind, so a new kind of layer needs no code here unless it uses a new operation.
 *
 * ONNX keeps the channels of pictures before their places. A value that came out of a convolution or a pooling stays so
 * until an operation needs our order; activations and a bias do not.
 */

/** Length of the batch axis, which stays open. Reshape takes -1 for it. */
export const ROWS = -1;

/** A value of the graph. */
export interface Traced {
  /** In our order, the batch axis first. */
  readonly shape: Shape;
  /** Name in the graph; null if only `channelsFirst` exists so far. */
  rowMajor: string | null;
  /** Name of the same value as [rows, channels, height, width]; null if there is none so far. */
  channelsFirst: string | null;
  /** The numbers of a constant, else null. */
  readonly constant: Float32Array | null;
}

/** The input of a model's graph. @param shape  Without the batch axis. */
export function tracedInput(name: string, shape: Shape): Traced {
  return { shape: [ROWS, ...shape], rowMajor: name, channelsFirst: null, constant: null };
}

/** A weight of the model, by the name of its tensor. */
export function tracedWeight(graph: Graph, name: string, shape: Shape, values: Float32Array): Traced {
  const rowMajor = graph.constant({ name, type: "float", dims: shape, data: values });
  return { shape, rowMajor, channelsFirst: null, constant: values };
}

/** The name of a value in our order of axes. */
export function nameOf(graph: Graph, value: Traced): string {
  value.rowMajor ??= graph.node("Transpose", [present(value.channelsFirst, "a value has a name")], {
    perm: { ints: [0, 2, 3, 1] },
  });
  return value.rowMajor;
}

/** Records on `graph`. Operations of training throw: a graph of inference has none. */
export function traceOps(graph: Graph): Ops<Traced> {
  const value = (shape: Shape, rowMajor: string): Traced => ({
    shape,
    rowMajor,
    channelsFirst: null,
    constant: null,
  });
  const picture = (shape: Shape, channelsFirst: string): Traced => ({
    shape,
    rowMajor: null,
    channelsFirst,
    constant: null,
  });
  const name = (operand: Operand<Traced>) =>
    typeof operand === "number" ? graph.scalar("float", operand) : nameOf(graph, operand);
  const channelsFirst = (input: Traced) => {
    input.channelsFirst ??= graph.node("Transpose", [nameOf(graph, input)], { perm: { ints: [0, 3, 1, 2] } });
    return input.channelsFirst;
  };
  let constants = 0;
  const constantOf = (values: Float32Array, shape: Shape, label = `constant_${constants++}`) =>
    tracedWeight(graph, label, shape, values);

  /** An operation on each element, in whatever order the axes are. */
  const each =
    (op: string) =>
    (input: Traced): Traced =>
      input.rowMajor === null
        ? picture(input.shape, graph.node(op, [present(input.channelsFirst, "a value has a name")]))
        : value(input.shape, graph.node(op, [input.rowMajor]));

  const binary =
    (op: string) =>
    (left: Operand<Traced>, right: Operand<Traced>): Traced => {
      const shape = broadcast(shapeOf(left), shapeOf(right));
      const besides = typeof left !== "number" && left.rowMajor === null ? alongChannels(graph, right) : null;
      if (besides !== null && typeof left !== "number") {
        return picture(shape, graph.node(op, [present(left.channelsFirst, "a value has a name"), besides]));
      }
      return value(shape, graph.node(op, [name(left), name(right)]));
    };

  const pool =
    (op: string) =>
    (input: Traced, { size, strides }: Pool): Traced => {
      const [rows = ROWS, height = 0, width = 0, channels = 0] = input.shape;
      const places = [height, width].map(
        (length, axis) =>
          Math.floor(
            (length - present(size[axis], "shapes were checked")) /
              present(strides[axis], "shapes were checked"),
          ) + 1,
      );
      const attributes = { kernel_shape: { ints: size }, strides: { ints: strides } };
      return picture([rows, ...places, channels], graph.node(op, [channelsFirst(input)], attributes));
    };

  const convolution = (
    input: Traced,
    kernel: Traced,
    filters: number,
    group: number,
    { strides, padding }: Window,
  ) => {
    const [rows = ROWS, height = 0, width = 0] = input.shape;
    const [kernelHeight = 0, kernelWidth = 0] = kernel.shape;
    const places = [
      [height, kernelHeight],
      [width, kernelWidth],
    ].map(([length = 0, size = 0]) =>
      padding === "same" ? Math.ceil(length / strides) : Math.floor((length - size) / strides) + 1,
    );
    const weights = constantOf(...kernelOf(kernel, filters, group));
    const attributes = {
      kernel_shape: { ints: [kernelHeight, kernelWidth] },
      strides: { ints: [strides, strides] },
      group: { int: group },
      auto_pad: { string: padding === "same" ? "SAME_UPPER" : "VALID" },
    };
    return picture(
      [rows, ...places, filters],
      graph.node("Conv", [channelsFirst(input), nameOf(graph, weights)], attributes),
    );
  };

  return {
    shapeOf: ({ shape }) => shape,
    constant: (values, shape) => constantOf(values, shape),
    reshape(tensor, shape) {
      if (tensor.constant !== null) return constantOf(tensor.constant, shape);
      return value(shape, graph.node("Reshape", [nameOf(graph, tensor), graph.integers(shape)]));
    },
    add: binary("Add"),
    subtract: binary("Sub"),
    multiply: binary("Mul"),
    divide: binary("Div"),
    negate: each("Neg"),
    square: (tensor) => binary("Mul")(tensor, tensor),
    sqrt: each("Sqrt"),
    exp: each("Exp"),
    relu: each("Relu"),
    tanh: each("Tanh"),
    sigmoid: each("Sigmoid"),
    step: trainingOnly("step"),
    softmax: (tensor) =>
      value(tensor.shape, graph.node("Softmax", [nameOf(graph, tensor)], { axis: { int: -1 } })),
    logSoftmax: (tensor) =>
      value(tensor.shape, graph.node("LogSoftmax", [nameOf(graph, tensor)], { axis: { int: -1 } })),
    sum(tensor, axes) {
      const rank = tensor.shape.length;
      const wanted = axes.map((axis) => (axis < 0 ? axis + rank : axis));
      const shape = tensor.shape.filter((_, axis) => !wanted.includes(axis));
      return value(shape, reduceSum(graph, nameOf(graph, tensor), wanted, false));
    },
    sumLastAxis(tensor) {
      const last = tensor.shape.length - 1;
      return value([...tensor.shape.slice(0, -1), 1], reduceSum(graph, nameOf(graph, tensor), [last], true));
    },
    matMul(left, right, { left: leftTransposed = false, right: rightTransposed = false } = {}) {
      assert(!leftTransposed && !rightTransposed, "a forward pass transposes no operand");
      const shape = [
        present(left.shape[0], "shapes were checked"),
        present(right.shape[1], "shapes were checked"),
      ];
      return value(shape, graph.node("MatMul", [nameOf(graph, left), nameOf(graph, right)]));
    },
    conv2d: (input, kernel, window) =>
      convolution(input, kernel, present(kernel.shape[3], "shapes were checked"), 1, window),
    depthwiseConv2d: (input, kernel, window) => {
      const [, , channels = 0, multiplier = 0] = kernel.shape;
      return convolution(input, kernel, channels * multiplier, channels, window);
    },
    maxPool2d: pool("MaxPool"),
    averagePool2d: pool("AveragePool"),
    conv2dInputGradient: trainingOnly("conv2dInputGradient"),
    conv2dKernelGradient: trainingOnly("conv2dKernelGradient"),
    depthwiseConv2dInputGradient: trainingOnly("depthwiseConv2dInputGradient"),
    depthwiseConv2dKernelGradient: trainingOnly("depthwiseConv2dKernelGradient"),
    maxPool2dInputGradient: trainingOnly("maxPool2dInputGradient"),
    averagePool2dInputGradient: trainingOnly("averagePool2dInputGradient"),
  };
}

function shapeOf(operand: Operand<Traced>): Shape {
  return typeof operand === "number" ? [] : operand.shape;
}

function trainingOnly(name: string): () => never {
  return () => {
    throw new AssertionFault(`${name} belongs to training`);
  };
}

/** NumPy's rule. */
function broadcast(left: Shape, right: Shape): Shape {
  const rank = Math.max(left.length, right.length);
  const at = (shape: Shape, axis: number) => shape[axis - rank + shape.length] ?? 1;
  return Array.from({ length: rank }, (_, axis) => {
    const [a, b] = [at(left, axis), at(right, axis)];
    assert(a === b || a === 1 || b === 1, `shapes [${left.join()}] and [${right.join()}] do not go together`);
    return a === 1 ? b : a;
  });
}

/** The name of a number, or of a vector of one number a channel, beside values whose channels come first; null for others. */
function alongChannels(graph: Graph, operand: Operand<Traced>): string | null {
  if (typeof operand === "number") return graph.scalar("float", operand);
  if (operand.constant === null || operand.shape.length !== 1) return null;
  const [channels = 0] = operand.shape;
  return graph.constant({
    name: `${nameOf(graph, operand)}.channels`,
    ...{ type: "float", dims: [channels, 1, 1], data: operand.constant },
  });
}

/** ONNX: the axes of a sum are an input of the node. */
function reduceSum(graph: Graph, input: string, axes: readonly number[], keepsAxes: boolean): string {
  return graph.node("ReduceSum", [input, graph.integers(axes)], { keepdims: { int: Number(keepsAxes) } });
}

/**
 * A kernel [height, width, channels, n] as ONNX has it: [filters, channels / group, height, width]. In a convolution of
 * each channel for itself, filter c n + m is kernel [:, :, c, m].
 */
function kernelOf(kernel: Traced, filters: number, group: number): [Float32Array, Shape] {
  const from = present(kernel.constant, "a kernel is a weight");
  const [height = 0, width = 0, channels = 0, n = 0] = kernel.shape;
  const inputs = channels / group;
  const to = new Float32Array(elementCount(kernel.shape));
  for (let filter = 0; filter < filters; filter++) {
    for (let input = 0; input < inputs; input++) {
      const [channel, own] = group === 1 ? [input, filter] : [Math.floor(filter / n), filter % n];
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const target = ((filter * inputs + input) * height + y) * width + x;
          to[target] = from[((y * width + x) * channels + channel) * n + own] as number;
        }
      }
    }
  }
  return [to, [filters, inputs, height, width]];
}
