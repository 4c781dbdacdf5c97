import { expect, test } from "vitest";
import { forward } from "#shared/layers/chain.ts";
import { LAYERS } from "#shared/layers/list.ts";
import { REFUSED_LAYERS } from "#shared/layers/refused.ts";
import { layerSpecSchema } from "#shared/layers/table.ts";
import { type ModelSpec, modelTensors } from "#shared/task/model.ts";
import { plainOps, plainTensor } from "#test/kit/plain-ops.ts";
import { convolutional, depthwise, largestDifference, model, noisy, randomNumbers, series } from "./nets.ts";

const MODELS: readonly (readonly [string, ModelSpec])[] = [
  ["dense", model],
  ["convolutional", convolutional],
  ["of series", series],
  ["channel by channel", depthwise],
  ["noisy", noisy],
];

/** The outputs of a row as a part of a batch of `rowCount` rows. */
function outputsOfFirst(spec: ModelSpec, rowCount: number, centre = (batch: number[]) => batch): number[] {
  const tensors = modelTensors(spec).tensors.map(({ shape, length }, index) =>
    plainTensor(shape, randomNumbers(length, 20 + index)),
  );
  const size = spec.inputShape.reduce((a, b) => a * b, 1);
  const batch = centre(randomNumbers(5 * size, 5).slice(0, rowCount * size));
  const outputs = forward(plainOps, spec, tensors, plainTensor([rowCount, ...spec.inputShape], batch));
  return [...outputs.data.subarray(0, spec.classCount)];
}

test("[T6] the models of this file contain every layer", () => {
  const names = MODELS.flatMap(([, spec]) => spec.layers.map(({ className }) => className));
  const all = LAYERS.map(({ schema }) => schema.shape.className.value);
  expect(new Set(names)).toEqual(new Set(all));
});

test.each(MODELS)("[T6] a row's output is the same alone and among others: %s", (_, spec) => {
  expect(largestDifference(outputsOfFirst(spec, 5), outputsOfFirst(spec, 1))).toBeLessThan(1e-12);
});

test("[T6] control: a batch that is centred, as batch normalization does, is caught", () => {
  const centre = (batch: number[]) => {
    const mean = batch.reduce((sum, value) => sum + value, 0) / batch.length;
    return batch.map((value) => value - mean);
  };
  const [among, alone] = [outputsOfFirst(model, 5, centre), outputsOfFirst(model, 1, centre)];
  expect(largestDifference(among, alone)).toBeGreaterThan(1e-2);
});

test("[T6] batch normalization is refused, and what is refused with a reason is not on the list", () => {
  const batch = { className: "BatchNormalization", name: "norm", epsilon: 1e-3 };
  expect(layerSpecSchema.safeParse(batch).success).toBe(false);
  expect(REFUSED_LAYERS.get("BatchNormalization")?.reason).toContain("would leave the device");
  for (const { schema } of LAYERS) expect(REFUSED_LAYERS.has(schema.shape.className.value)).toBe(false);
});
