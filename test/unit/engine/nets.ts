import { expect } from "vitest";
import { modelSchema } from "#shared/task/model.ts";
import { seededUniform } from "#shared/task/shuffle.ts";

export const model = modelSchema.parse({
  format: "tfjs-layers",
  inputShape: [3],
  classCount: 3,
  layers: [
    { className: "Dense", name: "hidden", units: 4, activation: "tanh" },
    { className: "Dense", name: "out", units: 3, activation: "softmax" },
  ],
});
export const convolutional = modelSchema.parse({
  format: "tfjs-layers",
  inputShape: [6, 7, 1],
  classCount: 3,
  layers: [
    {
      className: "Conv2D",
      name: "conv",
      filters: 2,
      kernelSize: 3,
      strides: 1,
      padding: "same",
      activation: "relu",
    },
    { className: "MaxPooling2D", name: "pool", poolSize: 2, strides: 2 },
    {
      className: "Conv2D",
      name: "conv2",
      filters: 3,
      kernelSize: 2,
      strides: 1,
      padding: "valid",
      activation: "sigmoid",
    },
    { className: "Flatten", name: "flat" },
    { className: "Dense", name: "out", units: 3, activation: "softmax" },
  ],
});

export function randomNumbers(count: number, seed: number, scale = 1): number[] {
  const next = seededUniform(seed);
  return Array.from({ length: count }, () => Math.fround((2 * next() - 1) * scale));
}
export function largestDifference(left: ArrayLike<number>, right: ArrayLike<number>): number {
  expect(left.length).toBe(right.length);
  return Array.from(left).reduce(
    (largest, value, index) => Math.max(largest, Math.abs(value - (right[index] ?? Number.NaN))),
    0,
  );
}
