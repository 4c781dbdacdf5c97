import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { heldOutPath } from "#test/kit/earlier-held-out.ts";
import { openTestDevice, type TestDevice } from "../../../kit/devices/device.ts";
import { freePort, openApi, spawnCoordinator, until } from "../../../kit/worlds/coordinator-process.ts";
import { runCommand } from "../../../kit/worlds/run-command.ts";

/*
 * A coordinator whose wall clock steps back a day in the middle of a run, and which is then started again while its
 * newest events lie in the future. Everything is real except the clock and the training.
 */

const COUNT = 5;
const DAY_MS = 86_400_000;
const root = new URL("../../../..", import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), "chorus-clock-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Sets the main thread's clock back after this time. 0: from the start. */
function steppingBack(afterMs: number): readonly string[] {
  const module = `
    const now = Date.now.bind(Date);
    const System = Date;
    const began = performance.now();
    const stepped = () => now() - (performance.now() - began >= ${afterMs} ? ${DAY_MS} : 0);
    globalThis.Date = class extends System {
      constructor(...values) { if (values.length === 0) super(stepped()); else super(...values); }
      static now() { return stepped(); }
    };`;
  return ["--import", `data:text/javascript,${encodeURIComponent(module)}`];
}

test("[O6] a wall clock that steps back a day ends no round early, and the run goes on after a restart", async () => {
  const dataDir = join(scratch, "data");
  const port = await freePort();
  const task = bundledTask("digits", COUNT, 1);
  const held = heldOutPath(dataDir, task.slug, task.version);
  mkdirSync(join(held, ".."), { recursive: true });
  cpSync(join(root, "coordinator/data/digits.csv"), held);
  let coordinator = await spawnCoordinator({ port, dataDir, nodeFlags: steppingBack(6_000) });
  const devices: TestDevice[] = [];
  try {
    const api = openApi(coordinator.url);
    await api.createTask(task);
    for (let seed = 1; seed <= COUNT; seed++) devices.push(await openTestDevice(coordinator.url, task, seed));
    for (const device of devices) device.enrolment.start();
    const { runId } = await api.launch({ task: task.slug, rounds: 200, seed: 7 });
    const isBehind = async () =>
      (await api.rounds(runId)).some(({ openedAt }) => Date.parse(openedAt) < Date.now() - DAY_MS / 2);
    await until("a round before the step", 60_000, async () => (await api.run(runId)).roundsCommitted > 0);
    await until("the step", 60_000, isBehind);
    const atStep = (await api.run(runId)).roundsCommitted;
    await until("rounds after it", 60_000, async () => (await api.run(runId)).roundsCommitted > atStep + 2);
    expect(await coordinator.stop()).toBe(0);

    coordinator = await spawnCoordinator({ port, dataDir, nodeFlags: steppingBack(0) });
    const atStart = (await api.run(runId)).roundsCommitted;
    await until("rounds", 60_000, async () => (await api.run(runId)).roundsCommitted > atStart + 2);
    await api.act(runId, "stop");
    await until("the end", 60_000, async () => (await api.run(runId)).endedAt !== null);
    const rounds = await api.rounds(runId);
    const committed = rounds.filter(({ phase }) => phase === "committed");
    expect(committed.length).toBeGreaterThan(5);
    // None was given up, except the one that a stop of the process or of the run came upon.
    expect(rounds.length - committed.length).toBeLessThanOrEqual(2);
    for (const { openedAt, endedAt } of committed)
      expect(Date.parse(endedAt ?? "")).toBeGreaterThanOrEqual(Date.parse(openedAt));
    expect(await coordinator.stop()).toBe(0);
  } finally {
    await Promise.all(devices.map((device) => device.close()));
    await coordinator.kill();
  }
  // A restore goes by positions, so the times do not mislead it; nor does the name of what it moves aside.
  const backup = join(scratch, "backup");
  expect(await runCommand("backup", ["--data", dataDir, "--to", backup])).toMatchObject({ code: 0 });
  const again = ["--from", backup, "--data", dataDir, "--replace"];
  expect(await runCommand("restore", again)).toMatchObject({ code: 0 });
});
