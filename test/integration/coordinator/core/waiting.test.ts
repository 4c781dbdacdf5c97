import { describe, expect, test } from "vitest";
import { ALL_READABLE } from "#coordinator/core/ports/store.ts";
import { present } from "#shared/kernel/assert.ts";
import { eventViewSchema, runViewSchema } from "#shared/protocol/api.ts";
import type { RunId } from "#shared/protocol/ids.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { MemoryDevice } from "#test/kit/devices/memory-device.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

/* A run with too few devices: it waits, and asks nothing of anyone. The minimum here is three devices. */

async function create(devices = 4) {
  const federation = await Federation.create({ devices });
  const device = (index: number): MemoryDevice => present(federation.devices[index], "a device");
  return { federation, device };
}

const waits = (federation: Federation, runId: string) =>
  federation.until(async () => (await federation.run(runId)).state === "waiting", "waiting");

async function pass(federation: Federation, ms: number): Promise<void> {
  const until = federation.clock.nowMs() + ms;
  federation.clock.after(ms, () => {});
  await federation.until(() => federation.clock.nowMs() >= until, "time");
}

describe("[R25] a run that nobody has joined", () => {
  test("waits for hours without a round, and begins when the minimum cohort is ready", async () => {
    const { federation, device } = await create();
    const runId = await federation.launch(2);
    await waits(federation, runId);
    const since = (await federation.run(runId)).waiting?.since;
    for (const index of [0, 1]) device(index).connect();
    await pass(federation, 6 * 3_600_000);
    const waiting = runViewSchema.parse(await federation.run(runId));
    expect([waiting.state, waiting.waiting, waiting.roundsCommitted]).toEqual([
      "waiting",
      { since, ready: 2, needed: 3 },
      0,
    ]);
    expect(await federation.rounds(runId)).toEqual([]);
    // Nothing of a round is written: no event, no leaf except those of the start, the task and the launch, no offer.
    const kinds = federation.db.leaves.map(({ kind }) => kind);
    expect(kinds).toEqual(["shell.published", "task.published", "run.launched"]);
    expect(federation.db.offers.size).toBe(0);
    device(2).connect();
    const run = await federation.ended(runId);
    expect([run.state, run.waiting, run.roundsCommitted]).toEqual(["completed", null, 2]);
    expect((await federation.rounds(runId)).map(({ round, phase }) => [round, phase])).toEqual([
      [1, "committed"],
      [2, "committed"],
    ]);
    const { items } = await federation.coordinator.runs.listEvents(runId, { limit: 200 });
    const said = items.map((event) => eventViewSchema.parse(event).sentence);
    expect(said).toContain("The run waits for devices: 0 are ready, too few for a round.");
    expect(federation.logged).toEqual([]);
  });

  test("says so to dashboards as devices come and go, at most once a second", async () => {
    const { federation, device } = await create();
    const runId = await federation.launch(1);
    await waits(federation, runId);
    const shown = () =>
      federation.published
        .filter(({ topic }) => topic === "run")
        .map(({ view }) => runViewSchema.parse(view))
        .filter((view) => view.runId === runId && view.state === "waiting")
        .map((view) => view.waiting?.ready);
    for (const index of [0, 1]) device(index).connect();
    await pass(federation, 2_000);
    device(1).disconnect();
    await pass(federation, 2_000);
    expect(shown()).toEqual([0, 2, 1]);
  });

  test("shows dashboards nothing outdated after it was reloaded and goes on", async () => {
    const { federation, device } = await create();
    const runId = await federation.launch(1);
    await waits(federation, runId);
    federation.coordinator.lifecycle.interrupt(new Error("another may have written"));
    await pass(federation, 500);
    // This is shown a second later; by then the run was read again and its round is open.
    for (const index of [0, 1]) device(index).connect();
    await pass(federation, 600);
    device(2).connect();
    await federation.ended(runId);
    await pass(federation, 5_000);
    const shown = federation.published
      .filter(({ topic }) => topic === "run")
      .map(({ view }) => runViewSchema.parse(view));
    const turns = shown.filter(({ state }, index) => state !== shown[index - 1]?.state);
    expect(turns.map(({ state }) => state)).toEqual([
      ...["queued", "running", "waiting", "running", "evaluating", "completed"],
    ]);
  });

  test("can be paused, resumed and stopped while it waits", async () => {
    const { federation } = await create();
    const runId = await federation.launch(1);
    await waits(federation, runId);
    const paused = await federation.coordinator.runs.pause(runId, "ada");
    expect(paused.ok && [paused.value.state, paused.value.waiting]).toEqual(["paused", null]);
    federation.connectAll();
    await pass(federation, 60_000);
    expect((await federation.run(runId)).state).toBe("paused");
    for (const device of federation.devices) device.disconnect();
    await federation.coordinator.runs.resume(runId, "ada");
    await waits(federation, runId);
    const stopped = await federation.coordinator.runs.stopRun(runId, "ada");
    expect(stopped.ok && [stopped.value.state, stopped.value.code]).toEqual([
      "failed",
      "ABORTED_BY_OPERATOR",
    ]);
    expect(await federation.rounds(runId)).toEqual([]);
  });

  test("[R19] waits again after a restart, since the same moment", async () => {
    const { federation } = await create();
    const runId = await federation.launch(1);
    await waits(federation, runId);
    const before = await federation.run(runId);
    await pass(federation, 600_000);
    federation.crash();
    await federation.inFlight.settle();
    await federation.boot();
    await federation.inFlight.settle();
    const after = await federation.run(runId);
    expect([after.state, after.waiting?.since]).toEqual(["waiting", before.waiting?.since]);
    federation.connectAll();
    expect((await federation.ended(runId)).state).toBe("completed");
  });
});

