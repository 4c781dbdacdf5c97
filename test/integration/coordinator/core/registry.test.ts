import { describe, expect, test } from "vitest";
import { present } from "#shared/kernel/assert.ts";
import { registryFactOf } from "#shared/registry/log.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

/* Which model of a task is in use, over runs of a whole federation in memory. */

const inUse = async ({ coordinator, task }: Federation) =>
  present(await coordinator.tasks.taskView(task.slug), "the task").inUse;
/** What an act must not change when it is refused. */
const written = ({ db }: Federation) => [db.log.length, db.leaves.length, JSON.stringify(db.aliases)];

async function trained(rounds: number): Promise<Federation> {
  const federation = await Federation.create({ devices: 4 });
  federation.connectAll();
  await federation.ended(await federation.launch(rounds));
  return federation;
}

describe("[G1] models of a task", () => {
  test("are numbered over its runs, and rounds and runs say their numbers, also live and after a restart", async () => {
    const federation = await trained(2);
    const { coordinator, task, published } = federation;
    const second = await federation.ended(await federation.launch(1));
    expect(second.candidate).toBe(3);
    const [round] = (await coordinator.rounds.listRounds(second.runId, { limit: 9 })).items;
    expect(round?.version).toBe(3);
    expect((await coordinator.rounds.roundDetail(round?.roundId ?? ""))?.version).toBe(3);
    const shown = published.flatMap(({ topic, view }) =>
      topic === "round" ? [view as { version?: number }] : [],
    );
    expect(new Set(shown.flatMap(({ version }) => version ?? []))).toEqual(new Set([1, 2, 3]));
    const { items, next } = await coordinator.registry.listModels(task.slug, { limit: 2 });
    expect(
      items.map(({ version, runNumber, round, isCandidate }) => [version, runNumber, round, isCandidate]),
    ).toEqual([
      [3, 2, 1, true],
      [2, 1, 2, true],
    ]);
    expect(items[0]).toMatchObject({ cohortSize: 4, aliases: [], runState: "completed", task: task.slug });
    expect(items[0]?.measures).toEqual(second.history.at(-1)?.measures);
    const rest = await coordinator.registry.listModels(task.slug, { limit: 2, cursor: next ?? "" });
    expect(rest.items.map(({ version }) => version)).toEqual([1]);
    await federation.restart();
    const third = await federation.launch(1);
    federation.connectAll();
    expect((await federation.ended(third)).candidate).toBe(4);
    expect(federation.logged).toEqual([]);
  });
});

describe("[G3] the model in use", () => {
  test("is the newest until one is promoted, and then no run replaces it, however it ends", async () => {
    const federation = await trained(2);
    const { coordinator, task } = federation;
    expect(await inUse(federation)).toMatchObject({ version: 2, runNumber: 1, round: 2, alias: null });
    expect(
      await coordinator.registry.promote(task.slug, { version: 1, expected: null }, "ada"),
    ).toMatchObject({
      value: { alias: "champion", version: 1, movedBy: "ada" },
    });
    const champion = present(await inUse(federation), "a champion");
    expect(champion).toMatchObject({ version: 1, alias: "champion" });
    const stopped = await federation.launch(5);
    await federation.until(
      async () => (await federation.run(stopped)).roundsCommitted >= 1,
      "a round of the second run",
    );
    await coordinator.runs.stopRun(stopped, "grace");
    const over = await federation.ended(stopped);
    expect([over.code, (over.candidate ?? 0) >= 3]).toEqual(["ABORTED_BY_OPERATOR", true]);
    const view = present(await coordinator.tasks.taskView(task.slug), "the task");
    expect(view.inUse).toEqual(champion);
    expect([view.latestModelHash, view.measures]).toEqual([champion.modelHash, champion.measures]);
    expect(over.modelHash).not.toBe(champion.modelHash);
    // An archived task keeps it.
    await coordinator.tasks.archive(task.slug, "ada");
    expect((await inUse(federation))?.version).toBe(1);
  });
});

