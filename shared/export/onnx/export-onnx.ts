import { present } from "../../kernel/assert.ts";
import type { Bytes } from "../../kernel/bytes.ts";
import type { LearnedTask } from "../../task/engine.ts";
import { type ModelSpec, modelTensors, outputCountOf } from "../../task/model.ts";
import { classesOf, type NumberTarget, targetOf } from "../../task/target.ts";
import type { ModelSource } from "../source.ts";
import { stepsOf } from "../steps.ts";
import { createGraph, type Graph } from "./graph.ts";
import { encodedInputs, offsetOf, onnxInputs, spanOf } from "./inputs.ts";
import { type Precision, withoutRefused } from "./int8.ts";
import { encodeOnnx, type OnnxModel, type OnnxValueInfo } from "./message.ts";
import { addSteps } from "./steps-to-nodes.ts";

/*
 * A model as ONNX, opset 17 and ai.onnx.ml 3, with the task's own preprocessing in the graph: what goes in is what a person
 * has, what comes out is what the pages show.
 *
 * | task                | outputs                                                                                      |
 * | ------------------- | -------------------------------------------------------------------------------------------- |
 * | classes of a table  | `label`, string [rows]; `probability_CLASS`, float [rows], for each class                     |
 * | classes of others   | `label`, string [rows]; `probabilities`, float [rows, classes]                                |
 * | number              | `prediction`, float [rows], in the label's unit and within its range                          |
 *
 * A row that the task refuses has NaN in each, and "" as its label. Tables have a column for each probability, because callers make a table of the outputs, and its columns are vectors.
 */

const OPSETS = [
  { domain: "", version: 17 },
  { domain: "ai.onnx.ml", version: 3 },
];

/** How a graph is written. */
export interface OnnxOptions {
  readonly precision?: Precision;
  /**
   * `model` leaves preprocessing and answers out: its input `encoded` [rows, ...inputShape] are the numbers that the model takes,
   * its output `outputs` [rows, outputCount] what comes before the last activation.
   */
  readonly part?: "whole" | "model";
}

/** The same source gives the same bytes. */
export function exportOnnx(source: ModelSource, options: OnnxOptions = {}): Bytes {
  return encodeOnnx(onnxModel(source, options));
}

export function onnxModel(
  { name, about, task, weights, metadata }: ModelSource,
  { precision = "float", part = "whole" }: OnnxOptions = {},
): OnnxModel {
  const { features, model } = task;
  const isWhole = part === "whole";
  const inputs = isWhole ? onnxInputs(features) : [encodedInput(model)];
  const outputs = isWhole ? onnxOutputs(task) : [plainOutput(model)];
  const graph = createGraph([...inputs, ...outputs].map((value) => value.name));
  const parts = modelTensors(model).tensors.map(({ offset, length }) =>
    weights.slice(offset, offset + length),
  );
  const encoded = isWhole ? encodedInputs(graph, features) : present(inputs[0], "one input").name;
  const last = addModel(graph, model, parts, encoded, precision);
  const target = targetOf(features);
  const first = present(outputs[0], "a graph has an output").name;
  if (!isWhole) graph.node("Identity", [last], {}, { output: first });
  else if (target.kind === "number") addNumber(graph, target, last, first);
  else addClasses(graph, task, last, outputs);
  return {
    name,
    about,
    opsets: OPSETS,
    metadata,
    inputs,
    outputs,
    nodes: graph.nodes,
    tensors: graph.tensors,
  };
}

/** @returns The name of the last layer's output before its activation, [rows, outputCount]. */
function addModel(
  graph: Graph,
  model: ModelSpec,
  weights: readonly Float32Array[],
  encoded: string,
  precision: Precision,
): string {
  const steps = stepsOf(model);
  if (precision === "float") return addSteps(graph, steps, weights, encoded);
  const { rows, restored } = withoutRefused(graph, encoded);
  return restored(addSteps(graph, steps, weights, rows, precision));
}

function encodedInput({ inputShape }: ModelSpec): OnnxValueInfo {
  const dims = ["rows", ...inputShape];
  return { name: "encoded", type: "float", dims, about: "The numbers that the model takes" };
}

function plainOutput(model: ModelSpec): OnnxValueInfo {
  const dims = ["rows", outputCountOf(model)];
  return { name: "outputs", type: "float", dims, about: "Before the last activation" };
}

