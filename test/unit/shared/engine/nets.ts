import { expect } from "vitest";
import type { LearnedTask } from "#shared/task/engine.ts";
import { type ModelSpec, modelSchema } from "#shared/task/model.ts";
import { seededUniform } from "#shared/task/shuffle.ts";
import type { TrainingPlan } from "#shared/task/training-plan.ts";

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

/** Layers of series, normalized. */
export const series = modelSchema.parse({
  format: "tfjs-layers",
  inputShape: [15, 2],
  classCount: 3,
  layers: [
    {
      className: "Conv1D",
      name: "conv",
      filters: 4,
      kernelSize: 3,
      strides: 1,
      padding: "same",
      activation: "tanh",
    },
    { className: "LayerNormalization", name: "norm", epsilon: 0.02 },
    { className: "MaxPooling1D", name: "max", poolSize: 2, strides: 2 },
    {
      className: "Conv1D",
      name: "conv2",
      filters: 3,
      kernelSize: 4,
      strides: 2,
      padding: "valid",
      activation: "relu",
    },
    { className: "AveragePooling1D", name: "mean", poolSize: 2, strides: 1 },
    { className: "GlobalAveragePooling1D", name: "all" },
    { className: "Dense", name: "out", units: 3, activation: "softmax" },
  ],
});
/** Layers of pictures that work channel by channel, with strides and an uneven border. */
export const depthwise = modelSchema.parse({
  format: "tfjs-layers",
  inputShape: [6, 5, 3],
  classCount: 3,
  layers: [
    {
      className: "DepthwiseConv2D",
      name: "deep",
      kernelSize: 3,
      depthMultiplier: 2,
      strides: 1,
      padding: "same",
      activation: "tanh",
    },
    { className: "AveragePooling2D", name: "mean", poolSize: 3, strides: 1 },
    {
      className: "DepthwiseConv2D",
      name: "deep2",
      kernelSize: 2,
      depthMultiplier: 1,
      strides: 2,
      padding: "same",
      activation: "linear",
    },
    { className: "LayerNormalization", name: "norm", epsilon: 1e-3 },
    { className: "GlobalAveragePooling2D", name: "all" },
    { className: "Dense", name: "out", units: 3, activation: "softmax" },
  ],
});
/** Noise after the input and inside. */
export const noisy = modelSchema.parse({
  format: "tfjs-layers",
  inputShape: [3],
  classCount: 3,
  layers: [
    { className: "Dropout", name: "first", rate: 0.25 },
    { className: "Dense", name: "hidden", units: 40, activation: "tanh" },
    { className: "Dropout", name: "drop", rate: 0.5 },
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

/** The part of a task of classes that an engine needs. */
export function learned(spec: ModelSpec, training: TrainingPlan): LearnedTask {
  const classes = Array.from({ length: spec.classCount ?? 0 }, (_, index) => String(index));
  const features = { kind: "image", height: 1, width: 1, range: [0, 1], classes } as const;
  return { model: spec, features: { ...features, range: [0, 1] }, training };
}
