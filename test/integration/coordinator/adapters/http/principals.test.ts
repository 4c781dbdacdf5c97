import { request } from "node:http";
import { text } from "node:stream/consumers";
import { io, type Socket } from "socket.io-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SOCKET_ENDPOINTS } from "#coordinator/adapters/socket/list.ts";
import { PERMISSIONS } from "#coordinator/core/access/permissions.ts";
import { NO_OVERRIDES } from "#coordinator/core/access/promotions.ts";
import { openAccess } from "#coordinator/open-access.ts";
import { openSealed } from "#shared/crypto/sealed-box.ts";
import { err } from "#shared/kernel/result.ts";
import { monotonicClock, primitives, randomBytes, wallClock } from "#shared/node/system.ts";
import { wireError } from "#shared/protocol/errors.ts";
import { RUN_ID } from "#test/kit/fakes/fake-core.ts";
import { memoryDatabase } from "#test/kit/fakes/memory-database.ts";
import { memoryStore } from "#test/kit/fakes/memory-store.ts";
import { openShell, type Shell } from "#test/kit/worlds/shell.ts";

/* The doors over real HTTP and sockets, with the real desk behind them. */

const WITHIN_MS = 5_000;
/** The second after too many from one address. */
const ENDED = /^(?:NOT_AUTHENTICATED|RATE_LIMITED|UNAUTHENTICATED|REQUEST_LIMIT_EXCEEDED)$/;
let shell: Shell;
const tokens = { read: "", runs: "", join: "", joinElsewhere: "", other: "" };
let adminId = "";

beforeAll(async () => {
  shell = await openShell();
  shell.asker = null;
  const { accessDesk } = shell;
  const [admin] = accessDesk.book.admins();
  if (admin === undefined) throw new Error("no admin");
  adminId = admin.personId;
  await accessDesk.makeProject("lab", "ada");
  const made = async (scope: "read" | "runs") => {
    const token = await accessDesk.makeApiToken(admin, { label: "test", scopes: [scope], days: 1 });
    if (!token.ok) throw new Error(token.error.message);
    return token.value.token;
  };
  const join = async (projectId: string) => {
    const terms = { projectId, task: null, siteId: null, uses: 1, lifeMs: 60_000, actor: "ada" };
    const token = await accessDesk.makeJoinToken(terms);
    if (!token.ok) throw new Error(token.error.message);
    return token.value.token;
  };
  Object.assign(tokens, {
    read: await made("read"),
    runs: await made("runs"),
    join: await join("default"),
    joinElsewhere: await join("lab"),
    other: await researcherOf("lab", "bob"),
  });
});
afterAll(() => shell.close());

/** @returns An API token of a new person with this role. */
async function researcherOf(projectId: string, name: string): Promise<string> {
  const { accessDesk } = shell;
  const invited = await accessDesk.invite({ role: "researcher", projectId }, "", "ada");
  if (!invited.ok) throw new Error(invited.error.message);
  const personId = Buffer.from(randomBytes(16)).toString("hex");
  const joined = await accessDesk.useInvitation(invited.value.token, {
    ...{ personId, name, signsInWith: "password" },
  });
  if (!joined.ok) throw new Error(joined.error.message);
  const token = await accessDesk.makeApiToken(joined.value, {
    label: "t",
    scopes: ["read", "runs"],
    days: 1,
  });
  if (!token.ok) throw new Error(token.error.message);
  return token.value.token;
}

