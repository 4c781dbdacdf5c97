import * as tf from "@tensorflow/tfjs-core";
import { assert } from "../kernel/assert.ts";

/** Rows as a model takes them: `inputs` is [count, ...inputShape] flat, labels are class indices. */
export interface Rows {
  readonly inputs: Float32Array;
  readonly labels: Int32Array;
  readonly count: number;
}

/** [indices.length, ...inputShape] of the rows that `indices` names, in that order. The caller disposes of it. */
export function gatherInputs(rows: Rows, indices: Uint32Array, inputShape: readonly number[]): tf.Tensor {
  const size = inputShape.reduce((product, length) => product * length, 1);
  assert(rows.inputs.length === rows.count * size, `${rows.count} rows of ${size} numbers`);
  const values = new Float32Array(indices.length * size);
  for (let row = 0; row < indices.length; row++) {
    const from = (indices[row] as number) * size;
    values.set(rows.inputs.subarray(from, from + size), row * size);
  }
  return tf.tensor(values, [indices.length, ...inputShape], "float32");
}

/** [indices.length, classCount], one 1 a row. The caller disposes of it. */
export function gatherOneHot(rows: Rows, indices: Uint32Array, classCount: number): tf.Tensor2D {
  const values = new Float32Array(indices.length * classCount);
  for (let row = 0; row < indices.length; row++) {
    values[row * classCount + (rows.labels[indices[row] as number] as number)] = 1;
  }
  return tf.tensor2d(values, [indices.length, classCount], "float32");
}
