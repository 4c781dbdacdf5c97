import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { AccessDesk } from "#coordinator/core/access/desk.ts";
import { marksOfNames } from "#coordinator/core/access/leaf.ts";
import { proposalView } from "#coordinator/core/access/views.ts";
import { canonicalJson } from "#shared/codec/canonical-json.ts";
import { DOMAINS } from "#shared/crypto/domains.ts";
import { E } from "#shared/crypto/encode.ts";
import { present } from "#shared/kernel/assert.ts";
import { bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import { err } from "#shared/kernel/result.ts";
import { primitives } from "#shared/node/system.ts";
import { wireError } from "#shared/protocol/errors.ts";
import type { HashHex, TaskSlug } from "#shared/protocol/ids.ts";
import { FAKE_SET } from "#test/kit/fakes/memory-held-out.ts";
import { events, GATES, inUse, must, openPromotions, sentences } from "#test/kit/worlds/promotions.ts";

/* Gates decide which model a task serves, over runs of a whole federation in memory. The test says how good models are. */

const ADA = { personId: "a".repeat(32), name: "ada", signsInWith: "password" } as const;
const BOB = { personId: "b".repeat(32), name: "bob", signsInWith: "passkey" } as const;

test("[G5] a version that was measured on other held-out rows is asked anew, once; without rows it cannot be told", async () => {
  const world = await openPromotions(false);
  const { federation, slug } = world;
  const { registry } = federation.coordinator;
  await federation.ended(await federation.launch(1));
  const accuracy = async () => {
    const { gates } = must(await registry.gates(slug, 1));
    const gate = gates.find(({ kind }) => kind === "measure");
    return [gate?.state, gate?.candidate?.value];
  };
  world.accuracy = 0.415;
  // Its own figures are of the present rows, so nobody asks again.
  expect(await accuracy()).toEqual(["open", 0.936]);
  const use = (heldOut: typeof FAKE_SET | null) =>
    federation.db.taskSettings.set(slug, { ...federation.db.taskSettings.get(slug), heldOut });
  expect(world.askedAnew).toBe(0);
  use({ ...FAKE_SET, hash: "7f".repeat(32) as HashHex });
  expect(await accuracy()).toEqual(["shut", 0.415]);
  // Once: neither the next look nor a promotion asks again.
  expect(await accuracy()).toEqual(["shut", 0.415]);
  expect(await registry.promote(slug, { version: 1, expected: null }, "ada")).toMatchObject({
    error: { code: "GATES_SHUT" },
  });
  expect(world.askedAnew).toBe(1);
  use(null);
  expect(await accuracy()).toEqual(["cannot-tell", undefined]);
});

test("[V15] what was decided about a version says what its gates said then, though they say something else now", async () => {
  const world = await openPromotions(false);
  const { federation, slug } = world;
  const { registry } = federation.coordinator;
  await federation.ended(await federation.launch(1));
  expect(await registry.decisions(slug, 1)).toEqual([]);
  must(await registry.promote(slug, { version: 1, expected: null }, "ada"));
  await federation.ended(await federation.launch(1));
  must(await registry.promote(slug, { version: 2, expected: 1 }, "ada"));
  must(await registry.rollBack(slug, 2, "bob"));
  must(await registry.moveAlias(slug, "shadow", { version: 1, expected: null }, "bob"));
  federation.db.taskSettings.set(slug, { ...federation.db.taskSettings.get(slug), promotion: null });
  const [back, promoted] = await registry.decisions(slug, 1);
  expect(back).toMatchObject({ outcome: "rolled-back", from: 2, gates: [] });
  expect(promoted).toMatchObject({
    outcome: "promoted",
    from: null,
    sentence: expect.stringContaining("ada promoted version 1"),
  });
  expect(promoted?.gates.map(({ state }) => state)).toEqual(GATES.map(() => "open"));
  expect((await registry.decisions(slug, 2)).map(({ outcome }) => outcome)).toEqual(["promoted"]);
  expect(await registry.decisions(slug, 99)).toEqual([]);
});

describe("[G6] promoting", () => {
  test("below a gate is refused with each reason, and nothing is written", async () => {
    const world = await openPromotions(false, [
      ...GATES,
      { kind: "latency", medianMsMax: 0.1 },
      { kind: "measure", name: "macroF1", threshold: 0.5 },
      { kind: "onnx-parity", tolerance: 1e-5 },
      { kind: "size", byteCountMax: 1_000_000 },
    ]);
    const { federation, slug } = world;
    const { registry } = federation.coordinator;
    world.accuracy = 0.415;
    await federation.ended(await federation.launch(1));
    expect(events(world)).toEqual([]);
    const before = [federation.db.log.length, federation.db.leaves.length];
    const refused = await registry.promote(slug, { version: 1, expected: null }, "ada");
    const reasons = [
      "Accuracy is 41.5 %, and at least 80.0 % is required.",
      "A prediction takes 0.2 ms, and at most 0.1 ms is allowed. It is a median, measured by onnxruntime, in a thread of the coordinator.",
      "This version has no figure of macroF1 on the task’s held-out rows.",
    ];
    expect(refused).toEqual({
      ok: false,
      error: {
        code: "GATES_SHUT",
        retry: "never",
        message: `Version 1 is not put in use, and the one in use stays. ${reasons.join(" ")} Two admins together can decide otherwise.`,
        fields: [
          { path: "gates.1", sentence: reasons[0] },
          { path: "gates.2", sentence: reasons[1] },
          { path: "gates.3", sentence: reasons[2] },
        ],
      },
    });
    expect([federation.db.log.length, federation.db.leaves.length]).toEqual(before);
    expect(await inUse(world)).toMatchObject({ version: 1, alias: null });
    const report = must(await registry.gates(slug));
    expect(report).toMatchObject({ version: 1, champion: null, open: false, promoteByItself: false });
    expect(report.gates.map(({ kind, state }) => [kind, state])).toEqual([
      ["measure", "shut"],
      ["latency", "shut"],
      ["measure", "cannot-tell"],
      ["cohort", "open"],
      ["onnx-parity", "open"],
      ["size", "open"],
    ]);
    expect(await registry.gates(slug, 2)).toMatchObject({ error: { code: "NOT_FOUND" } });
    expect(await registry.gates("other")).toMatchObject({ error: { code: "NOT_FOUND" } });
  });

  test("with all gates open names in its event and leaf what each said; going back asks none", async () => {
    const world = await openPromotions(false);
    const { federation, slug } = world;
    const { registry } = federation.coordinator;
    await federation.ended(await federation.launch(2));
    must(await registry.promote(slug, { version: 1, expected: null }, "ada"));
    must(await registry.promote(slug, { version: 2, expected: 1 }, "ada"));
    const [, second] = events(world);
    expect(second).toMatchObject({
      ...{ type: "promoted", from: 1, to: 2, actor: "ada" },
      gates: [
        { kind: "cohort", state: "open", candidate: { value: 4, unit: "devices" } },
        { kind: "measure", state: "open", candidate: { value: 0.936 } },
      ],
    });
    const gates = second !== undefined && "gates" in second ? second.gates : [];
    const gatesHash = createHash("sha256").update(canonicalJson(gates)).digest("hex");
    expect(federation.db.leaves.at(-1)).toEqual({
      kind: "model.promoted",
      at: expect.any(Number),
      body: { version: 1, slug, alias: "champion", from: 1, to: 2, gatesHash },
    });
    const promotion = {
      gates: [{ kind: "measure" as const, name: "accuracy", threshold: 1 }],
      promoteByItself: false,
    };
    must(await federation.coordinator.tasks.changeTaskSettings(slug, { promotion }, "ada"));
    expect(await registry.rollBack(slug, 2, "bob")).toMatchObject({ value: { version: 1, movedBy: "bob" } });
  });

  test("against the champion wants the whole interval, and counts only for the gates that were asked", async () => {
    const noWorse = { kind: "measure" as const, name: "accuracy", minAbsoluteChange: 0 };
    const world = await openPromotions(false, [noWorse]);
    const { federation, slug } = world;
    const { registry, tasks } = federation.coordinator;
    await federation.ended(await federation.launch(2));
    must(await registry.promote(slug, { version: 1, expected: null }, "ada"));
    world.difference = 0.01;
    const promote = () => registry.promote(slug, { version: 2, expected: 1 }, "ada");
    const close = "Too close to tell. Accuracy is 1.0 points higher than the champion's.";
    expect(await promote()).toMatchObject({ error: { code: "GATES_SHUT", fields: [{ sentence: close }] } });
    // The one in use is not compared with itself.
    expect(must(await registry.gates(slug, 1))).toMatchObject({ open: true, champion: 1 });
    world.difference = 0.05;
    // Known comparisons are remembered; the gates change while another is made.
    await federation.ended(await federation.launch(1));
    world.whileComparing = async () => {
      const promotion = { gates: [noWorse, ...GATES], promoteByItself: false };
      must(await tasks.changeTaskSettings(slug, { promotion }, "bob"));
    };
    expect(await registry.promote(slug, { version: 3, expected: 1 }, "ada")).toMatchObject({
      error: { code: "CONFLICT", message: expect.stringContaining("changed meanwhile. Try again.") },
    });
    expect(await registry.promote(slug, { version: 3, expected: 1 }, "ada")).toMatchObject({
      value: { version: 3 },
    });
    expect(events(world).at(-1)).toMatchObject({
      gates: [
        { difference: { value: 0.05 }, champion: { value: 0.9 } },
        { kind: "cohort" },
        { kind: "measure" },
      ],
    });
    // So do the held-out rows.
    await federation.ended(await federation.launch(1));
    world.whileComparing = async () => {
      must(await federation.coordinator.heldOut.removeHeldOut(slug, "bob"));
    };
    expect(await registry.promote(slug, { version: 4, expected: 3 }, "ada")).toMatchObject({
      error: { code: "CONFLICT", message: expect.stringContaining("the held-out rows or the costs") },
    });
  });

  test("a gate of a measure that the task does not have is refused with those that it has", async () => {
    const { federation, slug } = await openPromotions(false);
    const before = federation.db.log.length;
    const promotion = {
      gates: [{ kind: "measure" as const, name: "acuracy", threshold: 1 }],
      promoteByItself: false,
    };
    const refused = await federation.coordinator.tasks.changeTaskSettings(slug, { promotion }, "ada");
    expect(refused).toMatchObject({
      error: { code: "BAD_REQUEST", fields: [{ path: "changes.promotion.gates.0.name" }] },
    });
    expect(refused.ok ? "" : refused.error.message).toContain(
      'There is no measure "acuracy" of this task. It has accuracy, ',
    );
    expect(federation.db.log).toHaveLength(before);
  });
});

describe("[G6] promoting despite gates", () => {
  async function shut() {
    const world = await openPromotions(false);
    const { federation, slug } = world;
    world.accuracy = 0.415;
    await federation.ended(await federation.launch(1));
    const desk = new AccessDesk(federation.ports);
    await desk.start(async () => err(wireError("UNAVAILABLE")), federation.coordinator.registry);
    must(await desk.setUp(ADA, "default"));
    const act = { type: "promote-despite-gates", task: slug, version: 1, expected: null } as const;
    return { world, desk, act, reason: "The old one reads no sevens." };
  }
  async function withBob({ desk }: Awaited<ReturnType<typeof shut>>) {
    const { token } = must(await desk.invite({ role: "admin" }, "", "ada"));
    must(await desk.useInvitation(token, BOB));
  }

  test("[A104] takes a second person, and the log has both, the reason and what each gate said", async () => {
    const opened = await shut();
    const { world, desk, act, reason } = opened;
    await withBob(opened);
    const { proposalId } = must(await desk.propose(act, reason, "ada"));
    expect(await desk.propose(act, "again", "ada")).toMatchObject({ error: { code: "CONFLICT" } });
    expect(await desk.agree(proposalId, "ada")).toMatchObject({ error: { code: "FORBIDDEN" } });
    expect(events(world)).toEqual([]);
    must(await desk.agree(proposalId, "bob"));
    expect(await inUse(world)).toMatchObject({ version: 1, alias: "champion" });
    expect(events(world)).toMatchObject([
      {
        ...{ type: "promoted-despite-gates", from: null, to: 1, proposalId, reason },
        ...{ proposedBy: "ada", actor: "bob", alone: false },
        gates: [{ state: "open" }, { state: "shut" }],
      },
    ]);
    expect((await sentences(world))?.[0]).toBe(
      `bob agreed with ada to promote version 1 of small despite its gates: it is in use. The reason: ${reason}`,
    );
    const leaves = world.federation.db.leaves.filter(({ kind }) => kind === "model.promotedDespiteGates");
    expect(leaves).toHaveLength(1);
    expect(JSON.stringify(leaves)).not.toMatch(/ada|bob|sevens/);
    const [override] = world.federation.db.leaves.filter(({ kind }) => kind === "gate.overridden");
    const { at, body } = present(override, "the entry about the override");
    const [event] = events(world);
    const reasonSalt = event?.type === "promoted-despite-gates" ? event.reasonSalt : undefined;
    const salted = E(DOMAINS.reason, hexToBytes(present(reasonSalt, "a salt")), reason);
    const by = await marksOfNames(primitives, desk.book, ["ada", "bob"])(at ?? 0);
    expect(body).toMatchObject({ to: 1, by, reason: bytesToHex(await primitives.sha256(salted)) });
    expect(new Set([...by, null]).size).toBe(3);
    expect(JSON.stringify(body)).not.toMatch(/ada|bob|sevens/);
    expect(await desk.agree(proposalId, "bob")).toMatchObject({ error: { code: "CONFLICT" } });
  });

  test("is refused while there is one admin, also if it was proposed while there were two", async () => {
    const opened = await shut();
    const { world, desk, act, reason } = opened;
    const refused = {
      error: {
        code: "CONFLICT",
        message: "To pass a shut gate takes two admins, and there is one. Invite a second first.",
      },
    };
    expect(await desk.propose(act, reason, "ada")).toMatchObject(refused);
    await withBob(opened);
    const { proposalId } = must(await desk.propose(act, reason, "ada"));
    const demotion = { type: "take-admin-role", personId: BOB.personId } as const;
    must(await desk.agree(must(await desk.propose(demotion, "Bob leaves.", "ada")).proposalId, "bob"));
    expect(await desk.agree(proposalId, "ada")).toMatchObject(refused);
    const waiting = present(desk.book.get("proposal", proposalId), "the proposal");
    expect(proposalView(desk.book, waiting, "ada", waiting.madeAt)).toMatchObject({
      alone: false,
      waitsFor: [],
    });
    expect(events(world)).toEqual([]);
    must(await desk.decline(proposalId, "withdraw", "ada"));
  });

  test("is refused for what is not there or has changed since, and is not agreed to then", async () => {
    const opened = await shut();
    const { world, desk, act, reason } = opened;
    await withBob(opened);
    expect(await desk.propose({ ...act, version: 9 }, reason, "ada")).toMatchObject({
      error: { code: "NOT_FOUND" },
    });
    expect(await desk.propose({ ...act, expected: 4 }, reason, "ada")).toMatchObject({
      error: { code: "CONFLICT" },
    });
    expect(await desk.propose({ ...act, task: "other" as TaskSlug }, reason, "ada")).toMatchObject({
      error: { code: "NOT_FOUND" },
    });
    const { proposalId } = must(await desk.propose(act, reason, "ada"));
    world.accuracy = 0.936;
    await world.federation.ended(await world.federation.launch(1));
    must(
      await world.federation.coordinator.registry.promote(world.slug, { version: 2, expected: null }, "ada"),
    );
    expect(await desk.agree(proposalId, "bob")).toMatchObject({ error: { code: "CONFLICT" } });
    expect(desk.book.get("proposal", proposalId)?.end).toBeNull();
    expect((await inUse(world))?.version).toBe(2);
  });

  test("promotes once if the agreement could not be written and is given again", async () => {
    const opened = await shut();
    const { world, desk, act, reason } = opened;
    await withBob(opened);
    const { proposalId } = must(await desk.propose(act, reason, "ada"));
    let writes = 0;
    world.federation.away = (name) =>
      name.includes("appendNext") && ++writes === 2 ? new Error("gone") : null;
    await expect(desk.agree(proposalId, "bob")).rejects.toThrow("gone");
    expect(events(world)).toHaveLength(1);
    must(await desk.agree(proposalId, "bob"));
    expect(events(world)).toHaveLength(1);
    expect(desk.book.get("proposal", proposalId)?.end).toMatchObject({ how: "agreed", by: "bob" });
  });
});
