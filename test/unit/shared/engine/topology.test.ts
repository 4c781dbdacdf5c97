import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { useBackend } from "#shared/engine/backends.ts";
import { tfjsOps } from "#shared/engine/ops.ts";
import { weightsToTensors } from "#shared/engine/weights.ts";
import { forward, lossGradients } from "#shared/layers/chain.ts";

import { lossOf } from "#shared/layers/losses/table.ts";
import { modelTensors } from "#shared/task/model.ts";

import { seededUniform } from "#shared/task/shuffle.ts";
import { referenceModel } from "#test/kit/reference-model.ts";
import { convolutional, depthwise, largestDifference, model, randomNumbers, series } from "./nets.ts";

test.each([
  ["dense", model],
  ["convolutional", convolutional],
  ["of series", series],
  ["channel by channel", depthwise],
] as const)("has the topology, tensor order and gradients of tf.layers: %s", async (_, spec) => {
  expect(await useBackend("cpu", { wasmPaths: null }, false)).toMatchObject({ ok: true });
  const reference = referenceModel(spec);
  const layout = modelTensors(spec);
  expect(reference.getWeights().map((tensor) => tensor.shape)).toEqual(
    layout.tensors.map((tensor) => [...tensor.shape]),
  );
  const tensors = weightsToTensors(spec, Float32Array.from(randomNumbers(layout.parameterCount, 3)));
  reference.setWeights(tensors);
  const batch = tf.tensor(randomNumbers(5 * spec.inputShape.reduce((a, b) => a * b, 1), 4), [
    5,
    ...spec.inputShape,
  ]);
  const expected = reference.predict(batch) as tf.Tensor;
  const actual = tf.tidy(() => tf.softmax(forward(tfjsOps, spec, tensors, batch)).dataSync());
  expect(largestDifference(actual, expected.dataSync())).toBeLessThan(1e-6);

  // tfjs' own tape, which comes with the import of tf.layers.
  const oneHot = tf.cast(tf.oneHot(tf.tensor1d([0, 1, 2, 1, 0], "int32"), 3), "float32") as tf.Tensor2D;
  const variables = reference.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const taped = tf.variableGrads(
    () =>
      tf.neg(tf.mean(tf.sum(tf.mul(oneHot, tf.log(reference.apply(batch) as tf.Tensor)), 1))) as tf.Scalar,
    variables,
  );
  const aim = { loss: lossOf(spec), targets: oneHot, rowWeights: null };
  const own = lossGradients(tfjsOps, spec, tensors, batch, aim, seededUniform(1));
  expect(own.lossSum.dataSync()[0]).toBeCloseTo(5 * (taped.value.dataSync()[0] as number), 4);
  for (const [index, { name }] of variables.entries()) {
    const [ours, theirs] = [own.gradients[index]?.dataSync() ?? [], taped.grads[name]?.dataSync() ?? []];
    expect(Math.max(...theirs.map(Math.abs))).toBeGreaterThan(1e-3);
    expect(largestDifference(ours, theirs)).toBeLessThan(1e-5);
  }
});
