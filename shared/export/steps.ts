import type { TensorSpec } from "../codec/tensors.ts";
import { AssertionFault, assert, present } from "../kernel/assert.ts";
import { forward } from "../layers/chain.ts";
import type { Operand, Ops, Pool, Shape, Window } from "../layers/ops.ts";
import { placesOf } from "../layers/window.ts";
import { type ModelSpec, modelTensors } from "../task/model.ts";

/*
 * A model's forward pass as a list of steps, which other formats write in their own words. It is recorded by running the pass
 * on operations that only take notes, so a new kind of layer needs no code here unless it uses a new operation.
 */

/** An operand: the place of a weight, of the input or of an earlier result, in that order; or a number. */
export type StepInput = number | { readonly number: number };

/** One operation and the shape of its result, for one row. */
export type Step = { readonly inputs: readonly StepInput[]; readonly shape: Shape } & (
  | { readonly op: ElementOp | "reshape" | "softmax" | "logSoftmax" | "matMul" }
  | ({ readonly op: "conv2d" | "depthwiseConv2d" } & Window)
  | ({ readonly op: "maxPool2d" | "averagePool2d" } & Pool)
  /** Axes count from the first, the batch axis. If `keeps`, they stay with length 1. */
  | { readonly op: "sum"; readonly axes: readonly number[]; readonly keeps: boolean }
);
/** On each element, of one operand or of two that are broadcast as in NumPy. */
export type ElementOp =
  | ("negate" | "sqrt" | "exp" | "relu" | "tanh" | "sigmoid")
  | ("add" | "subtract" | "multiply" | "divide");

export interface Steps {
  readonly weights: readonly TensorSpec[];
  /** With the batch axis, of length 1. */
  readonly inputShape: Shape;
  /** The last gives the last layer's output before its activation. */
  readonly steps: readonly Step[];
}

/** The steps from the model's weights and one row. */
export function stepsOf(model: ModelSpec): Steps {
  const weights = modelTensors(model).tensors.map(({ name, shape }) => ({ name, shape }));
  const inputShape = [1, ...model.inputShape];
  const steps: Step[] = [];
  const values = [...weights, { shape: inputShape }].map(({ shape }, place) => ({ place, shape }));
  const input = present(values.at(-1), "a model has an input");
  const ops = recordingOps((step) => {
    steps.push(step);
    return { place: values.length + steps.length - 1, shape: step.shape };
  });
  const answer = forward(ops, model, values.slice(0, -1), input);
  assert(answer.place === values.length + steps.length - 1, "the last step gives the answer");
  return { weights, inputShape, steps };
}

/** A value of the pass. */
interface Placed {
  readonly place: number;
  readonly shape: Shape;
}

