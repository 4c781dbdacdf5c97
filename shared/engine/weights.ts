import * as tf from "@tensorflow/tfjs-core";
import { assert } from "../kernel/assert.ts";
import { concatArrays } from "../kernel/bytes.ts";
import { type ModelSpec, modelTensors } from "../task/model.ts";

/**
 * Splits the flat vector into tensors in the order of `tensorShapes`. The caller disposes of them and must not change the
 * vector before that, because on some backends they are views of it.
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

/** The inverse of `weightsToTensors`. */
export async function tensorsToWeights(tensors: readonly tf.Tensor[]): Promise<Float32Array> {
  const parts = await Promise.all(tensors.map((tensor) => tensor.data()));
  return concatArrays((length) => new Float32Array(length), parts);
}
