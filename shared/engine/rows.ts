import * as tf from "@tensorflow/tfjs-core";
import { assert } from "../kernel/assert.ts";
import { elementCount } from "../kernel/shape.ts";
import type { Aim } from "../layers/losses/loss.ts";
import { lossOf } from "../layers/losses/table.ts";
import type { Dataset } from "../task/dataset.ts";
import type { LearnedTask } from "../task/engine.ts";
import { outputCountOf } from "../task/model.ts";
import { scale } from "../task/scaling.ts";
import { type Target, targetOf } from "../task/target.ts";
import type { TrainingPlan } from "../task/training-plan.ts";

/** The inputs of the rows in `indices`, in that order: [indices.length, ...inputShape]. The caller disposes of it. */
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

/** What the rows in `indices` are trained towards. The caller disposes of its tensors. */
export function gatherAim(
  { model, features }: LearnedTask,
  plan: TrainingPlan,
  rows: Dataset,
  indices: Uint32Array,
): Aim<tf.Tensor> {
  const loss = lossOf(model, plan.loss);
  const learned = targetOf(features);
  const outputCount = outputCountOf(model);
  const labels = Float32Array.from(indices, (row) => rows.labels[row] as number);
  const values = new Float32Array(labels.length * outputCount);
  for (const [row, label] of labels.entries()) {
    loss.writeTarget(lossLabel(learned, label), values.subarray(row * outputCount, (row + 1) * outputCount));
  }
  const { classWeights } = plan;
  return {
    loss,
    targets: tf.tensor2d(values, [labels.length, outputCount], "float32"),
    rowWeights:
      classWeights === undefined
        ? null
        : tf.tensor2d(
            labels.map((label) => classWeights[label] as number),
            [labels.length, 1],
            "float32",
          ),
  };
}

/** A label as a loss takes it: the index of a class, or the scaled number. */
export function lossLabel(target: Target, label: number): number {
  return target.kind === "classes" ? label : scale(target, label);
}