describe("[R25] a run that loses its devices", () => {
  test("[R17] ends a round with too few devices without counting it, and waits", async () => {
    const { federation, device } = await create(5);
    // Five are wanted: with three a round recruits until its deadline.
    const runId = await federation.launch(1);
    for (let round = 1; round <= 9; round++) {
      await waits(federation, runId);
      for (const index of [0, 1, 2]) device(index).connect();
      await federation.until(
        async () => (await federation.run(runId)).currentRound?.round === round,
        `round ${round}`,
      );
      device(0).disconnect();
      await federation.until(
        async () => (await federation.rounds(runId))[round - 1]?.phase === "failed",
        "the failed round",
      );
      for (const index of [1, 2]) device(index).disconnect();
    }
    await waits(federation, runId);
    const run = await federation.run(runId);
    expect([run.code, run.roundsCommitted, run.roundsPlanned]).toEqual([null, 0, 1]);
    federation.connectAll();
    expect((await federation.ended(runId)).roundsCommitted).toBe(1);
  });

  test("[R17] does not count a split round whose shards chance did not fill, and goes on when more devices come", async () => {
    const task = { goal: 20, overSelection: 1.5, cohortSizeMin: 3, cohortSizeMax: 40 };
    const graph = { kind: "shards", size: 8 } as const;
    const federation = await Federation.create({ devices: 30, seed: "shards 5", task: { ...task, graph } });
    // As many as four shards need, which one draw in forty-six gives them.
    for (const device of federation.devices.slice(0, 12)) device.connect();
    const runId = await federation.launch(1);
    await federation.until(async () => (await federation.rounds(runId)).length > 9, "nine failed rounds");
    const failed = (await federation.rounds(runId)).slice(0, 9);
    expect(failed.map(({ phase, code, trained }) => [phase, code, trained])).toEqual(
      Array(9).fill(["failed", "COHORT_TOO_SMALL", 0]),
    );
    federation.connectAll();
    const run = await federation.ended(runId);
    expect([run.state, run.roundsCommitted]).toEqual(["completed", 1]);
  });

  test("does not call the moments between two rounds waiting", async () => {
    const { federation } = await create();
    federation.connectAll();
    const runId = await federation.launch(3);
    await federation.ended(runId);
    const { items } = await federation.coordinator.runs.listEvents(runId, { limit: 200 });
    expect(items.filter(({ kind }) => kind === "run.waiting")).toEqual([]);
    expect((await federation.rounds(runId)).map(({ survivors }) => survivors)).toEqual([4, 4, 4]);
  });

  test("counts a device as ready that left a round and came back while the others still train", async () => {
    const { federation } = await create();
    const { coordinator, task } = federation;
    const identities = federation.devices.map(({ identity }) => identity);
    const [first = "", second = ""] = identities;
    const arrive = async (identity: string) => {
      coordinator.devices.deviceUp(identity, task.slug);
      await coordinator.devices.onDeviceMessage(identity, { type: "check-in", taskVersion: task.version });
    };
    // Nobody ever advertises: the round is training until the deadline.
    for (const identity of identities) await arrive(identity);
    const runId = await federation.launch(1);
    await federation.until(
      async () => (await federation.run(runId)).currentRound?.phase === "training",
      "training",
    );
    coordinator.devices.deviceDown(first);
    await federation.inFlight.settle();
    await arrive(first);
    coordinator.devices.deviceDown(second);
    await federation.inFlight.settle();
    await waits(federation, runId);
    expect((await federation.run(runId)).waiting?.ready).toBe(1);
  });
});

