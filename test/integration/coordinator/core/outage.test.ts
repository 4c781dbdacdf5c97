import { describe, expect, test } from "vitest";
import { wireErrorOf } from "#coordinator/core/ports/outage.ts";
import { present } from "#shared/kernel/assert.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

/*
 * A store or a disk that goes away in the middle of a run and comes back. It is nobody's fault, so the run waits and
 * then ends as if nothing had happened. The outage begins at each write of a run in turn.
 */

const DEVICES = 4;

function refusedConnection(): Error {
  return Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:5432"), { code: "ECONNREFUSED" });
}
function fullDisk(): Error {
  return Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
}
/** Calls that need neither a database nor a disk. */
const PORT_CALLS = new Set(["evaluate", "fold", "close"]);
const DISK_WRITES = new Set([
  "append",
  "put",
  "receive",
  "appendNext",
  "saveTranscript",
  "keepOpenings",
  "saveEvidence",
  "sealEvidence",
]);

async function setUp(rounds = 1) {
  const federation = await Federation.create({ devices: DEVICES });
  federation.writes.length = 0;
  federation.connectAll();
  return { federation, runId: await federation.launch(rounds) };
}

/** A round in which one device leaves before its input, so that the others wait only for that device. */
async function collecting(rounds: number) {
  const federation = await Federation.create({ devices: DEVICES });
  present(federation.devices[0], "a device").goneBefore = "input";
  federation.connectAll();
  const runId = await federation.launch(rounds);
  await federation.until(
    async () => (await federation.run(runId)).currentRound?.phase === "collecting",
    "collecting",
  );
  return { federation, runId };
}

/**
 * From the `index`-th write on and for `forMs`, each call fails with `error` before it does anything, or each write
 * after it.
 */
function planOutage(
  federation: Federation,
  index: number,
  forMs: number,
  error: () => Error,
  hits: (name: string) => boolean,
): { began: () => boolean } {
  let untilMs: number | null = null;
  const isAway = () => untilMs !== null && federation.clock.nowMs() < untilMs;
  federation.hook = () => {
    // Not at `index` alone: the launch may have made that write before this hook was set.
    if (untilMs === null && federation.writes.length >= index) untilMs = federation.clock.nowMs() + forMs;
    return "go";
  };
  federation.away = (name) => (isAway() && hits(name) ? error() : null);
  // The first write of the outage is done, and its answer is lost.
  federation.failing = () => (isAway() ? error() : null);
  return { began: () => untilMs !== null };
}

async function expectOneGoodRound(federation: Federation, runId: string, fault: string): Promise<void> {
  const run = await federation.ended(runId).catch((error) => {
    throw new Error(`${fault}: ${error}`);
  });
  await federation.inFlight.settle();
  expect([fault, run.state, run.code, run.roundsCommitted]).toEqual([fault, "completed", null, 1]);
  const rounds = await federation.rounds(runId);
  const round = present(rounds.at(-1), "the round");
  expect([fault, round.phase]).toEqual([fault, "committed"]);
  // Acknowledged inputs count; so does an input that arrived but could not be answered.
  const acknowledged = federation.devices.filter((device) => device.receipts.length > 0);
  expect(acknowledged.length).toBeLessThanOrEqual(round.survivors ?? 0);
  const survivors = round.survivors === DEVICES ? federation.devices : acknowledged;
  expect(federation.distanceFromOracle(round, survivors)).toBeLessThanOrEqual(1);
  // If the outage begins with the run's last write, the run has ended for readers before its round is forgotten.
  const isForgotten = () => federation.db.material.size === 0 && federation.disk.spool.size === 0;
  await federation.until(isForgotten, `${fault}: the round's end`);
}

describe("[R43] an outage of half a minute", () => {
  test("of the database, from any write on, is waited for", async () => {
    const whole = await setUp();
    await expectOneGoodRound(whole.federation, whole.runId, "none");
    const { writes } = whole.federation;
    // How many events share a write is chance, so no two runs have the same writes: on until one has no more.
    let isReached = true;
    let index = 1;
    for (; isReached; index++) {
      const { federation, runId } = await setUp();
      const plan = planOutage(federation, index, 26_000, refusedConnection, (name) => !PORT_CALLS.has(name));
      await expectOneGoodRound(federation, runId, `away from write ${index} on`);
      isReached = plan.began();
    }
    expect(index).toBeGreaterThan(writes.length / 2);
  });

  test("of the disk, from any write on, is waited for", async () => {
    const whole = await setUp();
    await expectOneGoodRound(whole.federation, whole.runId, "none");
    const { writes } = whole.federation;
    for (let index = 1; index < writes.length; index += 2) {
      const { federation, runId } = await setUp();
      planOutage(federation, index, 26_000, fullDisk, (name) => DISK_WRITES.has(name));
      await expectOneGoodRound(federation, runId, `full from write ${index} on`);
    }
  });

  test("or of an hour: the run survives it, and its devices take part again", async () => {
    const { federation, runId } = await setUp(2);
    planOutage(federation, 30, 3_600_000, refusedConnection, (name) => !PORT_CALLS.has(name));
    const run = await federation.ended(runId);
    expect([run.state, run.roundsCommitted]).toEqual(["completed", 2]);
    expect(federation.clock.nowMs()).toBeGreaterThan(3_600_000);
  });
});

