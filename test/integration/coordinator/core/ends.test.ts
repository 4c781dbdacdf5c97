import { describe, expect, test } from "vitest";
import { readRound } from "#coordinator/core/rounds/recover-round.ts";
import { brokenView } from "#coordinator/core/views/run-view.ts";
import { present } from "#shared/kernel/assert.ts";
import { memoryStore } from "#test/kit/fakes/memory-store.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

/*
 * However a run ends, and at whatever moment of its round: the round has an end in its log and its row, and nothing of
 * it is left in the store and the spool.
 */

const DEVICES = 4;
const ENDED = ["committed", "voided", "failed"];

/** @param at  Called at each write of the run with its number. */
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

/** False if the run ended before: how many events share a write is chance, so it may have fewer writes than another. */
async function isKilled(federation: Federation, runId: string): Promise<boolean> {
  const hasEnded = async () => (await federation.run(runId)).state === "completed";
  await federation.until(async () => !federation.running || (await hasEnded()), "the kill");
  return !federation.running;
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
  test("is given up after consecutive faults, from any write on", async () => {
    const writes = await writesOfOneRun();
    let given = 0;
    for (let index = 2; index < writes.length; index++) {
      const when = `faults from write ${index} on`;
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
        const when = `killed at write ${index}`;
        const { federation, runId } = await setUp((federation, at) => {
          if (at === index && federation.running) federation.crash();
        });
        const id = runId ?? [...federation.db.runs.keys()][0];
        if (id === undefined) continue;
        if (!(await isKilled(federation, id))) break;
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

  test("cannot be read while another writer adds to its log: its end is shown once it is written", async () => {
    const { federation, runId } = await setUp((at, index) => {
      if (index === 10) at.crash();
    });
    const id = present(runId, "the run");
    await isKilled(federation, id);
    damage(federation, (kind, sequence) => kind === "run" && sequence === 1);
    let others = 0;
    federation.hook = (name, parameters) => {
      if (name === "append" && JSON.stringify(parameters).includes('"type":"broken"') && others++ === 0) {
        const last = present(
          federation.db.log.findLast(({ stream }) => stream.id === id),
          "an event",
        );
        federation.db.log.push({ ...last, sequence: last.sequence + 1 });
      }
      return "go";
    };
    federation.published.length = 0;
    await federation.restart();
    expect(others).toBe(1);
    expect(federation.published).toEqual([]);
    await federation.ended(id);
    await expectNothingLeft(federation, id, "after another writer");
    expect(federation.published).toMatchObject([{ topic: "run", view: { state: "failed" } }]);
  });

  test("was ended by an earlier version, which left it open, at any write", async () => {
    const writes = await writesOfOneRun();
    let left = 0;
    for (let index = 3; index < writes.length; index++) {
      const when = `left at write ${index}`;
      const { federation, runId } = await setUp((federation, at) => {
        if (at === index && federation.running) federation.crash();
      });
      const id = runId ?? [...federation.db.runs.keys()][0];
      if (id === undefined) continue;
      if (!(await isKilled(federation, id))) break;
      const row = present(federation.db.runs.get(id), "the run's row");
      const events = federation.db.log.filter(({ stream }) => stream.id === id);
      const open = [...federation.db.rounds.values()].some(({ phase }) => !ENDED.includes(phase));
      if (row.state === "queued" || !open) continue;
      left++;
      // Earlier versions wrote only this.
      const view = { ...row.view, ...brokenView("INTERNAL", 1) };
      const fact = { type: "broken", code: "INTERNAL" };
      await memoryStore(federation.db).append({ kind: "run", id }, [
        {
          event: { sequence: events.length + 1, at: 1, event: { fact } },
          records: [{ type: "run-row", runId: id, row: { ...row, state: "failed", view } }],
        },
      ]);
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

test("[R20] the end of a run is told once, even if it is not known at first whether it was written", async () => {
  const federation = await Federation.create({ devices: DEVICES });
  federation.connectAll();
  const [runId, next] = [await federation.launch(1), await federation.launch(1, 8)];
  let isEnd = false;
  let unknown = 0;
  federation.hook = (name, parameters) => {
    isEnd = name === "append" && JSON.stringify(parameters).includes('"state":"completed"');
    return "go";
  };
  federation.failing = () => isEnd && ++unknown === 1;
  await federation.ended(runId);
  await federation.ended(next);
  expect(unknown).toBeGreaterThan(0);
  for (const { ended } of federation.devices) {
    expect(ended).toMatchObject([
      { runId, state: "completed" },
      { runId: next, state: "completed" },
    ]);
  }
  const views = federation.published.filter(
    ({ topic, view }) => topic === "run" && (view as { runId: string }).runId === runId,
  );
  expect(views.at(-1)?.view).toMatchObject({ state: "completed", notice: null });
});

test("[R20] [R44] the end of a run whose log turns out to be unreadable is told", async () => {
  const federation = await Federation.create({ devices: DEVICES });
  federation.connectAll();
  const runId = await federation.launch(1);
  let faults = 0;
  federation.failing = (name) => {
    const inRound = name === "append" && federation.db.material.size > 0;
    if (!inRound || ++faults > 1) return false;
    damage(federation, (kind, sequence) => kind === "run" && sequence === 1);
    return true;
  };
  expect(await federation.ended(runId)).toMatchObject({ state: "failed", code: "LOG_UNREADABLE" });
  await federation.inFlight.settle();
  for (const { ended } of federation.devices) expect(ended).toMatchObject([{ runId, state: "failed" }]);
});

test("[R20] [R44] a run that is given up is remembered: a device that was away is told, and is asked for nothing more", async () => {
  const federation = await Federation.create({ devices: DEVICES });
  federation.connectAll();
  const runId = await federation.launch(1);
  const away = present(federation.devices[0], "a device");
  let faults = 0;
  federation.failing = (name) => {
    if (name !== "append" || federation.db.material.size === 0 || faults === 10) return false;
    if (++faults === 1) away.disconnect();
    return true;
  };
  expect(await federation.ended(runId)).toMatchObject({ state: "failed", code: "INTERNAL" });
  await federation.inFlight.settle();
  for (const { ended } of federation.devices.slice(1))
    expect(ended).toMatchObject([{ runId, state: "failed" }]);
  expect([faults, away.abandoned, away.ended]).toEqual([10, [], []]);

  const heardBefore = away.heard.length;
  away.connect();
  await federation.inFlight.settle();
  expect(away.abandoned).toMatchObject([{ runId, code: "INTERNAL", retry: false }]);
  for (let minute = 0; minute < 10; minute++) {
    federation.clock.advance(60_000);
    await federation.inFlight.settle();
  }
  expect(away.heard.slice(heardBefore)).toEqual(["abandoned"]);
  // Nor after a restart, which reads open runs only.
  await federation.restart();
  await federation.inFlight.settle();
  expect(away.heard.slice(heardBefore)).toEqual(["abandoned"]);
  expect(await federation.run(runId)).toMatchObject({ state: "failed", code: "INTERNAL" });
});
