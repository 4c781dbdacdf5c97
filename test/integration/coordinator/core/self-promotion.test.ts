import { describe, expect, test } from "vitest";
import { present } from "#shared/kernel/assert.ts";
import {
  decided,
  events,
  GATES,
  inUse,
  must,
  openPromotions,
  type PromotionWorld,
  sentences,
} from "#test/kit/worlds/promotions.ts";

/* A task that promotes by itself, over runs of a whole federation in memory. The test says how good models are. */

describe("[G7] a task that promotes by itself", () => {
  test("serves the run at 0.936, and the stopped run at 0.415 does not replace it", async () => {
    const world = await openPromotions(true);
    const { federation } = world;
    const first = await federation.ended(await federation.launch(2));
    await decided(world, 1);
    const champion = present(await inUse(world), "a champion");
    expect(champion).toMatchObject({
      version: 2,
      alias: "champion",
      runNumber: 1,
      modelHash: first.modelHash,
    });
    expect(champion.measures?.["accuracy"]?.value).toBe(0.936);

    world.accuracy = 0.415;
    const second = await federation.launch(5);
    await federation.until(async () => (await federation.run(second)).history.length >= 2, "figures");
    await federation.coordinator.runs.stopRun(second, "grace");
    const over = await federation.ended(second);
    await decided(world, 2);
    expect(await inUse(world)).toEqual(champion);
    const view = present(await federation.coordinator.tasks.taskView(world.slug), "the task");
    expect([view.latestModelHash, view.measures]).toEqual([first.modelHash, champion.measures]);
    const [promoted, kept] = events(world);
    expect(promoted).toMatchObject({ type: "promoted", from: null, to: 2, actor: "coordinator" });
    expect(kept).toMatchObject({ type: "not-promoted", from: 2, to: over.candidate, actor: "coordinator" });
    expect((await sentences(world))?.slice(0, 2)).toEqual([
      expect.stringMatching(
        /^Version \d of small was not promoted\. .*(accuracy on the task’s held-out rows|80\.0 % is required)\.$/,
      ),
      "Version 2 of small was promoted by itself, because its 2 gates are open: it is in use.",
    ]);
    expect(federation.db.leaves.map(({ kind }) => kind)).toContain("model.notPromoted");
  });

  test("decides each candidate once, also one whose run ended just before the coordinator was killed", async () => {
    const world = await openPromotions(true);
    const { federation } = world;
    let isKilled = false;
    federation.hook = (name, [stream]) => {
      if (name !== "appendNext" || (stream as { readonly kind?: string }).kind !== "registry") return "go";
      isKilled = true;
      return "die-before";
    };
    const runId = await federation.launch(1);
    await federation.until(async () => isKilled, "the kill");
    expect([events(world), federation.db.runs.get(runId)?.state]).toEqual([[], "completed"]);
    federation.hook = () => "go";
    await federation.restart();
    await decided(world, 1);
    expect(events(world)).toMatchObject([{ type: "promoted", to: 1 }]);
    // Someone goes another way; the next start leaves it.
    must(
      await federation.coordinator.registry.moveAlias(
        world.slug,
        "shadow",
        { version: 1, expected: null },
        "ada",
      ),
    );
    await federation.restart();
    await federation.inFlight.settle();
    expect(events(world).map(({ type }) => type)).toEqual(["promoted", "alias-moved"]);
  });
});

test("[G7] candidates that were left undecided are found behind a run that is under way", async () => {
  const world = await openPromotions(false);
  const { federation, slug } = world;
  await federation.ended(await federation.launch(2));
  const open2 = await federation.launch(20);
  await federation.until(async () => (await federation.run(open2)).roundsCommitted >= 1, "a round");
  const promotion = { gates: [...GATES], promoteByItself: true };
  must(await federation.coordinator.tasks.changeTaskSettings(slug, { promotion }, "ada"));
  await federation.restart();
  await decided(world, 1);
  expect(events(world)).toMatchObject([{ type: "promoted", to: 2, actor: "coordinator" }]);
  expect((await federation.run(open2)).state).toBe("running");
});

