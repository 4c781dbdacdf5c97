import * as tf from "@tensorflow/tfjs-core";
import { assert } from "../kernel/assert.ts";
import type { Loss } from "../layers/losses/loss.ts";
import { elementCount } from "../layers/ops.ts";
import type { Dataset } from "../task/dataset.ts";

/** [indices.length, ...inputShape] of the rows that `indices` names, in that order. The caller disposes of it. */
export function gatherInputs(rows: Dataset, indices: Uint32Array, inputShape: readonly number[]): tf.Tensor {
  const size = elementCount(inputShape);
  assert(rows.inputs.length === rows.count * size, `${rows.count} rows of ${size} numbers`);
  const values = new Float32Array(indices.length * size);
  for (let row = 0; row < indices.length; row++) {
    const from = (indices[row] as number) * size;
    values.set(rows.inputs.subarray(from, from + size), row * size);
  }
  return tf.tensor(values, [indices.length, ...inputShape], "float32");
}

/** [indices.length, outputCount], the loss's target of each row. The caller disposes of it. */
export function gatherTargets(
  loss: Loss,
  rows: Dataset,
  indices: Uint32Array,
  outputCount: number,
): tf.Tensor {
  const values = new Float32Array(indices.length * outputCount);
  for (let row = 0; row < indices.length; row++) {
    const target = values.subarray(row * outputCount, (row + 1) * outputCount);
    loss.writeTarget(rows.labels[indices[row] as number] as number, target);
  }
  return tf.tensor2d(values, [indices.length, outputCount], "float32");
}
