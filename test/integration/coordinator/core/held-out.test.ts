import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { present } from "#shared/kernel/assert.ts";
import type { HeldOutUpload } from "#shared/protocol/api.ts";
import { heldOutUploadSchema, taskViewSchema } from "#shared/protocol/api.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { HeldOutCard } from "#shared/task/held-out.ts";
import { taskSchema } from "#shared/task/task.ts";
import { encodeLeaf, parseLeaf } from "#shared/tlog/leaf.ts";
import { FAKE_SET } from "#test/kit/fakes/memory-held-out.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

/* Held-out rows as a setting of a task: uploaded, checked, in use, replaced, gone. The kit's files check no rows. */

const CARD: HeldOutCard = {
  source: "Regional registry.",
  licence: "For this project only.",
  ground: "Ethics board, decision 2026-118.",
  collected: "January to December 2025",
};
const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");
/** Written here without the code that it checks: each part after its length, four bytes, big-endian. */
const markOf = (salt: string, text: string) => {
  const parts = [
    Buffer.from("chorus/1/held-out"),
    Buffer.from(salt, "hex"),
    Buffer.from(hashOf(text), "hex"),
  ];
  const hash = createHash("sha256");
  for (const part of parts) hash.update(Buffer.from([0, 0, 0, part.length])).update(part);
  return hash.digest("hex");
};
const bytesOf = (text: string) => new TextEncoder().encode(text);
async function* bodyOf(text: string) {
  yield bytesOf(text);
}

async function begin(federation: Federation, text: string, actor = "ada"): Promise<HeldOutUpload> {
  const { heldOut } = federation.coordinator;
  const byteCount = bytesOf(text).length;
  const begun = await heldOut.beginHeldOut(
    federation.task.slug,
    { format: "csv", byteCount, card: CARD },
    actor,
  );
  if (!begun.ok) throw new Error(begun.error.message);
  return heldOutUploadSchema.parse(begun.value);
}

async function upload(federation: Federation, text: string, actor = "ada"): Promise<HeldOutUpload> {
  const { heldOut } = federation.coordinator;
  const { slug } = federation.task;
  const { uploadId, byteCount } = await begin(federation, text, actor);
  const received = await heldOut.receiveHeldOut(slug, uploadId, { offset: 0, byteCount, body: bodyOf(text) });
  if (!received.ok) throw new Error(received.error.error.message);
  expect(received.value.state).toBe("checking");
  const look = async () => present(await heldOut.heldOutUpload(slug, uploadId), "the upload");
  await expect.poll(async () => (await look()).state).not.toBe("checking");
  return heldOutUploadSchema.parse(await look());
}

const viewOf = async (federation: Federation) =>
  taskViewSchema.parse(
    present(await federation.coordinator.tasks.taskView(federation.task.slug), "the task"),
  );

const lastEvent = ({ db }: Federation) => JSON.parse(present(db.log.at(-1), "an event").body).fact;