test("[G7] a restart leaves the version that a person chose, and judges only the newest candidate", async () => {
  const world = await openPromotions(false);
  const { federation, slug } = world;
  const { registry, tasks } = federation.coordinator;
  await federation.ended(await federation.launch(1));
  await federation.ended(await federation.launch(1));
  await federation.ended(await federation.launch(1));
  federation.clock.advance(1_000);
  must(await registry.promote(slug, { version: 2, expected: null }, "ada"));
  const promotion = { gates: [...GATES], promoteByItself: true };
  must(await tasks.changeTaskSettings(slug, { promotion }, "ada"));
  // All gates of all three are open.
  for (let start = 0; start < 2; start++) {
    await federation.restart();
    await federation.inFlight.settle();
  }
  expect(events(world)).toMatchObject([{ type: "promoted", to: 2, actor: "ada" }]);
  expect(await inUse(world)).toMatchObject({ version: 2, alias: "champion" });
  // Going back is a choice as well.
  must(await federation.coordinator.registry.promote(slug, { version: 3, expected: 2 }, "ada"));
  must(await federation.coordinator.registry.rollBack(slug, 3, "ada"));
  await federation.restart();
  await federation.inFlight.settle();
  expect(events(world)).toHaveLength(3);
});

test("[G7] of several candidates that were left, a start judges the newest alone", async () => {
  const world = await openPromotions(false);
  const { federation, slug } = world;
  await federation.ended(await federation.launch(1));
  await federation.ended(await federation.launch(1));
  const promotion = { gates: [...GATES], promoteByItself: true };
  must(await federation.coordinator.tasks.changeTaskSettings(slug, { promotion }, "ada"));
  await federation.restart();
  await decided(world, 1);
  await federation.inFlight.settle();
  expect(events(world)).toMatchObject([{ type: "promoted", from: null, to: 2 }]);
});

describe("[G7] while a candidate's gates are asked", () => {
  async function judging(meanwhile: (world: PromotionWorld) => Promise<void>) {
    const noWorse = { kind: "measure" as const, name: "accuracy", minAbsoluteChange: 0 };
    const world = await openPromotions(false, [noWorse]);
    const { federation, slug } = world;
    world.difference = 0.05;
    await federation.ended(await federation.launch(2));
    must(await federation.coordinator.registry.promote(slug, { version: 1, expected: null }, "ada"));
    const promotion = { gates: [noWorse], promoteByItself: true };
    must(await federation.coordinator.tasks.changeTaskSettings(slug, { promotion }, "ada"));
    let asked = 0;
    world.whileComparing = async () => {
      asked += 1;
      if (asked === 1) await meanwhile(world);
    };
    await federation.ended(await federation.launch(1));
    return world;
  }

  test("another champion decides it, the log says so, and no start judges it again", async () => {
    const world = await judging(async ({ federation, slug }) => {
      const act = { version: 2, expected: 1 };
      const promotion = { gates: [...GATES], promoteByItself: true };
      must(await federation.coordinator.tasks.changeTaskSettings(slug, { promotion }, "ada"));
      must(await federation.coordinator.registry.promote(slug, act, "ada"));
    });
    await decided(world, 3);
    const last = { type: "not-promoted", from: 2, to: 3, overtaken: true, actor: "coordinator" };
    expect(events(world).at(-1)).toMatchObject(last);
    expect((await sentences(world))?.[0]).toBe(
      "Version 3 of small was not promoted, because someone moved the champion while its gates were asked.",
    );
    await world.federation.restart();
    await world.federation.inFlight.settle();
    expect(events(world)).toHaveLength(3);
  });

  test("other gates are asked at once", async () => {
    const world = await judging(async ({ federation, slug }) => {
      const promotion = { gates: [...GATES], promoteByItself: true };
      must(await federation.coordinator.tasks.changeTaskSettings(slug, { promotion }, "bob"));
    });
    await decided(world, 2);
    expect(events(world).at(-1)).toMatchObject({
      ...{ type: "promoted", from: 1, to: 3, actor: "coordinator" },
      gates: [{ kind: "cohort" }, { kind: "measure" }],
    });
  });
});
