import * as tf from "@tensorflow/tfjs-core";
import { forward } from "../layers/chain.ts";
import { lossOf } from "../layers/losses/table.ts";
import type { Dataset } from "../task/dataset.ts";
import type { Evaluation } from "../task/engine.ts";
import type { ModelSpec } from "../task/model.ts";
import { breathe } from "./breathe.ts";
import { tfjsOps } from "./ops.ts";
import { gatherInputs } from "./rows.ts";
import { weightsToTensors } from "./weights.ts";

const ROWS_AT_A_TIME = 256;

/**
 * The model on `rows`. The loss of a row is computed in double precision from the model's outputs.
 *
 * @param weights     Flat, in the order of `tensorShapes`.
 * @param onProgress  Called after every few rows, when their numbers are here.
 */
export async function evaluate(
  model: ModelSpec,
  weights: Float32Array,
  rows: Dataset,
  onProgress: () => void = () => {},
): Promise<Evaluation> {
  const sums = { count: rows.count, correct: 0, lossSum: 0, lossSquareSum: 0 };
  const tensors = weightsToTensors(model, weights);
  const loss = lossOf(model);
  const pause = breathe();
  try {
    for (let start = 0; start < rows.count; start += ROWS_AT_A_TIME) {
      const count = Math.min(ROWS_AT_A_TIME, rows.count - start);
      const indices = Uint32Array.from({ length: count }, (_, index) => start + index);
      const outputs = await outputsOf(model, tensors, rows, indices);
      for (let row = 0; row < count; row++) {
        const rowOutputs = outputs.subarray(row * model.classCount, (row + 1) * model.classCount);
        const label = rows.labels[start + row] as number;
        const rowLoss = loss.ofRow(rowOutputs, label);
        sums.lossSum += rowLoss;
        sums.lossSquareSum += rowLoss * rowLoss;
        if (indexOfMax(rowOutputs) === label) sums.correct += 1;
      }
      onProgress();
      await pause();
    }
  } finally {
    tf.dispose(tensors);
  }
  return sums;
}

/** What the model answers for one row, [classCount]. `input` is [...inputShape] flat. */
export async function predict(
  model: ModelSpec,
  weights: Float32Array,
  input: Float32Array,
): Promise<Float32Array> {
  const tensors = weightsToTensors(model, weights);
  try {
    const rows: Dataset = { inputs: input, labels: new Int32Array(1), count: 1 };
    return lossOf(model).answer(await outputsOf(model, tensors, rows, Uint32Array.of(0)));
  } finally {
    tf.dispose(tensors);
  }
}

/** Before the last activation, [indices.length, classCount]. */
async function outputsOf(
  model: ModelSpec,
  tensors: readonly tf.Tensor[],
  rows: Dataset,
  indices: Uint32Array,
): Promise<Float32Array> {
  const outputs = tf.tidy(() =>
    forward(tfjsOps, model, tensors, gatherInputs(rows, indices, model.inputShape)),
  );
  try {
    return (await outputs.data()) as Float32Array;
  } finally {
    outputs.dispose();
  }
}

/** The first of the largest; a NaN never wins. */
function indexOfMax(values: Float32Array): number {
  let best = 0;
  for (let index = 1; index < values.length; index++) {
    if ((values[index] as number) > (values[best] as number)) best = index;
  }
  return best;
}
