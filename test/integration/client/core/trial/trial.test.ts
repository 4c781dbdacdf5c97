import { afterEach, expect, test } from "vitest";
import { openEngineHost } from "#client/adapters/engine-host.ts";
import { platformAfter, platformClock, platformWall } from "#client/adapters/platform-ports.ts";
import type { OpenEngineWorker, ToEngine } from "#client/core/engine/engine-messages.ts";
import { proposedClip } from "#client/core/trial/proposed-clip.ts";
import type { TrialOptions, TrialView } from "#client/core/trial/trial.ts";
import { createWorkbench } from "#client/core/trial/workbench.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { normL2 } from "#shared/codec/quantize.ts";
import { javascriptPrimitives } from "#shared/crypto/primitives-javascript.ts";
import { openEngine } from "#shared/engine/engine.ts";
import type { Dataset } from "#shared/task/dataset.ts";
import type { BackendName } from "#shared/task/engine.ts";
import { modelSchema } from "#shared/task/model.ts";
import { seededUniform } from "#shared/task/shuffle.ts";
import type { Task } from "#shared/task/task.ts";
import type { LocalMetrics } from "#shared/vector/segment.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";

const digits = bundledTask("digits", 5, 1);
const task: Task = {
  ...digits,
  model: modelSchema.parse({
    format: "tfjs-layers",
    inputShape: [8, 8, 1],
    classCount: 10,
    layers: [
      { className: "Flatten", name: "flat" },
      { className: "Dense", name: "hidden", units: 12, activation: "relu" },
      { className: "Dropout", name: "drop", rate: 0.1 },
      { className: "Dense", name: "out", units: 10, activation: "softmax" },
    ],
  }),
  training: {
    epochs: 2,
    batchSize: 16,
    optimizer: { kind: "sgd", learningRate: 0.2, momentum: 0.5 },
    proximalMu: 0,
  },
};
const ROWS = 400;

