import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { useBackend } from "#shared/engine/backends.ts";
import { tfjsOps } from "#shared/engine/ops.ts";
import { ACTIVATIONS } from "#shared/layers/activations/list.ts";
import { forward, lossGradients, scarceOpsOf } from "#shared/layers/chain.ts";
import { LAYERS } from "#shared/layers/list.ts";
import { lossOf } from "#shared/layers/losses/table.ts";
import type { Ops, ScarceOp } from "#shared/layers/ops.ts";
import { type ModelSpec, modelSchema, modelTensors } from "#shared/task/model.ts";
import { seededUniform } from "#shared/task/shuffle.ts";
import { checkGradients } from "#test/kit/gradient-check.ts";
import { type PlainTensor, plainOps, plainTensor } from "#test/kit/plain-ops.ts";
import { convolutional, depthwise, largestDifference, model, noisy, randomNumbers, series } from "./nets.ts";

const withActivation = (activation: string) =>
  modelSchema.parse({
    format: "tfjs-layers",
    inputShape: [3],
    classCount: 2,
    layers: [
      { className: "Dense", name: "a", units: 4, activation },
      { className: "Dense", name: "out", units: 2, activation: "softmax" },
    ],
  });
const strided = modelSchema.parse({
  format: "tfjs-layers",
  inputShape: [5, 6, 2],
  classCount: 3,
  layers: [
    { ...conv("a"), padding: "same", activation: "tanh" },
    { className: "MaxPooling2D", name: "pool", poolSize: 2, strides: 1 },
    { ...conv("b"), padding: "valid", kernelSize: 2, activation: "linear" },
    { className: "Flatten", name: "flat" },
    { className: "Dense", name: "out", units: 3, activation: "softmax" },
  ],
});
function conv(name: string) {
  return { className: "Conv2D", name, filters: 2, kernelSize: 3, strides: 2 };
}

/** Together they contain every layer and every activation. */
const MODELS: readonly (readonly [string, ModelSpec])[] = [
  ["convolutional", convolutional],
  ["convolutional with strides", strided],
  ["of series", series],
  ["channel by channel", depthwise],
  ["noisy", noisy],
  ...ACTIVATIONS.map(({ name }) => [name, withActivation(name)] as const),
];

test("the models of this file contain every layer and every activation", () => {
  const specs = MODELS.flatMap(([, spec]) => spec.layers);
  expect(new Set(specs.map(({ className }) => className))).toEqual(
    new Set(LAYERS.map(({ schema }) => schema.shape.className.value)),
  );
});

test.each(MODELS)("gradients equal finite differences: %s", (_, spec) => {
  const { error, largest } = checkGradients(spec);
  expect(largest).toBeGreaterThan(1e-3);
  expect(error).toBeLessThan(1e-7);
});

test.each(MODELS)("the engine computes the same as plain loops: %s", async (_, spec) => {
  expect(await useBackend("cpu", { wasmPaths: null }, false)).toMatchObject({ ok: true });
  const weights = modelTensors(spec).tensors.map(({ shape, length }, index) => ({
    shape,
    values: randomNumbers(length, 20 + index),
  }));
  const shape = [4, ...spec.inputShape];
  const values = randomNumbers(4 * spec.inputShape.reduce((a, b) => a * b, 1), 5);
  const plain = forward(
    plainOps,
    spec,
    weights.map((tensor) => plainTensor(tensor.shape, tensor.values)),
    plainTensor(shape, values),
  );
  const engine = tf.tidy(() =>
    forward(
      tfjsOps,
      spec,
      weights.map((tensor) => tf.tensor(tensor.values, [...tensor.shape])),
      tf.tensor(values, shape),
    ).dataSync(),
  );
  expect(largestDifference(engine, plain.data)).toBeLessThan(1e-5);
});

test.each([
  ["dense", model],
  ["convolutional", convolutional],
  ["of series", series],
  ["channel by channel", depthwise],
] as const)("layers name the scarce operations that they use: %s", (_, spec) => {
  const used = new Set<string>();
  const recording = new Proxy(plainOps, {
    get(ops, name: keyof Ops<PlainTensor>) {
      used.add(name);
      return ops[name];
    },
  });
  const weights = modelTensors(spec).tensors.map((tensor) =>
    plainTensor(tensor.shape, randomNumbers(tensor.length, 1)),
  );
  const size = spec.inputShape.reduce((a, b) => a * b, 1);
  const batch = plainTensor([1, ...spec.inputShape], randomNumbers(size, 2));
  const aim = { loss: lossOf(spec), targets: plainTensor([1, 3], [1, 0, 0]), rowWeights: null };
  lossGradients(recording, spec, weights, batch, aim, seededUniform(1));
  const scarce: Record<ScarceOp, readonly (keyof Ops<PlainTensor>)[]> = {
    conv2dKernelGradient: ["conv2dKernelGradient"],
    depthwiseConv2dGradients: ["depthwiseConv2dKernelGradient", "depthwiseConv2dInputGradient"],
  };
  const expected = Object.entries(scarce).flatMap(([name, ops]) =>
    ops.some((op) => used.has(op)) ? [name] : [],
  );
  expect([...new Set(scarceOpsOf(spec))]).toEqual(expected);
});
