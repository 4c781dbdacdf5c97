import { afterEach, describe, expect, test } from "vitest";
import { createTrainer } from "#client/core/engine/trainer.ts";
import type { EnrolmentView } from "#client/core/enrolment/enrolment.ts";
import type { RoundDetail } from "#shared/protocol/api.ts";
import { ProductDevice } from "../../../kit/devices/product-device.ts";
import { EngineShop, type FakeEngine, made } from "../../../kit/fakes/fake-engine.ts";
import { type Edit, type Planted, plant } from "../../../kit/planted.ts";
import { Federation } from "../../../kit/worlds/federation.ts";

/*
 * One device whose engines die and four others that train, against the real core. A round's training takes at most 60
 * s.
 */

const BACKENDS = ["webgl", "wasm", "cpu"] as const;
/** Duration of a training; the federation's other devices take no time. */
const TRAINING_MS = 1_000;

interface Cores {
  readonly createTrainer: typeof createTrainer;
  readonly core?: { createMemory: never; createEnrolment: never };
}

/** @param behave  What an engine does with a job that it has received. */
async function among(behave: (engine: FakeEngine, nth: number) => void, cores: Cores = { createTrainer }) {
  const federation = await Federation.create({ devices: 4, task: { goal: 5 } });
  const { clock, task } = federation;
  const shop = new EngineShop({ webgl: 2, wasm: 5, cpu: 9 });
  let jobs = 0;
  const watched: typeof shop.open = (listener) => {
    const worker = shop.open(listener);
    return {
      post: (message) => {
        worker.post(message);
        if (message.kind === "call" && message.request.kind === "train") behave(shop.last, ++jobs);
      },
      terminate: () => worker.terminate(),
    };
  };
  const trainer = cores.createTrainer(
    { openWorker: watched, clock, wall: clock, after: clock.after },
    BACKENDS,
  );
  const device = await ProductDevice.create(federation, { trainer, ...(cores.core && { core: cores.core }) });
  await trainer.calibrate(task);
  const shown: EnrolmentView["activity"][] = [];
  device.enrolment.view.subscribe(({ activity }) => void (activity && shown.push(activity)));
  const begin = async (rounds: number) => {
    const runId = await federation.launch(rounds);
    federation.connectAll();
    device.enrolment.start();
    return runId;
  };
  const finishLater = (engine: FakeEngine) => {
    const { length } = engine.jobs.at(-1)?.job.weights ?? [];
    clock.after(TRAINING_MS, () => engine.finish(made(length ?? 0)));
  };
  return { federation, device, trainer, shop, shown, begin, finishLater, clock };
}
type World = Awaited<ReturnType<typeof among>>;

const survivorsOf = (rounds: readonly RoundDetail[]) =>
  rounds
    .filter(({ phase }) => phase === "committed")
    .toSorted((left, right) => left.round - right.round)
    .map(({ survivors }) => survivors);

/** Milliseconds on the federation's clock until all rounds were over. */
async function timed(world: World, rounds: number): Promise<{ ms: number; survivors: (number | null)[] }> {
  const beganMs = world.clock.nowMs();
  const runId = await world.begin(rounds);
  const run = await world.federation.ended(runId);
  expect(run.state).toBe("completed");
  return { ms: world.clock.nowMs() - beganMs, survivors: survivorsOf(await world.federation.rounds(runId)) };
}