/** Pictures whose class is the first of ten pixels that are bright. */
function learnable(): Dataset {
  const next = seededUniform(5);
  const inputs = Float32Array.from({ length: ROWS * 64 }, () => 0.2 * next());
  const labels = Float32Array.from({ length: ROWS }, (_, row) => {
    const label = Math.floor(next() * 10);
    inputs[row * 64 + label] = 1;
    return label;
  });
  return { inputs, labels, count: ROWS };
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** The product's engine in this thread. `heard` gets what is sent to it. */
function workbench(
  heard: (message: ToEngine, lose: () => void) => void = () => {},
  backends: readonly BackendName[] = ["wasm", "cpu"],
) {
  const openWorker: OpenEngineWorker = (listener) => {
    const host = openEngineHost({
      engine: openEngine({ wasmPaths: null }),
      post: (message) => queueMicrotask(() => listener.onMessage(message)),
    });
    queueMicrotask(() => listener.onMessage({ kind: "ready" }));
    const lose = () => listener.onEnd("ended", "");
    return {
      post: (message) => {
        heard(message, lose);
        host.take(message);
      },
      terminate: () => host.leave(),
    };
  };
  const bench = createWorkbench(
    {
      openWorker,
      primitives: javascriptPrimitives(),
      random: seededRandom("trial"),
      clock: platformClock,
      wall: platformWall,
      after: platformAfter,
    },
    backends,
  );
  closers.push(() => bench.close());
  return bench;
}

async function tried(changes: Partial<TrialOptions> = {}) {
  const trial = workbench().trial({ task, rows: learnable(), passes: 6, ...changes });
  const states: TrialView[] = [];
  trial.view.subscribe(() => states.push(trial.view.get()));
  await trial.ended;
  return { view: trial.view.get(), states };
}

test("[T9] a trial learns, is judged on rows that it keeps back, and counts what it gets right by class", async () => {
  const { view, states } = await tried();
  expect(view).toMatchObject({
    state: "done",
    problem: null,
    trainCount: 320,
    keptCount: 80,
    passes: 6,
    msLeft: 0,
  });
  expect(view.points.map(({ pass }) => pass)).toEqual([1, 2, 3, 4, 5, 6]);
  const last = view.points.at(-1);
  const guessing = Math.max(...(view.keptByClass ?? [])) / 80;
  expect(correctOf(last?.kept) / 80).toBeGreaterThan(guessing + 0.4);
  expect(last?.trainLoss).toBeLessThan(view.points[0]?.trainLoss ?? 0);
  for (const { confusion, kept } of view.points) {
    if (confusion === null) throw new Error("no counts");
    expect(confusion.map((row) => row.reduce((sum, count) => sum + count, 0))).toEqual(view.keptByClass);
    // Two ways to the same number: answers of the model, and its judgement.
    expect(confusion.reduce((sum, row, label) => sum + (row[label] ?? 0), 0)).toBe(correctOf(kept));
  }
  expect(view.stepCount).toBe(6 * 2 * 20);
  expect(view.stepsDone).toBe(view.stepCount);
  const steps = states.map(({ stepsDone }) => stepsDone);
  expect(steps).toEqual(steps.toSorted((left, right) => left - right));
  expect(states.some(({ msLeft, state }) => state === "training" && (msLeft ?? 0) > 0)).toBe(true);
});

test("[T9] its updates are as long as what the engine learned, and propose a clip that shortens none", async () => {
  const deltas: Float32Array[] = [];
  const weights: Float32Array[] = [];
  const bench = workbench((message) => {
    if (message.kind === "call" && message.request.kind === "train")
      weights.push(message.request.job.weights);
  });
  const trial = bench.trial({ task, rows: learnable(), passes: 4 });
  await trial.ended;
  for (let pass = 1; pass < weights.length; pass++) {
    deltas.push((weights[pass] ?? new Float32Array()).map((w, i) => w - (weights[pass - 1]?.[i] ?? 0)));
  }
  const { points } = trial.view.get();
  expect(deltas).toHaveLength(3);
  deltas.forEach((delta, index) => {
    expect(points[index]?.updateNormL2).toBeCloseTo(normL2(delta), 4);
  });
  const clip = proposedClip(points);
  const longest = Math.max(...points.map(({ updateNormL2 }) => updateNormL2));
  expect(clip).toBeGreaterThanOrEqual(longest);
  expect(clip).toBeLessThan(1.1 * longest);
});

test.each([
  [[0.123], 0.13],
  [[1.17, 0.4], 1.2],
  [[9.95], 10],
  [[120, 99], 120],
  [[0], 1e-6],
])("the clip proposed for %j is %d", (norms, clip) => {
  expect(proposedClip(norms.map((updateNormL2) => ({ updateNormL2 })))).toBe(clip);
});

test("[T9] a pass takes as many rows as a device may have, drawn anew", async () => {
  const orders: string[] = [];
  const bench = workbench((message) => {
    if (message.kind !== "call" || message.request.kind !== "train") return;
    const { rows } = message.request.job.train;
    if (rows !== null) orders.push(rows.labels.join(""));
  });
  const trial = bench.trial({ task, rows: learnable(), passes: 3, rowsPerPass: 40 });
  await trial.ended;
  expect(orders.map((order) => order.length)).toEqual([40, 40, 40]);
  expect(new Set(orders).size).toBe(3);
  expect(trial.view.get().stepCount).toBe(3 * 2 * 3);
});

test("[T9] stop ends it, and what was learnt stays", async () => {
  const trial = workbench().trial({ task, rows: learnable(), passes: 1_000 });
  trial.view.subscribe(({ points }) => {
    if (points?.length === 2) trial.stop();
  });
  await trial.ended;
  expect(trial.view.get()).toMatchObject({ state: "stopped", msLeft: null });
  expect(trial.view.get().points).toHaveLength(2);
});

test("[T9] an engine that ends is replaced, and the pass is begun again", async () => {
  let lost = 0;
  const bench = workbench((message, lose) => {
    if (message.kind === "call" && message.request.kind === "train" && lost++ === 1) queueMicrotask(lose);
  });
  const trial = bench.trial({ task, rows: learnable(), passes: 3 });
  await trial.ended;
  expect(lost).toBe(4);
  expect(trial.view.get()).toMatchObject({ state: "done" });
  expect(trial.view.get().points.map(({ pass }) => pass)).toEqual([1, 2, 3]);
});

test("[T9] says why it cannot: no rows, no engine, numbers without bound", async () => {
  const none = { inputs: new Float32Array(), labels: new Float32Array(), count: 0 };
  expect((await tried({ rows: none })).view.problem).toBe("A trial needs at least one row to train on.");
  const rows = learnable();
  // Every output is infinite or no number, whatever the weights are.
  const wild = { ...rows, inputs: rows.inputs.map(() => Number.POSITIVE_INFINITY) };
  expect((await tried({ rows: wild, passes: 2 })).view.problem).toContain("smaller learning rate");
  const trial = workbench(() => {}, []).trial({ task, rows, passes: 2 });
  await trial.ended;
  expect(trial.view.get()).toMatchObject({ state: "failed", backend: null });
  expect(trial.view.get().problem).toContain("No engine on this device can train this model.");
});

test("measures a step on the fastest engine, and later only on that one", async () => {
  const timed: string[] = [];
  const bench = workbench((message) => {
    if (message.kind === "call" && message.request.kind === "time") timed.push(message.request.backend);
  });
  const first = await bench.measure(task);
  expect(first.msPerStep).toBeGreaterThan(0);
  expect(first.table.map(({ backend }) => backend)).toEqual(["wasm", "cpu"]);
  expect(timed).toEqual(["wasm", "cpu"]);
  const second = await bench.measure({ ...task, training: { ...task.training, batchSize: 64 } });
  expect(second.backend).toBe(first.backend);
  expect(timed.slice(2)).toEqual([first.backend]);
});

function correctOf(kept: LocalMetrics | undefined): number {
  return kept !== undefined && "correct" in kept ? kept.correct : Number.NaN;
}
