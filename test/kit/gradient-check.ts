import { elementCount } from "#shared/kernel/shape.ts";
import { lossGradients, tensorShapes } from "#shared/layers/chain.ts";
import type { NumberLoss } from "#shared/layers/losses/number-loss.ts";
import { lossOf } from "#shared/layers/losses/table.ts";
import { type ModelSpec, outputCountOf } from "#shared/task/model.ts";
import { seededUniform } from "#shared/task/shuffle.ts";
import { type PlainTensor, plainOps, plainTensor } from "./plain-ops.ts";

const ROWS = 3;
const STEP = 1e-5;

interface GradientCase {
  readonly ofNumbers?: NumberLoss;
  readonly rowWeights?: readonly number[] | null;
  readonly labels?: readonly number[];
}

/**
 * Compares the gradient of a model's layers with central differences of its loss, in double precision. Each computation
 * has the same noise.
 *
 * @param labels  Of the rows: numbers, or class indices modulo the number of classes.
 * @returns the largest error of any weight, and the largest gradient.
 */
export function checkGradients(
  model: ModelSpec,
  { ofNumbers, rowWeights = null, labels = [0, 1, 2] }: GradientCase = {},
): { readonly error: number; readonly largest: number } {
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
  const outputCount = outputCountOf(model);
  const target = new Float32Array(ROWS * outputCount);
  const loss = lossOf(model, ofNumbers);
  for (let row = 0; row < ROWS; row++) {
    const label = labels[row] ?? 0;
    loss.writeTarget(
      model.classCount === undefined ? label : label % model.classCount,
      target.subarray(row * outputCount, (row + 1) * outputCount),
    );
  }
  const aim = {
    loss,
    targets: plainTensor([ROWS, outputCount], target),
    rowWeights: rowWeights === null ? null : plainTensor([ROWS, 1], rowWeights),
  };
  const at = (tensors: readonly PlainTensor[]) =>
    lossGradients(plainOps, model, tensors, batch, aim, seededUniform(5));
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
