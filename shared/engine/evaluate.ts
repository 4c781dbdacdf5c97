import * as tf from "@tensorflow/tfjs-core";
import { concatArrays } from "../kernel/bytes.ts";
import { forward } from "../layers/chain.ts";
import type { Loss } from "../layers/losses/loss.ts";
import { lossOf } from "../layers/losses/table.ts";
import type { Dataset } from "../task/dataset.ts";
import type { LearnedTask } from "../task/engine.ts";
import type { Evaluation } from "../task/evaluation.ts";
import { type ModelSpec, outputCountOf } from "../task/model.ts";
import { unscale } from "../task/scaling.ts";
import { type NumberTarget, targetOf } from "../task/target.ts";
import { breathe } from "./breathe.ts";
import { tfjsOps } from "./ops.ts";
import { gatherInputs, lossLabel } from "./rows.ts";
import { weightsToTensors } from "./weights.ts";

const ROWS_AT_A_TIME = 256;

/**
 * Evaluates the task's model on `rows`. Computes every row's figures in double precision from the model's outputs. Rows are
 * not weighted by their class.
 *
 * @param weights     Flat, in the order of `tensorShapes`.
 * @param onProgress  Called after every batch of rows.
 */
export async function evaluate(
  task: LearnedTask,
  weights: Float32Array,
  rows: Dataset,
  onProgress: () => void = () => {},
): Promise<Evaluation> {
  const { model } = task;
  const sums = judgeOf(task);
  const tensors = weightsToTensors(model, weights);
  const outputCount = outputCountOf(model);
  const pause = breathe();
  try {
    for (let start = 0; start < rows.count; start += ROWS_AT_A_TIME) {
      const count = Math.min(ROWS_AT_A_TIME, rows.count - start);
      const indices = Uint32Array.from({ length: count }, (_, index) => start + index);
      const outputs = await outputsOf(model, tensors, rows, indices);
      for (let row = 0; row < count; row++) {
        const rowOutputs = outputs.subarray(row * outputCount, (row + 1) * outputCount);
        sums.add(rowOutputs, rows.labels[start + row] as number);
      }
      onProgress();
      await pause();
    }
  } finally {
    tf.dispose(tensors);
  }
  return sums.total;
}

/** The model's answer for one row: a probability for each class, or one number in the label's unit. */
export async function predict(
  task: LearnedTask,
  weights: Float32Array,
  input: Float32Array,
): Promise<Float32Array> {
  return answers(task, weights, { inputs: input, labels: new Float32Array(1), count: 1 });
}

/** The model's answers for `rows`, one after the other. @param onProgress  Called after every batch of rows. */
export async function answers(
  { model, features, training }: LearnedTask,
  weights: Float32Array,
  rows: Dataset,
  onProgress: () => void = () => {},
): Promise<Float32Array> {
  const target = targetOf(features);
  const tensors = weightsToTensors(model, weights);
  const loss = lossOf(model, training.loss);
  const outputCount = outputCountOf(model);
  const pause = breathe();
  const parts: Float32Array[] = [];
  try {
    for (let start = 0; start < rows.count; start += ROWS_AT_A_TIME) {
      const count = Math.min(ROWS_AT_A_TIME, rows.count - start);
      const indices = Uint32Array.from({ length: count }, (_, index) => start + index);
      const outputs = await outputsOf(model, tensors, rows, indices);
      for (let row = 0; row < count; row++) {
        const answer = loss.answer(outputs.subarray(row * outputCount, (row + 1) * outputCount));
        parts.push(target.kind === "classes" ? answer : answer.map((value) => unscale(target, value)));
      }
      onProgress();
      await pause();
    }
  } finally {
    tf.dispose(tensors);
  }
  return concatArrays((length) => new Float32Array(length), parts);
}

/** Adds up the figures of rows. */
interface Judge {
  readonly total: Evaluation;
  /** @param outputs  Of the row, before the last activation. @param label  As in a dataset. */
  add(outputs: Float32Array, label: number): void;
}

function judgeOf({ model, features, training }: LearnedTask): Judge {
  const loss = lossOf(model, training.loss);
  const target = targetOf(features);
  return target.kind === "classes" ? classJudge(loss) : numberJudge(loss, target);
}

function classJudge(loss: Loss): Judge {
  const total = { count: 0, correct: 0, lossSum: 0, lossSquareSum: 0 };
  return {
    total,
    add(outputs, label) {
      const rowLoss = loss.ofRow(outputs, label);
      total.count += 1;
      total.lossSum += rowLoss;
      total.lossSquareSum += rowLoss * rowLoss;
      // One output is the log odds of the second class.
      const said = outputs.length === 1 ? Number((outputs[0] as number) > 0) : indexOfMax(outputs);
      if (said === label) total.correct += 1;
    },
  };
}

function numberJudge(loss: Loss, target: NumberTarget): Judge {
  const [from, to] = target.range;
  const total = {
    count: 0,
    lossSum: 0,
    lossSquareSum: 0,
    errorSum: 0,
    errorSquareSum: 0,
    labelSum: 0,
    labelSquareSum: 0,
    errorFourthSum: 0,
    errorSquareLabelSum: 0,
    errorSquareLabelSquareSum: 0,
    labelCubeSum: 0,
    labelFourthSum: 0,
  };
  return {
    total,
    add(outputs, label) {
      const rowLoss = loss.ofRow(outputs, lossLabel(target, label));
      const answer = unscale(target, outputs[0] as number);
      const y = (2 * (label - from)) / (to - from) - 1;
      // A model that has diverged is as wrong as it can be.
      const e = Number.isNaN(answer) ? (1 + Math.abs(y)) / 2 : Math.abs(answer - label) / (to - from);
      total.count += 1;
      total.lossSum += rowLoss;
      total.lossSquareSum += rowLoss * rowLoss;
      total.errorSum += e;
      total.errorSquareSum += e ** 2;
      total.labelSum += y;
      total.labelSquareSum += y ** 2;
      total.errorFourthSum += e ** 4;
      total.errorSquareLabelSum += e ** 2 * y;
      total.errorSquareLabelSquareSum += e ** 2 * y ** 2;
      total.labelCubeSum += y ** 3;
      total.labelFourthSum += y ** 4;
    },
  };
}

/** Outputs before the last activation, [indices.length, outputCount]. */
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

/** Index of the first maximum. A NaN wins only at index 0. */
function indexOfMax(values: Float32Array): number {
  let best = 0;
  for (let index = 1; index < values.length; index++) {
    if ((values[index] as number) > (values[best] as number)) best = index;
  }
  return best;
}