describe("[G4] promoting and going back", () => {
  test("move champion and previous, each with an event and a leaf that names nobody", async () => {
    const federation = await trained(3);
    const { coordinator, db, task } = federation;
    const { registry } = coordinator;
    const named = async () =>
      Object.fromEntries((await registry.aliases(task.slug)).map(({ alias, version }) => [alias, version]));
    expect(await named()).toEqual({ champion: null, challenger: null, shadow: null, previous: null });
    expect(await registry.rollBack(task.slug, 1, "ada")).toMatchObject({ error: { code: "CONFLICT" } });
    await registry.promote(task.slug, { version: 1, expected: null }, "ada");
    expect(await registry.rollBack(task.slug, 1, "ada")).toMatchObject({
      error: { code: "CONFLICT", message: "small has no version to go back to." },
    });
    const leaves = db.leaves.length;
    await registry.promote(task.slug, { version: 3, expected: 1 }, "grace");
    expect(await named()).toMatchObject({ champion: 3, previous: 1 });
    expect((await registry.modelByAlias(task.slug, "previous"))?.aliases).toEqual(["previous"]);
    expect(await registry.rollBack(task.slug, 3, "ada")).toMatchObject({ value: { version: 1 } });
    expect(await named()).toMatchObject({ champion: 1, previous: null });
    expect(await inUse(federation)).toMatchObject({ version: 1, alias: "champion" });
    const log = db.log.filter(({ stream }) => stream.kind === "registry");
    const facts = log.map(({ sequence, body }) => registryFactOf({ sequence, event: JSON.parse(body) }));
    const of = { slug: task.slug };
    expect(facts.map((fact) => fact.ok && fact.value)).toEqual([
      { type: "promoted", from: null, to: 1, gates: [], actor: "ada", ...of },
      { type: "promoted", from: 1, to: 3, gates: [], actor: "grace", ...of },
      { type: "rolled-back", from: 3, to: 1, actor: "ada", ...of },
    ]);
    const body = { version: 1, slug: task.slug, alias: "champion" };
    expect(db.leaves.slice(leaves).map(({ kind, body }) => ({ kind, body }))).toEqual([
      // SHA-256 of "[]".
      {
        kind: "model.promoted",
        body: {
          ...{ ...body, from: 1, to: 3 },
          gatesHash: "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945",
        },
      },
      { kind: "model.rolledBack", body: { ...body, from: 3, to: 1 } },
    ]);
    const history = present(await coordinator.tasks.taskHistory(task.slug), "the task");
    expect(history.items[0]?.sentence).toBe(
      "ada went back to version 1 of small: it is in use, in place of version 3.",
    );
  });
});

describe("[G2] an alias", () => {
  test("moves only from what its mover believes: of two at once, one is told who holds it", async () => {
    const federation = await trained(2);
    const { registry } = federation.coordinator;
    const { slug } = federation.task;
    const answers = await Promise.all([
      registry.moveAlias(slug, "challenger", { version: 1, expected: null }, "ada"),
      registry.moveAlias(slug, "challenger", { version: 2, expected: null }, "grace"),
      registry.promote(slug, { version: 1, expected: null }, "ada"),
      registry.promote(slug, { version: 2, expected: null }, "grace"),
    ]);
    expect(answers.map(({ ok }) => ok)).toEqual([true, false, true, false]);
    expect(answers[1]).toMatchObject({
      error: {
        code: "CONFLICT",
        message: "@challenger of small is version 1 now. Nothing was moved. Read it and try again.",
      },
    });
    const before = written(federation);
    const refused = [
      await registry.moveAlias(slug, "challenger", { version: 2, expected: 2 }, "ada"),
      await registry.moveAlias(slug, "challenger", { version: null, expected: null }, "ada"),
      await registry.moveAlias(slug, "shadow", { version: 1, expected: 1 }, "ada"),
      await registry.moveAlias(slug, "shadow", { version: 99, expected: null }, "ada"),
      await registry.promote(slug, { version: 99, expected: 1 }, "ada"),
      await registry.promote(slug, { version: 1, expected: 1 }, "ada"),
      await registry.promote(slug, { version: 2, expected: 2 }, "ada"),
      await registry.rollBack(slug, 2, "ada"),
      ...(await Promise.all(
        ["__proto__", "constructor", "", "other", "x".repeat(10_000)].map((task) =>
          registry.promote(task, { version: 1, expected: null }, "ada"),
        ),
      )),
    ];
    expect(refused.map((answer) => (answer.ok ? "" : answer.error.code))).toEqual([
      ...["CONFLICT", "CONFLICT", "CONFLICT", "NOT_FOUND", "NOT_FOUND", "CONFLICT", "CONFLICT", "CONFLICT"],
      ...Array.from({ length: 5 }, () => "NOT_FOUND"),
    ]);
    expect(written(federation)).toEqual(before);
    // Where it is already is no event.
    expect(await registry.moveAlias(slug, "challenger", { version: 1, expected: 1 }, "ada")).toMatchObject({
      ok: true,
    });
    expect(written(federation)).toEqual(before);
    expect(await registry.moveAlias(slug, "challenger", { version: null, expected: 1 }, "ada")).toMatchObject(
      {
        value: { alias: "challenger", version: null },
      },
    );
  });
});
