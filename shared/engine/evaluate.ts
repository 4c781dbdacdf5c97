import * as tf from "@tensorflow/tfjs-core";
import type { ModelSpec } from "../task/model.ts";
import { breathe } from "./breathe.ts";
import { forward, weightsToTensors } from "./network.ts";
import { gatherInputs, type Rows } from "./rows.ts";

/** Sums over rows, so that sums of several devices may be added. Losses are cross-entropies in nats. */
export interface Evaluation {
  readonly count: number;
  readonly correct: number;
  readonly lossSum: number;
  /** Sum of the squares of the row losses, for an interval of the mean. */
  readonly lossSquareSum: number;
}

const ROWS_AT_A_TIME = 256;

/**
 * The model on `rows`. The loss of a row is computed in double precision from its logits.
 *
 * @param weights     Flat, in the order of `tensorShapes`.
 * @param onProgress  Called after every few rows, when their numbers are here.
 */
export async function evaluate(
  model: ModelSpec,
  weights: Float32Array,
  rows: Rows,
  onProgress: () => void = () => {},
): Promise<Evaluation> {
  const sums = { count: rows.count, correct: 0, lossSum: 0, lossSquareSum: 0 };
  const tensors = weightsToTensors(model, weights);
  const pause = breathe();
  try {
    for (let start = 0; start < rows.count; start += ROWS_AT_A_TIME) {
      const count = Math.min(ROWS_AT_A_TIME, rows.count - start);
      const indices = Uint32Array.from({ length: count }, (_, index) => start + index);
      const logits = await logitsOf(model, tensors, rows, indices);
      for (let row = 0; row < count; row++) {
        const rowLogits = logits.subarray(row * model.classCount, (row + 1) * model.classCount);
        const label = rows.labels[start + row] as number;
        const loss = crossEntropy(rowLogits, label);
        sums.lossSum += loss;
        sums.lossSquareSum += loss * loss;
        if (indexOfMax(rowLogits) === label) sums.correct += 1;
      }
      onProgress();
      await pause();
    }
  } finally {
    tf.dispose(tensors);
  }
  return sums;
}

/** Class probabilities of one row, [classCount]. `input` is [...inputShape] flat. */
export async function predict(
  model: ModelSpec,
  weights: Float32Array,
  input: Float32Array,
): Promise<Float32Array> {
  const tensors = weightsToTensors(model, weights);
  try {
    const rows: Rows = { inputs: input, labels: new Int32Array(1), count: 1 };
    const logits = await logitsOf(model, tensors, rows, Uint32Array.of(0));
    const largest = logits[indexOfMax(logits)] as number;
    const exponentials = Float64Array.from(logits, (logit) => Math.exp(logit - largest));
    const total = exponentials.reduce((sum, value) => sum + value, 0);
    return Float32Array.from(exponentials, (value) => value / total);
  } finally {
    tf.dispose(tensors);
  }
}

async function logitsOf(
  model: ModelSpec,
  tensors: readonly tf.Tensor[],
  rows: Rows,
  indices: Uint32Array,
): Promise<Float32Array> {
  const logits = tf.tidy(() => forward(model, tensors, gatherInputs(rows, indices, model.inputShape)));
  try {
    return (await logits.data()) as Float32Array;
  } finally {
    logits.dispose();
  }
}

/** -log softmax(logits)[label], in nats, without overflow. */
function crossEntropy(logits: Float32Array, label: number): number {
  const largest = logits[indexOfMax(logits)] as number;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return Math.log(sum) + largest - (logits[label] as number);
}

/** The first of the largest; a NaN never wins. */
function indexOfMax(values: Float32Array): number {
  let best = 0;
  for (let index = 1; index < values.length; index++) {
    if ((values[index] as number) > (values[best] as number)) best = index;
  }
  return best;
}
