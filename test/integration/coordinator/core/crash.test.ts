import { describe, expect, test } from "vitest";
import type { StoreRecord } from "#coordinator/core/ports/ports.ts";
import { ALL_READABLE } from "#coordinator/core/ports/store.ts";
import { present } from "#shared/kernel/assert.ts";
import type { MemoryDatabase } from "#test/kit/fakes/memory-database.ts";
import { Federation, recordsOf, type WriteHook } from "#test/kit/worlds/federation.ts";

/*
 * SIGKILL at every write of a run: once just before it, once just after it was durable. Nothing else of the killed
 * coordinator survives; the next one starts from the database and the disk, and the devices come back.
 */

const DEVICES = 4;

/** @param hook  Counts from the first write after the task was created. */
async function setUp(hook: WriteHook = () => "go"): Promise<{ federation: Federation; runId: string }> {
  const federation = await Federation.create({ devices: DEVICES });
  federation.writes.length = 0;
  federation.hook = hook;
  // One device leaves before its input, so that a pair key must be rebuilt.
  present(federation.devices[0], "a device").goneBefore = "input";
  federation.connectAll();
  try {
    return { federation, runId: await federation.launch(1) };
  } catch {
    // It was killed during the launch: the launcher checks whether the run exists, and otherwise launches again.
    await federation.restart();
    const { items } = await federation.coordinator.runs.listRuns(ALL_READABLE, { limit: 10 });
    return { federation, runId: items[0]?.runId ?? (await federation.launch(1)) };
  }
}

/** What must hold however often the coordinator was killed. */
async function expectOneGoodRound(federation: Federation, runId: string, fault: string): Promise<void> {
  await federation.inFlight.settle();
  const run = await federation.run(runId);
  expect([fault, run.state, run.roundsCommitted]).toEqual([fault, "completed", 1]);
  const rounds = await federation.rounds(runId);
  expect([fault, rounds.map((round) => [round.phase, round.attempt])]).toEqual([fault, [["committed", 1]]]);
  const round = present(rounds[0], "the round");
  const { leaves, versions, offers } = federation.db;
  for (const kind of [
    "round.opened",
    "cohort.sealed",
    "inputs.sealed",
    "survivors.signed",
    "round.unmasked",
    "model.published",
  ]) {
    expect([fault, kind, leaves.filter((leaf) => leaf.kind === kind).length]).toEqual([fault, kind, 1]);
  }
  expect(versions.map((version) => version.round)).toEqual([0, 1]);
  expect(offers.get(round.parentModelHash)?.openedSid).toBe(round.sid);
  // Every receipt has a place in the sum, and nobody is counted twice: the weight and every coordinate equal the
  // oracle's.
  const survivors = federation.devices.filter((device) => device.receipts.length > 0);
  expect([fault, survivors.length]).toEqual([fault, round.survivors]);
  expect(federation.distanceFromOracle(round, survivors)).toBeLessThanOrEqual(1);
  // A device gives its shares for one session only.
  for (const device of federation.devices) {
    const revealed = device.remembered.filter((one) => one.kind === "reveal");
    expect(new Set(revealed.map((one) => one.kind === "reveal" && one.sid)).size).toBeLessThanOrEqual(1);
  }
  expect([fault, federation.db.material.size, federation.disk.spool.size]).toEqual([fault, 0, 0]);
}

/** Like versions that wrote it in a transaction of its own. */
function leaveSent(
  db: MemoryDatabase,
  record: Extract<StoreRecord, { readonly type: "input" | "material" }>,
): void {
  if (record.type === "input") db.inputs.set(`${record.input.sid} ${record.input.position}`, record.input);
  else db.material.set(`${record.sid} ${record.step} ${record.position}`, record.bytes);
}

async function finish(federation: Federation, runId: string): Promise<void> {
  await federation.until(async () => {
    if (!federation.running) await federation.restart();
    return federation.running && (await federation.run(runId)).state === "completed";
  }, "the run's end");
}

