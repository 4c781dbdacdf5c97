import { afterAll, describe, expect, test } from "vitest";
import { openModels } from "#coordinator/adapters/models.ts";
import { makeModel } from "#coordinator/core/models/model-jobs.ts";
import type { MadeModel, ModelJob } from "#coordinator/core/ports/model-job.ts";
import { ALL_READABLE } from "#coordinator/core/ports/store.ts";
import { present } from "#shared/kernel/assert.ts";
import { primitives } from "#shared/node/system.ts";
import type { Launch } from "#shared/protocol/api.ts";
import type { Task } from "#shared/task/task.ts";
import { layoutOf } from "#shared/vector/task-layout.ts";
import { memoryHeldOut, memoryHeldOutFiles } from "#test/kit/fakes/memory-held-out.ts";
import { TEST_TRAINING } from "#test/kit/secagg-fixtures.ts";
import { coordinatesOf } from "#test/kit/vectors.ts";
import { Federation, fakeEvaluator } from "#test/kit/worlds/federation.ts";
import { hiddenDense, smallTask } from "#test/kit/worlds/small-task.ts";

/* Models made in a worker thread: the same bytes as in this thread, which goes on meanwhile. */

const models = openModels();
afterAll(() => models.close());

const STRATEGY = {
  kind: "fedadam",
  serverLearningRate: 0.01,
  beta1: 0.9,
  beta2: 0.99,
  tau: 0.001,
} as const;
const ROUND = { roundParams: { purpose: "train", training: TEST_TRAINING } } as const;
const RUN = { runId: "ab".repeat(16), round: 3 };

/** All kinds of jobs for a task, each made from the previous result. */
async function all(task: Task, make: (job: ModelJob) => Promise<MadeModel>): Promise<MadeModel[]> {
  const bytesOf = ({ modelBytes }: MadeModel) => present(modelBytes, "a model").slice();
  const initial = await make({ kind: "initial", task, seed: 7 });
  const stepped = await make({ kind: "void-step", task, modelBytes: bytesOf(initial), ...RUN });
  const next = async (stateBytes: MadeModel["stateBytes"], modelBytes: MadeModel) => {
    const { count } = coordinatesOf(layoutOf(task, "train", null));
    const coordinateSum = Int32Array.from({ length: count }, (_, index) => (index % 401) - 200);
    const sums = { coordinateSum, weightSum: 12 };
    const from = { stateBytes: stateBytes?.slice() ?? null, modelBytes: bytesOf(modelBytes) };
    return make({ kind: "next", task, strategy: STRATEGY, ...ROUND, ...from, ...RUN, ...sums });
  };
  const first = await next(null, stepped);
  return [initial, stepped, first, await next(first.stateBytes, first)];
}

describe("[E4] models", () => {
  test.each([
    ["small", 8],
    ["large", 40_000],
  ])("that are %s are the same bytes, wherever they are made", async (_, units) => {
    const task = smallTask(4, {}, [hiddenDense(units)]);
    const [here, there] = [
      await all(task, (job) => makeModel(primitives, job)),
      await all(task, (job) => models.make(job)),
    ];
    expect(there).toEqual(here);
    const hashes = await Promise.all(
      here.map(async ({ modelBytes }) => primitives.sha256(present(modelBytes, "a model"))),
    );
    expect(new Set(hashes.map(String)).size).toBe(4);
    expect([here[2]?.stateBytes === null, (here[2]?.updateNormL2 ?? 0) > 0]).toEqual([false, true]);
  });

  test("that are large are handed over to another thread, small ones are not", async () => {
    for (const [units, isHandedOver] of [
      [8, false],
      [65_536, true],
    ] as const) {
      const task = smallTask(4, {}, [hiddenDense(units)]);
      const { modelBytes } = await models.make({ kind: "initial", task, seed: 7 });
      const coordinateSum = new Int32Array(coordinatesOf(layoutOf(task, "train", null)).count);
      const made = models.make({
        kind: "next",
        task,
        strategy: STRATEGY,
        ...ROUND,
        stateBytes: null,
        modelBytes: present(modelBytes, "a model"),
        ...RUN,
        coordinateSum,
        weightSum: 1,
      });
      // What was handed over is gone here at once.
      expect(coordinateSum.length === 0).toBe(isHandedOver);
      expect((await made).modelBytes).not.toBeNull();
    }
  });

  test("made from a sum beyond the range of weights are null", async () => {
    const task = smallTask(4);
    const { count } = coordinatesOf(layoutOf(task, "train", null));
    const initial = await models.make({ kind: "initial", task, seed: 7 });
    const made = await models.make({
      kind: "next",
      task,
      strategy: { kind: "fedavg", serverLearningRate: 1 },
      ...ROUND,
      stateBytes: null,
      modelBytes: present(initial.modelBytes, "a model"),
      ...RUN,
      coordinateSum: new Float64Array(count).fill(Number.MAX_VALUE),
      weightSum: 1,
    });
    expect(made.modelBytes).toBeNull();
  });
});

