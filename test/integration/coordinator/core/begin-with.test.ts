import { describe, expect, test } from "vitest";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import type { RunView } from "#shared/protocol/api.ts";
import type { RoundsBefore } from "#shared/transcript/claims.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";
import { Federation } from "#test/kit/worlds/federation.ts";
import { claimsOf, sourceOf, verdictOf } from "#test/kit/worlds/kept-round.ts";
import { hiddenDense, smallTask } from "#test/kit/worlds/small-task.ts";

/* A run that begins with a model of an earlier one, instead of a new model. */

const auditorKey = seededRandom("auditor")(32);
const primitives = await selectPrimitives(globalThis.crypto.subtle);

async function trained(rounds: number): Promise<Federation> {
  const keeping = { rounds: 1, auditorKey: await primitives.x25519PublicKey(auditorKey) };
  const federation = await Federation.create({ devices: 5, keeping });
  federation.connectAll();
  await federation.ended(await federation.launch(rounds));
  return federation;
}

const launch = ({ coordinator, task }: Federation, beginWith: number, more: object = {}) =>
  coordinator.runs.launch({ task: task.slug, rounds: 1, seed: 9, beginWith, ...more }, "grace");

async function ranFrom(federation: Federation, version: number): Promise<RunView> {
  const launched = await launch(federation, version);
  assert(launched.ok, "the run is launched");
  const run = await federation.ended(launched.value.runId);
  await federation.inFlight.settle();
  return run;
}

const modelOf = async ({ coordinator, task }: Federation, version: number) =>
  present(await coordinator.registry.model(task.slug, version), "the version");

/** Verdict on a run's only round, by a claim about what came before it. */
async function verdict(federation: Federation, run: RunView, before: RoundsBefore) {
  const detail = present((await federation.rounds(run.runId))[0], "its round");
  return verdictOf(
    primitives,
    claimsOf(federation, detail, before),
    sourceOf(federation, detail),
    auditorKey,
  );
}

describe("[R51] a run that begins with a version", () => {
  test("trains that model: its run, its log and its leaf say so, and an auditor sees that it did", async () => {
    const federation = await trained(2);
    const { modelHash } = await modelOf(federation, 2);
    const run = await ranFrom(federation, 2);
    expect(run.beginsWith).toEqual({ version: 2, modelHash });
    const [round] = await federation.rounds(run.runId);
    // Nobody has opened a sum of a run's last model, so no void step is needed.
    expect(round).toMatchObject({ parentModelHash: modelHash, phase: "committed", version: 3 });
    const leaf = federation.db.leaves.findLast(({ kind }) => kind === "run.launched");
    expect(leaf?.body).toMatchObject({
      runId: run.runId,
      beginsWith: { version: 2, modelHash },
    });
    const began = { kind: "version", version: 2, modelHash, since: [] } as const;
    const right = await verdict(federation, run, began);
    expect(right.verdict).toBe("holds");
    expect(right.lines.join("\n")).toContain(
      "the model of version 2, with which the run began (which model has that number is the coordinator's word).",
    );
    const other = (await modelOf(federation, 1)).modelHash;
    expect((await verdict(federation, run, { ...began, modelHash: other })).verdict).toBe("PARENT");
    expect((await verdict(federation, run, { kind: "beginning", seed: 9, since: [] })).verdict).toBe(
      "PARENT",
    );
  });

  test("[R18] takes a void step first if a round was opened for that model", async () => {
    const federation = await trained(2);
    const { modelHash } = await modelOf(federation, 1);
    const run = await ranFrom(federation, 1);
    const [round] = await federation.rounds(run.runId);
    expect(round?.phase).toBe("committed");
    expect(round?.parentModelHash).not.toBe(modelHash);
    const began = { kind: "version", version: 1, modelHash, since: [] } as const;
    const { verdict: holds, lines } = await verdict(federation, run, began);
    expect(holds).toBe("holds");
    expect(lines.join("\n")).toContain(
      "with which the run began (which model has that number is the coordinator's word), void steps since: 1.",
    );
  });

  test("is the same after a restart, and the same launch answers with it", async () => {
    const federation = await trained(1);
    const runId = "0198f00000007000800000000000000a";
    const first = await launch(federation, 1, { runId });
    assert(first.ok, "the run is launched");
    await federation.restart();
    expect((await federation.run(runId)).beginsWith?.version).toBe(1);
    federation.connectAll();
    await federation.ended(runId);
    expect(await launch(federation, 1, { runId })).toMatchObject({ value: { runId } });
    expect(await launch(federation, 2, { runId })).toMatchObject({ error: { code: "CONFLICT" } });
  });

  test("is refused without such a version, or if the task's model has other layers now", async () => {
    const federation = await trained(1);
    const before = federation.db.log.length;
    expect(await launch(federation, 2)).toMatchObject({
      error: { code: "BAD_REQUEST", message: expect.stringContaining("small has no model version 2.") },
    });
    expect(federation.db.log.length).toBe(before);
    const wider = { ...smallTask(5, {}, [hiddenDense(3)]), version: 2 };
    assert((await federation.coordinator.tasks.createTask(wider, "ada")).ok, "a version with another model");
    expect(await launch(federation, 1)).toMatchObject({
      error: {
        code: "BAD_REQUEST",
        message: expect.stringContaining("under version 1 of the task, whose model has other layers."),
      },
    });
  });
});