describe("[E20] held-out rows are a setting", () => {
  test("named by hash once they are checked; an event with a leaf that holds no text", async () => {
    const federation = await Federation.create({ devices: 3, hasHeldOut: false });
    const { db, coordinator, task } = federation;
    expect((await viewOf(federation)).heldOut).toBeNull();
    const before = { log: db.log.length, leaves: db.leaves.length };
    const text = "a,b\n1,x\n2,y\n";
    const { state, set, rowsChecked } = await upload(federation, text);
    expect([state, set?.hash, set?.rowCount, rowsChecked]).toEqual(["set", hashOf(text), 2, 2]);
    expect((await viewOf(federation)).heldOut).toMatchObject({
      ...{ hash: hashOf(text), isUsed: true, card: CARD, versions: [1], setBy: "ada" },
    });
    expect([db.log.length, db.leaves.length]).toEqual([before.log + 1, before.leaves + 1]);
    expect(lastEvent(federation)).toMatchObject({ type: "held-out-set", slug: "small", replaces: null });
    const { salt, ...shown } = present(db.taskSettings.get("small")?.heldOut, "the set");
    const mark = markOf(present(salt, "a salt"), text);
    const body = { version: 1, slug: "small", mark, rowCount: 2 };
    expect(db.leaves.at(-1)).toEqual({ kind: "task.heldOutSet", at: expect.any(Number), body });
    // Nobody is shown the salt, and the event, which outlives the set, has none.
    expect((await viewOf(federation)).heldOut).toEqual({ ...shown, isUsed: true });
    expect(JSON.stringify(db.log)).not.toContain(salt);
    // The same rows again are no event.
    expect((await upload(federation, text, "grace")).state).toBe("set");
    expect(db.log.length).toBe(before.log + 1);
    const history = await coordinator.tasks.taskHistory(task.slug);
    expect(history?.items[0]?.sentence).toBe(
      `ada set held-out rows for small: ${hashOf(text).slice(0, 4)} ${hashOf(text).slice(4, 8)} ${hashOf(text).slice(8, 12)}, 2 rows.`,
    );
  });

  test("replacing them asks no device again, deletes the old rows, and figures name the set they are of", async () => {
    const federation = await Federation.create({ devices: 3 });
    const { coordinator, task } = federation;
    federation.connectAll();
    const runId = await federation.launch(2);
    const first = await federation.ended(runId);
    const text = "a,b\n1,x\n";
    await upload(federation, text);
    const other = "a,b\n2,y\n";
    await upload(federation, other);
    expect(lastEvent(federation)).toMatchObject({ type: "held-out-set", replaces: hashOf(text) });
    expect([...federation.heldOut.sets.keys()]).toEqual([`small ${hashOf(other)}`]);
    const second = await federation.ended(await federation.launch(1));
    expect([first.configHash, first.taskVersion]).toEqual([second.configHash, second.taskVersion]);
    expect(first.history.map(({ measuredOn }) => measuredOn)).toEqual(new Array(3).fill(FAKE_SET.hash));
    expect(second.history.map(({ measuredOn }) => measuredOn)).toEqual(new Array(2).fill(hashOf(other)));
    const [round] = await federation.rounds(second.runId);
    expect(round?.measuredOn).toBe(hashOf(other));
    const view = await viewOf(federation);
    expect([view.measuredOn, view.task]).toEqual([hashOf(other), task]);
    expect((await coordinator.tasks.taskView(task.slug))?.taskHash).toBe(view.taskHash);
  });

  test("[A31] no leaf of a run, of rows that are set, replaced and removed has their hash, a name or a device's key", async () => {
    const federation = await Federation.create({ devices: 3, hasHeldOut: false });
    const { db, devices } = federation;
    federation.connectAll();
    const texts = ["a,b\n1,x\n", "a,b\n2,y\n"];
    for (const text of texts) await upload(federation, text, "canary.person@example.org");
    await federation.ended(await federation.launch(1));
    const salt = present(db.taskSettings.get("small")?.heldOut?.salt, "a salt");
    await federation.coordinator.heldOut.removeHeldOut("small", "canary.person@example.org");
    const leaves = JSON.stringify(db.leaves);
    const secrets = [...texts.map(hashOf), "canary", '"ada"', ...devices.map(({ identity }) => identity)];
    for (const secret of secrets) expect(leaves).not.toContain(secret);
    // Positive control: the events, which stay with the coordinator, have them.
    for (const secret of [...texts.map(hashOf), "canary"]) expect(JSON.stringify(db.log)).toContain(secret);
    const marks = db.leaves.flatMap(({ kind, body }) =>
      kind.startsWith("task.heldOut") ? [body["mark"]] : [],
    );
    expect(marks).toHaveLength(3);
    expect(marks[1]).toBe(markOf(salt, "a,b\n2,y\n"));
    expect(marks[2]).toBe(marks[1]);
    // With the set its salt is gone.
    expect(JSON.stringify([db.log, [...db.taskSettings]])).not.toContain(salt);
    for (const { kind, at, body } of db.leaves)
      expect(parseLeaf(encodeLeaf(kind, at, body))).toMatchObject({ ok: true });
  });

  test("going without is an event; then devices alone judge, and a second time is said to be none", async () => {
    const federation = await Federation.create({ devices: 3 });
    const { heldOut } = federation.coordinator;
    expect(await heldOut.removeHeldOut("small", "ada")).toEqual({ ok: true, value: undefined });
    expect(lastEvent(federation)).toEqual({
      ...{ type: "held-out-removed", slug: "small", hash: FAKE_SET.hash, actor: "ada" },
    });
    expect(federation.db.leaves.slice(-2).map(({ kind, body }) => [kind, body])).toEqual([
      // It was set before there were marks.
      ["task.heldOutRemoved", { version: 1, slug: "small", mark: null }],
      ["deletion.performed", { version: 1, what: "held-out-rows", count: FAKE_SET.rowCount, slug: "small" }],
    ]);
    expect(await heldOut.removeHeldOut("small", "ada")).toMatchObject({ error: { code: "CONFLICT" } });
    expect(await heldOut.removeHeldOut("nobody", "ada")).toMatchObject({ error: { code: "NOT_FOUND" } });
  });

  test("a new version whose rows they are not is told so at publishing, and does not use them", async () => {
    const federation = await Federation.create({ devices: 3, hasHeldOut: false });
    const { tasks } = federation.coordinator;
    await upload(federation, "a,b\n1,v2\n2,y\n");
    const change = (version: number, classes: string[]) =>
      taskSchema.parse({ ...federation.task, version, features: { ...federation.task.features, classes } });
    const created = await tasks.createTask(change(2, ["p", "q", "r"]), "ada");
    if (!created.ok) throw new Error(created.error.message);
    expect(created.value.heldOutFault).toBe(
      "The held-out rows in use are not used for version 2, so devices alone judge its models. 1 of 2 rows do not fit the task. Row 2: no class.",
    );
    expect(created.value.heldOut?.isUsed).toBe(false);
    // The version before still uses them, and one that takes the same rows does so without a word.
    expect((await tasks.taskView("small", 1))?.heldOut?.isUsed).toBe(true);
    const third = await tasks.createTask(change(3, ["s", "t", "u"]), "ada");
    expect(third).toMatchObject({ value: { heldOut: { isUsed: true, versions: [1, 3] } } });
    expect(third.ok && third.value.heldOutFault).toBeUndefined();
  });

  test("rows that an earlier version's data folder has become a set, at the start and at a launch", async () => {
    const federation = await Federation.create({ devices: 3, hasHeldOut: false });
    const text = "a,b\n1,x\n2,y\n3,z\n";
    federation.heldOut.earlier.set("small-v1", Buffer.from(text));
    await federation.restart();
    expect((await viewOf(federation)).heldOut).toMatchObject({
      ...{ hash: hashOf(text), rowCount: 3, setBy: "coordinator", isUsed: true },
      card: { source: "Made up." },
    });
    expect(federation.heldOut.earlier.size).toBe(0);
    // Whoever went without is not given them back, because they are gone.
    await federation.coordinator.heldOut.removeHeldOut("small", "ada");
    await federation.restart();
    expect((await viewOf(federation)).heldOut).toBeNull();
    federation.heldOut.earlier.set("small-v1", Buffer.from(text));
    const run = await federation.ended(await federation.launch(1));
    expect(run.history.map(({ measuredOn }) => measuredOn)).toEqual([hashOf(text), hashOf(text)]);
  });
});

