import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openLog } from "#coordinator/adapters/log.ts";
import { type RunningCoordinator, startCoordinator } from "#coordinator/main.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { ok } from "#shared/kernel/result.ts";
import { randomBytes } from "#shared/node/system.ts";
import type { Task } from "#shared/task/task.ts";
import { openTestDevice, type TestDevice, type TestDeviceOptions } from "#test/kit/devices/device.ts";
import { until } from "#test/kit/worlds/coordinator-process.ts";
import { runCommand } from "#test/kit/worlds/run-command.ts";
import { smallTask } from "#test/kit/worlds/small-task.ts";

/* Devices join a task by invitation over real sockets, take part, and are revoked. */

const WAIT_MS = 60_000;
const REVOKED_MS_MAX = 5_000;
const PROJECT = "default";

let dataDir = "";
let running: RunningCoordinator;
const devices: TestDevice[] = [];
const task: Task = smallTask(4);

const start = async () =>
  startCoordinator({
    ...{ port: 0, host: "127.0.0.1", dataDir, web: false },
    log: openLog({ destination: { write: () => {} } }),
  });

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "chorus-join-"));
  running = await start();
  const ada = { personId: "a".repeat(32), name: "ada", signsInWith: "password" } as const;
  if (!running.accessDesk.isClaimed) await running.accessDesk.setUp(ada, PROJECT);
  const rows = ["a,b,c,d,label", "0,0,0,1,x", "0,0,1,0,y", "0,1,0,0,z"].join("\n");
  await writeFile(join(dataDir, "heldout", "small-v1.csv"), rows);
  expect((await running.coordinator.tasks.createTask(task, "ada")).ok).toBe(true);
  await running.coordinator.tasks.changeTaskSettings(task.slug, { joining: "invitation" }, "ada");
});

