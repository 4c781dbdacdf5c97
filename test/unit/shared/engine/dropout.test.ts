import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, test } from "vitest";
import { useBackend } from "#shared/engine/backends.ts";
import { evaluate, predict } from "#shared/engine/evaluate.ts";
import { train } from "#shared/engine/train.ts";
import { present } from "#shared/kernel/assert.ts";
import { forward, lossGradients } from "#shared/layers/chain.ts";
import { lossOf } from "#shared/layers/losses/table.ts";
import { layerOf } from "#shared/layers/table.ts";
import { type ModelSpec, modelTensors } from "#shared/task/model.ts";
import { seededUniform } from "#shared/task/shuffle.ts";
import type { TrainingPlan } from "#shared/task/training-plan.ts";
import { plainOps, plainTensor } from "#test/kit/plain-ops.ts";
import { learned, noisy, randomNumbers } from "./nets.ts";

const ROW_COUNT = 12;
const rows = {
  inputs: Float32Array.from(randomNumbers(ROW_COUNT * 3, 3)),
  labels: Float32Array.from({ length: ROW_COUNT }, (_, row) => row % 3),
  count: ROW_COUNT,
};
const weights = Float32Array.from(randomNumbers(modelTensors(noisy).parameterCount, 7, 0.8));
const plan: TrainingPlan = {
  epochs: 2,
  batchSize: 4,
  optimizer: { kind: "sgd", learningRate: 0.1, momentum: 0.9 },
  proximalMu: 0,
};
const never = new AbortController().signal;
const quiet: ModelSpec = {
  ...noisy,
  layers: noisy.layers.filter(({ className }) => className !== "Dropout"),
};
const batches = Math.ceil(ROW_COUNT / plan.batchSize) * plan.epochs;

describe.each(["cpu", "wasm"] as const)("dropout on %s", (backend) => {
  beforeAll(async () => {
    expect(await useBackend(backend, { wasmPaths: null }, false)).toMatchObject({ ok: true });
  });

  test("[T5] the same job gives the same bytes, another seed others, and no noise others again", async () => {
    const job = { task: learned(noisy, plan), plan, weights, rows, shuffleSeed: 9 };
    const first = await train(job, () => {}, never);
    expect(await train(job, () => {}, never)).toEqual(first);
    expect(await train({ ...job, shuffleSeed: 10 }, () => {}, never)).not.toEqual(first);
    expect(await train({ ...job, task: learned(quiet, plan) }, () => {}, never)).not.toEqual(first);
  });

  test("[T5] is off when a model is judged or asked", async () => {
    expect(await evaluate(learned(noisy, plan), weights, rows)).toEqual(
      await evaluate(learned(quiet, plan), weights, rows),
    );
    const input = rows.inputs.slice(0, 3);
    expect(await predict(learned(noisy, plan), weights, input)).toEqual(
      await predict(learned(quiet, plan), weights, input),
    );
  });
});

test("[T5] no batch has the mask of another", () => {
  const masks: string[] = [];
  const recording = {
    ...plainOps,
    constant: (values: Float32Array, shape: readonly number[]) => {
      masks.push([...values].join());
      return plainOps.constant(values, shape);
    },
  };
  const tensors = modelTensors(noisy).tensors.map(({ shape, offset, length }) =>
    plainTensor(shape, weights.subarray(offset, offset + length)),
  );
  const uniform = seededUniform(4);
  const batch = plainTensor([4, 3], randomNumbers(12, 1));
  const targets = plainTensor([4, 3], new Float32Array(12));
  const aim = { loss: lossOf(noisy), targets, rowWeights: null };
  for (let step = 0; step < batches; step++) {
    lossGradients(recording, noisy, tensors, batch, aim, uniform);
  }
  // Two layers a batch. The larger one has 160 numbers, so equal masks are no coincidence.
  expect(masks).toHaveLength(2 * batches);
  expect(new Set(masks.filter((_, index) => index % 2 === 1)).size).toBe(batches);
});

test("keeps the share that it says and scales it as tf.layers does", () => {
  const rate = 0.3;
  const count = 20_000;
  const spec = { className: "Dropout", name: "drop", rate } as const;
  const uniform = seededUniform(1);
  const noise = present(layerOf(spec).noise, "dropout is noisy");
  const ours = Array.from({ length: count }, () => Math.fround(noise(spec, uniform)));
  const reference = layers.layers.dropout({ rate, seed: 3 });
  const theirs = (reference.apply(tf.ones([count]), { training: true }) as tf.Tensor).dataSync();
  expect(new Set(ours)).toEqual(new Set(theirs));
  // Six standard deviations of a binomial share.
  const kept = ours.filter((factor) => factor > 0).length / count;
  expect(Math.abs(kept - (1 - rate))).toBeLessThan(6 * Math.sqrt((rate * (1 - rate)) / count));
});

test("without a generator the chain is the one without noise", () => {
  const tensors = modelTensors(noisy).tensors.map(({ shape, offset, length }) =>
    plainTensor(shape, weights.subarray(offset, offset + length)),
  );
  const batch = plainTensor([4, 3], randomNumbers(12, 1));
  expect(forward(plainOps, noisy, tensors, batch)).toEqual(forward(plainOps, quiet, tensors, batch));
});
