import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openLog } from "#coordinator/adapters/log.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import type { RunningCoordinator } from "#coordinator/main.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { present } from "#shared/kernel/assert.ts";
import type { Signer } from "#shared/kernel/ports.ts";
import { monotonicClock, randomBytes } from "#shared/node/system.ts";
import { taskViewSchema } from "#shared/protocol/api.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { joinRawSocket, type RawSocket } from "#test/kit/adversary/raw-socket.ts";
import { openTestDevice, type TestDevice } from "#test/kit/devices/device.ts";
import { heldOutPath } from "#test/kit/earlier-held-out.ts";
import { startClaimed } from "#test/kit/worlds/admin.ts";
import { asAdmin } from "#test/kit/worlds/as-admin.ts";
import { openApi, pause, until } from "#test/kit/worlds/coordinator-process.ts";

/*
 * A class behind one address: a hundred devices with the product's client, each beside the requests and the socket of its
 * page. They need no join token, except where one is named.
 */

const CLASS_SIZE = LIMITS.devicesPerAddress;
const MINUTE_MS = 60_000;
const TASK = bundledTask("digits", CLASS_SIZE, 1);

/** The limits before a class was thought of. */
const FORMER_LIMITS = {
  socketsPerAddress: 64,
  joinsBurstPerAddress: 10,
  readsBurstPerAddress: 600,
  readsWaitingPerAddress: 16,
};

let dataDir: string;
let running: RunningCoordinator | null = null;
let seats: Seat[] = [];
const limits = { ...LIMITS };

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "chorus-class-"));
  const heldOut = `${heldOutPath(dataDir, TASK.slug, TASK.version)}.csv`;
  mkdirSync(dirname(heldOut), { recursive: true });
  cpSync(new URL("../../../coordinator/data/digits.csv", import.meta.url), heldOut);
});
afterEach(async () => {
  await leave();
  await running?.stop();
  running = null;
  Object.assign(LIMITS, limits);
  rmSync(dataDir, { recursive: true, force: true });
});

async function open(): Promise<string> {
  const log = openLog({ destination: { write: () => {} } });
  running = await startClaimed({ port: 0, host: "127.0.0.1", dataDir, web: false, log });
  return running.url;
}

interface Seat {
  readonly device: TestDevice;
  readonly page: RawSocket | null;
}

/** What one page does when it opens, all at once, and then its device. */
async function sitDown(url: string, signer: Signer, seed: number, joinToken?: string): Promise<Seat | null> {
  const headers: Record<string, string> =
    joinToken === undefined ? {} : { authorization: `Bearer ${joinToken}` };
  const [page, ...answers] = await Promise.all([
    joinRawSocket(url, "/dash").catch(() => null),
    ...["status", "tasks/digits", "tasks"].map((path) => fetch(`${url}/api/v1/${path}`, { headers })),
  ]);
  await Promise.all(answers.map((answer) => answer.arrayBuffer()));
  if (!answers.every(({ ok }) => ok)) return null;
  const options = { signer, archive: false, ...(joinToken === undefined ? {} : { joinToken }) };
  const device = await openTestDevice(url, TASK, seed, options).catch(() => null);
  if (device === null) return null;
  device.enrolment.start();
  return { device, page };
}

/** Everybody at the same time. @returns how many have come so far that they take part. */
async function sitDownAll(url: string, signers: readonly Signer[], joinToken?: string): Promise<number> {
  const all = await Promise.all(signers.map((signer, index) => sitDown(url, signer, index + 1, joinToken)));
  seats = all.filter((seat) => seat !== null);
  return seats.length;
}

async function leave(): Promise<void> {
  const all = seats.splice(0);
  for (const { page } of all) page?.close();
  await Promise.all(all.map(({ device }) => device.close()));
}

/** The code with which the coordinator refuses this device. */
async function refusalOf(url: string, signer: Signer, joinToken?: string): Promise<string> {
  const options = { signer, archive: false, ...(joinToken === undefined ? {} : { joinToken }) };
  const device = await openTestDevice(url, TASK, CLASS_SIZE + 1, options);
  device.enrolment.start();
  const code = await until("a refusal", MINUTE_MS, async () => device.enrolment.view.get().refusal?.code);
  await device.close();
  return code;
}

