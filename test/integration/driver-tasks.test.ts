import { describe, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { projectFactOf } from "#shared/project/log.ts";
import { Federation } from "#test/kit/federation.ts";

describe("creating a task", () => {
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
    expect(db.leaves.slice(before.leaves)).toEqual([{ kind: "task.published", body }]);

    const again = await coordinator.tasks.createTask(task, "eve");
    expect(again).toMatchObject({ ok: false, error: { code: "CONFLICT" } });
    expect([db.log.length, db.leaves.length]).toEqual([before.log + 1, before.leaves + 1]);
  });

  test("[A9] an event of a later version, or one that is none, is an error with its sequence", () => {
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