describe("[R19] a coordinator that is killed", () => {
  test("at any write goes on from its log", async () => {
    let together = 0;
    const whole = await setUp((name, parameters) => {
      if (name === "append") together = Math.max(together, (parameters[1] as readonly unknown[]).length);
      return "go";
    });
    await finish(whole.federation, whole.runId);
    await expectOneGoodRound(whole.federation, whole.runId, "none");
    // Events that came during a write, so that kills fall around several at once.
    expect(together).toBeGreaterThan(1);
    const writes = whole.federation.writes;
    // All kinds of writes must occur, or the list of faults would leave one out.
    for (const name of ["append", "receive", "put", "deleteMaterial", "discard"]) {
      expect(writes).toContain(name);
    }
    // How many events share a write is chance, so no two lives have the same writes: on until one has no more.
    let isReached = true;
    let index = 0;
    for (; isReached; index++) {
      for (const verdict of ["die-before", "die-after"] as const) {
        let seen = 0;
        const { federation, runId } = await setUp(() => (seen++ === index ? verdict : "go"));
        const fault = `${verdict} of write ${index}`;
        await finish(federation, runId).catch((error) => {
          throw new Error(`${fault}: ${error}`);
        });
        isReached &&= seen > index;
        await expectOneGoodRound(federation, runId, fault);
      }
    }
    expect(index).toBeGreaterThan(writes.length / 2);
  });

  test("[R18] leaves no model chosen but not offered, whatever write it was killed before", async () => {
    let chosen = 0;
    const owners: (string | undefined)[] = [];
    const { federation, runId } = await setUp();
    federation.hook = () => {
      for (const { body } of federation.db.log) {
        const { fact } = JSON.parse(body) as {
          readonly fact: { readonly type: string; readonly modelHash: string };
        };
        if (fact.type !== "round-opened") continue;
        chosen++;
        owners.push(federation.db.offers.get(fact.modelHash)?.runId);
      }
      return "go";
    };
    await finish(federation, runId);
    expect(chosen).toBeGreaterThan(10);
    expect(new Set(owners)).toEqual(new Set([runId]));
  });

  test("after an earlier version's kill takes up what that wrote before its event", async () => {
    const left = new Set<string>();
    const { federation, runId } = await setUp();
    federation.hook = (name, parameters) => {
      for (const record of recordsOf(name, parameters)) {
        if (record.type !== "input" && record.type !== "material") continue;
        const kind = record.type === "input" ? "input" : record.step;
        if (left.has(kind)) continue;
        left.add(kind);
        leaveSent(federation.db, record);
        return "die-before";
      }
      return "go";
    };
    await finish(federation, runId);
    expect(left).toEqual(new Set(["share", "input", "unmask"]));
    await expectOneGoodRound(federation, runId, "sent without an event");
  });

  test("again and again still ends with one good round", async () => {
    let seen = 0;
    // Every ninth write kills; each life gets a little further.
    const { federation, runId } = await setUp(() =>
      ++seen % 9 === 0 ? (seen % 2 === 0 ? "die-before" : "die-after") : "go",
    );
    await finish(federation, runId);
    federation.hook = () => "go";
    if (!federation.running) await federation.restart();
    await expectOneGoodRound(federation, runId, "every ninth");
  });

  test("and loses an acknowledged input's file in a power cut gives up the attempt and opens nothing", async () => {
    const { federation, runId } = await setUp();
    await federation.until(
      async () => (await federation.run(runId)).currentRound?.phase === "collecting",
      "collecting",
    );
    federation.crash();
    const [path] = federation.disk.spool.keys();
    federation.disk.spool.delete(present(path, "an upload"));
    present(federation.devices[0], "a device").goneBefore = null;
    await federation.restart();
    await federation.ended(runId);
    const round = present((await federation.rounds(runId))[0], "the round");
    expect([round.phase, round.attempt, round.survivors]).toEqual(["committed", 2, DEVICES]);
    expect(round.events.find((event) => event.kind === "round.retried")?.details["code"]).toBe("RESTARTED");
    expect(federation.distanceFromOracle(round, federation.devices)).toBeLessThanOrEqual(1);
  });
});

describe("a write whose outcome nobody knows", () => {
  test("[R19] ends the drivers, not the process: the log is read again and the run goes on", async () => {
    const whole = await setUp();
    await finish(whole.federation, whole.runId);
    const appends = whole.federation.writes.filter((name) => name === "append").length;
    for (let index = 2; index < appends; index += 3) {
      const { federation, runId } = await setUp();
      let seen = 0;
      federation.failing = (name) => name === "append" && seen++ === index;
      await finish(federation, runId);
      expect(federation.running).toBe(true);
      await expectOneGoodRound(federation, runId, `fault at append ${index}`);
    }
  });
});
