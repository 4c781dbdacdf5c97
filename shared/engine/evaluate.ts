import * as tf from "@tensorflow/tfjs-core";
import { concatArrays } from "../kernel/bytes.ts";
import { forward } from "../layers/chain.ts";
import type { Loss } from "../layers/losses/loss.ts";
import { lossOf } from "../layers/losses/table.ts";
import type { Dataset } from "../task/dataset.ts";
import type { LearnedTask } from "../task/engine.ts";
import type { Evaluation } from "../task/evaluation.ts";
import type { JudgedRows } from "../task/judged-rows.ts";
import { type ModelSpec, outputCountOf } from "../task/model.ts";
import { unscale } from "../task/scaling.ts";
import { type ClassTarget, type NumberTarget, targetOf } from "../task/target.ts";
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
  const judge = judgeOf(task);
  await eachRow(task.model, weights, rows, onProgress, (outputs, label) => judge.add(outputs, label));
  return judge.total;
}

/** As `evaluate`, and what the model says of each row. */
export async function judgeRows(
  task: LearnedTask,
  weights: Float32Array,
  rows: Dataset,
  onProgress: () => void = () => {},
): Promise<{ readonly sums: Evaluation; readonly judged: JudgedRows }> {
  const judge = judgeOf(task);
  const record = recordOf(task, rows.count);
  await eachRow(task.model, weights, rows, onProgress, (outputs, label, row) => {
    judge.add(outputs, label);
    record.add(outputs, label, row);
  });
  return { sums: judge.total, judged: record.judged };
}

/** What another runtime says of rows. @param outputs  Before the last activation, [labels.length, outputCount]. */
export function judgeOutputs(task: LearnedTask, outputs: Float32Array, labels: Float32Array): JudgedRows {
  const outputCount = outputCountOf(task.model);
  const record = recordOf(task, labels.length);
  for (const [row, label] of labels.entries())
    record.add(outputs.subarray(row * outputCount, (row + 1) * outputCount), label, row);
  return record.judged;
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
  const loss = lossOf(model, training.loss);
  const parts: Float32Array[] = [];
  await eachRow(model, weights, rows, onProgress, (outputs) => {
    const answer = loss.answer(outputs);
    parts.push(target.kind === "classes" ? answer : answer.map((value) => unscale(target, value)));
  });
  return concatArrays((length) => new Float32Array(length), parts);
}

/** @param take  Gets the outputs of a row before the last activation, its label and its index, in the order of the rows. */
async function eachRow(
  model: ModelSpec,
  weights: Float32Array,
  rows: Dataset,
  onProgress: () => void,
  take: (outputs: Float32Array, label: number, row: number) => void,
): Promise<void> {
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
        take(rowOutputs, rows.labels[start + row] as number, start + row);
      }
      onProgress();
      await pause();
    }
  } finally {
    tf.dispose(tensors);
  }
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
      if (classSaid(outputs) === label) total.correct += 1;
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

/** What a model says of rows, one by one. */
interface RowRecord {
  readonly judged: JudgedRows;
  add(outputs: Float32Array, label: number, row: number): void;
}

function recordOf({ model, features, training }: LearnedTask, count: number): RowRecord {
  const loss = lossOf(model, training.loss);
  const target = targetOf(features);
  return target.kind === "classes" ? classRecord(loss, target, count) : numberRecord(loss, target, count);
}

function classRecord(loss: Loss, { classes }: ClassTarget, count: number): RowRecord {
  const judged = {
    kind: "classes",
    classes,
    count,
    labels: new Uint32Array(count),
    said: new Uint32Array(count),
    probabilities: new Float32Array(count * classes.length),
    losses: new Float64Array(count),
  } as const;
  return {
    judged,
    add(outputs, label, row) {
      judged.labels[row] = label;
      judged.said[row] = classSaid(outputs);
      judged.probabilities.set(loss.answer(outputs), row * classes.length);
      judged.losses[row] = loss.ofRow(outputs, label);
    },
  };
}

function numberRecord(loss: Loss, target: NumberTarget, count: number): RowRecord {
  const [from, to] = target.range;
  const judged = {
    kind: "number",
    target,
    count,
    labels: new Float64Array(count),
    answers: new Float64Array(count),
    losses: new Float64Array(count),
  } as const;
  return {
    judged,
    add(outputs, label, row) {
      const answer = unscale(target, outputs[0] as number);
      const farther = label - from > to - label ? from : to;
      judged.labels[row] = label;
      judged.answers[row] = Number.isNaN(answer) ? farther : answer;
      judged.losses[row] = loss.ofRow(outputs, lossLabel(target, label));
    },
  };
}

/** Index of the class that outputs stand for. One output is the log odds of the second class. */
function classSaid(outputs: Float32Array): number {
  return outputs.length === 1 ? Number((outputs[0] as number) > 0) : indexOfMax(outputs);
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
