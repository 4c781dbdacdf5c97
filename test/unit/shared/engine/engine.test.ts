import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { timeBackend, useBackend } from "#shared/engine/backends.ts";
import { evaluate, predict } from "#shared/engine/evaluate.ts";
import { train } from "#shared/engine/train.ts";
import { modelTensors } from "#shared/task/model.ts";
import { shuffledIndices } from "#shared/task/shuffle.ts";
import type { TrainingPlan } from "#shared/task/training-plan.ts";
import { convolutional, largestDifference, learned, model, randomNumbers } from "./nets.ts";
import { forwardByHand, gradientByHand, lossByHand, type TinyNet } from "./tiny-net.ts";

const NODE = { wasmPaths: null };
const net: TinyNet = { inputs: 3, hidden: 4, classes: 3, activation: "tanh" };
const ROW_COUNT = 11;
const rowList = Array.from({ length: ROW_COUNT }, (_, row) => randomNumbers(3, 100 + row));
const labelList = rowList.map((_, row) => row % 3);
const rows = {
  inputs: Float32Array.from(rowList.flat()),
  labels: Float32Array.from(labelList),
  count: ROW_COUNT,
};
const weightList = randomNumbers(modelTensors(model).parameterCount, 7, 0.8);
const weights = Float32Array.from(weightList);
const never = new AbortController().signal;

const plan: TrainingPlan = {
  epochs: 3,
  batchSize: 4,
  optimizer: { kind: "sgd", learningRate: 0.1, momentum: 0.9 },
  proximalMu: 0.5,
};
const task = learned(model, plan);

/** The same training loop, with a gradient written by hand. */
function trainByHand(training: TrainingPlan, shuffleSeed: number) {
  let current = [...weightList];
  let velocity = current.map(() => 0);
  let mean = current.map(() => 0);
  let square = current.map(() => 0);
  const epochLosses: number[] = [];
  for (let epoch = 1, step = 1; epoch <= training.epochs; epoch++) {
    const order = [...shuffledIndices(ROW_COUNT, shuffleSeed + epoch)];
    let lossSum = 0;
    for (let first = 0; first < ROW_COUNT; first += training.batchSize, step++) {
      const batch = order.slice(first, first + training.batchSize);
      for (const row of batch) lossSum += lossByHand(net, current, rowList[row] ?? [], labelList[row] ?? 0);
      const gradient = gradientByHand(
        net,
        current,
        batch.map((row) => rowList[row] ?? []),
        batch.map((row) => labelList[row] ?? 0),
      ).map(
        (value, index) => value + training.proximalMu * ((current[index] ?? 0) - (weightList[index] ?? 0)),
      );
      const { optimizer } = training;
      if (optimizer.kind === "sgd") {
        velocity = velocity.map((value, index) => optimizer.momentum * value + (gradient[index] ?? 0));
        current = current.map((value, index) => value - optimizer.learningRate * (velocity[index] ?? 0));
      } else {
        mean = mean.map((value, index) => 0.9 * value + 0.1 * (gradient[index] ?? 0));
        square = square.map((value, index) => 0.999 * value + 0.001 * (gradient[index] ?? 0) ** 2);
        current = current.map((value, index) => {
          const correctedMean = (mean[index] ?? 0) / (1 - 0.9 ** step);
          const correctedSquare = (square[index] ?? 0) / (1 - 0.999 ** step);
          return value - (optimizer.learningRate * correctedMean) / (Math.sqrt(correctedSquare) + 1e-7);
        });
      }
    }
    epochLosses.push(lossSum / ROW_COUNT);
  }
  return { weights: current, epochLosses };
}

