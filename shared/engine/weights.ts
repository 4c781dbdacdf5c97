import * as tf from "@tensorflow/tfjs-core";
import { assert } from "../kernel/assert.ts";
import { type ModelSpec, modelTensors } from "../task/model.ts";

/**
 * Cuts the flat vector into tensors in the order of `tensorShapes`. The caller disposes of them and leaves the vector as it
 * is until then: on some backends they are views of it.
 */
export function weightsToTensors(model: ModelSpec, weights: Float32Array): tf.Tensor[] {
  const { tensors, parameterCount } = modelTensors(model);
  assert(
    weights.length === parameterCount,
    `a model of ${parameterCount} weights was given ${weights.length}`,
  );
  return tensors.map(({ shape, offset, length }) =>
    tf.tensor(weights.subarray(offset, offset + length), [...shape], "float32"),
  );
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
