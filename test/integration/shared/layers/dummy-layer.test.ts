import { expect, test, vi } from "vitest";
import { openEngineHost } from "#client/adapters/engine-host.ts";
import type { OpenEngineWorker } from "#client/core/engine/engine-messages.ts";
import { createTrainer } from "#client/core/engine/trainer.ts";
import { openEngine } from "#shared/engine/engine.ts";
import { present } from "#shared/kernel/assert.ts";
import type { Dataset } from "#shared/task/dataset.ts";
import { modelTensors } from "#shared/task/model.ts";
import { layoutOf } from "#shared/vector/task-layout.ts";
import type { MemoryDevice } from "#test/kit/devices/memory-device.ts";
import { ProductDevice } from "#test/kit/devices/product-device.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";
import { quantizationBound } from "#test/kit/vectors.ts";
import { Federation, partsOf } from "#test/kit/worlds/federation.ts";
import { hiddenDense } from "#test/kit/worlds/small-task.ts";

/*
 * A layer that the product does not have, added as one file and one entry of the list, in the model of a task. The
 * product's devices train it with the product's engine, and one of them leaves before its input.
 */

vi.mock("#shared/layers/list.ts", async (original) => {
  const { LAYERS } = await original<typeof import("#shared/layers/list.ts")>();
  const { gain } = await import("#test/kit/dummies/gain.ts");
  return { LAYERS: [...LAYERS, gain] };
});

const DEVICES = 5;
const UNITS = 6;
const ROWS = 40;

/** Runs the engine in this thread, where the list has the layer. */
const inThisThread: OpenEngineWorker = (listener) => {
  const host = openEngineHost({
    engine: openEngine({ wasmPaths: null }),
    post: (message) => queueMicrotask(() => listener.onMessage(message)),
  });
  queueMicrotask(() => listener.onMessage({ kind: "ready" }));
  return { post: (message) => host.take(message), terminate: () => host.leave() };
};

/** Rows whose class is the largest of their first three columns. */
function rowsOf(seed: string): Dataset {
  const inputs = Float32Array.from(seededRandom(seed)(4 * ROWS), (byte) => byte / 255);
  const labels = Float32Array.from({ length: ROWS }, (_, row) => {
    const [a = 0, b = 0, c = 0] = inputs.subarray(4 * row, 4 * row + 3);
    return a > b && a > c ? 0 : b > c ? 1 : 2;
  });
  return { inputs, labels, count: ROWS };
}

async function federationWithGain() {
  const federation = await Federation.create({
    devices: 0,
    task: { goal: DEVICES },
    hidden: [hiddenDense(UNITS), { className: "Gain", name: "gain" }],
  });
  const { clock, task, inFlight } = federation;
  const trainer = createTrainer({ openWorker: inThisThread, clock, wall: clock, after: clock.after }, [
    "cpu",
  ]);
  await trainer.calibrate(task);
  const devices = await Promise.all(
    Array.from({ length: DEVICES }, (_, index) => {
      const rows = rowsOf(`rows ${index}`);
      return ProductDevice.create(federation, {
        seed: `${index}`,
        trainer: inFlight.track(trainer),
        enrolment: { data: async () => ({ train: rows, local: rows }) },
      });
    }),
  );
  return { federation, devices, trainer };
}

test("a dummy layer is trained by devices, and its weights move by the mean of the survivors' updates", async () => {
  const { federation, devices, trainer } = await federationWithGain();
  const [leaver, ...survivors] = devices as [ProductDevice, ...ProductDevice[]];
  leaver.intercept = { type: "input", when: "before", run: () => leaver.disconnect() };
  const runId = await federation.launch(1);
  for (const device of devices) device.enrolment.start();
  await federation.ended(runId);
  const round = present((await federation.rounds(runId))[0], "a round");
  expect([round.phase, round.advertised, round.survivors]).toEqual(["committed", DEVICES, DEVICES - 1]);
  expect(federation.distanceFromOracle(round, survivors as unknown as MemoryDevice[])).toBeLessThan(1);

  // The layer's own weights have moved by far more than quantization, or this would prove nothing about them.
  const { tensors } = modelTensors(federation.task.model);
  const { offset } = present(
    tensors.find(({ name }) => name === "gain/gain"),
    "the layer's own tensor",
  );
  const { parts, weightSum } = partsOf(round, survivors as unknown as MemoryDevice[]);
  const bound = quantizationBound(layoutOf(federation.task, "train", null), parts.length, weightSum);
  const gains = federation.weights(present(round.modelHash, "a model")).subarray(offset, offset + UNITS);
  expect(gains).toHaveLength(UNITS);
  expect(Math.max(...gains.map(Math.abs))).toBeGreaterThan(10 * bound);
  await Promise.all(devices.map(({ enrolment }) => enrolment.close()));
  await trainer.dispose();
});
