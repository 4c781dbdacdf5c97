import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { openLog } from "#coordinator/adapters/log.ts";
import type { Log } from "#coordinator/core/ports/ports.ts";
import { ALL_READABLE } from "#coordinator/core/ports/store.ts";
import { readRound } from "#coordinator/core/rounds/recover-round.ts";
import { readRun } from "#coordinator/core/runs/run-history.ts";
import type { RunningCoordinator } from "#coordinator/main.ts";
import { assert } from "#shared/kernel/assert.ts";
import { roundDetailSchema, runViewSchema, taskViewSchema } from "#shared/protocol/api.ts";
import { openTestDevice, type TestDevice } from "#test/kit/devices/device.ts";
import { startClaimed } from "#test/kit/worlds/admin.ts";
import { openApi, until } from "#test/kit/worlds/coordinator-process.ts";

/*
 * A data folder left by a coordinator of commit 402e092, the first with SQLite: data/run-402e092.sql is its database,
 * data/run-402e092.files.json has all other files. Three devices took part in a task of 15 weights. Run 1 has two
 * committed rounds, which are kept for an auditor. The coordinator was killed in round 2 of run 2, when two of three
 * masked inputs were in. Its issuer key signed for nobody else. Made once, frozen.
 */

const RUNS = ["01a228c6b5d7790c8f20e2faddd55f74", "01a228c6c269763ab58cf227f116cf50"] as const;
const OPEN_ROUND = "cd17014110b4a1c36fe622a53438baf7";
const MODEL_BYTE_COUNT = 196;
const ENDED_MS = 60_000;
/** X25519's base point: any key will do. */
const KEEPING = { rounds: 2, auditorKey: `09${"00".repeat(31)}` };

