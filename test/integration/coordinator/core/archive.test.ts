import { describe, expect, test } from "vitest";
import { ALL_READABLE } from "#coordinator/core/ports/store.ts";
import { present } from "#shared/kernel/assert.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

/* Archiving a task: off the list, no devices, no runs; models, log and figures stay. */

const listed = async ({ coordinator }: Federation, archived?: boolean) => {
  const readable = archived === undefined ? ALL_READABLE : { ...ALL_READABLE, archived };
  return (await coordinator.tasks.listTasks(readable, { limit: 10 })).items.map(({ task }) => task.slug);
};

describe("[A20] archiving a task", () => {
  test("cancels runs in line, ends the active one after its round, and then tells the devices", async () => {
    const federation = await Federation.create({ devices: 4 });
    const { coordinator, db, task } = federation;
    // One device holds its input back, so the round collects until its deadline.
    present(federation.devices[0], "a device").keepsInput = () => {};
    federation.connectAll();
    const [active, queued] = [await federation.launch(5), await federation.launch(5)];
    await federation.until(
      async () => (await federation.run(active)).currentRound?.phase === "collecting",
      "a round that collects",
    );
    const preview = present(await coordinator.tasks.archiveView(task.slug, "ada"), "a preview");
    const sentence = "ada archived small at version 1. Run 1 ends after round 1. 1 queued run is cancelled.";
    expect(preview).toEqual({ archived: null, sentence });
    expect(await coordinator.tasks.archive(task.slug, "ada")).toMatchObject({ value: { sentence } });
    const log = db.log.filter(({ stream }) => stream.kind === "project");
    expect(JSON.parse(present(log.at(-1), "an event").body).fact).toEqual({
      ...{ type: "task-archived", slug: "small", version: 1, actor: "ada" },
      activeRun: { number: 1, round: 1 },
      queuedRuns: 1,
    });
    const leaf = db.leaves.find(({ kind }) => kind === "task.archived");
    expect(leaf?.body).toEqual({ version: 1, slug: "small", taskVersion: 1 });
    // Nobody is told while the round goes on.
    expect(federation.dropped).toEqual([]);
    const over = await federation.ended(active);
    expect([over.state, over.code, over.roundsCommitted]).toEqual(["failed", "TASK_ARCHIVED", 1]);
    expect(over.history.map(({ round }) => round)).toEqual([0, 1]);
    const cancelled = await federation.ended(queued);
    expect([cancelled.state, cancelled.code, cancelled.startedAt]).toEqual(["failed", "TASK_ARCHIVED", null]);
    await federation.inFlight.settle();
    expect(new Set(federation.dropped.map(({ code }) => code))).toEqual(new Set(["TASK_ARCHIVED"]));
    expect(federation.dropped.map(({ identity }) => identity).sort()).toEqual(
      federation.devices.map(({ identity }) => identity).sort(),
    );
    // Models, figures and log stay.
    const view = present(await coordinator.tasks.taskView(task.slug), "the task");
    expect([view.latestModelHash, view.measures === null]).toEqual([over.modelHash, false]);
    expect(view.archived).toMatchObject({ by: "ada" });
    expect(federation.logged).toEqual([]);
  });

  test("takes it off the list unless asked, and refuses devices and launches with what to do", async () => {
    const federation = await Federation.create({ devices: 3 });
    const { coordinator, task } = federation;
    await coordinator.tasks.archive(task.slug, "ada");
    expect([await listed(federation), await listed(federation, true)]).toEqual([[], ["small"]]);
    const { identity } = present(federation.devices[0], "a device");
    coordinator.devices.deviceUp(identity, task.slug);
    const reply = await coordinator.devices.onDeviceMessage(identity, { type: "check-in", taskVersion: 1 });
    expect(reply).toMatchObject({ type: "refused", error: { code: "TASK_ARCHIVED", retry: "never" } });
    expect(await coordinator.runs.launch({ task: task.slug, rounds: 1 }, "ada")).toMatchObject({
      error: { code: "TASK_ARCHIVED" },
    });
    const begin = { format: "csv", byteCount: 1, card: {} } as never;
    expect(await coordinator.heldOut.beginHeldOut(task.slug, begin, "ada")).toMatchObject({
      error: { code: "CONFLICT" },
    });
  });

  test("a second time says who did it and when, and is no event", async () => {
    const federation = await Federation.create({ devices: 3 });
    const { coordinator, db, task } = federation;
    await coordinator.tasks.archive(task.slug, "ada");
    const events = db.log.length;
    const again = await coordinator.tasks.archive(task.slug, "grace");
    expect(again).toMatchObject({
      error: {
        code: "CONFLICT",
        message: expect.stringMatching(/^Archived on \d{4}-\d\d-\d\d by ada\. Nobody can join\./),
      },
    });
    expect(db.log.length).toBe(events);
    expect(await coordinator.tasks.archiveView(task.slug, "grace")).toMatchObject({
      sentence: "ada archived small at version 1.",
    });
    expect(await coordinator.tasks.archive("nobody", "ada")).toMatchObject({ error: { code: "NOT_FOUND" } });
  });

  test("a new version takes it up again, and the log says so", async () => {
    const federation = await Federation.create({ devices: 3 });
    const { coordinator, task } = federation;
    await coordinator.tasks.archive(task.slug, "ada");
    expect((await coordinator.tasks.createTask({ ...task, version: 2 }, "grace")).ok).toBe(true);
    expect(await listed(federation)).toEqual(["small"]);
    const history = await coordinator.tasks.taskHistory(task.slug);
    expect(history?.items.map(({ sentence }) => sentence)).toEqual([
      "grace published version 2 of small, which takes the task up again.",
      "ada archived small at version 1.",
      "ada published version 1 of small.",
    ]);
    const launched = await coordinator.runs.launch({ task: task.slug, rounds: 1 }, "ada");
    expect(launched.ok).toBe(true);
  });

  test("a kill between its event and the ends of its runs loses nothing", async () => {
    const federation = await Federation.create({ devices: 3 });
    const { task, db } = federation;
    federation.connectAll();
    const [active, queued] = [await federation.launch(3), await federation.launch(3)];
    await federation.until(async () => (await federation.run(active)).roundsCommitted === 1, "a round");
    federation.hook = (name) => {
      const isArchived = db.taskSettings.get(task.slug)?.archived != null;
      return name === "append" && isArchived ? "die-before" : "go";
    };
    await federation.coordinator.tasks.archive(task.slug, "ada").catch(() => undefined);
    federation.hook = () => "go";
    await federation.restart();
    const codes = [(await federation.ended(active)).code, (await federation.ended(queued)).code];
    expect(codes).toEqual(["TASK_ARCHIVED", "TASK_ARCHIVED"]);
  });
});