describe("[E4] a launch", () => {
  test("that names its run and is repeated starts no second one", async () => {
    const federation = await Federation.create({ devices: 3 });
    const runId = "0190f3c2a1b47c3d8e9f0a1b2c3d4e5f";
    const launch = { task: "small", rounds: 2, actor: "ada", runId };
    const launches = await Promise.all(
      Array.from({ length: 6 }, () => federation.coordinator.runs.launch(launch, "ada")),
    );
    expect(launches.map((one) => (one.ok ? [one.value.runId, one.value.number] : one.error))).toEqual(
      Array(6).fill([runId, 1]),
    );
    await federation.restart();
    const later = await federation.coordinator.runs.launch(launch, "ada");
    expect(later.ok && later.value.runId).toBe(runId);
    const another = await federation.coordinator.runs.launch({ ...launch, rounds: 3 }, "ada");
    expect(another.ok ? null : another.error.code).toBe("CONFLICT");
    expect((await federation.coordinator.runs.listRuns(ALL_READABLE, { limit: 10 })).items).toHaveLength(1);
  });

  test("that names a run but asks for another strategy, training or waiting time is a conflict", async () => {
    const federation = await Federation.create({ devices: 3 });
    const training = { ...federation.task.training, epochs: 1, proximalMu: 0 };
    const launch = {
      ...{ task: "small", rounds: 2, runId: "0190f3c2a1b47c3d8e9f0a1b2c3d4e5f" },
      ...{ strategy: { kind: "fedavg" }, training, waitUntil: "2090-01-01T00:00:00Z" },
    } as const;
    const code = async (more: object): Promise<string | null> => {
      const launched = await federation.coordinator.runs.launch({ ...launch, ...more } as Launch, "ada");
      return launched.ok ? null : launched.error.code;
    };
    expect(await code({})).toBeNull();
    expect(await code({})).toBeNull();
    // The same instant, and what a client leaves out.
    expect(await code({ waitUntil: "2090-01-01T01:00:00+01:00" })).toBeNull();
    expect(await code({ strategy: undefined, training: undefined, waitUntil: undefined })).toBeNull();
    expect(await code({ strategy: { kind: "fedavgm" } })).toBe("CONFLICT");
    expect(await code({ training: { ...training, proximalMu: 1 } })).toBe("CONFLICT");
    expect(await code({ waitUntil: "2091-01-01T00:00:00Z" })).toBe("CONFLICT");
  });

  test("makes no model, evaluates none, and is refused if too many are in progress", async () => {
    let [counted, evaluated] = [0, 0];
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const own = fakeEvaluator();
    const evaluator = {
      ...own,
      evaluate: (...job: Parameters<typeof own.evaluate>) => {
        evaluated += 1;
        return own.evaluate(...job);
      },
    };
    const heldOutFiles = {
      ...memoryHeldOutFiles(memoryHeldOut()),
      has: async () => {
        counted += 1;
        await held;
        return true;
      },
    };
    const federation = await Federation.create({ devices: 3, ports: { evaluator, heldOutFiles } });
    const launch = () => federation.coordinator.runs.launch({ task: "small", rounds: 1 }, "ada");
    const launches = Array.from({ length: 6 }, launch);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([counted, evaluated, federation.disk.blobs.size]).toEqual([4, 0, 0]);
    letGo();
    const ended = await Promise.all(launches);
    expect(ended.map((one) => (one.ok ? "launched" : `${one.error.code} ${one.error.retry}`))).toEqual([
      ...Array(4).fill("launched"),
      ...Array(2).fill("RATE_LIMITED later"),
    ]);
    // What costs nothing is answered without asking anyone.
    const late = { task: "small", rounds: 1, waitUntil: "2001-01-01T00:00:00Z" };
    expect((await federation.coordinator.runs.launch(late, "ada")).ok).toBe(false);
    expect(counted).toBe(4);
  });
});
