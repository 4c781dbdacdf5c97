import { describe, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { present } from "#shared/kernel/assert.ts";
import { projectFactOf } from "#shared/project/log.ts";
import { FAKE_SET } from "#test/kit/fakes/memory-held-out.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

describe("creating a task", () => {
  test("[A21] of two people who publish the same version the second is told, and nothing of theirs is stored", async () => {
    const federation = await Federation.create({ devices: 3 });
    const { db, coordinator } = federation;
    const before = { log: db.log.length, leaves: db.leaves.length, tasks: db.tasks.length };
    const mine = bundledTask("hmda", 8, 1);
    const theirs = { ...mine, learns: "something else" };
    const answers = await Promise.all([
      coordinator.tasks.createTask(mine, "ada"),
      coordinator.tasks.createTask(theirs, "grace"),
    ]);
    expect(answers[0]).toMatchObject({ ok: true });
    expect(answers[1]).toMatchObject({
      ok: false,
      error: { code: "CONFLICT", message: "Version 1 of task hmda exists. A change is a new version." },
    });
    expect([db.log.length, db.leaves.length, db.tasks.length]).toEqual([
      before.log + 1,
      before.leaves + 1,
      before.tasks + 1,
    ]);
    expect((await coordinator.tasks.taskView("hmda"))?.task.learns).toBe(mine.learns);
  });

  test("[A21] versions follow one another: a gap and an older number are refused with the number that is next", async () => {
    const { coordinator, db } = await Federation.create({ devices: 3 });
    const { tasks } = coordinator;
    const made = (version: number) => tasks.createTask(bundledTask("hmda", 8, version), "ada");
    expect(await made(7)).toMatchObject({ ok: true });
    const before = [db.log.length, db.leaves.length, db.tasks.length];
    for (const version of [3, 9, 1_000_000]) {
      expect(await made(version)).toMatchObject({
        error: { code: "CONFLICT", message: "The next version of task hmda is 8." },
      });
    }
    expect([db.log.length, db.leaves.length, db.tasks.length]).toEqual(before);
    expect(await made(8)).toMatchObject({ ok: true });
  });

  test("[A9] is an event of the project's stream, with a leaf that names nobody", async () => {
    const federation = await Federation.create({ devices: 3 });
    const { db, coordinator } = federation;
    const before = { log: db.log.length, leaves: db.leaves.length };
    const task = bundledTask("hmda", 8, 1);
    const created = await coordinator.tasks.createTask(task, "grace");
    const taskHash = created.ok ? created.value.taskHash : "";

    const [entry, ...others] = db.log.slice(before.log);
    expect(others).toEqual([]);
    expect(entry?.stream).toEqual({ kind: "project", id: "default" });
    const row = { sequence: entry?.sequence ?? 0, event: JSON.parse(entry?.body ?? "null") };
    const fact = { type: "task-created", slug: "hmda", version: 1, taskHash, actor: "grace" };
    expect(projectFactOf(row)).toEqual({ ok: true, value: fact });
    const body = { version: 1, slug: "hmda", taskVersion: 1, taskHash };
    expect(db.leaves.slice(before.leaves)).toEqual([
      { kind: "task.published", at: expect.any(Number), body },
    ]);

    const again = await coordinator.tasks.createTask(task, "eve");
    expect(again).toMatchObject({ ok: false, error: { code: "CONFLICT" } });
    expect([db.log.length, db.leaves.length]).toEqual([before.log + 1, before.leaves + 1]);
  });

  test("[X5] its project's stream has its settings, and its runs belong to that project", async () => {
    const federation = await Federation.create({ devices: 5 });
    const { db, coordinator, task } = federation;
    for (const [index, row] of db.tasks.entries()) db.tasks[index] = { ...row, projectId: "other" };
    federation.connectAll();
    const run = await federation.ended(await federation.launch(1));
    expect([...db.runs].map(([runId, row]) => [runId, row.projectId])).toEqual([[run.runId, "other"]]);
    await coordinator.tasks.changeTaskSettings(task.slug, { invitation: "Help" }, "grace");
    expect(db.log.at(-1)?.stream).toEqual({ kind: "project", id: "other" });
  });

  test("[A10] settings change for all versions of a slug, and no participant is asked again", async () => {
    const federation = await Federation.create({ devices: 5 });
    const { db, coordinator, task } = federation;
    const { slug } = task;
    federation.connectAll();
    const before = present(await coordinator.tasks.taskView(slug), "the task");
    const launched = await federation.ended(await federation.launch(1));
    const logged = { log: db.log.length, leaves: db.leaves.length };

    const invitation = "Help a model tell three things from one another";
    const changed = await coordinator.tasks.changeTaskSettings(slug, { invitation }, "grace");
    const settings = { invitation, joining: "public" };
    expect(changed).toMatchObject({ ok: true, value: { slug, settings } });
    expect(await coordinator.tasks.taskSettings(slug)).toMatchObject({ slug, settings });
    const entry = present(db.log[logged.log], "its event");
    const row = { sequence: entry.sequence, event: JSON.parse(entry.body) };
    const fact = { type: "task-settings-changed", slug, changes: { invitation }, actor: "grace" };
    expect(projectFactOf(row)).toEqual({ ok: true, value: fact });
    const body = { version: 1, slug, names: ["invitation"] };
    expect(db.leaves.slice(logged.leaves)).toEqual([
      { kind: "config.changed", at: expect.any(Number), body },
    ]);

    const after = present(await coordinator.tasks.taskView(slug), "the task");
    expect(before.settings).toEqual({ invitation: task.invitation, joining: "public" });
    // What was agreed to is the same to the byte; only the text shown above it differs.
    expect(after).toEqual({
      ...before,
      agreedCount: 5,
      inUse: after.inUse,
      latestModelHash: after.latestModelHash,
      measures: after.measures,
      measuredOn: FAKE_SET.hash,
      settings: { invitation, joining: "public" },
    });
    const run = await federation.ended(await federation.launch(1));
    expect([run.state, run.taskVersion, run.configHash]).toEqual([
      "completed",
      launched.taskVersion,
      launched.configHash,
    ]);

    // Repeating it changes nothing and is no event; null restores the version's own text.
    const count = db.log.length;
    await coordinator.tasks.changeTaskSettings(slug, { invitation }, "grace");
    expect(db.log).toHaveLength(count);
    await coordinator.tasks.changeTaskSettings(slug, { invitation: null }, "grace");
    expect((await coordinator.tasks.taskView(slug))?.settings).toEqual({
      invitation: task.invitation,
      joining: "public",
    });
    expect(await coordinator.tasks.changeTaskSettings("nobody", { invitation }, "grace")).toMatchObject({
      error: { code: "NOT_FOUND" },
    });
  });

  test("[A9] an event of a later version, or a malformed one, is an error with its sequence", () => {
    expect(projectFactOf({ sequence: 7, event: { version: 9, fact: {} } })).toEqual({
      ok: false,
      error: { type: "newer", sequence: 7, version: 9 },
    });
    for (const event of [null, {}, { version: 1, fact: { type: "task-lost" } }, { version: 0, fact: {} }])
      expect(projectFactOf({ sequence: 2, event })).toMatchObject({
        error: { type: "malformed", sequence: 2 },
      });
  });
});
