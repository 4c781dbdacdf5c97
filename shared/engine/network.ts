import * as tf from "@tensorflow/tfjs-core";
import { assert, present, unreachable } from "../kernel/assert.ts";
import { type LayerSpec, type ModelSpec, tensorShapes } from "../task/model.ts";

/*
 * The forward pass of a task's model on tfjs operations. The topology and its tensors are those of tf.layers (a test
 * compares the two); going without tf.layers keeps its code out of the page and its bookkeeping out of each step.
 */

/** Number of trainable weights: the length of the flat vector. */
export function parameterCount(model: ModelSpec): number {
  return layoutOf(model).reduce((sum, tensor) => sum + sizeOf(tensor.shape), 0);
}

/**
 * Cuts the flat vector into tensors in the order of `tensorShapes`. The caller disposes of them and leaves the vector as it
 * is until then: on some engines they are views of it.
 */
export function weightsToTensors(model: ModelSpec, weights: Float32Array): tf.Tensor[] {
  const tensors: tf.Tensor[] = [];
  let offset = 0;
  for (const { shape } of layoutOf(model)) {
    const size = sizeOf(shape);
    tensors.push(tf.tensor(weights.subarray(offset, offset + size), [...shape], "float32"));
    offset += size;
  }
  assert(offset === weights.length, `a model of ${offset} weights was given ${weights.length}`);
  return tensors;
}

/** The flat vector again. */
export async function tensorsToWeights(tensors: readonly tf.Tensor[]): Promise<Float32Array> {
  const parts = await Promise.all(tensors.map((tensor) => tensor.data()));
  const weights = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    weights.set(part, offset);
    offset += part.length;
  }
  return weights;
}

/**
 * Logits, before the last layer's softmax.
 *
 * @param tensors  As `weightsToTensors` gives them.
 * @param batch    [rows, ...inputShape].
 * @returns [rows, classCount]. Call it inside tf.tidy.
 */
export function forward(model: ModelSpec, tensors: readonly tf.Tensor[], batch: tf.Tensor): tf.Tensor2D {
  return forwardTrace(model, tensors, batch).at(-1)?.output as tf.Tensor2D;
}

/** What a layer was given and what it gave, after its activation (of the last layer: before). */
export interface LayerTrace {
  readonly layer: LayerSpec;
  readonly input: tf.Tensor;
  readonly output: tf.Tensor;
  /** Of layers with weights. */
  readonly kernel: tf.Tensor | null;
}

/** As `forward`, with every layer's part, for the way back. */
export function forwardTrace(
  model: ModelSpec,
  tensors: readonly tf.Tensor[],
  batch: tf.Tensor,
): LayerTrace[] {
  const trace: LayerTrace[] = [];
  let input = batch;
  let next = 0;
  const take = () => present(tensors[next++], "one tensor for each kernel and bias");
  for (const [index, layer] of model.layers.entries()) {
    const weighted = layer.className === "Dense" || layer.className === "Conv2D";
    const kernel = weighted ? take() : null;
    const linear = applyLayer(layer, input, kernel);
    const biased = weighted ? tf.add(linear, take()) : linear;
    const output = index < model.layers.length - 1 ? activate(layer, biased) : biased;
    trace.push({ layer, input, output, kernel });
    input = output;
  }
  return trace;
}

function applyLayer(layer: LayerSpec, input: tf.Tensor, kernel: tf.Tensor | null): tf.Tensor {
  switch (layer.className) {
    case "Flatten":
      return tf.reshape(input, [input.shape[0] as number, -1]);
    case "Dense":
      return tf.matMul(input as tf.Tensor2D, kernel as tf.Tensor2D);
    case "Conv2D":
      return tf.conv2d(input as tf.Tensor4D, kernel as tf.Tensor4D, layer.strides, layer.padding);
    case "MaxPooling2D":
      return tf.maxPool(input as tf.Tensor4D, layer.poolSize, layer.strides, "valid");
    default:
      return unreachable(layer);
  }
}

function activate(layer: LayerSpec, value: tf.Tensor): tf.Tensor {
  if (!("activation" in layer)) return value;
  switch (layer.activation) {
    case "linear":
      return value;
    case "relu":
      return tf.relu(value);
    case "tanh":
      return tf.tanh(value);
    case "sigmoid":
      return tf.sigmoid(value);
    case "softmax":
      return tf.softmax(value);
    default:
      return unreachable(layer.activation);
  }
}

function layoutOf(model: ModelSpec) {
  const shapes = tensorShapes(model);
  assert(shapes.ok, "a task's schema has checked its model");
  return shapes.tensors;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
