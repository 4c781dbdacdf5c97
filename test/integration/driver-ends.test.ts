import { describe, expect, test } from "vitest";
import { readRound } from "#coordinator/core/recover-round.ts";
import { brokenView } from "#coordinator/core/run-view.ts";
import { present } from "#shared/kernel/assert.ts";
import { Federation } from "#test/kit/federation.ts";
import { memoryStore } from "#test/kit/memory-store.ts";

/*
 * However a run ends, and at whatever moment of its round: the round has an end in its log and its row, and nothing of it
 * is left in the store and the spool.
 */

const DEVICES = 4;
const ENDED = ["committed", "voided", "failed"];

/** @param at  Called at each write of the run, by its number. */
async function setUp(at: (federation: Federation, index: number, runId: string | undefined) => void) {
  const federation = await Federation.create({ devices: DEVICES });
  federation.writes.length = 0;
  federation.hook = () => {
    const [runId] = federation.db.runs.keys();
    at(federation, federation.writes.length, runId);
    return "go";
  };
  federation.connectAll();
  const runId = await federation.launch(1).catch(() => null);
  return { federation, runId };
}

async function writesOfOneRun(): Promise<readonly string[]> {
  const { federation, runId } = await setUp(() => {});
  await federation.ended(present(runId, "the run"));
  return federation.writes.slice();
}

async function expectNothingLeft(federation: Federation, runId: string, when: string) {
  await federation.inFlight.settle();
  const { db, disk } = federation;
  const run = await federation.run(runId);
  expect([when, run.endedAt === null]).toEqual([when, false]);
  expect(run.currentRound).toBeNull();
  for (const [roundId, { phase, view }] of db.rounds) {
    expect([when, ENDED.includes(phase)]).toEqual([when, true]);
    const shown = (view as { view: { phase: string; endedAt: string } }).view;
    expect(shown.phase).toBe(phase);
    expect(Date.parse(shown.endedAt)).toBeGreaterThan(0);
    const log = db.log
      .filter(({ stream }) => stream.id === roundId)
      .map(({ sequence, at, body }) => ({ sequence, at, event: JSON.parse(body) as unknown }));
    if (readRound(log).ok || phase === "committed") continue;
    expect(log.at(-1)?.event).toMatchObject({ fact: { type: "given-up", code: "LOG_UNREADABLE" } });
  }
  expect([when, db.material.size, disk.spool.size, db.transcripts.size]).toEqual([when, 0, 0, 0]);
  expect([when, [...db.sessions.values()].filter(({ open }) => open).length]).toEqual([when, 0]);
  return run;
}

function damage(federation: Federation, isDamaged: (kind: string, sequence: number) => boolean) {
  const { log } = federation.db;
  for (const [index, entry] of log.entries()) {
    if (isDamaged(entry.stream.kind, entry.sequence))
      log[index] = { ...entry, body: '{"fact":{"type":"?"}}' };
  }
}

describe("[R44] [S11] nothing of a round is left when its run", () => {
  test("is given up after faults in a row, from any write on", async () => {
    const writes = await writesOfOneRun();
    let given = 0;
    for (let index = 2; index < writes.length; index++) {
      const when = `faults from write ${index} on, ${writes[index]}`;
      let faults = 0;
      const { federation, runId } = await setUp((federation, at) => {
        if (at !== index) return;
        federation.failing = (name) => name === "append" && ++faults <= 10;
      });
      await federation.ended(present(runId, "the run")).catch((error) => {
        throw new Error(`${when}: ${error}`);
      });
      const run = await expectNothingLeft(federation, present(runId, "the run"), when);
      if (run.state === "failed") given++;
    }
    expect(given).toBeGreaterThan(10);
  });

  test.each(["run", "round"] as const)(
    "has a %s log that nobody can read, from any write on",
    async (kind) => {
      let held = 0;
      const writes = await writesOfOneRun();
      for (let index = 3; index < writes.length; index++) {
        const when = `killed at write ${index}, ${writes[index]}`;
        const { federation, runId } = await setUp((federation, at) => {
          if (at === index && federation.running) federation.crash();
        });
        const id = runId ?? [...federation.db.runs.keys()][0];
        if (id === undefined) continue;
        await federation.until(() => !federation.running, "the kill");
        held = Math.max(held, federation.disk.spool.size + federation.db.material.size);
        damage(federation, (of, sequence) => of === kind && sequence === 1);
        federation.hook = () => "go";
        await federation.restart();
        await federation.ended(id).catch((error) => {
          throw new Error(`${when}: ${error}`);
        });
        await expectNothingLeft(federation, id, when);
      }
      // There was something to leave behind.
      expect(held).toBeGreaterThan(DEVICES);
    },
  );

  test("was ended by an earlier version, which left it open, at any write", async () => {
    const writes = await writesOfOneRun();
    let left = 0;
    for (let index = 3; index < writes.length; index++) {
      const when = `left at write ${index}, ${writes[index]}`;
      const { federation, runId } = await setUp((federation, at) => {
        if (at === index && federation.running) federation.crash();
      });
      const id = runId ?? [...federation.db.runs.keys()][0];
      if (id === undefined) continue;
      await federation.until(() => !federation.running, "the kill");
      const row = present(federation.db.runs.get(id), "the run's row");
      const events = federation.db.log.filter(({ stream }) => stream.id === id);
      const open = [...federation.db.rounds.values()].some(({ phase }) => !ENDED.includes(phase));
      if (row.state === "queued" || !open) continue;
      left++;
      // Earlier versions wrote nothing but this.
      const view = { ...row.view, ...brokenView("INTERNAL", 1) };
      const fact = { type: "broken", code: "INTERNAL" };
      await memoryStore(federation.db).append(
        { kind: "run", id },
        { sequence: events.length + 1, at: 1, event: { fact, note: null } },
        [{ type: "run-row", runId: id, row: { ...row, state: "failed", view } }],
      );
      federation.hook = () => "go";
      await federation.restart();
      const run = await expectNothingLeft(federation, id, when);
      expect([run.state, run.code]).toEqual(["failed", "INTERNAL"]);
      const [last] = (await federation.rounds(id)).slice(-1);
      expect([when, ["failed", "voided", "committed"].includes(last?.phase ?? "")]).toEqual([when, true]);
      const devices = await federation.coordinator.runs.listEvents(id, { limit: 200 });
      expect(
        devices.items.filter(({ kind }) => /^round\.(failed|voided|committed)$/.test(kind)),
      ).toHaveLength(1);
    }
    expect(left).toBeGreaterThan(DEVICES);
  });

  test("is stopped, at any write", async () => {
    const writes = await writesOfOneRun();
    const codes = new Set<string | null>();
    for (let index = 3; index < writes.length; index++) {
      const when = `stopped at write ${index}, ${writes[index]}`;
      const { federation, runId } = await setUp((federation, at, runId) => {
        if (at === index && runId !== undefined)
          federation.inFlight.add(federation.coordinator.runs.stopRun(runId, "ada"));
      });
      await federation.ended(present(runId, "the run"));
      codes.add((await expectNothingLeft(federation, present(runId, "the run"), when)).code);
    }
    // Past the point of no return the round commits.
    expect(codes).toEqual(new Set(["ABORTED_BY_OPERATOR", null]));
  });
});