async function codeOf(method: string, path: string, token: string | null, headers = {}): Promise<string> {
  const response = await fetch(shell.url + path, {
    method: method.toUpperCase(),
    headers: { ...headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
  });
  const text = await response.text();
  if (response.status < 400) return "ok";
  const { error, error_code: code = "" } = JSON.parse(text) as {
    error?: { code: string };
    error_code?: string;
  };
  return error?.code ?? code;
}

const pathOf = (path: string) =>
  path
    .replace("{slug}", "digits")
    .replace("{version}", "1")
    .replace("{runId}", RUN_ID)
    .replace("{roundId}", RUN_ID)
    .replace("{hash}", "ab".repeat(32))
    .replace("{sid}", "ab".repeat(32))
    .replace("{id}", "ab".repeat(16))
    .replace("{personId}", "ab".repeat(16))
    .replace(/\{\w+\}/g, "1");

const REFUSED = ["UNAUTHENTICATED", "PERMISSION_DENIED", "NOT_AUTHENTICATED", "FORBIDDEN", "STEP_UP_NEEDED"];

describe("every endpoint", () => {
  test("[X30] refuses a token that is not in force, whatever it is for", async () => {
    const wrong = ["cht", "chj", "chk", "chs", "chd"].map((prefix) => `${prefix}_${"A".repeat(43)}`);
    for (const { method, path } of shell.endpoints.filter((one) => one.method === "get"))
      expect([path, await codeOf(method, pathOf(path), wrong[path.length % wrong.length] ?? "")]).toEqual([
        path,
        expect.stringMatching(ENDED),
      ]);
  });

  test("[X37] refuses nobody what anyone may, and nobody else what takes a role", async () => {
    for (const { method, path, permission } of shell.endpoints.filter((one) => one.method === "get")) {
      const holders: readonly string[] = PERMISSIONS[permission].heldBy;
      const isOpen = holders.includes("anyone") || holders.includes("participant");
      const code = await codeOf(method, pathOf(path), null);
      expect([path, REFUSED.includes(code)]).toEqual([path, !isOpen]);
    }
    expect(shell.core.writes).toEqual([]);
  });

  test("[X37] every socket event names its permission", () => {
    for (const { messages, permissions } of SOCKET_ENDPOINTS)
      expect(Object.keys(permissions).sort()).toEqual(Object.keys(messages).sort());
  });

  test("[X32] a task by invitation is there for its project and its invited, and not for others", async () => {
    Object.assign(shell.core.place, { joining: "invitation" });
    try {
      const paths = ["/api/v1/tasks/digits", `/api/v1/runs/${RUN_ID}`];
      for (const path of paths) expect(await codeOf("get", path, tokens.read)).toBe("ok");
      expect(await codeOf("get", "/api/v1/tasks/digits", tokens.join)).toBe("ok");
      for (const token of [null, tokens.joinElsewhere, tokens.other])
        expect(await codeOf("get", "/api/v1/tasks/digits", token)).toBe("BY_INVITATION");
      expect(await codeOf("get", `/api/v1/runs/${RUN_ID}`, tokens.other)).toBe("NOT_FOUND");
    } finally {
      Object.assign(shell.core.place, { joining: "public" });
    }
  });

  test("[X35] who acted is whoever asked, whatever the body says", async () => {
    const headers = { authorization: `Bearer ${tokens.runs}`, "content-type": "application/json" };
    const url = `${shell.url}/api/v1/runs/${RUN_ID}/pause`;
    const named = await fetch(url, { method: "POST", headers, body: '{"actor":"eve"}' });
    expect(named.status).toBe(400);
    expect(await codeOf("post", `/api/v1/runs/${RUN_ID}/pause`, tokens.runs)).toBe("ok");
    expect(await codeOf("post", `/api/v1/runs/${RUN_ID}/pause`, tokens.other)).toBe("FORBIDDEN");
  });

  test("[X39] acts by the rights at the end of its body, which may take seconds", async () => {
    const token = await researcherOf("default", "carol");
    const pause = `/api/v1/runs/${RUN_ID}/pause`;
    const begun = async (): Promise<() => Promise<string>> => {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const sent = request(shell.url + pause, { method: "POST", headers });
      const answer = new Promise<string>((resolve, reject) => {
        sent.on("error", reject).on("response", (incoming) => resolve(text(incoming)));
      });
      sent.write("{");
      await new Promise((resolve) => setTimeout(resolve, 100));
      return () => {
        sent.end("}");
        return answer;
      };
    };
    const [whole, cut] = await Promise.all([begun(), begun()]);
    expect(await whole()).toContain(RUN_ID);
    const before = shell.core.writes.length;
    const { personId = "" } = shell.accessDesk.book.personByName("carol") ?? {};
    await shell.accessDesk.changeRoles(personId, { roles: [], makeAdmin: false }, "ada");
    expect(JSON.parse(await cut())).toMatchObject({ error: { code: expect.stringMatching(ENDED) } });
    expect(shell.core.writes).toHaveLength(before);
  });

  test("[X34] a session acts for our own pages alone", async () => {
    const opened = await shell.parts.signIns.addPerson({ personId: adminId, name: "ada" });
    expect(opened).toBeUndefined();
    const { token } = await shell.parts.signIns.openSession(adminId);
    const cookie = { cookie: `chorus-local=${token}` };
    expect(await codeOf("get", "/api/v1/runs", null, cookie)).toBe("ok");
    const foreign = { ...cookie, origin: "https://evil.example" };
    expect(await codeOf("get", "/api/v1/runs", null, foreign)).toBe("NOT_AUTHENTICATED");
    expect(await codeOf("post", `/api/v1/runs/${RUN_ID}/pause`, null, foreign)).toBe("FORBIDDEN");
  });
});

test("[X34] a page of a named site signs nobody in", async () => {
  const named = await openShell({ allowedOrigins: ["https://embed.example"] });
  try {
    const { signIns } = named.parts;
    const [admin] = named.accessDesk.book.admins();
    const personId = admin?.personId ?? "";
    await signIns.addPerson({ personId, name: "ada" });
    await signIns.setPassword(personId, "an ordinary sentence");
    const signIn = (origin: string) =>
      fetch(`${named.url}/api/v1/session`, {
        method: "POST",
        headers: { origin, "content-type": "application/json" },
        body: JSON.stringify({ name: "ada", password: "an ordinary sentence" }),
      });
    const foreign = await signIn("https://embed.example");
    expect([foreign.status, foreign.headers.getSetCookie()]).toEqual([403, []]);
    const own = await signIn(named.url);
    expect([own.status, own.headers.getSetCookie().length]).toEqual([200, 2]);
  } finally {
    await named.close();
  }
});

describe("[X36] a dashboard", () => {
  const opened: Socket[] = [];
  afterAll(() => void opened.map((socket) => socket.disconnect()));

  async function watch(token: string, what: object): Promise<{ socket: Socket; answer: unknown }> {
    const headers = { authorization: `Bearer ${token}` };
    const got = await fetch(`${shell.url}/api/v1/session/ticket`, { method: "POST", headers });
    const { ticket } = (await got.json()) as { ticket: string };
    const socket = io(`${shell.url}/dash`, { transports: ["websocket"], forceNew: true });
    opened.push(socket);
    expect(await socket.timeout(WITHIN_MS).emitWithAck("watch", { ticket })).toEqual({ ok: true });
    return { socket, answer: await socket.timeout(WITHIN_MS).emitWithAck("watch", what) };
  }

  test("gets the figures of its projects and no other, and ends with the role", async () => {
    const own = await watch(tokens.other, { all: true });
    expect(own.answer).toEqual({ ok: true });
    const heard: unknown[] = [];
    own.socket.on("run", (view: unknown) => heard.push(view));
    shell.broadcast.publish("run", { runId: RUN_ID, projectId: "default" }, { of: "default" } as never);
    shell.broadcast.publish("run", { runId: RUN_ID, projectId: "lab" }, { of: "lab" } as never);
    await expect.poll(() => heard).toEqual([{ of: "lab" }]);
    const one = await watch(tokens.other, { runId: RUN_ID });
    expect(one.answer).toMatchObject({ error: { code: "FORBIDDEN" } });

    const bob = shell.accessDesk.book.personByName("bob");
    const ended = Promise.all(
      [own, one].map(({ socket }) => new Promise((resolve) => socket.once("disconnect", resolve))),
    );
    const beganMs = performance.now();
    await shell.accessDesk.changeRoles(bob?.personId ?? "", { roles: [], makeAdmin: false }, "ada");
    await ended;
    expect(performance.now() - beganMs).toBeLessThan(WITHIN_MS);
    expect(await codeOf("get", "/api/v1/runs", tokens.other)).toMatch(ENDED);
  });

  test("ends with its token", async () => {
    const { socket } = await watch(tokens.read, { all: true });
    const ended = new Promise((resolve) => socket.once("disconnect", resolve));
    const row = shell.accessDesk.book
      .list("api-token")
      .find(({ scopes }) => scopes[0] === "read" && scopes.length === 1);
    expect((await shell.accessDesk.revokeApiToken(row?.tokenId ?? "", null, "ada")).ok).toBe(true);
    await ended;
    expect(await codeOf("get", "/api/v1/runs", tokens.read)).toMatch(ENDED);
  });
});

test("[X38] a pass opens for the auditor's key alone, and ends after 15 minutes", async () => {
  const secret = randomBytes(32);
  let nowMs = monotonicClock.nowMs();
  const parts = await openAccess({
    ...{
      primitives,
      random: randomBytes,
      clock: { nowMs: () => nowMs },
      wall: wallClock,
      after: () => () => {},
    },
    log: { info: () => {}, warn: () => {}, error: () => {} },
    store: memoryStore(memoryDatabase()),
    keeping: { rounds: 1, auditorKey: await primitives.x25519PublicKey(secret) },
    projects: { deleteData: async () => err(wireError("CONFLICT")) },
    registry: NO_OVERRIDES,
  });
  const principals = parts.principals({ deviceOf: async () => null });
  const made = await parts.auditorPasses.seal();
  if (!made.ok) throw new Error(made.error.message);
  expect((await openSealed(primitives, randomBytes(32), "auditor-pass", made.value.sealed)).ok).toBe(false);
  const pass = await openSealed(primitives, secret, "auditor-pass", made.value.sealed);
  if (!pass.ok) throw new Error("it does not open");
  const asked = {
    authorization: `Bearer ${Buffer.from(pass.value).toString()}`,
    session: null,
    address: "a",
  };
  expect(await principals.of(asked)).toEqual({ ok: true, value: { kind: "auditor-key" } });
  // Others who ask for passes, which they cannot open, end nobody's.
  for (let minute = 0; minute < 14; minute++) {
    nowMs += 60_000;
    for (let times = 0; times < 50; times++) expect((await parts.auditorPasses.seal()).ok).toBe(true);
    expect(await principals.of(asked)).toEqual({ ok: true, value: { kind: "auditor-key" } });
  }
  nowMs += 60_000;
  expect(await principals.of(asked)).toMatchObject({ error: { code: "NOT_AUTHENTICATED" } });
  // A pass that is given again ends when it was made to end.
  const early = await parts.auditorPasses.seal();
  nowMs += 59_999;
  const late = await parts.auditorPasses.seal();
  if (!early.ok || !late.ok) throw new Error("it is sealed");
  expect(late.value.sealed).not.toEqual(early.value.sealed);
  expect(late.value.endsAt).toBeLessThan(early.value.endsAt + 30_000);
  parts.close();
});

test("[X31] until there is an admin only set-up and what anyone may know are answered", async () => {
  const unclaimed = await openShell({ isClaimed: false });
  try {
    for (const { method, path, permission } of unclaimed.endpoints) {
      const response = await fetch(unclaimed.url + pathOf(path), { method: method.toUpperCase() });
      const isOpen = permission === "public" || permission === "sessions.open";
      const text = await response.text();
      // What MLflow's clients are told.
      const isSaid = text.includes("NOT_SET_UP") || text.includes("TEMPORARILY_UNAVAILABLE");
      expect([path, response.status === 503 && isSaid]).toEqual([path, !isOpen]);
    }
    const socket = io(`${unclaimed.url}/dash`, { transports: ["websocket"], forceNew: true });
    const answer: unknown = await socket.timeout(WITHIN_MS).emitWithAck("watch", { all: true });
    expect(answer).toMatchObject({ error: { code: "NOT_SET_UP" } });
    socket.disconnect();
  } finally {
    await unclaimed.close();
  }
});
