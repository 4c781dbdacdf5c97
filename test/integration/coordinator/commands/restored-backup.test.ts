import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test } from "vitest";
import { openBlobs } from "#coordinator/adapters/blobs.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { heldOutPath } from "#test/kit/earlier-held-out.ts";
import { type HeldStep, openTestDevice, type TestDevice } from "../../../kit/devices/device.ts";
import { freePort, openApi, spawnCoordinator, until } from "../../../kit/worlds/coordinator-process.ts";
import { runCommand } from "../../../kit/worlds/run-command.ts";

/*
 * A backup of a coordinator that runs, in the middle of a round, restored where nothing is: its run completes there.
 * Everything is real except the training.
 */

const COUNT = 5;
const root = new URL("../../../..", import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), "chorus-restored-backup-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const HELD = [
  { when: "sharing", hold: ["share", 1] },
  { when: "collecting", hold: ["input", 1] },
  { when: "unmasking", hold: ["unmask", 2] },
] as const satisfies readonly { when: string; hold: readonly [HeldStep, number] }[];

test.concurrent.each(HELD)(
  "[O1] [O2] [R14] a backup in $when: every model that it names is in it, and the restored run completes",
  async ({ when, hold: [step, count] }) => {
    const dataDir = join(scratch, when);
    const backup = `${dataDir}-backup`;
    const restored = `${dataDir}-restored`;
    const port = await freePort();
    const task = bundledTask("digits", COUNT, 1);
    const held = heldOutPath(dataDir, task.slug, task.version);
    mkdirSync(join(held, ".."), { recursive: true });
    cpSync(join(root, "coordinator/data/digits.csv"), held);
    let coordinator = await spawnCoordinator({ port, dataDir });
    const devices: TestDevice[] = [];
    try {
      const api = openApi(coordinator.url);
      await api.createTask(task);
      for (let seed = 1; seed <= COUNT; seed++)
        devices.push(await openTestDevice(coordinator.url, task, seed, {}));
      for (const device of devices) device.enrolment.start();
      const { runId } = await api.launch({ task: task.slug, rounds: 4, seed: 7 });
      await until("a round", 120_000, async () => (await api.run(runId)).roundsCommitted >= 1);
      for (const device of devices.slice(0, count)) device.hold(step);
      await until(when, 60_000, async () => (await api.run(runId)).currentRound?.phase === when);

      expect(await runCommand("backup", ["--data", dataDir, "--to", backup])).toMatchObject({ code: 0 });
      const intoRunning = ["--from", backup, "--data", dataDir, "--replace", "--older"];
      expect(await runCommand("restore", intoRunning)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/A coordinator has the data folder .*Stop it first/),
      });
      expect((await api.run(runId)).currentRound?.phase).toBe(when);

      // The machine is lost.
      await coordinator.kill();
      rmSync(dataDir, { recursive: true });
      expect(
        await runCommand("restore", ["--from", backup, "--data", restored, "--newest-log"]),
      ).toMatchObject({ code: 0 });
      const { named, isWhole } = await modelsIn(restored);
      expect(named).toBeGreaterThan(1);
      expect(isWhole).toBe(true);

      for (const device of devices) device.release();
      coordinator = await spawnCoordinator({ port, dataDir: restored });
      await until("the end", 240_000, async () => (await api.run(runId)).endedAt !== null);
      expect(await api.run(runId)).toMatchObject({ state: "completed", code: null, roundsCommitted: 4 });
      expect(await coordinator.stop()).toBe(0);
    } finally {
      await Promise.all(devices.map((device) => device.close()));
      await coordinator.kill();
    }
  },
);

/** Models and strategy states that a folder's database names, and whether all of them are there and whole. */
async function modelsIn(dataDir: string): Promise<{ named: number; isWhole: boolean }> {
  const database = new DatabaseSync(join(dataDir, "chorus.db"), { readOnly: true });
  const rows = database
    .prepare(
      `select model_hash as hash from model_version union select strategy_state_hash from model_version
       union select model_hash from model_offer`,
    )
    .all();
  database.close();
  const hashes = rows.map(({ hash }) => hash).filter((hash) => typeof hash === "string");
  const blobs = await openBlobs(join(dataDir, "blobs"));
  const found = await Promise.all(hashes.map((hash) => blobs.get(hash)));
  return { named: hashes.length, isWhole: found.every((bytes) => bytes !== null) };
}