/** Operations of training throw, because a forward pass has none. */
function recordingOps(record: (step: Step) => Placed): Ops<Placed> {
  const inputsOf = (...operands: Operand<Placed>[]): StepInput[] =>
    operands.map((operand) => (typeof operand === "number" ? { number: operand } : operand.place));
  const unary =
    (op: ElementOp | "softmax" | "logSoftmax") =>
    (tensor: Placed): Placed =>
      record({ op, inputs: inputsOf(tensor), shape: tensor.shape });
  const binary =
    (op: ElementOp) =>
    (left: Operand<Placed>, right: Operand<Placed>): Placed =>
      record({ op, inputs: inputsOf(left, right), shape: broadcast(shapeOf(left), shapeOf(right)) });
  const pool =
    (op: "maxPool2d" | "averagePool2d") =>
    (input: Placed, { size, strides }: Pool): Placed => {
      const { rows, height, width, channels } = axesOf(input);
      const valid = (length: number, axis: 0 | 1) =>
        placesOf(length, size[axis], { strides: strides[axis], padding: "valid" });
      const shape = [rows, valid(height, 0), valid(width, 1), channels];
      return record({ op, inputs: inputsOf(input), shape, size, strides });
    };
  const convolution =
    (op: "conv2d" | "depthwiseConv2d") =>
    (input: Placed, kernel: Placed, window: Window): Placed => {
      const { rows, height, width } = axesOf(input);
      const [kernelHeight = 0, kernelWidth = 0, channels = 0, n = 0] = kernel.shape;
      const filters = op === "conv2d" ? n : channels * n;
      const shape = [
        rows,
        placesOf(height, kernelHeight, window),
        placesOf(width, kernelWidth, window),
        filters,
      ];
      const { strides, padding } = window;
      return record({ op, inputs: inputsOf(input, kernel), shape, strides, padding });
    };
  const sum = (tensor: Placed, axes: readonly number[], keeps: boolean): Placed => {
    const shape = tensor.shape.flatMap((length, axis) =>
      axes.includes(axis) ? (keeps ? [1] : []) : [length],
    );
    return record({ op: "sum", inputs: inputsOf(tensor), shape, axes, keeps });
  };
  return {
    shapeOf,
    reshape: (tensor, shape) => record({ op: "reshape", inputs: inputsOf(tensor), shape }),
    add: binary("add"),
    subtract: binary("subtract"),
    multiply: binary("multiply"),
    divide: binary("divide"),
    negate: unary("negate"),
    square: (tensor) => binary("multiply")(tensor, tensor),
    sqrt: unary("sqrt"),
    exp: unary("exp"),
    relu: unary("relu"),
    tanh: unary("tanh"),
    sigmoid: unary("sigmoid"),
    softmax: unary("softmax"),
    logSoftmax: unary("logSoftmax"),
    sum(tensor, axes) {
      const fromFirst = axes.map((axis) => (axis < 0 ? tensor.shape.length + axis : axis));
      return sum(tensor, fromFirst, false);
    },
    sumLastAxis: (tensor) => sum(tensor, [tensor.shape.length - 1], true),
    matMul(left, right, { left: isLeftTransposed = false, right: isRightTransposed = false } = {}) {
      assert(!isLeftTransposed && !isRightTransposed, "a forward pass transposes no operand");
      const shape = [left.shape[0] ?? 0, right.shape[1] ?? 0];
      return record({ op: "matMul", inputs: inputsOf(left, right), shape });
    },
    conv2d: convolution("conv2d"),
    depthwiseConv2d: convolution("depthwiseConv2d"),
    maxPool2d: pool("maxPool2d"),
    averagePool2d: pool("averagePool2d"),
    // Constants are made for noise and gradients only.
    constant: ofTraining("constant"),
    step: ofTraining("step"),
    conv2dInputGradient: ofTraining("conv2dInputGradient"),
    conv2dKernelGradient: ofTraining("conv2dKernelGradient"),
    depthwiseConv2dInputGradient: ofTraining("depthwiseConv2dInputGradient"),
    depthwiseConv2dKernelGradient: ofTraining("depthwiseConv2dKernelGradient"),
    maxPool2dInputGradient: ofTraining("maxPool2dInputGradient"),
    averagePool2dInputGradient: ofTraining("averagePool2dInputGradient"),
  };
}

function ofTraining(name: keyof Ops<Placed>): () => never {
  return () => {
    throw new AssertionFault(`${name} belongs to training`);
  };
}

function shapeOf(operand: Operand<Placed>): Shape {
  return typeof operand === "number" ? [] : operand.shape;
}

function axesOf({ shape }: Placed) {
  const [rows = 0, height = 0, width = 0, channels = 0] = shape;
  return { rows, height, width, channels };
}

/** NumPy's rule. */
function broadcast(left: Shape, right: Shape): Shape {
  const rank = Math.max(left.length, right.length);
  const at = (shape: Shape, axis: number) => shape[axis - rank + shape.length] ?? 1;
  return Array.from({ length: rank }, (_, axis) => {
    const [a, b] = [at(left, axis), at(right, axis)];
    assert(a === b || a === 1 || b === 1, `shapes [${left.join()}] and [${right.join()}] do not go together`);
    return Math.max(a, b);
  });
}