describe("[R25] the time until which a launch waits", () => {
  const launchUntil = async (federation: Federation, afterMs: number) => {
    const waitUntil = new Date(federation.clock.nowUnixMs() + afterMs).toISOString();
    return federation.coordinator.runs.launch(
      { task: federation.task.slug, rounds: 1, seed: 7, waitUntil },
      "ada",
    );
  };

  test("ends the waiting with its own code, not before, and survives a restart", async () => {
    const { federation } = await create();
    const launched = await launchUntil(federation, 600_000);
    const runId = launched.ok ? launched.value.runId : "";
    await waits(federation, runId);
    await pass(federation, 500_000);
    expect((await federation.run(runId)).state).toBe("waiting");
    await federation.restart();
    for (const device of federation.devices) device.disconnect();
    const run = await federation.ended(runId);
    expect([run.state, run.code, run.waiting]).toEqual(["failed", "WAIT_EXPIRED", null]);
    expect(Date.parse(run.endedAt ?? "")).toBe(Date.parse(run.waitUntil ?? ""));
  });

  test("ends a run that is still in the queue, and no run that has devices", async () => {
    const { federation } = await create();
    const first = await federation.launch(1);
    const launched = await launchUntil(federation, 600_000);
    const queued = launched.ok ? launched.value.runId : "";
    await waits(federation, first);
    expect((await federation.run(queued)).queuedBehind).toEqual({
      runId: first,
      number: 1,
      state: "waiting",
    });
    expect((await federation.ended(queued)).code).toBe("WAIT_EXPIRED");
    expect((await federation.run(first)).state).toBe("waiting");
    await federation.coordinator.runs.stopRun(first, "ada");
    federation.connectAll();
    const another = await launchUntil(federation, 3_000);
    expect((await federation.ended(another.ok ? another.value.runId : "")).state).toBe("completed");
  });

  test("is refused if it has passed", async () => {
    const { federation } = await create();
    const launched = await launchUntil(federation, -1);
    expect(launched.ok ? null : launched.error.code).toBe("BAD_REQUEST");
    expect((await federation.coordinator.runs.listRuns(ALL_READABLE, { limit: 10 })).items).toEqual([]);
  });
});

describe("[R20] a run behind one that waits", () => {
  test("is queued, says behind which run, and begins when that one has ended", async () => {
    const { federation } = await create();
    const [first, second] = [await federation.launch(1), await federation.launch(1)];
    await waits(federation, first);
    expect(await federation.run(second)).toMatchObject({
      state: "queued",
      queuedBehind: { runId: first, number: 1, state: "waiting" },
    });
    // Dashboards were told too.
    const heard = federation.published
      .map(({ view }) => view as { runId?: string; queuedBehind?: { state: string } | null })
      .findLast((view) => view.runId === second);
    expect(heard?.queuedBehind?.state).toBe("waiting");
    federation.connectAll();
    await federation.ended(first);
    const run = await federation.ended(second);
    expect([run.state, run.queuedBehind]).toEqual(["completed", null]);
  });

  test("a task has a limited number of runs that have not ended, even if they are launched at the same time", async () => {
    const { federation } = await create();
    const launch = () =>
      federation.coordinator.runs.launch({ task: federation.task.slug, rounds: 1, seed: 7 }, "ada");
    const runIds: string[] = [];
    for (let count = 0; count < LIMITS.openRunsPerTask - 2; count++) {
      const launched = await launch();
      if (launched.ok) runIds.push(launched.value.runId);
    }
    expect(runIds.length).toBe(LIMITS.openRunsPerTask - 2);
    const last = await Promise.all([launch(), launch(), launch(), launch()]);
    const refused = last.flatMap((one) => (one.ok ? [] : [one.error]));
    expect(refused.length).toBe(2);
    expect(refused[0]).toMatchObject({ code: "RATE_LIMITED", retry: "later" });
    expect(refused[0]?.message).toContain("Stop one of them or wait until one has ended");
    // A repeated launch of an existing run gets that run.
    const [first = ""] = runIds;
    const known = { task: federation.task.slug, rounds: 1, seed: 7, runId: first as RunId };
    expect((await federation.coordinator.runs.launch(known, "ada")).ok).toBe(true);
    expect((await federation.coordinator.runs.stopRun(runIds.at(-1) ?? "", "ada")).ok).toBe(true);
    await federation.ended(runIds.at(-1) ?? "");
    expect((await launch()).ok).toBe(true);
    expect((await launch()).ok).toBe(false);
  });
});
