import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { expect, test } from "vitest";
import { useBackend } from "#shared/engine/backends.ts";
import { tfjsOps } from "#shared/engine/ops.ts";
import { weightsToTensors } from "#shared/engine/weights.ts";
import { forward, lossGradients } from "#shared/layers/chain.ts";
import { type ModelSpec, modelTensors } from "#shared/task/model.ts";
import { convolutional, largestDifference, model, randomNumbers } from "./nets.ts";

test.each([
  ["dense", model],
  ["convolutional", convolutional],
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

  // tfjs' own tape, which the import of tf.layers brings along.
  const oneHot = tf.cast(tf.oneHot(tf.tensor1d([0, 1, 2, 1, 0], "int32"), 3), "float32") as tf.Tensor2D;
  const variables = reference.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const taped = tf.variableGrads(
    () =>
      tf.neg(tf.mean(tf.sum(tf.mul(oneHot, tf.log(reference.apply(batch) as tf.Tensor)), 1))) as tf.Scalar,
    variables,
  );
  const own = lossGradients(tfjsOps, spec, tensors, batch, oneHot);
  expect(own.lossSum.dataSync()[0]).toBeCloseTo(5 * (taped.value.dataSync()[0] as number), 4);
  for (const [index, { name }] of variables.entries()) {
    const [ours, theirs] = [own.gradients[index]?.dataSync() ?? [], taped.grads[name]?.dataSync() ?? []];
    expect(Math.max(...theirs.map(Math.abs))).toBeGreaterThan(1e-3);
    expect(largestDifference(ours, theirs)).toBeLessThan(1e-5);
  }
});

function referenceModel(spec: ModelSpec): layers.Sequential {
  const reference = layers.sequential();
  for (const [index, layer] of spec.layers.entries()) {
    const shape = index === 0 ? { inputShape: spec.inputShape } : {};
    const { className, ...config } = layer;
    const make = {
      Dense: layers.layers.dense,
      Conv2D: layers.layers.conv2d,
      Flatten: layers.layers.flatten,
      MaxPooling2D: layers.layers.maxPooling2d,
    }[className];
    reference.add((make as (config: object) => layers.layers.Layer)({ ...config, ...shape }));
  }
  return reference;
}
