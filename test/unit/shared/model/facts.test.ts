import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { modelToBytes } from "#shared/codec/model-bytes.ts";
import { useBackend } from "#shared/engine/backends.ts";
import { train } from "#shared/engine/train.ts";
import { elementCount } from "#shared/kernel/shape.ts";
import { stepCost } from "#shared/layers/cost.ts";
import { modelFacts } from "#shared/model/facts.ts";
import { type ModelSpec, modelTensors } from "#shared/task/model.ts";
import type { Task } from "#shared/task/task.ts";
import type { TrainingPlan } from "#shared/task/training-plan.ts";
import { shownLayoutOf } from "#shared/vector/task-layout.ts";
import {
  convolutional,
  model as dense,
  depthwise,
  learned,
  noisy,
  randomNumbers,
  series,
} from "../engine/nets.ts";

const digits = bundledTask("digits", 5, 1);
const withRing = (ring: 16 | 32): Task => ({ ...digits, aggregation: { ...digits.aggregation, ring } });

describe("[T8] the facts of a model", () => {
  test("its list is that of the real layout, on both rings", () => {
    const { rounds } = modelFacts(digits);
    for (const ring of [16, 32] as const) {
      expect(rounds[ring]).toMatchObject({ refusal: null, listLength: shownLayoutOf(withRing(ring)).length });
      expect(rounds[ring].listByteCount).toBe(4 * rounds[ring].listLength);
    }
    expect(rounds[16].listLength).toBeLessThan(rounds[32].listLength);
  });

  test.each([
    ["digits", digits.model],
    ["convolutional", convolutional],
    ["series", series],
  ] as const)("its model is as long as the real file: %s", (_, model) => {
    const layout = modelTensors(model);
    const { parameterCount, rounds } = modelFacts({ ...digits, model });
    expect(parameterCount).toBe(layout.parameterCount);
    expect(rounds[32].modelByteCount).toBe(
      modelToBytes(layout, new Float32Array(layout.parameterCount)).length,
    );
  });

  test("a ring that cannot hold the cohort says so instead of giving figures", () => {
    const aggregation = { ...digits.aggregation, cohortSizeMax: 600 };
    const { rounds } = modelFacts({ ...digits, aggregation });
    expect(rounds[16].refusal).toContain("set cohortSizeMax to at most 511, or ring to 32");
    expect(rounds[16].listByteCount).toBe(0);
    expect(rounds[32].refusal).toBeNull();
  });

  test("multiply-adds of a step are those counted by hand", () => {
    // 3 to 4 to 3, five rows: forward once, the weights' gradients once, and the second layer's input gradient.
    expect(stepCost(dense, 5).multiplyAdds).toBe(5 * (2 * 3 * 4 + 3 * 4 * 3));
    // Windows of 3 x 3 at 6 x 7 places, then of 2 x 2 at 2 x 2 of two channels, then 12 to 3.
    const [first, second, last] = [6 * 7 * 9 * 2, 2 * 2 * 4 * 2 * 3, 12 * 3];
    expect(stepCost(convolutional, 2).multiplyAdds).toBe(2 * (2 * first + 3 * second + 3 * last));
    // 6 x 5 places, three channels with two filters each; pooled to 4 x 3; then 2 x 2 places of six channels; 6 to 3.
    const [wide, narrow, answer] = [6 * 5 * 9 * 6, 2 * 2 * 4 * 6, 6 * 3];
    expect(stepCost(depthwise, 1).multiplyAdds).toBe(2 * wide + 3 * narrow + 3 * answer);
  });
});

describe("[T8] memory", () => {
  beforeAll(async () => {
    expect(await useBackend("cpu", { wasmPaths: null }, false)).toMatchObject({ ok: true });
  });

  const wide: ModelSpec = {
    ...dense,
    inputShape: [40],
    layers: [
      { className: "Dense", name: "hidden", units: 300, activation: "relu" },
      ...dense.layers.slice(1),
    ],
  };
  const sgd = { kind: "sgd", learningRate: 0.1, momentum: 0.9 } as const;
  const adam = { kind: "adam", learningRate: 0.01 } as const;
  test.each<[string, ModelSpec, Partial<TrainingPlan>]>([
    ["dense, momentum", wide, { optimizer: sgd }],
    ["dense, plain", wide, { optimizer: { ...sgd, momentum: 0 } }],
    ["dense, Adam", wide, { optimizer: adam }],
    ["dense, proximal", wide, { optimizer: sgd, proximalMu: 0.1 }],
    ["convolutional", convolutional, { optimizer: sgd }],
    ["series", series, { optimizer: sgd }],
    ["channel by channel", depthwise, { optimizer: adam }],
    ["noisy", noisy, { optimizer: sgd }],
  ])("is about what the engine holds at most: %s", async (_, model, changes) => {
    const plan = { epochs: 1, batchSize: 24, proximalMu: 0, optimizer: sgd, ...changes };
    const size = elementCount(model.inputShape);
    const rows = {
      inputs: Float32Array.from(randomNumbers(48 * size, 1)),
      labels: Float32Array.from({ length: 48 }, (__, row) => row % 3),
      count: 48,
    };
    const weights = Float32Array.from(randomNumbers(modelTensors(model).parameterCount, 2));
    const peak = await peakByteCount(async () => {
      await train(
        { task: learned(model, plan), plan, weights, rows, shuffleSeed: 1 },
        () => {},
        new AbortController().signal,
      );
    });
    const { memoryByteCount } = modelFacts({ ...digits, model, training: plan });
    expect(memoryByteCount / peak).toBeGreaterThan(0.7);
    expect(memoryByteCount / peak).toBeLessThan(1.4);
  });
});

/** The most bytes of tensors at the end of any scope. */
async function peakByteCount(work: () => Promise<void>): Promise<number> {
  const engine = tf.engine();
  const before = tf.memory().numBytes;
  const end = engine.endScope.bind(engine);
  let peak = 0;
  engine.endScope = (result) => {
    peak = Math.max(peak, tf.memory().numBytes - before);
    end(result);
  };
  try {
    await work();
  } finally {
    engine.endScope = end;
  }
  return peak;
}
