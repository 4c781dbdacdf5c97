import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, test } from "vitest";
import { MapCells } from "#client/adapters/map-cells.ts";
import { openSocketLink } from "#client/adapters/socket-link.ts";
import { createLogMemory, ownReceipt } from "#client/core/round/own-receipt.ts";
import { openLog } from "#coordinator/adapters/log.ts";
import { openLogFiles } from "#coordinator/adapters/log-files.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { lookAtLog, seenOf } from "#shared/audit/look.ts";
import { present } from "#shared/kernel/assert.ts";
import { hexToBytes } from "#shared/kernel/bytes.ts";
import { primitives, wallClock } from "#shared/node/system.ts";
import { logViewSchema } from "#shared/protocol/log-api.ts";
import { agreedConfigOf } from "#shared/task/agreed-config.ts";
import type { Task } from "#shared/task/task.ts";
import { openTestDevice, type TestDevice } from "#test/kit/devices/device.ts";
import { startClaimed } from "#test/kit/worlds/admin.ts";
import { freePort, openApi, until } from "#test/kit/worlds/coordinator-process.ts";
import { LogLives } from "#test/kit/worlds/log-lives.ts";
import { runCommand } from "#test/kit/worlds/run-command.ts";

const scratch = mkdtempSync(join(tmpdir(), "chorus-log-rotation-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const keyIn = (dataDir: string) => readFileSync(join(dataDir, "log.key"), "utf8");

/** How often the log in a folder hands over its key. */
function rotationCount(dataDir: string): number {
  const database = new DatabaseSync(join(dataDir, "chorus.db"), { readOnly: true });
  try {
    const sql = "select count(*) as count from audit_leaf where kind = 'log.keyRotated'";
    return Number(database.prepare(sql).get()?.["count"]);
  } finally {
    database.close();
  }
}

const begun = new LogLives(join(scratch, "begun"));
await begun.live({ batches: [5] });
const whole = begun.copy(join(scratch, "whole"));
const points = [...new Set((await whole.live({ rotates: true })).points)]
  // Bundles and tiles are those of any other entry (A100).
  .filter((point) => /key|stage|head|checkpoint|synced \./.test(point));

describe("[A101] a rotation that is killed", () => {
  test("has these boundaries, in this order", () => {
    const steps = [
      "write log-next.key.partial",
      "synced log-next.key.partial",
      "linked log-next.key",
      "stage",
      "staged",
      "move head",
      "moved head",
      "renamed log/checkpoint",
      "renamed log.key",
    ];
    expect(points.filter((point) => steps.includes(point))).toEqual(steps);
    expect(keyIn(whole.dataDir)).not.toBe(keyIn(begun.dataDir));
    expect(existsSync(join(whole.dataDir, "log-next.key"))).toBe(false);
  });

  test.concurrent.each(points)("at '%s' goes on: the log is handed over once", async (killAt) => {
    const log = begun.copy(join(scratch, killAt.replace(/\W+/g, "-")));
    expect(await log.live({ rotates: true, killAt })).toMatchObject({ isKilled: true });
    // The coordinator's next start signs, with either key.
    const cut = log.cutPower() ?? log.copy(`${log.dataDir}-again`);
    expect([await cut.faults(), await cut.restart()]).toEqual([[], []]);
    expect(await log.faults()).toEqual([]);
    expect(rotationCount(cut.dataDir)).toBeLessThanOrEqual(1);
    // The command's next run ends it. If it was over, that is the next rotation.
    const wasOver = killAt === "renamed log.key";
    await log.live({ rotates: true });
    expect(await log.faults()).toEqual([]);
    expect(rotationCount(log.dataDir)).toBe(wasOver ? 2 : 1);
    expect(keyIn(log.dataDir)).not.toBe(keyIn(begun.dataDir));
    expect(existsSync(join(log.dataDir, "log-next.key"))).toBe(false);
    expect(await log.restart()).toEqual([]);
  });
});

const COUNT = 3;
const quiet = openLog({ destination: { write: () => {} } });

/** A coordinator whose devices, receipts and readers live through a rotation. */
async function start(dataDir: string, port: number) {
  const running = await startClaimed({ port, host: "127.0.0.1", dataDir, web: false, log: quiet });
  const shown = async () => {
    const view = logViewSchema.parse(await (await fetch(`${running.url}/api/v1/log`)).json());
    const note = await (await fetch(`${running.url}/log/checkpoint`)).text();
    const { origin, key, rotations } = view;
    return { view, shown: { origin, key: hexToBytes(key), note, witnesses: [], rotations } };
  };
  const read = async (path: string) => {
    const answer = await fetch(`${running.url}/log/${path}`);
    return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : null;
  };
  return { running, shown, read, api: openApi(running.url) };
}

async function roundOf(world: Awaited<ReturnType<typeof start>>, task: Task, devices: readonly TestDevice[]) {
  const told = devices.map(({ contributions }) => contributions.size);
  const { runId } = await world.api.launch({ task: task.slug, rounds: 1, seed: 7 });
  await until("the end", 120_000, async () => (await world.api.run(runId)).endedAt !== null);
  expect(await world.api.run(runId)).toMatchObject({ state: "completed", roundsCommitted: 1 });
  await until("what every device keeps", 60_000, async () =>
    devices.every(
      ({ contributions }, index) =>
        contributions.size === (told[index] ?? 0) + 1 &&
        [...contributions.values()].every(({ detail }) => detail.outcome !== null),
    ),
  );
}

test("[A101] devices, receipts, proofs, fsck and looks at the log follow a rotation", async () => {
  const [dataDir, port] = [join(scratch, "devices"), await freePort()];
  const task = bundledTask("digits", COUNT, 1);
  const cells = Array.from({ length: COUNT }, () => new MapCells());
  const first = await start(dataDir, port);
  await first.api.createTask(task);
  const devices: TestDevice[] = [];
  for (const [index, remembered] of cells.entries())
    devices.push(await openTestDevice(first.running.url, task, index + 1, { cells: remembered }));
  for (const device of devices) device.enrolment.start();
  let second: Awaited<ReturnType<typeof start>> | null = null;
  try {
    await roundOf(first, task, devices);
    const before = await first.shown();
    const look = await lookAtLog(primitives, before.shown, first.read, null);
    const seen = seenOf(before.shown, present(look.log, "it can be read"), "2026-11-30T12:00:00.000Z");
    // It needs the folder for itself.
    const early = await runCommand("log", ["rotate", "--data", dataDir]);
    expect(early).toMatchObject({ code: 1, stderr: expect.stringMatching(/in use by another coordinator/) });
    await first.running.stop();

    const rotated = await runCommand("log", ["rotate", "--data", dataDir]);
    expect(rotated).toMatchObject({ code: 0, stderr: "" });
    const [, index = "", next = ""] = /entry (\d+) on .*\n(\S+)\n/.exec(rotated.stdout) ?? [];
    expect(next).not.toBe(before.view.verifierKey);

    second = await start(dataDir, port);
    await roundOf(second, task, devices);
    const now = await second.shown();
    expect([now.view.verifierKey, now.view.rotations]).toEqual([next, [Number(index)]]);
    // A reader that saw the log before, and one that only has the key of then.
    const followed = await lookAtLog(primitives, now.shown, second.read, seen);
    expect(followed.sight).toMatchObject({ seenSize: seen.size, contradiction: null });
    const pinned = { ...now.shown, pinned: before.shown.key };
    expect((await lookAtLog(primitives, pinned, second.read, null)).sight.contradiction).toBeNull();
    const other = { ...now.shown, pinned: new Uint8Array(32).fill(9) };
    expect((await lookAtLog(primitives, other, second.read, null)).sight.contradiction).toMatch(/pinned/);

    // Receipts of both rounds hold under the key that signs now, and devices remember it.
    const status = await (await fetch(`${second.running.url}/api/v1/status`)).json();
    const authority = status as Parameters<typeof agreedConfigOf>[2];
    const expectedConfig = await agreedConfigOf(primitives, task, authority);
    const link = openSocketLink(second.running.url);
    for (const [at, { contributions }] of devices.entries()) {
      const logs = createLogMemory(present(cells[at], "its memory"));
      const ports = { link, logs, primitives, wall: wallClock };
      for (const { detail } of contributions.values()) {
        const made = await ownReceipt({ ports, expectedConfig, onContradiction: () => {} }, detail);
        if (!made.ok) throw new Error(made.error.message);
        expect(made.value.logKey).toBe(next);
        const path = join(scratch, `device-${at}-${detail.round}.tlog-proof`);
        writeFileSync(path, made.value.text);
        const held = await runCommand("log", ["verify", path, "--key", next]);
        expect([held.code, held.stderr]).toEqual([0, ""]);
      }
    }

    const ask = (...args: readonly string[]) => runCommand("log", args);
    await second.running.stop();
    expect(await ask("fsck", "--data", dataDir)).toMatchObject({ code: 0 });
    for (const key of [before.view.verifierKey, next])
      expect(await ask("fsck", "--data", dataDir, "--key", key)).toMatchObject({ code: 0 });
    const proved = await ask("prove", index, "--data", dataDir);
    const path = join(scratch, "rotation.tlog-proof");
    writeFileSync(path, proved.stdout);
    expect(await ask("verify", path, "--key", before.view.verifierKey)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`hands over to ${next}`),
    });
    const note = await openLogFiles(join(dataDir, "log")).checkpoint();
    expect(note).not.toContain(present(before.shown.note.split("\n").at(-2), "its signature"));
  } finally {
    await Promise.all(devices.map((device) => device.close()));
    await second?.running.stop();
    await first.running.stop();
  }
});

test("[A101] a folder without a log, and a log that must not sign, are refused before a key is made", async () => {
  const empty = join(scratch, "empty");
  expect(await runCommand("log", ["rotate", "--data", empty])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/has no log whose key/),
  });
  const doubted = begun.copy(join(scratch, "doubted"));
  writeFileSync(join(doubted.dataDir, "log/restored"), "It was restored.\n");
  expect(await runCommand("log", ["rotate", "--data", doubted.dataDir])).toMatchObject({
    code: 1,
    stderr: "It was restored.\n",
  });
  expect(existsSync(join(doubted.dataDir, "log-next.key"))).toBe(false);
  expect((await runCommand("log", ["rotate", "x"])).code).toBe(2);
});
