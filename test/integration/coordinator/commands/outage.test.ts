import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import type { Log } from "#coordinator/core/ports/ports.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import type { RunningCoordinator } from "#coordinator/main.ts";
import type { Task } from "#shared/task/task.ts";
import { heldOutPath } from "#test/kit/earlier-held-out.ts";
import { startClaimed } from "#test/kit/worlds/admin.ts";
import { asAdmin } from "#test/kit/worlds/as-admin.ts";
import { openTestDevice, type TestDevice } from "../../../kit/devices/device.ts";
import { openApi, until } from "../../../kit/worlds/coordinator-process.ts";
import { mountTmpfs, NO_MOUNT } from "../../../kit/worlds/mounted.ts";
import { startPostgres } from "../../../kit/worlds/postgres-server.ts";

/*
 * A real PostgreSQL that is stopped in the middle of a round and a real disk that fills up, for longer than any retry
 * pause, under a whole coordinator with real devices (except for their training).
 */

const COUNT = 4;
/** Longer than ten reloads of a second, and than the longest pause between two tries. */
const OUTAGE_MS = 27_000;
const root = new URL("../../../..", import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), "chorus-outage-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const quiet: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

const server = await startPostgres();
afterAll(() => server?.stop());

interface Place {
  readonly dataDir: string;
  readonly databaseUrl?: string;
}

function testTask(): Task {
  const task = bundledTask("digits", COUNT, 1);
  const { deadlines } = task.aggregation;
  const patient = Object.fromEntries(Object.keys(deadlines).map((phase) => [phase, 120_000]));
  return { ...task, aggregation: { ...task.aggregation, deadlines: patient as typeof deadlines } };
}

function start({ dataDir, databaseUrl }: Place, port = 0): Promise<RunningCoordinator> {
  return startClaimed({ port, host: "127.0.0.1", dataDir, databaseUrl, web: false, log: quiet });
}

/** A run of two rounds; the first one waits for the input of one device. */
async function runInCollecting(place: Place) {
  const task = testTask();
  const heldOut = heldOutPath(place.dataDir, task.slug, task.version);
  mkdirSync(join(heldOut, ".."), { recursive: true });
  cpSync(join(root, "coordinator/data/digits.csv"), heldOut);
  const running = await start(place);
  const api = openApi(running.url);
  await api.createTask(task);
  const devices: TestDevice[] = [];
  for (let seed = 1; seed <= COUNT; seed++) devices.push(await openTestDevice(running.url, task, seed));
  devices[0]?.hold("input");
  const { runId } = await api.launch({ task: task.slug, rounds: 2, seed: 7 });
  for (const device of devices) device.enrolment.start();
  await until("three inputs of round 1", 90_000, async () => {
    const [round] = await api.rounds(runId);
    return round?.phase === "collecting" && round.sent === COUNT - 1;
  });
  return { running, api, devices, runId };
}

const readiness = async (url: string) => {
  const response = await fetch(`${url}/readyz`);
  const { checks } = (await response.json()) as { readonly checks: Readonly<Record<string, boolean>> };
  return { status: response.status, ...checks };
};

async function launchAnswer(url: string) {
  const response = await fetch(`${url}/api/v1/runs`, {
    method: "POST",
    headers: { ...asAdmin(url), "content-type": "application/json" },
    body: JSON.stringify({ task: "digits", rounds: 1 }),
  });
  const { error } = (await response.json()) as {
    readonly error: { readonly code: string; readonly retry: string };
  };
  return { status: response.status, code: error.code, retry: error.retry };
}

async function expectTwoRounds(api: ReturnType<typeof openApi>, runId: string): Promise<void> {
  const run = await until("the end of the run", 120_000, async () => {
    const view = await api.run(runId);
    return view.endedAt === null ? null : view;
  });
  expect(run).toMatchObject({ state: "completed", code: null, roundsCommitted: 2 });
  const [first] = await api.rounds(runId);
  // It continued where it was: nobody had to send an input twice, and all are in the sum.
  expect(first).toMatchObject({ phase: "committed", attempt: 1, survivors: COUNT });
}

describe("[R43] [R42] PostgreSQL that is stopped in the middle of a round for longer than any retry pause", () => {
  (server?.outage == null ? test.skip : test.concurrent)(
    "is waited for: 503 meanwhile, and then the round goes on with the inputs that it had",
    async () => {
      const dataDir = join(scratch, "postgres");
      const databaseUrl = await server?.createDatabase();
      const { running, api, devices, runId } = await runInCollecting({
        dataDir,
        ...(databaseUrl === undefined ? {} : { databaseUrl }),
      });
      try {
        await server?.outage?.down();
        const downAt = performance.now();
        // Something must be written, or nobody would notice.
        devices[0]?.release();
        await until("not ready", 60_000, async () => (await readiness(running.url)).status === 503);
        expect(await readiness(running.url)).toMatchObject({
          running: true,
          database: false,
          lock: false,
          disk: true,
        });
        expect((await fetch(`${running.url}/livez`)).status).toBe(200);
        expect(await launchAnswer(running.url)).toEqual({ status: 503, code: "UNAVAILABLE", retry: "later" });
        await sleep(OUTAGE_MS - (performance.now() - downAt));
        expect((await fetch(`${running.url}/livez`)).status).toBe(200);
        await server?.outage?.up();
        await until("ready again", 60_000, async () => (await readiness(running.url)).status === 200);
        await expectTwoRounds(api, runId);
      } finally {
        await Promise.all(devices.map((device) => device.close()));
        await running.stop();
      }
    },
  );
});

describe("[R43] a disk that fills up in the middle of a round for longer than any retry pause", () => {
  test.concurrent.for(["while it runs", "over a restart"])(
    "is waited for, %s: 507 meanwhile",
    async (how, context) => {
      const dataDir = join(scratch, how.replaceAll(" ", "-"));
      mkdirSync(dataDir);
      const unmount = mountTmpfs(dataDir, 96 * 2 ** 20);
      if (unmount === null) return context.skip(NO_MOUNT);
      const filling = join(dataDir, "filling");
      const opened = await runInCollecting({ dataDir });
      const { api, devices, runId } = opened;
      let { running } = opened;
      try {
        fill(filling);
        const fullAt = performance.now();
        devices[0]?.release();
        await until("not ready", 60_000, async () => (await readiness(running.url)).status === 503);
        expect(await readiness(running.url)).toMatchObject({ running: true, disk: false, lock: true });
        expect(await launchAnswer(running.url)).toEqual({
          status: 507,
          code: "STORAGE_FULL",
          retry: "later",
        });
        await sleep(OUTAGE_MS - (performance.now() - fullAt));
        const { port } = running;
        if (how === "over a restart") await running.stop();
        rmSync(filling);
        if (how === "over a restart") running = await start({ dataDir }, port);
        await until("ready again", 60_000, async () => (await readiness(running.url)).status === 200);
        await expectTwoRounds(api, runId);
      } finally {
        await Promise.all(devices.map((device) => device.close()));
        await running.stop();
        unmount();
      }
    },
  );
});

function fill(path: string): void {
  for (const byteCount of [2 ** 20, 4_096]) {
    try {
      for (;;) appendFileSync(path, new Uint8Array(byteCount));
    } catch {
      // Full, to the last block.
    }
  }
}
