import { afterEach, describe, expect, test } from "vitest";
import { createTrainer, patienceMs } from "#client/core/engine/trainer.ts";
import type { TrainError, Trained, TrainJob } from "#client/core/ports.ts";
import type { LossCause } from "#client/core/training-facts.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import type { Result } from "#shared/kernel/result.ts";
import type { BackendName } from "#shared/task/engine.ts";
import { EngineShop, pass, type Script, settled } from "#test/kit/fakes/fake-engine.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";
import { type Planted, plant } from "#test/kit/planted.ts";

/* Engines that die in every way, and a trainer that must go on. */

const task = bundledTask("digits", 5, 1);
const ALL: readonly BackendName[] = ["webgpu", "webgl", "wasm", "cpu"];
const USUAL: Script = { webgl: 2, wasm: 5, cpu: 10 };
const rows = { inputs: new Float32Array(64), labels: new Float32Array(1), count: 1 };

interface Job {
  readonly result: Promise<Result<Trained, TrainError>>;
  readonly ended: () => boolean;
  readonly abort: AbortController;
  readonly steps: number[];
}

function shopWith(script: Script, create = createTrainer) {
  const clock = new ManualClock();
  const shop = new EngineShop(script);
  const trainer = create({ openWorker: shop.open, clock, wall: clock, after: clock.after }, ALL);
  const train = (options: Partial<TrainJob> = {}): Job => {
    const abort = new AbortController();
    const steps: number[] = [];
    const job = {
      task,
      plan: task.training,
      weights: new Float32Array(4),
      train: rows,
      local: rows,
      shuffleSeed: 1,
      deadlineMs: clock.nowMs() + 600_000,
      ...options,
    };
    let over = false;
    const result = trainer.train(job, ({ step }) => void steps.push(step), abort.signal);
    void result.then(() => {
      over = true;
    });
    return { result, ended: () => over, abort, steps };
  };
  const calibrated = async (force?: BackendName) => {
    void trainer.calibrate(task, force);
    await pass(clock, 60_000);
  };
  return { clock, shop, trainer, train, calibrated, view: () => trainer.engines.get() };
}
type Shop = ReturnType<typeof shopWith>;

const rowOf = ({ view }: Shop, backend: BackendName) => view().table.find((row) => row.backend === backend);

test("[T3] a platform that refuses to make a worker leaves no engine, and a later calibration finds one", async () => {
  const world = shopWith(USUAL);
  world.shop.refuses = true;
  await world.calibrated();
  expect(world.view()).toMatchObject({ backend: null, calibrating: false });
  expect(await world.trainer.ready()).toBeNull();
  world.shop.refuses = false;
  await world.calibrated("webgl");
  expect(world.view()).toMatchObject({ backend: "webgl", calibrating: false });
});