describe("[E21] an upload of held-out rows", () => {
  test("that does not fit is refused with its rows; nothing of it stays, and the set in use does", async () => {
    const federation = await Federation.create({ devices: 3 });
    const log = federation.db.log.length;
    const { state, refusal, set } = await upload(federation, "a,b\nbad,x\n");
    expect([state, set]).toEqual(["refused", null]);
    expect(refusal).toEqual({
      error: {
        ...{ code: "HELD_OUT_REFUSED", retry: "never" },
        message: "1 of 2 rows do not fit the task. Nothing was stored.",
      },
      problems: [{ row: 2, sentence: "Row 2: no class." }],
    });
    expect(federation.heldOut.uploads.size).toBe(0);
    expect(federation.heldOut.sets.size).toBe(0);
    expect(federation.db.log.length).toBe(log);
    expect((await viewOf(federation)).heldOut?.hash).toBe(FAKE_SET.hash);
  });

  test("comes in parts, continues where it stopped, and says where that is", async () => {
    const federation = await Federation.create({ devices: 3 });
    const { heldOut } = federation.coordinator;
    const text = "a,b\n1,x\n2,y\n";
    const { uploadId, byteCount } = await begin(federation, text);
    const part = (offset: number, end: number) =>
      heldOut.receiveHeldOut("small", uploadId, { offset, byteCount, body: bodyOf(text.slice(offset, end)) });
    expect(await part(0, 4)).toMatchObject({ value: { state: "receiving", receivedByteCount: 4 } });
    expect(await part(8, 12)).toEqual({
      ok: false,
      error: {
        error: expect.objectContaining({ code: "CONFLICT", message: "Continue at byte 4." }),
        reached: 4,
      },
    });
    expect(await part(4, 12)).toMatchObject({ value: { state: "checking", receivedByteCount: 12 } });
    // Repeated, after its answer was lost.
    expect(await part(4, 12)).toMatchObject({ ok: true });
    await expect.poll(async () => (await viewOf(federation)).heldOut?.hash).toBe(hashOf(text));
    expect(
      await heldOut.receiveHeldOut("small", "0".repeat(32), { offset: 0, byteCount: 1, body: bodyOf("x") }),
    ).toMatchObject({ error: { error: { code: "NOT_FOUND" } } });
    const again = await begin(federation, text);
    const longer = { offset: 0, byteCount: 13, body: bodyOf(text) };
    expect(await heldOut.receiveHeldOut("small", again.uploadId, longer)).toMatchObject({
      error: { error: { code: "BAD_LENGTH" } },
    });
  });

  test("can be stopped while it arrives and while it is checked; nothing of it stays", async () => {
    const federation = await Federation.create({ devices: 3 });
    const { heldOut } = federation.coordinator;
    const arriving = await begin(federation, "a,b\n1,x\n");
    expect(await heldOut.stopHeldOut("small", arriving.uploadId)).toMatchObject({
      value: { state: "stopped" },
    });
    expect(await heldOut.stopHeldOut("small", arriving.uploadId)).toMatchObject({
      error: { code: "CONFLICT" },
    });
    let open = () => {};
    federation.heldOut.gate = new Promise((resolve) => {
      open = resolve;
    });
    const text = "a,b\n2,x\n";
    const checked = await begin(federation, text);
    const { byteCount, uploadId } = checked;
    await heldOut.receiveHeldOut("small", uploadId, { offset: 0, byteCount, body: bodyOf(text) });
    expect(await heldOut.stopHeldOut("small", uploadId)).toMatchObject({ value: { state: "stopped" } });
    open();
    await federation.inFlight.settle();
    expect((await viewOf(federation)).heldOut?.hash).toBe(FAKE_SET.hash);
    expect(federation.heldOut.uploads.size).toBe(0);
  });

  test("ends if nothing is sent for ten minutes, and nothing of it is kept", async () => {
    const federation = await Federation.create({ devices: 3 });
    const { clock } = federation;
    const { heldOut } = federation.coordinator;
    const text = "a,b\n1,x\n";
    const { uploadId, byteCount } = await begin(federation, text);
    const stateOf = async () => (await heldOut.heldOutUpload("small", uploadId))?.state;
    const send = (offset: number, to: number) =>
      heldOut.receiveHeldOut("small", uploadId, { offset, byteCount, body: bodyOf(text.slice(offset, to)) });
    clock.advance(LIMITS.heldOutSilentMsMax - 1_000);
    await send(0, 3);
    // Bytes begin a new ten minutes.
    clock.advance(LIMITS.heldOutSilentMsMax - 1_000);
    expect(await stateOf()).toBe("receiving");
    clock.advance(1_000);
    await federation.inFlight.settle();
    expect(heldOutUploadSchema.parse(await heldOut.heldOutUpload("small", uploadId))).toMatchObject({
      ...{ state: "refused", receivedByteCount: 0, set: null },
      refusal: {
        error: {
          code: "REQUEST_TIMEOUT",
          retry: "now",
          message:
            "Nothing was sent for 10 minutes, so this upload has ended. Nothing was stored. Begin again.",
        },
      },
    });
    expect(federation.heldOut.uploads.size).toBe(0);
    expect(await send(3, byteCount)).toMatchObject({ value: { state: "refused" } });
    expect((await viewOf(federation)).heldOut?.hash).toBe(FAKE_SET.hash);
    // It is over, so that it keeps nobody else from uploading; and one that is complete never ends so.
    expect((await upload(federation, text, "grace")).state).toBe("set");
    clock.advance(2 * LIMITS.heldOutSilentMsMax);
    await federation.inFlight.settle();
    expect((await viewOf(federation)).heldOut?.hash).toBe(hashOf(text));
  });

  test("takes the place of one's own that is under way, never of another person's", async () => {
    const federation = await Federation.create({ devices: 3 });
    const { heldOut } = federation.coordinator;
    const first = await begin(federation, "a,b\n1,x\n");
    await expect(begin(federation, "a,b\n1,x\n", "grace")).rejects.toThrow(/^ada is uploading held-out rows/);
    await begin(federation, "a,b\n1,x\n");
    expect((await heldOut.heldOutUpload("small", first.uploadId))?.state).toBe("stopped");
  });

  test("[O7] is refused before its first byte if there is no room for it", async () => {
    const federation = await Federation.create({ devices: 3 });
    federation.hasRoom = false;
    const begun = await federation.coordinator.heldOut.beginHeldOut(
      "small",
      { format: "csv", byteCount: 10, card: CARD },
      "ada",
    );
    expect(begun).toMatchObject({ error: { code: "STORAGE_FULL", retry: "later" } });
  });
});