describe("[R43] requests during an outage", () => {
  test.each([
    ["a full disk", fullDisk, "STORAGE_FULL"],
    ["a database that is away", refusedConnection, "UNAVAILABLE"],
  ] as const)("%s: is told to come back later, at a launch and in a round", async (_, error, code) => {
    const { federation, runId } = await collecting(1);
    federation.away = (name) => (DISK_WRITES.has(name) ? error() : null);
    const refused = await federation.coordinator.runs
      .launch({ task: "small", rounds: 1, seed: 1 }, "ada")
      .then((launched) => (launched.ok ? null : launched.error), wireErrorOf);
    expect(refused).toMatchObject({ code, retry: "later" });
    expect(refused?.message).toMatch(/Nothing was counted/);
    const replies = new Set<string>();
    for (let steps = 0; steps < 40; steps++) {
      const { identity } = present(federation.devices[1], "a device");
      const reply = await federation.coordinator.devices.onDeviceMessage(identity, {
        type: "check-in",
        taskVersion: 1,
      });
      replies.add(reply.type === "refused" ? `${reply.error.code} ${reply.error.retry}` : reply.type);
      federation.clock.advance(1_000);
      await federation.inFlight.settle();
    }
    // Whoever only waits is let in; nothing is answered as a fault.
    expect([...replies].filter((reply) => !["accepted", `${code} later`].includes(reply))).toEqual([]);
    federation.away = () => null;
    expect((await federation.ended(runId)).state).toBe("completed");
  });
});

describe("[R43] a disk below its floor", () => {
  test("accepts no new upload, and accepts it when there is room", async () => {
    const federation = await Federation.create({ devices: DEVICES });
    const codes: string[] = [];
    const { coordinator } = federation;
    const begin = coordinator.uploads.beginUpload.bind(coordinator.uploads);
    coordinator.uploads.beginUpload = async (...parameters) => {
      const ticket = await begin(...parameters);
      codes.push(ticket.ok ? "taken" : `${ticket.error.code} ${ticket.error.retry}`);
      return ticket;
    };
    federation.hook = (name) => {
      if (name === "receive" && federation.clock.nowMs() < 10_000) {
        federation.hasRoom = false;
        federation.clock.after(20_000, () => {
          federation.hasRoom = true;
        });
      }
      return "go";
    };
    federation.connectAll();
    await expectOneGoodRound(federation, await federation.launch(1), "below the floor while inputs arrive");
    expect(new Set(codes)).toEqual(new Set(["taken", "STORAGE_FULL later"]));
  });

  test("opens no new round, ends the open one, and goes on by itself when there is room", async () => {
    const { federation, runId } = await collecting(2);
    federation.hasRoom = false;
    for (let minutes = 0; minutes < 60; minutes++) {
      federation.clock.advance(60_000);
      await federation.inFlight.settle();
    }
    expect((await federation.rounds(runId)).map(({ phase }) => phase)).toEqual(["committed"]);
    expect((await federation.run(runId)).state).toBe("running");
    federation.hasRoom = true;
    expect((await federation.ended(runId)).roundsCommitted).toBe(2);
  });
});

describe("[R43] real faults", () => {
  test("end a run with their code if consecutive; a committed round restarts the count", async () => {
    // Four faults for each published round: fifteen in total, but never ten without a round in between.
    const { federation, runId } = await setUp(4);
    let round = 0;
    let faults = 0;
    let total = 0;
    federation.failing = (name) => {
      if (name !== "append") return false;
      const committed = federation.db.leaves.filter(({ kind }) => kind === "model.published").length;
      if (committed !== round) [round, faults] = [committed, 0];
      total += faults < 4 ? 1 : 0;
      return ++faults <= 4;
    };
    expect(await federation.ended(runId)).toMatchObject({ state: "completed", roundsCommitted: 4 });
    expect(total).toBeGreaterThan(10);

    const other = await setUp();
    let failing = true;
    other.federation.failing = (name) => name === "append" && failing;
    for (let seconds = 0; seconds < 30; seconds++) {
      other.federation.clock.advance(1_000);
      await other.federation.inFlight.settle();
    }
    failing = false;
    expect(await other.federation.ended(other.runId)).toMatchObject({ state: "failed", code: "INTERNAL" });
  });
});
