import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { io, type Socket } from "socket.io-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openLog } from "#coordinator/adapters/log.ts";
import { type RunningCoordinator, startCoordinator } from "#coordinator/main.ts";
import { monotonicClock } from "#shared/node/system.ts";
import { adminCookie } from "#test/kit/worlds/admin.ts";

/* What an admin takes away by the API is gone within 5 s, on the next request and on what is open. */

const GONE_WITHIN_MS = 5_000;
const PASSWORD = "a password of enough letters";
/** The project that the admin's set-up makes. */
const ROLE = { role: "researcher", projectId: "default" } as const;

let dataDir = "";
let running: RunningCoordinator;
let admin = "";
const sockets: Socket[] = [];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "chorus-revoked-"));
  const log = openLog({ destination: { write: () => {} } });
  running = await startCoordinator({ port: 0, host: "127.0.0.1", dataDir, web: false, log });
  const { name, value } = await adminCookie(running);
  admin = `${name}=${value}`;
});
afterAll(async () => {
  for (const socket of sockets) socket.close();
  await running.stop();
  await rm(dataDir, { recursive: true, force: true });
});

/** What is read of the answers of all routes. A field of another route is undefined. */
interface AnswerBody {
  readonly personId: string;
  readonly ticket: string;
  readonly token: string;
  readonly url: string;
  readonly invitation: { readonly invitationId: string };
  readonly apiToken: { readonly tokenId: string };
  readonly error: { readonly code: string };
}
interface Answer {
  readonly status: number;
  readonly cookie: string;
  readonly body: AnswerBody;
}

async function ask(path: string, headers: Record<string, string>, body?: unknown): Promise<Answer> {
  const response = await fetch(`${running.url}/api/v1${path}`, {
    headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
  const cookie = response.headers.getSetCookie().find((line) => line.startsWith("chorus-local=")) ?? "";
  return { status: response.status, cookie: cookie.split(";")[0] ?? "", body: await response.json() };
}

const asAdmin = (path: string, body: unknown) => ask(path, { cookie: admin }, body);

/** @returns The invitation's id and its token. */
async function invite(): Promise<{ readonly invitationId: string; readonly token: string }> {
  const { body, status } = await asAdmin("/invitations", { role: ROLE });
  expect(status).toBe(201);
  return { invitationId: body.invitation.invitationId, token: body.url.split("#token=")[1] ?? "" };
}

const accept = (token: string, name: string) =>
  ask("/invitations/use", {}, { token, name, credential: { type: "password", password: PASSWORD } });

/** A researcher with a session. */
async function newResearcher(name: string) {
  const { body, cookie, status } = await accept((await invite()).token, name);
  expect(status).toBe(200);
  return { personId: body.personId, headers: { cookie } };
}

/** A dashboard that watches all it may. */
async function openDashboard(headers: Record<string, string>): Promise<Socket> {
  const { ticket } = (await ask("/session/ticket", headers, {})).body;
  const socket = io(`${running.url}/dash`, {
    transports: ["websocket"],
    forceNew: true,
    reconnection: false,
  });
  sockets.push(socket);
  for (const what of [{ ticket }, { all: true }])
    expect(await socket.timeout(GONE_WITHIN_MS).emitWithAck("watch", what)).toEqual({ ok: true });
  return socket;
}

const runsOf = async (headers: Record<string, string>) => (await ask("/runs", headers)).status;

/** Milliseconds from the admin's request until the dashboard is cut and the next request is refused. */
async function goneAfterMs(
  { headers, dashboard }: { readonly headers: Record<string, string>; readonly dashboard: Socket },
  take: () => Promise<Answer>,
): Promise<number> {
  expect([await runsOf(headers), dashboard.connected]).toEqual([200, true]);
  const cut = new Promise<void>((resolve) => dashboard.once("disconnect", () => resolve()));
  const beganMs = monotonicClock.nowMs();
  expect((await take()).status).toBe(200);
  const [status] = await Promise.all([runsOf(headers), cut]);
  expect(status).toBe(401);
  return monotonicClock.nowMs() - beganMs;
}

test("[X36] a role that is taken ends its person's session and dashboard within 5 s, and nobody else's", async () => {
  const kim = await newResearcher("kim");
  const lee = await newResearcher("lee");
  const others = await openDashboard(lee.headers);
  const dashboard = await openDashboard(kim.headers);
  const take = () => asAdmin(`/people/${kim.personId}/roles`, { roles: [] });
  expect(await goneAfterMs({ headers: kim.headers, dashboard }, take)).toBeLessThan(GONE_WITHIN_MS);
  // The control.
  expect([await runsOf(lee.headers), others.connected]).toEqual([200, true]);
  // Whoever has lost their role may sign in no more.
  const signIn = await ask("/session", {}, { name: "kim", password: PASSWORD });
  expect([signIn.status, signIn.cookie]).toEqual([403, ""]);
});

test("[X36] a token that an admin revokes ends with its dashboard within 5 s, and its maker's session stays", async () => {
  const max = await newResearcher("max");
  const made = (await ask("/api-tokens", max.headers, { label: "script", scopes: ["read"] })).body;
  const headers = { authorization: `Bearer ${made.token}` };
  const dashboard = await openDashboard(headers);
  const revoke = () => asAdmin(`/people/tokens/${made.apiToken.tokenId}/revoke`, {});
  expect(await goneAfterMs({ headers, dashboard }, revoke)).toBeLessThan(GONE_WITHIN_MS);
  expect(await runsOf(max.headers)).toBe(200);
});

test("[X36] signing out ends the dashboards of that browser within 5 s", async () => {
  const { headers } = await newResearcher("noa");
  const dashboard = await openDashboard(headers);
  const signOut = () => ask("/session/end", headers, {});
  expect(await goneAfterMs({ headers, dashboard }, signOut)).toBeLessThan(GONE_WITHIN_MS);
});

test("a withdrawn invitation makes nobody, and neither does one that was used", async () => {
  const { invitationId, token } = await invite();
  expect((await asAdmin(`/invitations/${invitationId}/withdraw`, {})).status).toBe(200);
  expect((await accept(token, "pat")).body.error.code).toBe("TOKEN_ENDED");
  const used = await invite();
  expect((await accept(used.token, "pat")).status).toBe(200);
  expect((await accept(used.token, "quin")).body.error.code).toBe("TOKEN_ENDED");
});
