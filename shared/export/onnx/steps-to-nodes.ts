import { assert, present } from "../../kernel/assert.ts";
import { elementCount } from "../../kernel/shape.ts";
import type { Shape } from "../../layers/ops.ts";
import type { ElementOp, Step, StepInput, Steps } from "../steps.ts";
import type { Graph } from "./graph.ts";
import { dequantizedFilters, integerProduct, type Precision } from "./int8.ts";

/*
 * The steps of a forward pass as nodes of ONNX, opset 17.
 *
 * ONNX keeps the channels of pictures before their places. A value that came out of a convolution or a pooling stays so
 * until a step needs our order; activations and a bias do not.
 */

/** A value of the graph, under its name in either order of axes; null if it has no such name yet. */
interface Value {
  readonly shape: Shape;
  /** In our order. */
  name: string | null;
  /** As [rows, channels, height, width]. */
  channelsFirst: string | null;
  /** The numbers of a weight, else null. */
  readonly weight: Float32Array | null;
}

const ELEMENT_OPS: Readonly<Record<ElementOp, string>> = {
  negate: "Neg",
  sqrt: "Sqrt",
  exp: "Exp",
  relu: "Relu",
  tanh: "Tanh",
  sigmoid: "Sigmoid",
  add: "Add",
  subtract: "Sub",
  multiply: "Mul",
  divide: "Div",
};

/**
 * @param weights  One array for each of the steps' weights, row-major.
 * @param input    Name of the rows, [rows, ...].
 * @returns The name of the last step's result.
 */
export function addSteps(
  graph: Graph,
  { weights: specs, inputShape, steps }: Steps,
  weights: readonly Float32Array[],
  input: string,
  precision: Precision = "float",
): string {
  const values: Value[] = specs.map(({ name, shape }, index) =>
    weightOf(graph, name, shape, present(weights[index], `no weights of ${name}`)),
  );
  values.push({ shape: inputShape, name: input, channelsFirst: null, weight: null });
  for (const step of steps) values.push(addStep(graph, step, values, precision));
  return nameOf(graph, present(values.at(-1), "a model has steps"));
}

function weightOf(graph: Graph, name: string, shape: Shape, weight: Float32Array): Value {
  const own = graph.constant({ name, type: "float", dims: shape, data: weight });
  return { shape, name: own, channelsFirst: null, weight };
}

/** Adds the nodes of one step. */
function addStep(graph: Graph, step: Step, values: readonly Value[], precision: Precision): Value {
  const operands = step.inputs.map((input) =>
    typeof input === "number" ? present(values[input], "in order") : input,
  );
  const valueAt = (index: number) => {
    const operand = present(operands[index], "an operation has its operands");
    assert("shape" in operand, "a number is no tensor");
    return operand;
  };
  const ours = (name: string): Value => ({ shape: step.shape, name, channelsFirst: null, weight: null });
  const first = valueAt(0);
  switch (step.op) {
    case "reshape":
      if (first.weight !== null) return weightOf(graph, `${first.name}.reshaped`, step.shape, first.weight);
      return ours(
        graph.node("Reshape", [nameOf(graph, first), graph.integers([-1, ...step.shape.slice(1)])]),
      );
    case "softmax":
      return ours(graph.node("Softmax", [nameOf(graph, first)], { axis: { int: -1 } }));
    case "logSoftmax":
      return ours(graph.node("LogSoftmax", [nameOf(graph, first)], { axis: { int: -1 } }));
    case "matMul":
      return ours(product(graph, first, valueAt(1), precision));
    case "sum": {
      const axes = graph.integers(step.axes);
      return ours(
        graph.node("ReduceSum", [nameOf(graph, first), axes], { keepdims: { int: Number(step.keeps) } }),
      );
    }
    case "conv2d":
    case "depthwiseConv2d":
      return convolution(graph, step, [first, valueAt(1)], precision);
    case "maxPool2d":
    case "averagePool2d": {
      const attributes = { kernel_shape: { ints: step.size }, strides: { ints: step.strides } };
      const op = step.op === "maxPool2d" ? "MaxPool" : "AveragePool";
      return inPlaces(step.shape, graph.node(op, [channelsFirst(graph, first)], attributes));
    }
    default:
      return elementwise(graph, step.op, step.shape, operands);
  }
}