describe("[E22] a task without held-out rows", () => {
  test("is judged by the sums of the rows that devices keep back, and everything says which", async () => {
    const federation = await Federation.create({ devices: 3, hasHeldOut: false });
    federation.connectAll();
    const run = await federation.ended(await federation.launch(3));
    expect([run.state, run.roundsCommitted, run.history]).toEqual(["completed", 3, []]);
    // The sum of round r + 1 judges the model of round r. Each device of the kit is right for 2 of its 5 rows.
    expect(run.deviceHistory?.map(({ round, measures }) => [round, measures["accuracy"]?.value])).toEqual([
      [0, 0.4],
      [1, 0.4],
      [2, 0.4],
    ]);
    const rounds = await federation.rounds(run.runId);
    expect(rounds.map(({ measures, notEvaluated }) => [measures, notEvaluated])).toEqual(
      new Array(3).fill([null, "NO_HELD_OUT"]),
    );
    const { items } = await federation.coordinator.runs.listEvents(run.runId, { limit: 200 });
    expect(items.filter(({ kind }) => kind === "model.evaluated")).toEqual([]);
    expect((await viewOf(federation)).heldOut).toBeNull();
    expect(federation.logged).toEqual([]);
  });

  test("is judged on them from the next model on, once there are some", async () => {
    const federation = await Federation.create({ devices: 3, hasHeldOut: false });
    federation.connectAll();
    const runId = await federation.launch(4);
    await federation.until(async () => (await federation.run(runId)).roundsCommitted === 1, "a round");
    await upload(federation, "a,b\n1,x\n");
    const run = await federation.ended(runId);
    expect(run.history.length).toBeGreaterThan(0);
    expect(run.history.every(({ round }) => round >= 1)).toBe(true);
  });
});
