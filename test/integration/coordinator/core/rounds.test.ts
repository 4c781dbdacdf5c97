import { describe, expect, test } from "vitest";
import type { Folder } from "#coordinator/core/ports/ports.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { present } from "#shared/kernel/assert.ts";
import {
  eventViewSchema,
  roundDetailSchema,
  roundViewSchema,
  runViewSchema,
  taskViewSchema,
} from "#shared/protocol/api.ts";
import { voidStep } from "#shared/strategy/void-step.ts";
import { memoryFolder } from "#test/kit/fakes/memory-files.ts";
import { TEST_CODE } from "#test/kit/secagg-fixtures.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

const indices = (federation: Federation, wanted: (index: number) => boolean) =>
  federation.devices.filter((_, index) => wanted(index));

describe("a run in memory, with real devices", () => {
  test("is named by a UUIDv7 without dashes, which begins with the time of its launch", async () => {
    const federation = await Federation.create({ devices: 3 });
    const nowUnixMs = federation.clock.nowUnixMs();
    const [first, second] = [await federation.launch(1), await federation.launch(1)];
    for (const runId of [first, second]) {
      expect(runId).toMatch(/^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
      expect(Number.parseInt(runId.slice(0, 12), 16)).toBe(nowUnixMs);
    }
    expect(first).not.toBe(second);
  });

  test("[S2] commits its rounds; each model is the survivors' weighted mean", async () => {
    const federation = await Federation.create({ devices: 5 });
    federation.connectAll();
    const runId = await federation.launch(3);
    const run = await federation.ended(runId);
    expect([run.state, run.roundsCommitted, run.history.map((point) => point.round)]).toEqual([
      "completed",
      3,
      [0, 1, 2, 3],
    ]);
    const rounds = await federation.rounds(runId);
    expect(rounds.map((round) => [round.phase, round.attempt, round.survivors])).toEqual(
      Array(3).fill(["committed", 1, 5]),
    );
    for (const round of rounds)
      expect(federation.distanceFromOracle(round, federation.devices)).toBeLessThanOrEqual(1);
    for (const device of federation.devices) {
      expect(device.refusals).toEqual([]);
      expect(device.outcomes.map((outcome) => outcome.kind)).toEqual(["committed", "committed", "committed"]);
      expect(device.ended.map((message) => message.state)).toEqual(["completed"]);
    }
    expect(federation.logged).toEqual([]);
  });

  test("the oracle notices a survivor that is missing from the sum (positive control)", async () => {
    const federation = await Federation.create({ devices: 4 });
    federation.connectAll();
    const runId = await federation.launch(1);
    await federation.ended(runId);
    const [round] = await federation.rounds(runId);
    const committed = present(round, "the round");
    const withoutOne = federation.devices.slice(1);
    expect(() => federation.distanceFromOracle(committed, withoutOne)).toThrow("weight");
  });

  test("[S11] nothing of a round is kept after it: no shares, no inputs", async () => {
    const federation = await Federation.create({ devices: 4 });
    federation.connectAll();
    await federation.ended(await federation.launch(2));
    await federation.inFlight.settle();
    expect([...federation.db.material.keys()]).toEqual([]);
    expect([...federation.disk.spool.keys()]).toEqual([]);
    // The log contains public keys, positions and digests only.
    expect(federation.db.log.map((entry) => entry.body).join()).not.toMatch(
      /"(zShare|bShare|ciphertext|share)"/,
    );
  });

  test("[S11] the mask keys are wiped once the masks are removed, even if removing them fails", async () => {
    const inner = await selectPrimitives(globalThis.crypto.subtle);
    const keys: Uint8Array[] = [];
    const own: { federation?: Federation } = {};
    const folder: Folder = {
      fold: async (job) => {
        const isFirst = keys.length === 0;
        for (const { key } of job.masks) {
          expect(key.some((byte) => byte !== 0)).toBe(true);
          keys.push(key);
        }
        if (job.masks.length > 0 && isFirst) throw new Error("no worker");
        return memoryFolder(present(own.federation, "a federation").disk, inner).fold(job);
      },
      close: async () => {},
    };
    const federation = await Federation.create({ devices: 4, ports: { folder } });
    own.federation = federation;
    federation.connectAll();
    const run = await federation.ended(await federation.launch(1));
    expect(run.state).toBe("completed");
    const wiped = keys.filter((key) => key.every((byte) => byte === 0));
    // Twice: for the failed try and for the next one.
    expect([keys.length >= 8, wiped.length]).toEqual([true, keys.length]);
  });

  test("every view has the shape that the API states", async () => {
    const federation = await Federation.create({ devices: 4 });
    federation.connectAll();
    const runId = await federation.launch(1);
    await federation.until(
      async () => (await federation.run(runId)).currentRound?.phase === "recruiting",
      "recruiting",
    );
    expect((await federation.run(runId)).currentRound?.joined).toBe(4);
    runViewSchema.parse(await federation.run(runId));
    await federation.ended(runId);
    const opened = federation.db.leaves.filter(({ kind }) => kind === "round.opened");
    expect(opened.map(({ body }) => (body as { codeHash: string }).codeHash)).toContain(TEST_CODE.hash);
    const run = runViewSchema.parse(await federation.run(runId));
    expect(run.secondsLeft).toBeNull();
    for (const round of await federation.rounds(runId)) {
      roundDetailSchema.parse(round);
      expect(round.traffic.map((row) => row.step)).toEqual([
        "model",
        "keys",
        "shares",
        "input",
        "confirmation",
        "opening",
      ]);
      expect(round.events.map((event) => event.kind)).toEqual([
        "round.committed",
        "round.opened-sum",
        "inputs.sealed",
        "round.collecting",
        "cohort.sealed",
        "round.invited",
      ]);
      expect(await federation.coordinator.rounds.publishedSumHash(round.roundId)).toBe(round.sumHash);
      expect(federation.disk.blobs.get(present(round.sumHash, "a sum"))?.length).toBe(round.sumByteCount);
    }
    taskViewSchema.parse(await federation.coordinator.tasks.taskView("small"));
    const { items } = await federation.coordinator.runs.listEvents(runId, { limit: 200 });
    for (const event of items) eventViewSchema.parse(event);
    expect(items.at(-1)?.kind).toBe("run.launched");
    const topics = { run: runViewSchema, round: roundViewSchema, event: eventViewSchema } as const;
    for (const { topic, view } of federation.published) topics[topic as keyof typeof topics].parse(view);
    // A device never appears in a view.
    for (const device of federation.devices)
      expect(JSON.stringify(federation.published)).not.toContain(device.identity);
  });

  test("[R6] [R7] devices that vanish at each step are not in the sum, and their masks are removed", async () => {
    const federation = await Federation.create({ devices: 8 });
    const steps = ["advertise", "share", "input", "confirm", "unmask"] as const;
    // n = 7 after the first is gone, so t = 5: one leaves before its input, another after it.
    for (const step of ["advertise", "input"] as const)
      present(federation.devices[steps.indexOf(step)], "a device").goneBefore = step;
    present(federation.devices[3], "a device").goneBefore = "confirm";
    federation.connectAll();
    const runId = await federation.launch(1);
    const run = await federation.ended(runId);
    expect(run.state).toBe("completed");
    const round = present((await federation.rounds(runId)).at(-1), "the round");
    expect([round.advertised, round.shared, round.survivors]).toEqual([7, 7, 6]);
    const survivors = indices(federation, (index) => index !== 0 && index !== 2);
    expect(federation.distanceFromOracle(round, survivors)).toBeLessThanOrEqual(1);
    expect(round.left).toBe(2);
  });

  test("[R8] too few shares repeat the attempt; updates are reused and the round commits", async () => {
    const federation = await Federation.create({ devices: 4 });
    const [first, second] = [
      present(federation.devices[0], "one"),
      present(federation.devices[1], "another"),
    ];
    for (const device of [first, second]) device.goneBefore = "share";
    federation.connectAll();
    const runId = await federation.launch(1);
    await federation.until(() => !first.online && !second.online, "their going");
    for (const device of [first, second]) device.goneBefore = null;
    const before = federation.clock.nowMs();
    await federation.until(() => federation.clock.nowMs() > before + 10_000, "time");
    await federation.until(
      async () => (await federation.run(runId)).currentRound?.attempt === 2,
      "the second attempt",
    );
    federation.connectAll();
    const run = await federation.ended(runId);
    expect(run.state).toBe("completed");
    const round = present((await federation.rounds(runId)).at(-1), "the round");
    expect([round.round, round.attempt, round.survivors]).toEqual([1, 2, 4]);
    expect(federation.distanceFromOracle(round, federation.devices)).toBeLessThanOrEqual(1);
  });

  test("[R10] too few opening shares void the round; the next starts from a void step", async () => {
    const federation = await Federation.create({ devices: 4 });
    for (const device of federation.devices.slice(0, 2)) device.goneBefore = "unmask";
    federation.connectAll();
    const runId = await federation.launch(1);
    await federation.until(
      async () => (await federation.rounds(runId))[0]?.phase === "voided",
      "the void round",
    );
    for (const device of federation.devices) device.goneBefore = null;
    federation.connectAll();
    const run = await federation.ended(runId);
    expect([run.state, run.roundsCommitted]).toEqual(["completed", 1]);
    const [voided, committed] = await federation.rounds(runId);
    expect([voided?.code, voided?.opened, committed?.phase]).toEqual(["BELOW_T", true, "committed"]);
    const before = federation.weights(present(voided?.parentModelHash, "a model"));
    const after = federation.weights(present(committed?.parentModelHash, "a model"));
    for (const [index, weight] of after.entries()) {
      const ratio = weight / (before[index] as number);
      if (before[index] !== 0) expect(Math.abs(Math.abs(ratio - 1) - 2 ** -7)).toBeLessThan(1e-6);
    }
    expect(federation.db.leaves.filter((leaf) => leaf.kind === "round.aborted")).toEqual([
      {
        kind: "round.aborted",
        at: expect.any(Number),
        body: { version: 1, roundId: voided?.roundId, code: "BELOW_T", opened: true },
      },
    ]);
  });

  test("[R18] a second run with the same seed starts from a void step of the model that was offered", async () => {
    const federation = await Federation.create({ devices: 3 });
    federation.connectAll();
    const [first, second] = [await federation.launch(1), await federation.launch(1)];
    await federation.ended(first);
    await federation.ended(second);
    const parents = [...(await federation.rounds(first)), ...(await federation.rounds(second))].map(
      (round) => round.parentModelHash,
    );
    expect(new Set(parents).size).toBe(2);
    const initial = federation.db.versions
      .filter((version) => version.round === 0)
      .map((version) => version.modelHash);
    expect(new Set(initial).size).toBe(1);
    // The chain of models has no gap: a leaf says where the second run's first offer came from.
    const leaves = federation.db.leaves.filter((leaf) => leaf.kind === "model.void-stepped");
    const [modelHash, parentHash] = [present(parents[1], "the second run's model"), initial[1]];
    expect(leaves).toEqual([
      {
        kind: "model.void-stepped",
        at: expect.any(Number),
        body: { version: 1, runId: second, round: 1, modelHash, parentHash },
      },
    ]);
    const [before, after] = [
      federation.weights(present(parentHash, "a hash")),
      federation.weights(modelHash),
    ];
    const stepped = await voidStep(await selectPrimitives(crypto.subtle), before, second, 1);
    expect(after).toEqual(stepped);
  });

  test("[R20] one run of a task is active, the next begins when it ends", async () => {
    const federation = await Federation.create({ devices: 3 });
    federation.connectAll();
    const [first, second] = [await federation.launch(1, 1), await federation.launch(1, 2)];
    await federation.until(async () => (await federation.run(first)).state === "running", "the first run");
    expect((await federation.run(second)).state).toBe("queued");
    expect(await federation.coordinator.tasks.taskView("small")).toMatchObject({
      activeRunId: first,
      activeRun: { state: "running", waiting: null },
    });
    await federation.ended(first);
    expect((await federation.ended(second)).state).toBe("completed");
    const times = [await federation.run(first), await federation.run(second)].map((run) => [
      run.startedAt,
      run.endedAt,
    ]);
    expect(String(times[0]?.[1]) <= String(times[1]?.[0])).toBe(true);
  });

  test("[R16] pause acts after the round, resume goes on", async () => {
    const federation = await Federation.create({ devices: 3 });
    federation.connectAll();
    const runId = await federation.launch(2);
    await federation.until(
      async () => (await federation.run(runId)).currentRound?.phase === "recruiting",
      "recruiting",
    );
    const paused = await federation.coordinator.runs.pause(runId, "ada");
    expect(paused.ok && [paused.value.state, paused.value.pausing]).toEqual(["running", true]);
    await federation.until(async () => (await federation.run(runId)).state === "paused", "the pause");
    expect((await federation.run(runId)).roundsCommitted).toBe(1);
    const again = await federation.coordinator.runs.pause(runId, "ada");
    expect(again.ok ? null : again.error.code).toBe("CONFLICT");
    expect((await federation.coordinator.runs.resume(runId, "ada")).ok).toBe(true);
    expect((await federation.ended(runId)).roundsCommitted).toBe(2);
  });

  test("[R13] stop gives the round up before anything is opened, and tells the devices", async () => {
    const federation = await Federation.create({ devices: 4 });
    present(federation.devices[0], "a device").goneBefore = "share";
    federation.connectAll();
    const runId = await federation.launch(2);
    await federation.until(
      async () => (await federation.run(runId)).currentRound?.phase === "sharing",
      "sharing",
    );
    expect((await federation.coordinator.runs.stopRun(runId, "ada")).ok).toBe(true);
    const run = await federation.ended(runId);
    expect([run.state, run.code]).toEqual(["failed", "ABORTED_BY_OPERATOR"]);
    const [round] = await federation.rounds(runId);
    expect([round?.phase, round?.opened, round?.code]).toEqual(["failed", false, "ABORTED_BY_OPERATOR"]);
    const online = indices(federation, (index) => index !== 0);
    for (const device of online) {
      expect(device.abandoned.map((message) => [message.code, message.retry])).toEqual([
        ["ABORTED_BY_OPERATOR", false],
      ]);
      expect(device.ended.map((message) => message.state)).toEqual(["stopped"]);
    }
    await federation.inFlight.settle();
    expect(federation.db.material.size + federation.disk.spool.size).toBe(0);
  });

  test("[R17] a run whose devices never train gives up after eight rounds", async () => {
    const federation = await Federation.create({ devices: 3 });
    for (const device of federation.devices) device.goneBefore = "advertise";
    const back = () => federation.connectAll();
    federation.connectAll();
    const runId = await federation.launch(1);
    await federation.until(async () => {
      if (federation.devices.every((device) => !device.online)) back();
      return (await federation.run(runId)).state === "failed";
    }, "the run's end");
    const run = await federation.run(runId);
    expect([run.code, (await federation.rounds(runId)).length]).toEqual(["COHORT_TOO_SMALL", 8]);
    expect(run.roundsCommitted).toBe(0);
  });

  test("[R12] a device that loses its connection at each message comes back and takes part", async () => {
    const federation = await Federation.create({ devices: 3 });
    // Three of three: nothing goes on without it.
    const flaky = present(federation.devices[0], "a device");
    for (const type of ["invite", "roster", "collect", "sets", "open", "outcome"] as const)
      flaky.losesAt.add(type);
    federation.connectAll();
    const runId = await federation.launch(1);
    expect((await federation.ended(runId)).state).toBe("completed");
    // It was told the outcome again after it had come back.
    await federation.until(() => flaky.outcomes.length === 1, "the outcome");
    expect([...flaky.losesAt]).toEqual([]);
    const round = present((await federation.rounds(runId)).at(-1), "the round");
    expect([round.round, round.attempt, round.survivors]).toEqual([1, 1, 3]);
    expect(federation.distanceFromOracle(round, federation.devices)).toBeLessThanOrEqual(1);
  });

  test("[R12] a device that was reloaded leaves the round whose keys it lost, and joins the next", async () => {
    const federation = await Federation.create({ devices: 5 });
    const reloaded = present(federation.devices[0], "a device");
    reloaded.goneBefore = "share";
    federation.connectAll();
    const runId = await federation.launch(2);
    await federation.until(() => !reloaded.online, "its going");
    reloaded.goneBefore = null;
    reloaded.reload();
    reloaded.connect();
    expect((await federation.ended(runId)).state).toBe("completed");
    expect((await federation.rounds(runId)).map((round) => [round.survivors, round.left])).toEqual([
      [4, 1],
      [5, 0],
    ]);
  });
});