describe("an engine that stops while it trains", () => {
  const ends: readonly [string, LossCause, (shop: Shop) => void][] = [
    ["loses its context", "context-lost", ({ shop }) => shop.last.lose("webgl", "context-lost")],
    ["loses its device", "device-lost", ({ shop }) => shop.last.lose("webgl", "device-lost")],
    ["throws", "fault", ({ shop }) => shop.last.fail("cannot read properties of null")],
    [
      "is refused memory",
      "out-of-memory",
      ({ shop }) => shop.last.fail("RangeError: Array buffer allocation failed"),
    ],
    ["ends with its worker", "ended", ({ shop }) => shop.last.listener.onEnd("ended", "")],
    [
      "takes too much memory",
      "out-of-memory",
      ({ shop }) => shop.last.listener.onEnd("out-of-memory", "heap"),
    ],
  ];

  test.each(ends)(
    "[T1] [T3] and %s: the job ends with it, and the next engine takes over",
    async (...[, cause, end]) => {
      const world = shopWith(USUAL);
      await world.calibrated();
      expect(world.view()).toMatchObject({ backend: "webgl", losses: [] });
      const job = world.train();
      await settled();
      const first = world.shop.last;
      first.progress();
      expect(job.steps).toEqual([1]);
      end(world);
      expect(await job.result).toMatchObject({
        ok: false,
        error: { type: "engine-lost", loss: { backend: "webgl", cause } },
      });
      expect(first.terminated).toBe(true);
      await pass(world.clock, 10_000);
      expect(await world.trainer.ready()).toBe("wasm");
      expect(world.view()).toMatchObject({
        backend: "wasm",
        calibrating: false,
        losses: [{ backend: "webgl", cause }],
      });
      expect(rowOf(world, "webgl")).toMatchObject({ msPerStep: null, untimed: "lost" });
      // Messages from the dead engine are ignored.
      first.lose("wasm", "device-lost");
      first.listener.onEnd("ended", "");
      expect(world.view().backend).toBe("wasm");
      const next = world.train();
      await settled();
      world.shop.last.finish();
      expect(await next.result).toMatchObject({ ok: true });
      expect(world.shop.running).toHaveLength(1);
    },
  );

  test("[T1] silently is given up after a time that depends on its pace", async () => {
    const world = shopWith(USUAL);
    await world.calibrated();
    const job = world.train();
    const allowedMs = patienceMs(2, 600_000);
    await pass(world.clock, allowedMs - 1_100);
    expect(job.ended()).toBe(false);
    world.shop.last.progress();
    await pass(world.clock, allowedMs - 1_100);
    expect(job.ended()).toBe(false);
    await pass(world.clock, 2_200);
    expect(await job.result).toMatchObject({ error: { type: "engine-lost", loss: { cause: "silent" } } });
  });

  test("[T1] patience is generous for slow phones, and at most half of what is left of the phase", () => {
    expect(patienceMs(3, 600_000)).toBe(15_300);
    expect(patienceMs(1_500, 600_000)).toBe(165_000);
    expect(patienceMs(1_500, 120_000)).toBe(60_000);
    expect(patienceMs(3, 20_000)).toBe(10_000);
    expect(patienceMs(3, 0)).toBe(5_030);
    // Never timed: assumed to be slow.
    expect(patienceMs(null, 600_000)).toBe(65_000);
  });

  test("[T4] a frozen tab is not silence", async () => {
    const world = shopWith(USUAL);
    await world.calibrated();
    const job = world.train();
    await pass(world.clock, 5_000);
    // Timers stood still with everything else; only one fires when the tab wakes up.
    for (let freeze = 0; freeze < 3; freeze++) {
      world.clock.stall(90_000);
      await settled();
    }
    expect(job.ended()).toBe(false);
    world.shop.last.finish();
    expect(await job.result).toMatchObject({ ok: true });
  });

  test("[T1] a hung engine does not delay the next job once its round is over", async () => {
    const world = shopWith(USUAL);
    await world.calibrated();
    const job = world.train();
    await settled();
    job.abort.abort();
    expect(world.shop.last.sent.at(-1)).toMatchObject({ kind: "cancel" });
    await pass(world.clock, 7_000);
    expect(job.ended()).toBe(true);
    expect(world.view()).toMatchObject({ losses: [{ cause: "silent" }], backend: "wasm" });
  });

  test("an engine that is cancelled and stops in time lives on", async () => {
    const world = shopWith(USUAL);
    await world.calibrated();
    const job = world.train();
    await settled();
    job.abort.abort();
    const [asked] = world.shop.last.jobs;
    world.shop.last.listener.onMessage({ kind: "done", id: asked?.id ?? -1, value: null });
    expect(await job.result).toEqual({ ok: false, error: { type: "cancelled" } });
    expect(world.view()).toMatchObject({ backend: "webgl", losses: [] });
  });

  describe("positive control", () => {
    let planted: Planted | null = null;
    afterEach(() => planted?.remove());

    test("[T1] without the silence watch a lost context is waited for forever", async () => {
      planted = await plant([{ file: "shared/kernel/silence.ts", find: "else onSilent();", replace: "" }]);
      const { createTrainer: old } = await planted.load<typeof import("#client/core/engine/trainer.ts")>(
        "client/core/engine/trainer.ts",
      );
      const world = shopWith({ ...USUAL, webgpu: { note: "it is not here" } }, old);
      await world.calibrated();
      const job = world.train();
      await pass(world.clock, 3_600_000);
      expect(job.ended()).toBe(false);
    });
  });
});

