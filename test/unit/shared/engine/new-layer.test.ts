import { beforeAll, describe, expect, test, vi } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { javascriptPrimitives } from "#shared/crypto/primitives-javascript.ts";
import { openEngine } from "#shared/engine/engine.ts";
import { initialModel } from "#shared/strategy/initialize.ts";
import { modelTensors } from "#shared/task/model.ts";
import { taskSchema } from "#shared/task/task.ts";
import { checkGradients } from "#test/kit/gradient-check.ts";
import { layersLine, sizesLine } from "#web/words/model.ts";
import { randomNumbers } from "./nets.ts";

/*
 * Adding a layer takes one file and one entry in the list: schema, shapes, network, gradient and training follow from
 * there.
 */

vi.mock("#shared/layers/list.ts", async (original) => {
  const { LAYERS } = await original<typeof import("#shared/layers/list.ts")>();
  const { gain, faultyGain } = await import("../../../kit/dummies/gain.ts");
  return { LAYERS: [...LAYERS, gain, faultyGain] };
});

function taskWith(className: string) {
  const task = bundledTask("hmda", 5, 1);
  const [hidden, classes] = task.model.layers;
  const layers = [hidden, { className, name: "gain" }, classes];
  return taskSchema.parse({ ...task, model: { ...task.model, layers } });
}

describe("a layer added to the list", () => {
  const task = taskWith("Gain");
  const engine = openEngine({ wasmPaths: null });
  beforeAll(async () => {
    expect(await engine.use("cpu", false)).toMatchObject({ ok: true });
  });

  test("has its tensors in the task's layout, in its place", () => {
    expect(
      modelTensors(task.model).tensors.map(({ name, shape, offset }) => ({ name, shape, offset })),
    ).toEqual([
      { name: "hidden/kernel", shape: [18, 16], offset: 0 },
      { name: "hidden/bias", shape: [16], offset: 288 },
      { name: "gain/gain", shape: [16], offset: 304 },
      { name: "classes/kernel", shape: [16, 2], offset: 320 },
      { name: "classes/bias", shape: [2], offset: 352 },
    ]);
  });

  test("is said in its own words on the pages", () => {
    expect(layersLine(task.model)).toBe("Dense 16, Gain of its own, Dense 2");
    expect(sizesLine(task.model)).toBe("18-16-own-2");
  });

  test("has the gradient of finite differences", () => {
    const { error, largest } = checkGradients(task.model);
    expect(largest).toBeGreaterThan(1e-2);
    expect(error).toBeLessThan(1e-7);
  });

  test("trains: its own weights move, the loss falls, and no tensor is left behind", async () => {
    const layout = modelTensors(task.model);
    const weights = await initialModel(javascriptPrimitives(), layout, new Uint8Array(32).fill(1));
    const gains = (flat: Float32Array) => [...flat.subarray(304, 320)];
    expect(gains(weights)).toEqual(new Array(16).fill(0));
    const inputs = Float32Array.from(randomNumbers(60 * 18, 3));
    const labels = Float32Array.from({ length: 60 }, (_, row) => ((inputs[row * 18] ?? 0) > 0 ? 1 : 0));
    const rows = { inputs, labels, count: 60 };
    const before = engine.heldBufferCount();
    const plan = { ...task.training, epochs: 20, batchSize: 10 };
    const job = { task, plan, weights, rows, shuffleSeed: 1 };
    const trained = await engine.train(job, () => {}, new AbortController().signal);
    if (!trained.ok) throw new Error("was cancelled");
    const lossOf = async (flat: Float32Array) =>
      (await engine.evaluate(task, flat, rows)).lossSum / rows.count;
    expect(await lossOf(trained.value.weights)).toBeLessThan(0.7 * (await lossOf(weights)));
    expect(gains(trained.value.weights).some((value) => Math.abs(value) > 0.01)).toBe(true);
    expect(engine.heldBufferCount()).toBe(before);
  });
});

test("with a wrong gradient is caught by finite differences", () => {
  expect(checkGradients(taskWith("FaultyGain").model).error).toBeGreaterThan(1e-2);
});

test("that is missing from the list is refused", () => {
  expect(() => taskWith("Lambda")).toThrow("model");
});