async function post(url: string, path: string, body: unknown): Promise<{ readonly token: string }> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method: "POST",
    headers: { ...asAdmin(url), "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  expect(response.ok, text).toBe(true);
  return JSON.parse(text);
}

async function connectedCount(url: string): Promise<number> {
  return taskViewSchema.parse(await openApi(url).task("digits")).deviceCount;
}

const allConnected = (url: string) =>
  until("the class is connected", 5 * MINUTE_MS, async () => (await connectedCount(url)) === CLASS_SIZE);

test("[W18] a hundred devices behind one address join within a minute, reload and finish a round", async () => {
  const signers = Array.from({ length: CLASS_SIZE }, () => localSigner(randomBytes(32), crypto.subtle));
  const url = await open();
  await openApi(url).createTask(TASK);
  const beganMs = monotonicClock.nowMs();
  expect(await sitDownAll(url, signers)).toBe(CLASS_SIZE);
  await allConnected(url);
  expect(monotonicClock.nowMs() - beganMs).toBeLessThan(MINUTE_MS);
  // All pages reload at once.
  await leave();
  expect(await sitDownAll(url, signers)).toBe(CLASS_SIZE);
  await allConnected(url);
  expect(seats.every(({ page }) => page?.isOpen)).toBe(true);

  const api = openApi(url);
  const { runId } = await api.launch({ task: "digits", rounds: 1, seed: 7 });
  const run = await until("the run ends", 4 * MINUTE_MS, async () => {
    const view = await api.run(runId);
    return view.endedAt !== null && view;
  });
  expect(run).toMatchObject({ state: "completed", roundsCommitted: 1 });
  expect((await api.rounds(runId))[0]).toMatchObject({ phase: "committed", survivors: CLASS_SIZE });

  // After a restart nobody is new, although their address has no joins to spare.
  await leave();
  await present(running, "the coordinator").stop();
  Object.assign(LIMITS, { joinsBurstPerAddress: 10 });
  const again = await open();
  expect(await sitDownAll(again, signers)).toBe(CLASS_SIZE);
  await allConnected(again);
});

test("[X61] one join token of a hundred uses lets a hundred devices behind one address in, and no other", async () => {
  const signers = Array.from({ length: CLASS_SIZE }, () => localSigner(randomBytes(32), crypto.subtle));
  const url = await open();
  await openApi(url).createTask(TASK);
  await post(url, "/tasks/digits/settings", { changes: { joining: "invitation" } });
  const of = { projectId: "default", task: "digits", uses: CLASS_SIZE, days: 1 };
  const { token } = await post(url, "/join-tokens", of);
  expect(await sitDownAll(url, signers, token)).toBe(CLASS_SIZE);
  await allConnected(url);

  // One more, while all others are there and after they have reloaded.
  const late = localSigner(randomBytes(32), crypto.subtle);
  expect(await refusalOf(url, late, token)).toBe("TOKEN_ENDED");
  expect(await refusalOf(url, late)).toBe("BY_INVITATION");
  await leave();
  // Whoever was enrolled needs the token no more.
  const before = await openTestDevice(url, TASK, 1, {
    signer: present(signers[0], "a signer"),
    archive: false,
  });
  before.enrolment.start();
  await until("its return", MINUTE_MS, async () => before.enrolment.view.get().activity === "waiting");
  await before.close();
  expect(await refusalOf(url, late, token)).toBe("TOKEN_ENDED");
});

test("[W18] positive control: with the former limits most of the class waits outside", async () => {
  const signers = Array.from({ length: CLASS_SIZE }, () => localSigner(randomBytes(32), crypto.subtle));
  Object.assign(LIMITS, FORMER_LIMITS);
  const url = await open();
  await openApi(url).createTask(TASK);
  await sitDownAll(url, signers);
  await pause(3_000);
  expect(await connectedCount(url)).toBeLessThan(CLASS_SIZE / 2);
});