describe.each(["cpu", "wasm"] as const)("the engine on %s", (backend) => {
  beforeAll(async () => {
    expect(await useBackend(backend, NODE, false)).toEqual({ ok: true, value: undefined });
  });

  test("predicts the same as the network written by hand", async () => {
    const probabilities = await predict(task, weights, Float32Array.from(rowList[0] ?? []));
    expect(
      largestDifference(probabilities, forwardByHand(net, weightList, rowList[0] ?? []).probabilities),
    ).toBeLessThan(1e-6);
  });

  test("evaluates to the sums of the hand-written losses", async () => {
    const losses = rowList.map((row, index) => lossByHand(net, weightList, row, labelList[index] ?? 0));
    const correct = rowList.filter((row, index) => {
      const { probabilities } = forwardByHand(net, weightList, row);
      return probabilities.indexOf(Math.max(...probabilities)) === labelList[index];
    }).length;
    const evaluation = await evaluate(task, weights, rows);
    expect(evaluation.count).toBe(ROW_COUNT);
    expect(evaluation).toMatchObject({ correct });
    expect(evaluation.lossSum).toBeCloseTo(
      losses.reduce((sum, loss) => sum + loss, 0),
      5,
    );
    expect(evaluation.lossSquareSum).toBeCloseTo(
      losses.reduce((sum, loss) => sum + loss * loss, 0),
      5,
    );
  });

  test.each([
    ["momentum and a proximal term", plan],
    ["plain descent", { ...plan, optimizer: { kind: "sgd", learningRate: 0.1, momentum: 0 }, proximalMu: 0 }],
    ["Adam", { ...plan, optimizer: { kind: "adam", learningRate: 0.02 }, proximalMu: 0.1 }],
  ] as const)("trains as the loop written out by hand: %s", async (_, training) => {
    const expected = trainByHand(training, 5);
    const trained = await train({ task, plan: training, weights, rows, shuffleSeed: 5 }, () => {}, never);
    if (!trained.ok) throw new Error("was cancelled");
    expect(largestDifference(trained.value.weights, weightList)).toBeGreaterThan(0.05);
    expect(largestDifference(trained.value.weights, expected.weights)).toBeLessThan(2e-5);
    expect(largestDifference(trained.value.epochLosses, expected.epochLosses)).toBeLessThan(1e-5);
  });

  test("leaves no tensor behind, whether ended or cancelled", async () => {
    const before = tf.memory().numTensors;
    await train({ task, plan, weights, rows, shuffleSeed: 1 }, () => {}, never);
    const abort = new AbortController();
    const cancelled = await train(
      { task, plan, weights, rows, shuffleSeed: 1 },
      () => abort.abort(),
      abort.signal,
    );
    expect(cancelled).toEqual({ ok: false, error: { type: "cancelled" } });
    await evaluate(task, weights, rows);
    await predict(task, weights, new Float32Array(3));
    expect(tf.memory().numTensors).toBe(before);
  });

  test("gives the same weights for the same job", async () => {
    const job = { task, plan, weights, rows, shuffleSeed: 9 };
    const [first, second] = [await train(job, () => {}, never), await train(job, () => {}, never)];
    expect(first).toEqual(second);
    expect(await train({ ...job, shuffleSeed: 10 }, () => {}, never)).not.toEqual(first);
  });
});

test("refuses engines that cannot do the task, with the reason", async () => {
  expect(await timeBackend("wasm", learned(convolutional, plan), NODE, false)).toEqual({
    backend: "wasm",
    msPerStep: null,
    note: "it cannot train convolutions",
  });
  expect(await useBackend("webgl", NODE, false)).toEqual({
    ok: false,
    error: "this platform has no WebGL here",
  });
});

test("times an engine, and reports if it cannot start or computes nonsense", async () => {
  const started: string[] = [];
  const time = (backend: "webgl" | "wasm" | "cpu") =>
    timeBackend(backend, task, NODE, false, () => void started.push(backend));
  expect(await time("webgl")).toMatchObject({ msPerStep: null, note: "this platform has no WebGL here" });
  expect((await time("wasm")).msPerStep).toBeGreaterThan(0);
  expect((await time("cpu")).msPerStep).toBeGreaterThan(0);
  expect(started).toEqual(["wasm", "cpu"]);
});

test("[T2] an engine that returns zeros, like one whose GPU was taken away, is not accepted", async () => {
  expect(await useBackend("cpu", NODE, false)).toMatchObject({ ok: true });
  const real = tf.getKernel("Neg", "cpu");
  if (real === undefined) throw new Error("no such kernel");
  tf.unregisterKernel("Neg", "cpu");
  tf.registerKernel({
    ...real,
    kernelFunc: ({ inputs }) =>
      tf.engine().runKernel("ZerosLike", inputs as tf.NamedTensorMap) as tf.TensorInfo,
  });
  try {
    expect(await timeBackend("cpu", task, NODE, false)).toMatchObject({
      msPerStep: null,
      note: "its numbers are wrong",
    });
  } finally {
    tf.unregisterKernel("Neg", "cpu");
    tf.registerKernel(real);
  }
  expect((await timeBackend("cpu", task, NODE, false)).msPerStep).toBeGreaterThan(0);
});