/** The outputs that a task's graph has. None is called like an input. */
export function onnxOutputs({ features }: Pick<LearnedTask, "features">): readonly OnnxValueInfo[] {
  const used = new Set(onnxInputs(features).map(({ name }) => name));
  const named = (wanted: string) => {
    let name = wanted;
    while (used.has(name)) name += "_";
    used.add(name);
    return name;
  };
  const target = targetOf(features);
  const dims = ["rows"];
  if (target.kind === "number") {
    return [{ name: named("prediction"), type: "float", dims, about: `${target.title} in ${target.unit}` }];
  }
  const label: OnnxValueInfo = { name: named("label"), type: "string", dims, about: "The likeliest class" };
  if (features.kind !== "tabular") {
    const { classes } = target;
    const about = `Of ${classes.join(", ")}`;
    return [label, { name: named("probabilities"), type: "float", dims: ["rows", classes.length], about }];
  }
  const probabilities = target.classes.map(
    (name): OnnxValueInfo => ({
      name: named(`probability_${name}`),
      type: "float",
      dims,
      about: `Probability of ${name}`,
    }),
  );
  return [label, ...probabilities];
}

/** @param logits  [rows, outputCount]. One output is the log odds of the second class. */
function addClasses(
  graph: Graph,
  task: LearnedTask,
  logits: string,
  [label, ...probabilities]: readonly OnnxValueInfo[],
): void {
  const classes = classesOf(task.features);
  const isTable = task.features.kind === "tabular";
  const output = isTable ? {} : { output: present(probabilities[0], "classes have probabilities").name };
  let all: string;
  if (outputCountOf(task.model) === 1) {
    // Both from the logit: 1 - p would lose the digits of a small probability.
    const sides = [graph.node("Neg", [logits]), logits].map((side) => graph.node("Sigmoid", [side]));
    all = graph.node("Concat", sides, { axis: { int: 1 } }, output);
  } else {
    all = graph.node("Softmax", [logits], { axis: { int: 1 } }, output);
  }
  const likeliest = graph.node("ArgMax", [all], { axis: { int: 1 }, keepdims: { int: 0 } });
  const isRefused = graph.node("IsNaN", [
    graph.node("Gather", [all, classIndex(graph, 0)], { axis: { int: 1 } }),
  ]);
  const known = graph.node("Where", [
    isRefused,
    graph.constant({ name: "refused", type: "int64", dims: [], data: [-1] }),
    likeliest,
  ]);
  graph.node(
    "LabelEncoder",
    [known],
    {
      keys_int64s: { ints: classes.map((_, index) => index) },
      values_strings: { strings: classes },
      default_string: { string: "" },
    },
    { domain: "ai.onnx.ml", output: present(label, "classes have a label").name },
  );
  if (!isTable) return;
  for (const [index, probability] of probabilities.entries()) {
    const scalar = graph.constant({ name: `class_${index}`, type: "int64", dims: [], data: [index] });
    graph.node("Gather", [all, scalar], { axis: { int: 1 } }, { output: probability.name });
  }
}

function classIndex(graph: Graph, index: number): string {
  return graph.constant({ name: `class_${index}`, type: "int64", dims: [], data: [index] });
}

/** The inverse of the label's scaling, in double precision, held within the label's range. @param scaled  [rows, 1]. */
function addNumber(graph: Graph, target: NumberTarget, scaled: string, output: string): void {
  const wide = graph.node("Cast", [graph.node("Reshape", [scaled, graph.integers([-1])])], {
    to: { int: 11 },
  });
  const spread = graph.node("Mul", [wide, graph.scalar("double", spanOf(target))]);
  const shifted = graph.node("Add", [spread, graph.scalar("double", offsetOf(target))]);
  const value =
    target.scaling?.kind === "log1p"
      ? graph.node("Sub", [graph.node("Exp", [shifted]), graph.scalar("double", 1)])
      : shifted;
  const [from, to] = target.range;
  const held = graph.node("Clip", [value, graph.scalar("double", from), graph.scalar("double", to)]);
  // The least of NaN and a bound may be the bound.
  const answer = graph.node("Where", [graph.node("IsNaN", [value]), value, held]);
  graph.node("Cast", [answer], { to: { int: 1 } }, { output });
}
