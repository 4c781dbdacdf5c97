import { lossGradients, tensorShapes } from "#shared/layers/chain.ts";
import { lossOf } from "#shared/layers/losses/table.ts";
import { elementCount } from "#shared/layers/ops.ts";
import type { ModelSpec } from "#shared/task/model.ts";
import { seededUniform } from "#shared/task/shuffle.ts";
import { type PlainTensor, plainOps, plainTensor } from "./plain-ops.ts";

const ROWS = 3;
const STEP = 1e-5;

/**
 * Compares the gradient of a model's layers with central differences of its loss, in double precision.
 *
 * @returns the largest difference of any weight, and the largest gradient.
 */
export function checkGradients(model: ModelSpec): { readonly error: number; readonly largest: number } {
  const shapes = tensorShapes(model);
  if (!shapes.ok) throw new Error(shapes.error);
  const next = seededUniform(11);
  const random = (shape: readonly number[]) =>
    plainTensor(
      shape,
      Array.from({ length: elementCount(shape) }, () => 2 * next() - 1),
    );
  const weights = shapes.value.map(({ shape }) => random(shape));
  const batch = random([ROWS, ...model.inputShape]);
  const target = new Float32Array(ROWS * model.classCount);
  for (let row = 0; row < ROWS; row++) {
    lossOf(model).writeTarget(
      row % model.classCount,
      target.subarray(row * model.classCount, (row + 1) * model.classCount),
    );
  }
  const targets = plainTensor([ROWS, model.classCount], target);
  const at = (tensors: readonly PlainTensor[]) => lossGradients(plainOps, model, tensors, batch, targets);
  const meanLossWith = (index: number, element: number, change: number) => {
    const moved = weights.map(({ shape, data }) => plainTensor(shape, data));
    const { data } = moved[index] ?? plainTensor([], []);
    data[element] = (data[element] ?? Number.NaN) + change;
    return (at(moved).lossSum.data[0] ?? Number.NaN) / ROWS;
  };
  let [error, largest] = [0, 0];
  for (const [index, gradient] of at(weights).gradients.entries()) {
    for (const [element, value] of gradient.data.entries()) {
      const expected =
        (meanLossWith(index, element, STEP) - meanLossWith(index, element, -STEP)) / (2 * STEP);
      error = Math.max(error, Math.abs(value - expected));
      largest = Math.max(largest, Math.abs(expected));
    }
  }
  return { error, largest };
}
