import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDemoAdmin } from "#coordinator/commands/demo/demo-admin.ts";
import type { Log } from "#coordinator/core/ports/ports.ts";
import { type RunningCoordinator, startCoordinator } from "#coordinator/main.ts";
import { tokenPattern } from "#shared/access/tokens.ts";
import { present } from "#shared/kernel/assert.ts";
import { adminToken } from "#test/kit/worlds/admin.ts";

/* How the demo finds its own way in, on a state that nobody, the demo or a person has claimed. */

const log: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
let folder: string;
let running: RunningCoordinator;

async function start(): Promise<void> {
  running = await startCoordinator({ port: 0, host: "127.0.0.1", dataDir: folder, web: false, log });
}
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "chorus-demo-admin-"));
  await start();
});
afterEach(async () => {
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
});

const tokenOf = (link: string) => new URLSearchParams(new URL(link).hash.slice(1)).get("token") ?? "";

/** Uses a link as the sign-in page does. */
async function follow(link: string) {
  const answer = await fetch(`${running.url}/api/v1/session/link`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: running.url },
    body: JSON.stringify({ token: tokenOf(link) }),
  });
  return { status: answer.status, body: await answer.json() };
}

const statusWith = async (token: string, path = "/runs") =>
  (await fetch(`${running.url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } })).status;

const peopleOf = () =>
  running.accessDesk.book
    .list("person")
    .map(({ name, isAdmin, signsInWith }) => ({ name, isAdmin, signsInWith }));

test("[X95] claims a fresh state: its link signs one browser in once, its token is for scripts", async () => {
  expect(await statusWith("")).toBe(503);
  const admin = present(await openDemoAdmin(running), "the demo's admin");
  expect(peopleOf()).toEqual([{ name: "demo-admin", isAdmin: true, signsInWith: ["link"] }]);
  expect(running.doors.openSetUp()).toBeNull();
  expect(tokenOf(admin.link)).toMatch(tokenPattern("signIn"));
  expect(new URL(admin.link).search).toBe("");

  const entered = await follow(admin.link);
  expect(entered).toMatchObject({ status: 200, body: { name: "demo-admin", isAdmin: true, by: "session" } });
  expect(await follow(admin.link)).toMatchObject({ status: 410, body: { error: { code: "TOKEN_ENDED" } } });

  expect(await statusWith(admin.token)).toBe(200);
  // It acts on no people, and monitors need a token that lives longer.
  expect([await statusWith(admin.token, "/people"), await statusWith(admin.token, "/operations")]).toEqual([
    403, 403,
  ]);
  const [row] = running.accessDesk.book.list("api-token");
  expect(row?.scopes).toEqual(["read", "runs", "tasks", "audit"]);
  expect((row?.endsAt ?? 0) - (row?.madeAt ?? 0)).toBe(7 * 24 * 3_600_000);
});

test("[X95] a later start has a new link and a new token, and the earlier ones end", async () => {
  const first = present(await openDemoAdmin(running), "the demo's admin");
  await running.stop();
  await start();
  const second = present(await openDemoAdmin(running), "the demo's admin");
  expect(peopleOf()).toHaveLength(1);
  expect([await statusWith(first.token), await statusWith(second.token)]).toEqual([401, 200]);
  expect([(await follow(first.link)).status, (await follow(second.link)).status]).toEqual([410, 200]);
});

test("[X95] a state that a person has claimed gets neither", async () => {
  const token = await adminToken(running.accessDesk);
  expect(await openDemoAdmin(running)).toBeNull();
  expect(peopleOf().map(({ name }) => name)).toEqual(["ada"]);
  expect(await statusWith(token)).toBe(200);
});

test("[X95] a person who chose the demo's name is not the demo", async () => {
  const claimed = await running.doors.claim(
    present(running.doors.openSetUp(), "the set-up token"),
    {
      name: "demo-admin",
      credential: { type: "password", password: "a sentence of my own" },
      projectId: "ward",
    },
    { address: "test", site: null, place: null },
  );
  expect(claimed.ok).toBe(true);
  expect(await openDemoAdmin(running)).toBeNull();
  expect(running.accessDesk.book.list("api-token")).toEqual([]);
});

test("[X95] without the role of admin, the demo has no way in", async () => {
  await openDemoAdmin(running);
  const { accessDesk } = running;
  const demo = present(accessDesk.book.personByName("demo-admin"), "the demo's admin");
  const ada = { personId: "a".repeat(32), name: "ada", signsInWith: "password" } as const;
  const invited = await accessDesk.invite({ role: "admin" }, "", "demo-admin");
  expect(invited.ok && (await accessDesk.useInvitation(invited.value.token, ada)).ok).toBe(true);
  const { personId } = demo;
  const proposed = await accessDesk.propose({ type: "take-admin-role", personId }, "a real one", "ada");
  expect(proposed.ok).toBe(true);
  if (proposed.ok) expect((await accessDesk.agree(proposed.value.proposalId, "demo-admin")).ok).toBe(true);
  expect(await openDemoAdmin(running)).toBeNull();
});