afterAll(async () => {
  await Promise.all(devices.map((device) => device.close()));
  await running?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

async function open(seed: number, options: TestDeviceOptions = {}): Promise<TestDevice> {
  const device = await openTestDevice(running.url, task, seed, { archive: false, ...options });
  devices.push(device);
  return device;
}

async function token(uses: number, siteId: string | null = null): Promise<string> {
  const terms = { projectId: PROJECT, task: task.slug, siteId, uses, lifeMs: WAIT_MS, actor: "ada" };
  const made = await running.accessDesk.makeJoinToken(terms);
  if (!made.ok) throw new Error(made.error.message);
  return made.value.token;
}

async function site(name: string): Promise<string> {
  const named = await running.accessDesk.nameSite(name, PROJECT, "ada");
  if (!named.ok) throw new Error(named.error.message);
  return named.value.siteId;
}

/** The code of its refusal; "in" once it has logged in. */
const told = (device: TestDevice) =>
  until("the device is told", WAIT_MS, async () => {
    const { refusal, connection } = device.enrolment.view.get();
    if (refusal !== null) return refusal.code;
    return connection.state === "online" && "in";
  });

async function launch(rounds: number): Promise<string> {
  const launched = await running.coordinator.runs.launch({ task: task.slug, rounds, seed: 3 }, "ada");
  if (!launched.ok) throw new Error(launched.error.message);
  return launched.value.runId;
}

const ended = (runId: string) =>
  until("the run ends", WAIT_MS, async () => {
    const run = await running.coordinator.runs.runView(runId);
    return run !== null && run.endedAt !== null && run;
  });

test("[X60] [X61] a stranger is refused for good, and a stolen token lets no more in than it has uses", async () => {
  const stranger = await open(1);
  stranger.enrolment.start();
  expect(await told(stranger)).toBe("BY_INVITATION");
  expect(stranger.enrolment.view.get().activity).toBe("idle");
  const joinToken = await token(3);
  const thieves = await Promise.all(Array.from({ length: 20 }, (_, index) => open(index + 1, { joinToken })));
  for (const { enrolment } of thieves) enrolment.start();
  const answers = await Promise.all(thieves.map(told));
  expect(answers.filter((answer) => answer === "in")).toHaveLength(3);
  expect(answers.filter((answer) => answer === "TOKEN_ENDED")).toHaveLength(17);
  await Promise.all(thieves.map((device) => device.close()));
});

test(
  "[X64] [X65] a site that is revoked in mid-round is gone within 5 s, and the round commits without it",
  async () => {
    const siteId = await site("Clinic North");
    const identity = localSigner(randomBytes(32), globalThis.crypto.subtle);
    const clinic = await open(1, { joinToken: await token(1, siteId), signer: identity });
    const joinToken = await token(3);
    const others = [await open(2, { joinToken }), await open(3, { joinToken }), await open(4, { joinToken })];
    for (const { enrolment } of [clinic, ...others]) enrolment.start();
    for (const device of [clinic, ...others]) expect(await told(device)).toBe("in");
    const row = () => running.accessDesk.book.get("site", siteId) ?? expect.fail("no site");
    expect(row().identity).toBe(bytesToHex(identity.publicKey));
    expect(await running.access.presenceOf(row())).toMatchObject({ task: task.slug });

    clinic.hold("input");
    const runId = await launch(1);
    await until("the clinic has trained", WAIT_MS, async () => {
      const step = clinic.enrolment.view.get().round?.step;
      return step === "uploading" && step;
    });
    const beganMs = performance.now();
    expect(await running.accessDesk.revokeSite(siteId, "ada")).toEqual(ok(undefined));
    const refusal = await until(
      "the clinic is refused",
      WAIT_MS,
      async () => clinic.enrolment.view.get().refusal,
    );
    expect(refusal).toMatchObject({ code: "REVOKED", by: "coordinator" });
    expect(performance.now() - beganMs).toBeLessThan(REVOKED_MS_MAX);
    expect(clinic.enrolment.view.get()).toMatchObject({ activity: "idle", connection: { state: "offline" } });
    clinic.release();
    expect(await ended(runId)).toMatchObject({ state: "completed", roundsCommitted: 1 });
    const rounds = await running.coordinator.rounds.listRounds(runId, { limit: 5 });
    expect(rounds.items).toMatchObject([{ phase: "committed", survivors: 3 }]);

    expect(await running.access.presenceOf(row())).toMatchObject({ task: null });
    const back = await open(1, { joinToken: await token(1), signer: identity });
    back.enrolment.start();
    expect(await told(back)).toBe("REVOKED");
  },
  3 * WAIT_MS,
);

test(
  "[X63] [X65] a site is the same one after the coordinator's restart, without its token",
  async () => {
    const siteId = await site("Clinic South");
    const signer = localSigner(randomBytes(32), globalThis.crypto.subtle);
    const first = await open(1, { joinToken: await token(1, siteId), signer });
    first.enrolment.start();
    expect(await told(first)).toBe("in");
    await first.close();
    await running.stop();
    running = await start();
    const again = await open(1, { signer });
    again.enrolment.start();
    expect(await told(again)).toBe("in");
    const row = running.accessDesk.book.get("site", siteId) ?? expect.fail("no site");
    expect(row.lastSeenAt).not.toBeNull();
    expect(await running.access.presenceOf(row)).toMatchObject({ task: task.slug });
  },
  3 * WAIT_MS,
);

test("[X66] [X70] a script makes, lists and revokes join tokens, removes devices and names a site", async () => {
  const ada = running.accessDesk.book.admins()[0] ?? expect.fail("no admin");
  const terms = { label: "script", scopes: ["tasks", "read"], days: 1 } as const;
  const made = await running.accessDesk.makeApiToken(ada, terms);
  if (!made.ok) throw new Error(made.error.message);
  const env = { CHORUS_URL: running.url, CHORUS_TOKEN: made.value.token };
  const joinToken = (...args: string[]) => runCommand("join-token", args, env);

  const minted = await joinToken("--task", task.slug, "--uses", "2", "--days", "3");
  expect(minted).toMatchObject({ code: 0, stdout: expect.stringMatching(/^chj_[\w-]{43}\n$/) });
  const secret = minted.stdout.trim();
  expect(minted.stderr).toContain(`/join/${task.slug}#token=${secret}`);
  const device = await open(1, { joinToken: secret });
  device.enrolment.start();
  expect(await told(device)).toBe("in");

  const listed = await joinToken("--list");
  const line = listed.stdout.split("\n")[0] ?? "";
  expect(line).toMatch(
    /^[0-9a-f]{32} {2}chj_[\w-]{4}\.\.\. {2}small {2}1 of 2 used {2}ends \d{4}-\d\d-\d\d$/,
  );
  expect(listed.stdout).not.toContain(secret);
  const revoked = await joinToken("--revoke", line.slice(0, 32));
  expect(revoked).toMatchObject({ code: 0, stdout: expect.stringContaining("revoked") });
  const late = await open(2, { joinToken: secret });
  late.enrolment.start();
  expect(await told(late)).toBe("TOKEN_ENDED");

  // The device that joined before is still in, until the token's devices are removed (X70).
  expect(await told(device)).toBe("in");
  const beganMs = performance.now();
  const removed = await joinToken("--remove-devices", line.slice(0, 32));
  expect(removed).toMatchObject({ code: 0, stdout: expect.stringContaining("revoked, devices removed") });
  const refusal = await until("it is removed", WAIT_MS, async () => device.enrolment.view.get().refusal);
  expect(refusal).toMatchObject({ code: "TOKEN_ENDED", by: "coordinator" });
  expect(performance.now() - beganMs).toBeLessThan(REVOKED_MS_MAX);
  expect(await joinToken("--remove-devices", line.slice(0, 32))).toMatchObject({ code: 1 });

  const first = await joinToken("--site", "Clinic East");
  const taskOf = async ({ stdout }: { readonly stdout: string }) =>
    (await running.accessDesk.joinTokenOf(stdout.trim()))?.task;
  expect([first.code, await taskOf(first)]).toEqual([0, null]);
  const narrower = await joinToken("--site", "Clinic East", "--task", task.slug);
  expect([narrower.code, await taskOf(narrower)]).toEqual([0, task.slug]);
  const wrongTask = await joinToken("--site", "Clinic East", "--task", "nowhere");
  expect(wrongTask).toMatchObject({ code: 1, stderr: expect.stringContaining('has no task "nowhere"') });
  // Nothing was named, so it stays for that task.
  const second = await joinToken("--site", "Clinic East");
  expect(second.code).toBe(0);
  const east = running.accessDesk.book.list("site").filter(({ name }) => name === "Clinic East");
  expect(east).toHaveLength(1);
  // The newer token replaces the older one.
  expect(await running.accessDesk.joinTokenOf(first.stdout.trim())).toBeNull();
  expect(await running.accessDesk.joinTokenOf(second.stdout.trim())).toMatchObject({ task: task.slug });

  const elsewhere = await joinToken("--task", "nowhere");
  expect(elsewhere).toMatchObject({ code: 1, stderr: expect.stringContaining('has no task "nowhere"') });
  for (const wrong of [
    ["--uses", "0"],
    ["--uses", "x"],
    ["--revoke", "1"],
    ["--remove-devices", ""],
    ["--what"],
  ])
    expect((await joinToken(...wrong)).code).toBe(2);
  const without = await runCommand("join-token", ["--list"], { ...env, CHORUS_TOKEN: secret });
  expect(without).toMatchObject({ code: 2, stderr: expect.stringContaining("CHORUS_TOKEN") });
});

test(
  "[X67] an edge without access ends with a code of its own and says what to do",
  async () => {
    const edge = fileURLToPath(new URL("../../../client/commands/edge.ts", import.meta.url));
    const data = join(dataDir, "heldout", "small-v1.csv");
    const args = ["--coordinator", running.url, "--task", task.slug, "--data", data, "--backend", "cpu"];
    const run = async (env: Readonly<Record<string, string>>) => {
      const child = spawn(process.execPath, [edge, ...args, "--state", join(dataDir, "edge")], {
        env: { ...process.env, ...env },
      });
      let said = "";
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (chunk: Buffer) => {
          said += chunk.toString();
        });
      const [code] = (await once(child, "close")) as [number | null];
      return { code, said };
    };
    const without = await run({ CHORUS_TOKEN: "" });
    expect(without).toMatchObject({ code: 7, said: expect.stringContaining("This task is by invitation.") });
    const ended = await run({ CHORUS_TOKEN: `chj_${"A".repeat(43)}` });
    expect(ended).toMatchObject({ code: 7, said: expect.stringContaining("Ask for a new one.") });
    const other = await run({ CHORUS_TOKEN: `cht_${"A".repeat(43)}` });
    expect(other).toMatchObject({ code: 2, said: expect.stringContaining("take a join token") });
  },
  2 * WAIT_MS,
);
