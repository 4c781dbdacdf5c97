import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { io } from "socket.io-client";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { openLog } from "#coordinator/adapters/log.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import type { RunningCoordinator } from "#coordinator/main.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { randomBytes } from "#shared/node/system.ts";
import { openTestDevice, type TestDevice } from "#test/kit/devices/device.ts";
import { heldOutPath } from "#test/kit/earlier-held-out.ts";
import { startClaimed } from "#test/kit/worlds/admin.ts";
import { asAdmin } from "#test/kit/worlds/as-admin.ts";
import { openApi, until } from "#test/kit/worlds/coordinator-process.ts";

/*
 * A coordinator with devices and strangers, all of whom carry canaries in whatever they send. Its log is JSON, names
 * requests and rounds by their ids, and has no canary.
 */

const COUNT = 3;
/** Linux has all of 127.0.0.0/8. */
const STRANGER = "127.0.0.77";
const CANARY = {
  userAgent: "canary-agent-1a",
  cookie: "canary-cookie-2b",
  token: "canary-token-3c",
  query: "canary-query-4d",
  path: "canary-path-5e",
  forwarded: "203.0.113.77",
  body: "canary-body-6f",
  email: "canary@example.org",
  auth: "canary-auth-7a",
} as const;
const root = new URL("../../../..", import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), "chorus-log-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const lines: string[] = [];
const log = openLog({ destination: { write: (line: string) => void lines.push(line) } });
const entries = () => lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);

let running: RunningCoordinator;
beforeEach(async () => {
  lines.length = 0;
  const dataDir = mkdtempSync(join(scratch, "data-"));
  const task = bundledTask("digits", COUNT, 1);
  const held = heldOutPath(dataDir, task.slug, task.version);
  mkdirSync(join(held, ".."), { recursive: true });
  cpSync(join(root, "coordinator/data/digits.csv"), held);
  running = await startClaimed({ port: 0, host: "127.0.0.1", dataDir, web: false, log });
});
afterEach(() => running.stop());

/** Canaries and addresses in the log. */
function leaks(more: readonly string[] = []): string[] {
  const text = lines.join("");
  return [...Object.values(CANARY), STRANGER, "127.0.0.1", "::1", ...more].filter((canary) =>
    text.includes(canary),
  );
}

interface Answer {
  readonly status: number;
  readonly requestId: string;
}

/** A request with a canary wherever one fits. @param more  Other headers; without those that are undefined. */
function ask(
  method: string,
  path: string,
  body?: string,
  more: Record<string, string | undefined> = {},
): Promise<Answer> {
  const all = {
    "user-agent": CANARY.userAgent,
    cookie: `session=${CANARY.cookie}`,
    authorization: `Bearer ${CANARY.token}`,
    referer: `http://localhost/${CANARY.query}`,
    "x-forwarded-for": CANARY.forwarded,
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...more,
  };
  const headers = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  const at = {
    host: "127.0.0.1",
    port: running.port,
    localAddress: STRANGER,
    method,
    path,
    headers,
    agent: false,
  };
  return new Promise((resolve, reject) => {
    const asking = request(at, (response) => {
      response.resume();
      const requestId = String(response.headers["x-request-id"] ?? "");
      response.on("end", () => resolve({ status: response.statusCode ?? 0, requestId }));
    });
    asking.on("error", reject);
    asking.end(body);
  });
}

/** A socket that says hello wrongly in several ways. */
async function strangerOnASocket(namespace: string): Promise<void> {
  const socket = io(`${running.url}${namespace}`, {
    transports: ["websocket"],
    reconnection: false,
    auth: { token: CANARY.auth },
    query: { q: CANARY.query },
    extraHeaders: {
      "user-agent": CANARY.userAgent,
      cookie: CANARY.cookie,
      "x-forwarded-for": CANARY.forwarded,
    },
  });
  await new Promise<void>((resolve) => {
    socket.once("connect", resolve);
    socket.once("connect_error", () => resolve());
  });
  for (const event of ["frame", "watch", CANARY.path])
    socket.emit(event, { [CANARY.body]: CANARY.email, token: CANARY.token }, () => undefined);
  await until("the answers", 10_000, async () => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    return true;
  });
  socket.disconnect();
}