let dataDir: string;
let running: RunningCoordinator | null = null;
const devices: TestDevice[] = [];
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "chorus-earlier-"));
  const data = new URL("data/", import.meta.url);
  const files = JSON.parse(await readFile(new URL("run-402e092.files.json", data), "utf8"));
  for (const [name, base64] of Object.entries(files as Readonly<Record<string, string>>)) {
    await mkdir(dirname(join(dataDir, name)), { recursive: true });
    await writeFile(join(dataDir, name), Buffer.from(base64, "base64"));
  }
  const sqlite = new DatabaseSync(join(dataDir, "chorus.db"));
  sqlite.exec(await readFile(new URL("run-402e092.sql", data), "utf8"));
  sqlite.close();
});
afterAll(async () => {
  for (const device of devices) await device.close();
  await running?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

test("[D12] [G1] its models are numbered, and the newest is in use", async () => {
  const store = await openStore({ dataDir });
  const [newest] = (await store.listRuns(ALL_READABLE, { limit: 1 })).items;
  const task = newest?.task ?? "";
  const { items } = await store.listModels(task, { limit: 9 });
  expect(
    items.map(({ number, runId, round, metrics }) => [number, runId, round, metrics?.survivors]),
  ).toEqual([
    [3, RUNS[1], 1, 3],
    [2, RUNS[0], 2, 3],
    [1, RUNS[0], 1, 3],
  ]);
  expect(items.every(({ metrics }) => metrics?.measures != null)).toBe(true);
  expect((await store.findRun(RUNS[0]))?.view.candidate).toBe(2);
  expect((await store.findTask(task))?.inUse).toMatchObject({ alias: null, model: { number: 3 } });
  await store.close();
});

test("[D12] [L6] its runs and ended rounds are entered for MLflow's clients, once", async () => {
  const sqlite = new DatabaseSync(join(dataDir, "chorus.db"));
  // As a version that knew nothing of them left it.
  for (const table of ["metric", "newest_metric", "param", "tag", "link", "run"])
    sqlite.exec(`delete from tracking_${table}`);
  sqlite.close();
  const logged: unknown[] = [];
  const log: Log = { info: (fields) => void logged.push(fields), warn: () => {}, error: () => {} };
  for (let opening = 0; opening < 2; opening++) {
    const store = await openStore({ dataDir, log });
    const [run] = (await store.listRuns(ALL_READABLE, { limit: 9 })).items.filter(
      ({ runId }) => runId === RUNS[0],
    );
    assert(run !== undefined, "the first run is listed");
    const experiments = await store.listDocuments(run.projectId, "experiment");
    expect(experiments.map(({ name }) => name)).toEqual([run.task]);
    const found = await store.searchTrackedRuns(run.projectId, {
      experimentIds: experiments.map(({ id }) => id),
      ...{ shows: "all", conditions: [], orderings: [], limit: 9, offset: 0 },
    });
    // Two runs, two rounds of the first and one of the second; its second is still open.
    expect(found.runs.map(({ run: { status } }) => status).sort()).toEqual([
      ...["FINISHED", "FINISHED", "FINISHED", "FINISHED", "RUNNING"],
    ]);
    const history = await store.metricHistory(RUNS[0], "accuracy", { offset: 0, limit: 9 });
    expect(history.map(({ step, value }) => [step, value])).toEqual(
      run.view.history.map(({ round, measures }) => [round, measures["accuracy"]?.value]),
    );
    await store.close();
  }
  // In one transaction, at the first opening alone.
  expect(logged.filter((fields) => JSON.stringify(fields).includes("entered"))).toEqual([
    { entered: 2, runCount: 2 },
  ]);
});

test("[D12] [L6] what its rounds took is entered beside figures that were entered before, once", async () => {
  const left = (change: string) => {
    const sqlite = new DatabaseSync(join(dataDir, "chorus.db"));
    sqlite.exec(change);
    const { count } = sqlite
      .prepare("select count(*) as count from tracking_newest_metric where key = 'round_seconds'")
      .get() as { readonly count: number };
    sqlite.close();
    return count;
  };
  const costs = "key in ('round_seconds', 'device_kilobytes')";
  const forget = `delete from tracking_metric where ${costs}; delete from tracking_newest_metric where ${costs};`;
  // Three ended rounds, and their two runs.
  expect(left("")).toBe(5);
  expect(left(`${forget} delete from counter where name = 'round-costs-entered'`)).toBe(0);
  await (await openStore({ dataDir })).close();
  expect(left("")).toBe(5);
  // The next opening reads no round again.
  expect(left(forget)).toBe(0);
  await (await openStore({ dataDir })).close();
  expect(left("delete from counter where name = 'round-costs-entered'")).toBe(0);
  await (await openStore({ dataDir })).close();
});

test("[D12] [R1] the database of a real run opens: its logs replay to its rows, its notes and transcripts are there", async () => {
  const store = await openStore({ dataDir });
  const { items: runs } = await store.listRuns(ALL_READABLE, { limit: 9 });
  expect(runs.map(({ runId, state }) => [runId, state])).toEqual([
    [RUNS[1], "running"],
    [RUNS[0], "completed"],
  ]);
  for (const { runId, state, view } of runs) {
    const run = readRun(await store.readStream({ kind: "run", id: runId }));
    assert(run.ok, JSON.stringify(run));
    expect([run.value.state.phase, run.value.state.modelHash]).toEqual([state, view.modelHash]);
    expect(run.value.state.curve.map(({ round }) => round)).toEqual(view.history.map(({ round }) => round));
    const { items: rounds } = await store.listRounds(runId, { limit: 9 });
    expect(rounds).toHaveLength(2);
    for (const { roundId, phase } of rounds) {
      const round = readRound(await store.readStream({ kind: "round", id: roundId }));
      assert(round.ok, JSON.stringify(round));
      expect(round.value.state.phase).toBe(phase);
    }
  }
  const notes = await store.listNotes(RUNS[0], { limit: 50 });
  const kinds = notes.items.map(({ note }) => note.kind);
  expect(kinds).toHaveLength(19);
  expect([kinds.at(-1), kinds.at(-2), kinds[1]]).toEqual(["run.launched", "run.started", "round.committed"]);
  expect((await store.readNotes({ kind: "round", id: OPEN_ROUND })).map(({ note }) => note.kind)).toEqual([
    "round.invited",
    "cohort.sealed",
    "round.collecting",
  ]);
  const kept = await store.listTranscripts();
  expect(kept.map(({ task, shard }) => [task, shard])).toEqual([
    ["small", 0],
    ["small", 0],
  ]);
  expect(await store.loadTranscript(kept[0]?.roundId ?? "", 0)).not.toBeNull();
  expect(await store.unforgotten()).toHaveLength(1);
  await store.close();
});

test(
  "[D12] [R44] its coordinator starts again: the open run goes on, and a new one of the same task commits",
  async () => {
    const log = openLog({ destination: { write: () => {} } });
    running = await startClaimed({
      port: 0,
      host: "127.0.0.1",
      dataDir,
      web: false,
      log,
      keeping: KEEPING,
    });
    const api = openApi(running.url);
    const earlier = runViewSchema.parse(await api.run(RUNS[0]));
    expect([earlier.state, earlier.roundsCommitted, earlier.history.length]).toEqual(["completed", 2, 3]);
    const rounds = await api.rounds(RUNS[0]);
    for (const { roundId } of rounds) {
      const detail = roundDetailSchema.parse(await api.round(roundId));
      expect([detail.phase, detail.events.length]).toEqual(["committed", 6]);
      expect(detail.deviceMeasures.before).toMatchObject({ accuracy: { value: 0.6, count: 15 } });
      expect(await api.model(detail.modelHash ?? "")).toHaveLength(MODEL_BYTE_COUNT);
    }

    const { task } = taskViewSchema.parse(await api.task("small"));
    const joinToken = await running.access.mintJoinToken(10, 3_600_000);
    for (const seed of [1, 2, 3])
      devices.push(await openTestDevice(running.url, task, seed, { joinToken, archive: false }));
    for (const { enrolment } of devices) enrolment.start();
    const ended = (runId: string) =>
      until(`run ${runId} ends`, ENDED_MS, async () => {
        const run = runViewSchema.parse(await api.run(runId));
        return run.endedAt !== null && run;
      });
    expect(await ended(RUNS[1])).toMatchObject({ state: "completed", roundsCommitted: 2, code: null });
    // Its devices agreed to a config that differs from what this version derives from the task.
    expect((await api.rounds(RUNS[1])).map(({ phase, code }) => [phase, code])).toEqual([
      ["committed", null],
      ["failed", "RESTARTED"],
      ["committed", null],
    ]);

    const { runId } = await api.launch({ task: "small", rounds: 1, seed: 9 });
    expect(await ended(runId)).toMatchObject({ number: 3, state: "completed", roundsCommitted: 1 });
    await running.stop();
    running = null;
    const store = await openStore({ dataDir });
    // Nothing is left of the round that was given up; the auditor may ask for the two newest rounds.
    expect(await store.unforgotten()).toEqual([]);
    expect(await store.listTranscripts()).toHaveLength(2);
    for (const id of [...RUNS, runId]) {
      expect(readRun(await store.readStream({ kind: "run", id }))).toMatchObject({ ok: true });
    }
    await store.close();
  },
  2 * ENDED_MS,
);
