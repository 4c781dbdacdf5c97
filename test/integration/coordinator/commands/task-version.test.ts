import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { ensureTask } from "#coordinator/commands/demo/task-version.ts";
import { HELD_OUT_CARDS, OTHER_ROWS_CARD } from "#coordinator/data/cards.ts";
import { BUNDLED_GATES } from "#coordinator/data/gates.ts";
import { BUNDLED_TASKS, bundledTask } from "#coordinator/data/tasks.ts";
import { heldOutCardSchema } from "#shared/task/held-out.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

/* What a second start of the demo finds. */

const ROWS = "a,b\n1,2\n";
const bundled = bundledTask("digits", 8, 1);
const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");

/** Starts the demo on an earlier version of its task, which says other things. */
async function startAfter(change: Partial<typeof bundled>) {
  const { coordinator, db } = await Federation.create({ devices: 3 });
  const { tasks } = coordinator;
  expect((await tasks.createTask({ ...bundled, ...change }, "demo")).ok).toBe(true);
  const start = (rows = ROWS, from: { readonly datasetPath?: string } = {}) =>
    ensureTask(coordinator, {
      ...from,
      name: "digits",
      clientCount: 8,
      heldOut: new Map([["", rows]]),
      actor: "demo-admin",
    });
  const shown = async () => (await tasks.taskView("digits"))?.settings?.invitation;
  const heldOut = async () => (await tasks.taskView("digits"))?.heldOut;
  return { tasks, start, shown, heldOut, db };
}

test("[E20] the held-out rows are a setting: the same change nothing, others make no new version", async () => {
  const { start, heldOut, db } = await startAfter({});
  expect(await start()).toMatchObject({ version: 1 });
  expect(await heldOut()).toMatchObject({ hash: hashOf(ROWS), isUsed: true, setBy: "demo-admin" });
  const events = db.log.length;
  await start();
  expect(db.log.length).toBe(events);
  const other = "a,b\n3,4\n";
  expect(await start(other)).toMatchObject({ version: 1 });
  expect(await heldOut()).toMatchObject({ hash: hashOf(other) });
});

test("[E20] the card of bundled rows says their source, and that of rows from elsewhere claims none", async () => {
  for (const card of [...Object.values(HELD_OUT_CARDS), OTHER_ROWS_CARD])
    expect(heldOutCardSchema.safeParse(card).error?.issues ?? []).toEqual([]);
  const { start, heldOut } = await startAfter({});
  await start();
  expect((await heldOut())?.card).toMatchObject({
    source: expect.stringContaining("doi:10.24432/C50P49"),
    licence: "CC BY 4.0.",
    collected: "Published in 1998",
  });
  await start("a,b\n5,6\n", { datasetPath: "/tmp/mine.csv" });
  expect((await heldOut())?.card).toEqual(OTHER_ROWS_CARD);
});

test("[A20] an archived task of the demo is taken up by a new version", async () => {
  const { tasks, start } = await startAfter({});
  expect((await tasks.archive("digits", "ada")).ok).toBe(true);
  expect(await start()).toMatchObject({ version: 2 });
  expect((await tasks.taskView("digits"))?.archived).toBeNull();
});

test("another heading alone makes no new version: it becomes the setting", async () => {
  const { start, shown } = await startAfter({ invitation: "An earlier heading" });
  expect(await start()).toMatchObject({ version: 1, invitation: "An earlier heading" });
  expect(await shown()).toBe(bundled.invitation);
});

test("a heading that someone has set stays", async () => {
  const { tasks, start, shown } = await startAfter({ invitation: "An earlier heading" });
  await tasks.changeTaskSettings("digits", { invitation: "A heading of one's own" }, "ada");
  expect((await start()).version).toBe(1);
  expect(await shown()).toBe("A heading of one's own");
});

test("what devices agree to makes a new version", async () => {
  const { start, shown } = await startAfter({ dataCard: "Other rows." });
  expect(await start()).toEqual({ ...bundled, version: 2 });
  expect(await shown()).toBe(bundled.invitation);
});

test("[G7] a bundled task is made with gates, and promotes by itself; what people set stays", async () => {
  const { coordinator, db } = await Federation.create({ devices: 3 });
  const { tasks } = coordinator;
  for (const name of BUNDLED_TASKS) {
    await ensureTask(coordinator, {
      name,
      clientCount: 8,
      heldOut: new Map([["", ROWS]]),
      actor: "demo-admin",
    });
    expect((await tasks.taskSettings(name))?.settings.promotion).toEqual(BUNDLED_GATES[name]);
  }
  const count = db.log.length;
  await tasks.changeTaskSettings("digits", { promotion: null }, "ada");
  await ensureTask(coordinator, {
    name: "digits",
    clientCount: 9,
    heldOut: new Map([["", ROWS]]),
    actor: "demo",
  });
  expect((await tasks.taskSettings("digits"))?.settings.promotion).toBeNull();
  expect(db.log.length).toBeGreaterThan(count);
});