describe("[O5] the log", () => {
  test("of rounds, refusals and faults has ids, and nothing that its peers sent or are", async () => {
    const api = openApi(running.url);
    const task = bundledTask("digits", COUNT, 1);
    await api.createTask(task);
    const joinToken = await running.access.mintJoinToken(COUNT, 60_000);
    const devices: TestDevice[] = [];
    const secrets: string[] = [joinToken];
    try {
      for (let seed = 1; seed <= COUNT; seed++) {
        const signer = localSigner(randomBytes(32), globalThis.crypto.subtle);
        secrets.push(bytesToHex(signer.publicKey));
        devices.push(await openTestDevice(running.url, task, seed, { joinToken, signer }));
      }
      for (const device of devices) device.enrolment.start();
      const { runId } = await api.launch({ task: task.slug, rounds: 1, seed: 7 });
      await until("the end", 120_000, async () => (await api.run(runId)).endedAt !== null);
      const [round] = await api.rounds(runId);
      expect(entries()).toContainEqual(
        expect.objectContaining({
          msg: "a round ended",
          runId,
          roundId: round?.roundId,
          outcome: "committed",
        }),
      );

      const q = `?${CANARY.query}=${CANARY.query}`;
      const person = JSON.stringify({ name: CANARY.body, email: CANARY.email, token: CANARY.token });
      const refused = [
        await ask("GET", `/api/v1/runs/${CANARY.path}${q}`),
        await ask("GET", `/api/v1/tasks/${CANARY.path}`),
        await ask("GET", `/${CANARY.path}${q}`),
        await ask("POST", `/api/v1/runs${q}`, person),
        await ask("POST", "/api/v1/tasks", person.slice(0, -4)),
        await ask("PUT", `/api/v1/uploads/${"a".repeat(64)}/1`, "x", { "chorus-slot": CANARY.token }),
        await ask("GET", "/api/v1/status", undefined, { host: CANARY.path }),
      ];
      for (const { status } of refused) expect([status >= 400, status < 500]).toEqual([true, true]);
      for (const namespace of ["/device", "/dash"]) await strangerOnASocket(namespace);

      // Faults of our own, which are logged with their stack.
      const { runs } = running.coordinator;
      Object.assign(runs, { runView: () => Promise.reject(new Error("planted fault")) });
      // A token that a proxy passes on over plain HTTP would be refused.
      const direct = { ...asAdmin(running.url), "x-forwarded-for": undefined };
      const failed = await ask("GET", `/api/v1/runs/${runId}`, undefined, direct);
      expect(failed.status).toBe(500);
      expect(entries()).toContainEqual(
        expect.objectContaining({
          msg: "a route failed",
          requestId: failed.requestId,
          error: "planted fault",
        }),
      );
      expect(entries()).toContainEqual(
        expect.objectContaining({
          msg: "request failed",
          requestId: failed.requestId,
          route: "/api/v1/runs/{runId}",
          runId,
        }),
      );
      expect(leaks(secrets)).toEqual([]);
      // No line names a device by its place either.
      expect(entries().filter((entry) => "identity" in entry || "position" in entry)).toEqual([
        expect.objectContaining({ msg: "SQLite is open" }),
      ]);
    } finally {
      await Promise.all(devices.map((device) => device.close()));
    }
    expect(leaks(secrets)).toEqual([]);
  });

  test("a canary in it is found (positive control)", () => {
    log.info({ note: CANARY.userAgent, where: STRANGER }, "control");
    expect(leaks()).toEqual([CANARY.userAgent, STRANGER]);
    // Under the names by which such values go, it is withheld.
    lines.length = 0;
    log.warn(
      {
        ip: STRANGER,
        headers: { "x-forwarded-for": STRANGER, "user-agent": CANARY.userAgent, cookie: CANARY.cookie },
      },
      "control",
    );
    log.warn({ identity: CANARY.token, query: { q: CANARY.query }, email: CANARY.email }, "control");
    expect(leaks()).toEqual([]);
  });
});