describe("a device whose engine stops", () => {
  test("[T2] in training leaves the round at once, and is in the next with another engine", async () => {
    const world: World = await among((engine, nth) => {
      if (nth === 1) world.clock.after(200, () => engine.lose("webgl", "context-lost"));
      else world.finishLater(engine);
    });
    const { ms, survivors } = await timed(world, 4);
    expect(survivors[0]).toBe(4);
    expect(survivors.slice(1)).toContain(5);
    expect(survivors.at(-1)).toBe(5);
    // Nobody waited for it: not until a deadline, and not even until it would have counted as gone.
    expect(ms).toBeLessThan(30_000);
    expect(world.shown).toContain("mending");
    const [first] = world.device.view.contributions.toReversed();
    expect(first?.outcome?.kind).toBe("committed");
    expect(world.trainer.engines.get()).toMatchObject({ backend: "wasm", losses: [{ backend: "webgl" }] });
    expect(world.device.view.refusal).toBeNull();
  });

  test("[T1] [T2] silently leaves well before the others' deadline", async () => {
    const world: World = await among((engine, nth) => {
      if (nth > 1) world.finishLater(engine);
    });
    const { ms, survivors } = await timed(world, 4);
    expect(survivors[0]).toBe(4);
    expect(survivors.at(-1)).toBe(5);
    expect(ms).toBeLessThan(60_000);
    expect(world.trainer.engines.get().losses).toMatchObject([{ cause: "silent" }]);
  });

  test("[T2] between rounds stays out of the lobby until the next one works", async () => {
    const world: World = await among((engine) => world.finishLater(engine));
    const runId = await world.begin(5);
    await world.federation.until(
      async () => (await world.federation.run(runId)).roundsCommitted >= 1,
      "one round",
    );
    world.shop.script = { wasm: "silent", cpu: 9 };
    world.shop.last.lose("webgl", "context-lost");
    // wasm hangs for two seconds; in the meantime this device does not check in.
    const checkIns = () => world.device.sentOf("check-in").length;
    const before = checkIns();
    const until: number[] = [];
    world.trainer.engines.subscribe(({ backend }) => void (backend === "cpu" && until.push(checkIns())));
    await world.federation.ended(runId);
    expect(until).toEqual([before]);
    expect(checkIns()).toBeGreaterThan(before);
    expect(world.trainer.engines.get().backend).toBe("cpu");
    expect(survivorsOf(await world.federation.rounds(runId)).at(-1)).toBe(5);
  });

  test("[T2] without a replacement ends its part with a sentence, and the others go on", async () => {
    const world: World = await among((engine) => {
      world.shop.script = {};
      engine.lose("webgl", "context-lost");
    });
    const { ms, survivors } = await timed(world, 1);
    expect(survivors).toEqual([4]);
    expect(ms).toBeLessThan(30_000);
    expect(world.device.view).toMatchObject({
      activity: "idle",
      refusal: { code: "NO_ENGINE", by: "device" },
    });
    expect(world.device.sentOf("leave").length).toBeGreaterThan(0);
    expect(world.device.sentOf("advertise")).toHaveLength(0);
  });

  test("after its training still sends its list, because the engine is no longer needed", async () => {
    const world: World = await among((engine, nth) => {
      world.finishLater(engine);
      if (nth === 1) world.clock.after(TRAINING_MS + 1, () => engine.lose("webgl", "context-lost"));
    });
    const { survivors } = await timed(world, 3);
    expect(survivors[0]).toBe(5);
    expect(survivors.at(-1)).toBe(5);
    expect(world.trainer.engines.get().backend).toBe("wasm");
  });

  test("or gives non-finite numbers is not ready before an engine has been checked again", async () => {
    const world: World = await among((engine, nth) => {
      const { length } = engine.jobs.at(-1)?.job.weights ?? [];
      const bad = { ...made(length ?? 0), delta: new Float32Array(length ?? 0).fill(Number.NaN) };
      if (nth === 1) world.clock.after(200, () => engine.finish(bad));
      else world.finishLater(engine);
    });
    const { survivors } = await timed(world, 3);
    expect(survivors[0]).toBe(4);
    expect(survivors.at(-1)).toBe(5);
    expect(world.shown).toContain("mending");
  });
});

describe("positive control", () => {
  let planted: Planted | null = null;
  afterEach(() => planted?.remove());

  async function old(edits: readonly Edit[]): Promise<Cores> {
    planted = await plant(edits);
    const [{ createTrainer: make }, { createEnrolment }, { createMemory }] = [
      await planted.load<typeof import("#client/core/engine/trainer.ts")>("client/core/engine/trainer.ts"),
      await planted.load<typeof import("#client/core/enrolment/enrolment.ts")>(
        "client/core/enrolment/enrolment.ts",
      ),
      await planted.load<typeof import("#client/core/memory.ts")>("client/core/memory.ts"),
    ];
    return {
      createTrainer: make,
      core: { createEnrolment, createMemory } as unknown as NonNullable<Cores["core"]>,
    };
  }

  test("[T1] [T2] without the silence watch every round waits for its deadline", async () => {
    const world: World = await among(
      () => {},
      await old([{ file: "shared/kernel/silence.ts", find: "else onSilent();", replace: "" }]),
    );
    const { ms, survivors } = await timed(world, 3);
    expect(survivors).toEqual([4, 4, 4]);
    expect(ms).toBeGreaterThan(3 * 60_000);
    expect(world.device.view.activity).not.toBe("idle");
  });

  test("[T2] a device that checks in without a working engine comes back into each round for nothing", async () => {
    const world: World = await among(
      (engine) => {
        world.shop.script = {};
        engine.lose("webgl", "context-lost");
      },
      await old([
        {
          file: "client/core/enrolment/enrolment.ts",
          find: "if (this.#part === null && this.#ports.trainer.engines.get().backend === null) {",
          replace: "if (this.#connection < 0) {",
        },
        {
          file: "shared/protocol/errors.ts",
          find: 'NO_ENGINE: [\n    "never",',
          replace: 'NO_ENGINE: [\n    "later",',
        },
      ]),
    );
    await timed(world, 4);
    expect(world.device.view.activity).not.toBe("idle");
    expect(world.device.sentOf("check-in").length).toBeGreaterThan(2);
  });
});