describe("between jobs", () => {
  test("[T3] an engine that stops while idle is replaced at once", async () => {
    const world = shopWith(USUAL);
    await world.calibrated();
    world.shop.last.lose("webgl", "context-lost");
    expect(world.view()).toMatchObject({ backend: null, calibrating: true });
    // A job that comes before the next one is found waits for it.
    const early = world.train();
    expect(await world.trainer.ready()).toBe("wasm");
    await settled();
    world.shop.last.finish();
    expect(await early.result).toMatchObject({ ok: true });
  });

  test("an engine that is not in use only loses its row", async () => {
    const world = shopWith({ ...USUAL, wasm: 1 });
    await world.calibrated();
    expect(world.view().backend).toBe("wasm");
    world.shop.last.lose("webgl", "context-lost");
    world.shop.last.lose("webgl", "context-lost");
    expect(world.view()).toMatchObject({ backend: "wasm", losses: [{ backend: "webgl" }] });
    expect(rowOf(world, "webgl")?.untimed).toBe("lost");
    const job = world.train();
    await settled();
    world.shop.last.finish();
    expect(await job.result).toMatchObject({ ok: true });
  });

  test("[T3] an engine that stopped is not timed again, unless a person chooses it", async () => {
    const world = shopWith(USUAL);
    await world.calibrated();
    world.shop.last.lose("webgl", "context-lost");
    await world.calibrated();
    const asked = world.shop.engines
      .slice(1)
      .flatMap(({ sent }) => sent.flatMap((message) => (message.kind === "call" ? [message.request] : [])));
    expect(asked.some((request) => request.kind === "time" && request.backend === "wasm")).toBe(true);
    expect(asked.some((request) => request.kind === "time" && request.backend === "webgl")).toBe(false);
    await world.calibrated("webgl");
    expect(world.view()).toMatchObject({ backend: "webgl" });
    expect(rowOf(world, "webgl")).toMatchObject({ msPerStep: 2, note: null });
  });

  test("[T2] if no engine is left, the job is told so", async () => {
    const world = shopWith({ wasm: 5 });
    await world.calibrated();
    world.shop.last.lose("wasm", "out-of-memory");
    await pass(world.clock, 10_000);
    expect(await world.trainer.ready()).toBeNull();
    expect(await world.train().result).toEqual({ ok: false, error: { type: "no-engine" } });
    expect(await world.trainer.predict(task, new Float32Array(4), new Float32Array(64))).toBeNull();
  });

  test("rows are sent once, and again to an engine that has not seen them", async () => {
    const world = shopWith(USUAL);
    await world.calibrated();
    for (const isNew of [true, false]) {
      const job = world.train();
      await settled();
      expect(world.shop.last.jobs.at(-1)?.job.train.rows === null).toBe(!isNew);
      world.shop.last.finish();
      await job.result;
    }
    world.shop.last.lose("webgl", "context-lost");
    await pass(world.clock, 10_000);
    const job = world.train();
    await settled();
    expect(world.shop.last.jobs.at(-1)?.job.train.rows).toBe(rows);
    world.shop.last.finish();
    await job.result;
  });

  test("nothing runs after the end", async () => {
    const world = shopWith(USUAL);
    await world.calibrated();
    const job = world.train();
    await settled();
    await world.trainer.dispose();
    expect(await job.result).toMatchObject({ ok: false });
    await pass(world.clock, 10_000);
    expect(world.shop.running).toEqual([]);
    expect(world.clock.nextMs).toBeNull();
  });
});

describe("calibration", () => {
  test("[T4] gives a hanging engine 2 s, ends it, and continues with the others in a new worker", async () => {
    const world = shopWith({ ...USUAL, webgpu: "silent" });
    await world.calibrated();
    expect(world.shop.engines[0]?.terminated).toBe(true);
    expect(rowOf(world, "webgpu")).toMatchObject({ untimed: "late", note: "it took more than 2 s to start" });
    expect(world.view()).toMatchObject({ backend: "webgl", losses: [] });
  });

  test("on a machine too busy to time any engine, the simplest is still used after a longer wait", async () => {
    const world = shopWith({ wasm: "silent", cpu: "silent" });
    void world.trainer.calibrate(task);
    await pass(world.clock, 3_500);
    world.shop.script = { cpu: 900 };
    await pass(world.clock, 60_000);
    expect(world.view().backend).toBe("cpu");
  });

  test("[T4] a worker that does not start ends the wait and counts as no engine", async () => {
    const world = shopWith(USUAL);
    world.shop.stuck = true;
    void world.trainer.calibrate(task);
    await pass(world.clock, 600_000);
    expect(world.view()).toMatchObject({ backend: null, calibrating: false });
    expect(world.shop.running).toEqual([]);
  });

  test("a named engine that does not work leaves the choice to the others", async () => {
    const world = shopWith(USUAL);
    await world.calibrated("webgpu");
    expect(world.view().backend).toBe("webgl");
    expect(rowOf(world, "webgpu")).toMatchObject({ note: "it is not here" });
  });
});