function inPlaces(shape: Shape, channelsFirst: string): Value {
  return { shape, name: null, channelsFirst, weight: null };
}

function nameOf(graph: Graph, value: Value): string {
  value.name ??= graph.node("Transpose", [present(value.channelsFirst, "a value has a name")], {
    perm: { ints: [0, 2, 3, 1] },
  });
  return value.name;
}

function channelsFirst(graph: Graph, value: Value): string {
  value.channelsFirst ??= graph.node("Transpose", [nameOf(graph, value)], { perm: { ints: [0, 3, 1, 2] } });
  return value.channelsFirst;
}

type Operand = Value | Exclude<StepInput, number>;

/** Keeps the order of the first operand's axes if the second allows it. */
function elementwise(graph: Graph, op: ElementOp, shape: Shape, operands: readonly Operand[]): Value {
  const [left, ...others] = operands;
  if (left !== undefined && "shape" in left && left.name === null) {
    const beside = others.map((operand) => alongChannels(graph, operand));
    if (!beside.includes(null)) {
      const names = [present(left.channelsFirst, "a value has a name"), ...beside] as string[];
      return inPlaces(shape, graph.node(ELEMENT_OPS[op], names));
    }
  }
  const names = operands.map((operand) =>
    "shape" in operand ? nameOf(graph, operand) : graph.scalar("float", operand.number),
  );
  return { shape, name: graph.node(ELEMENT_OPS[op], names), channelsFirst: null, weight: null };
}

/** The name of an operand that is a number, or a weight of one number a channel, beside values whose channels come first. */
function alongChannels(graph: Graph, operand: Operand): string | null {
  if (!("shape" in operand)) return graph.scalar("float", operand.number);
  const { weight: data, shape } = operand;
  if (data === null || shape.length !== 1) return null;
  return graph.constant({ name: `${operand.name}.channels`, type: "float", dims: [...shape, 1, 1], data });
}

function product(graph: Graph, left: Value, right: Value, precision: Precision): string {
  const { name, shape, weight } = right;
  if (precision === "int8" && weight !== null && name !== null)
    return integerProduct(graph, nameOf(graph, left), { name, shape, data: weight });
  return graph.node("MatMul", [nameOf(graph, left), nameOf(graph, right)]);
}

function convolution(
  graph: Graph,
  step: Extract<Step, { op: "conv2d" | "depthwiseConv2d" }>,
  [input, kernel]: readonly [Value, Value],
  precision: Precision,
): Value {
  const [height = 0, width = 0, channels = 0] = kernel.shape;
  const filters = present(step.shape[3], "a convolution has filters");
  const group = step.op === "conv2d" ? 1 : channels;
  const dims = [filters, channels / group, height, width];
  const data = channelsFirstKernel(kernel, filters, group);
  const name = `${kernel.name}.filters`;
  const weights =
    precision === "int8"
      ? dequantizedFilters(graph, { name, dims, data })
      : graph.constant({ name, type: "float", dims, data });
  const attributes = {
    kernel_shape: { ints: [height, width] },
    strides: { ints: [step.strides, step.strides] },
    group: { int: group },
    auto_pad: { string: step.padding === "same" ? "SAME_UPPER" : "VALID" },
  };
  return inPlaces(step.shape, graph.node("Conv", [channelsFirst(graph, input), weights], attributes));
}

/**
 * A kernel [height, width, channels, n] as [filters, channels / group, height, width]. In a convolution of each channel for
 * itself, filter c n + m is kernel [:, :, c, m].
 */
function channelsFirstKernel({ shape, weight }: Value, filters: number, group: number): Float32Array {
  const from = present(weight, "a kernel is a weight");
  const [height = 0, width = 0, channels = 0, n = 0] = shape;
  const inputs = channels / group;
  const to = new Float32Array(elementCount(shape));
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
  return to;
}
