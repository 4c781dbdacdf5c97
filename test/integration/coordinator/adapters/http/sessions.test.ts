import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newToken } from "#shared/access/tokens.ts";
import { randomBytes } from "#shared/node/system.ts";
import { codeOf, credential, doorHelpers, PASSWORD } from "#test/kit/worlds/door-helpers.ts";
import { CookieJar, type DoorWorld, openDoorWorld } from "#test/kit/worlds/door-world.ts";

/* Cookies, sessions and tickets over real HTTP and SQLite. */

let world: DoorWorld;
let admin: CookieJar;
beforeEach(async () => {
  world = await openDoorWorld();
  admin = new CookieJar();
});
afterEach(() => world.close());
const { setUp, signIn, own, stored, invitation } = doorHelpers(() => ({ world, admin }));

describe("cookies", () => {
  test("[X11] on this machine", async () => {
    await setUp();
    const [session, place] = admin.taken;
    expect(session).toMatch(
      /^chorus-local=[A-Za-z0-9_-]{43}; Path=\/; Max-Age=604800; HttpOnly; SameSite=Lax$/,
    );
    expect(place).toMatch(/^chorus-place=[0-9a-f]{64}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/);
  });

  test("[X11] behind a trusted proxy that speaks TLS", async () => {
    await world.close();
    world = await openDoorWorld({ publicUrl: "https://chorus.example", trustedProxies: "127.0.0.1" });
    const jar = new CookieJar();
    const token = world.doors.openSetUp();
    const headers = {
      origin: "https://chorus.example",
      "x-forwarded-proto": "https",
      "x-forwarded-for": "203.0.113.7",
    };
    const at = { host: "chorus.example", headers };
    const body = { token, name: "ada", projectId: "ward", credential };
    expect((await world.ask("POST", "/api/v1/setup", { ...at, body, jar })).status).toBe(200);
    const [session, place] = jar.taken;
    expect(session).toMatch(
      /^__Host-chorus=[^;]{43}; Path=\/; Max-Age=604800; HttpOnly; SameSite=Lax; Secure$/,
    );
    expect(place).toMatch(/^__Host-chorus-place=[^;]{64}; Path=\/; .*; Secure$/);
    expect((await world.ask("GET", "/api/v1/session", { ...at, jar })).status).toBe(200);
    // The name of the other world opens nothing, and neither does this one on the machine itself.
    const moved = new CookieJar();
    moved.values.set("chorus-local", jar.values.get("__Host-chorus") ?? "");
    expect((await world.ask("GET", "/api/v1/session", { ...at, jar: moved })).status).toBe(401);
    expect((await world.ask("GET", "/api/v1/session", { jar })).status).toBe(401);
    // What comes through the proxy in plain HTTP is no more than that, though the proxy is on this machine.
    const plain = { host: "localhost", headers: { ...headers, "x-forwarded-proto": "http" } };
    const again = { name: "ada", password: PASSWORD };
    expect(codeOf(await world.ask("POST", "/api/v1/session", { ...plain, body: again }))).toBe(
      "INSECURE_SIGN_IN",
    );
  });

  test("[X11] are not those of https because a stranger says so", async () => {
    await setUp();
    const headers = { "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.7" };
    const jar = new CookieJar();
    const body = { name: "ada", password: PASSWORD };
    // Nor those of this machine: a proxy that nobody has named passes on what came from elsewhere.
    for (const passedOn of [headers, { via: "1.1 proxy" }, { "x-real-ip": "203.0.113.7" }]) {
      const answer = await world.ask("POST", "/api/v1/session", { body, jar, headers: passedOn });
      expect(codeOf(answer)).toBe("INSECURE_SIGN_IN");
    }
    expect(jar.taken).toEqual([]);
    expect((await signIn(PASSWORD, jar)).status).toBe(200);
    expect([...jar.values.keys()]).toEqual(["chorus-local", "chorus-place"]);
  });

  test("[X11] are neither given nor read over plain HTTP from elsewhere", async () => {
    await world.close();
    world = await openDoorWorld({ publicUrl: "http://chorus.example" });
    await setUp();
    const at = { host: "chorus.example", headers: { origin: "http://chorus.example" } };
    const body = { name: "ada", password: PASSWORD };
    const refused = await world.ask("POST", "/api/v1/session", { ...at, body });
    expect([refused.status, codeOf(refused)]).toEqual([403, "INSECURE_SIGN_IN"]);
    expect(refused.headers["set-cookie"]).toBeUndefined();
    expect((await world.ask("GET", "/api/v1/session", { ...at, jar: admin })).status).toBe(401);
    // The control: on the machine itself both work.
    expect((await signIn(PASSWORD)).status).toBe(200);
    expect((await own(admin)).status).toBe(200);
  });

  test("[X11] and API tokens over plain HTTP from elsewhere are refused before a look-up", async () => {
    await world.close();
    world = await openDoorWorld({ publicUrl: "https://chorus.example", trustedProxies: "127.0.0.1" });
    const personId = "a".repeat(32);
    const row = await world.desk.setUp({ personId, name: "ada", signsInWith: "password" }, "ward");
    if (!row.ok) throw new Error(row.error.message);
    const made = await world.desk.makeApiToken(row.value, { label: "t", scopes: ["read"], days: 1 });
    if (!made.ok) throw new Error(made.error.message);
    const ask = (scheme: "http" | "https", authorization: string) =>
      world.ask("GET", "/api/v1/session", {
        host: "chorus.example",
        headers: { authorization, "x-forwarded-proto": scheme, "x-forwarded-for": "203.0.113.7" },
      });
    const bearer = `Bearer ${made.value.token}`;
    for (const shown of [
      bearer,
      bearer.replace("Bearer", "bearer "),
      `Bearer ${newToken("api", randomBytes)}`,
    ])
      for (let time = 0; time < 20; time++) expect(codeOf(await ask("http", shown))).toBe("INSECURE_SIGN_IN");
    expect(world.desk.lastUsedAt(made.value.row.tokenId)).toBeNull();
    // Through TLS and on the machine itself it is read, and a join token is refused for what it is alone.
    expect((await ask("https", bearer)).status).toBe(200);
    expect(world.desk.lastUsedAt(made.value.row.tokenId)).not.toBeNull();
    const here = await world.ask("GET", "/api/v1/session", { headers: { authorization: bearer } });
    expect(here.status).toBe(200);
    const unknown = await ask("http", `Bearer ${newToken("join", randomBytes)}`);
    expect(codeOf(unknown)).toBe("NOT_AUTHENTICATED");
    expect(unknown.headers["www-authenticate"]).toBe("Bearer");
    expect(here.headers["www-authenticate"]).toBeUndefined();
  });

  test("[X11] of a page over plain HTTP say so, though the public address is https", async () => {
    await world.close();
    world = await openDoorWorld({ publicUrl: "https://chorus.example" });
    await setUp();
    const body = { name: "ada", password: PASSWORD };
    const at = { host: "chorus.example", headers: { origin: "http://chorus.example" } };
    const refused = await world.ask("POST", "/api/v1/session", { ...at, body });
    expect(codeOf(refused)).toBe("INSECURE_SIGN_IN");
    expect(refused.body.error.message).toContain("Use https://chorus.example. If you did");
  });

  test.each([
    ["twice", (token: string) => `chorus-local=${token}; chorus-local=${token}`],
    ["under another name", (token: string) => `chorus=${token}`],
    ["with more behind it", (token: string) => `chorus-local=${token}x`],
    ["quoted", (token: string) => `chorus-local="${token}"`],
    ["of 100 kB", (token: string) => `chorus-local=${token}; a=${"x".repeat(10_000)}`],
  ])("[X11] that come %s", async (how, header) => {
    await setUp();
    const cookie = header(admin.values.get("chorus-local") ?? "");
    const { status } = await world.ask("GET", "/api/v1/session", { headers: { cookie } });
    expect(status).toBe(how === "of 100 kB" ? 200 : 401);
  });

  test("[W8] sign nobody in from a page of another site", async () => {
    await setUp();
    const headers = { origin: "https://evil.example" };
    const body = { name: "ada", password: PASSWORD };
    expect(codeOf(await world.ask("POST", "/api/v1/session", { body, headers }))).toBe("FORBIDDEN");
    expect(codeOf(await world.ask("POST", "/api/v1/session/end", { body: {}, headers, jar: admin }))).toBe(
      "FORBIDDEN",
    );
    expect((await own(admin)).status).toBe(200);
  });
});

describe("a session", () => {
  test("[X10] has its token in the cookie and nowhere in the data folder", async () => {
    await setUp();
    await signIn(PASSWORD, admin);
    const token = admin.values.get("chorus-local") ?? "";
    const place = admin.values.get("chorus-place") ?? "";
    const bytes = await stored();
    expect(bytes.includes(token)).toBe(false);
    expect(bytes.includes(place)).toBe(false);
    expect(bytes.includes(PASSWORD)).toBe(false);
    // The control: what is stored is found.
    const [record] = await world.store.findAuthRecords("session", [], { limit: 1 });
    expect(bytes.includes(record?.token ?? "?")).toBe(true);
  });

  test("[X13] ends at once, and its cookie with it", async () => {
    await setUp();
    const stolen = new CookieJar();
    stolen.values.set("chorus-local", admin.values.get("chorus-local") ?? "");
    expect((await own(stolen)).status).toBe(200);
    expect((await world.ask("POST", "/api/v1/session/end", { body: {}, jar: admin })).status).toBe(200);
    expect(admin.values.has("chorus-local")).toBe(false);
    expect((await own(stolen)).status).toBe(401);
  });

  test("[X13] outlives the others that it ends", async () => {
    await setUp();
    const other = new CookieJar();
    await signIn(PASSWORD, other);
    await world.ask("POST", "/api/v1/session/end-others", { body: {}, jar: admin });
    expect([(await own(admin)).status, (await own(other)).status]).toEqual([200, 401]);
  });

  test("[X13] gets another token when it is proved again, and a wrong proof changes nothing", async () => {
    await setUp();
    const before = admin.values.get("chorus-local");
    const prove = (password: string) =>
      world.ask("POST", "/api/v1/session/prove", { body: { type: "password", password }, jar: admin });
    expect(codeOf(await prove("wrong"))).toBe("WRONG_CREDENTIALS");
    expect(admin.values.get("chorus-local")).toBe(before);
    await prove(PASSWORD);
    expect(admin.values.get("chorus-local")).not.toBe(before);
    const old = new CookieJar();
    old.values.set("chorus-local", before ?? "");
    expect([(await own(old)).status, (await own(admin)).status]).toEqual([401, 200]);
  });

  test("[X13] is nobody's once the last role was taken, and signing in says why", async () => {
    await setUp();
    const bob = new CookieJar();
    const body = { token: await invitation(), name: "bob", credential };
    const joined = await world.ask("POST", "/api/v1/invitations/use", { body, jar: bob });
    expect(joined.body).toMatchObject({ name: "bob", roles: [{ projectId: "ward", role: "researcher" }] });
    expect(joined.body.permissions).not.toContain("people.read");
    const personId: string = joined.body.personId;
    await world.desk.changeRoles(personId, { roles: [], makeAdmin: false }, "ada");
    expect((await own(bob)).status).toBe(401);
    await expect
      .poll(() =>
        world.store.countAuthRecords("session", [{ field: "userId", operator: "eq", value: personId }]),
      )
      .toBe(0);
    const refused = await signIn(PASSWORD, bob, "bob");
    expect([refused.status, codeOf(refused)]).toEqual([403, "FORBIDDEN"]);
    expect(refused.body.error.message).toBe(
      "Your roles were taken on 2026-01-01 at 00:00 UTC by ada. What you had open is closed; nothing of yours was lost.",
    );
  });
});

describe("a ticket", () => {
  const ticket = async (jar: CookieJar): Promise<string> =>
    (await world.ask("POST", "/api/v1/session/ticket", { body: {}, jar })).body.ticket;
  const use = (text: string) => world.doors.own.tickets.use(text);

  test("[X19] stands for its owner once, within 30 seconds", async () => {
    await setUp();
    const one = await ticket(admin);
    expect(use(one)).toMatchObject({ name: "ada", rights: { isAdmin: true } });
    expect(use(one)).toBeNull();
    const late = await ticket(admin);
    world.clock.advance(30_000);
    expect(use(late)).toBeNull();
    expect(use("made up")).toBeNull();
  });

  test("[X19] ends with its session, and with the roles", async () => {
    await setUp();
    const one = await ticket(admin);
    await world.ask("POST", "/api/v1/session/end", { body: {}, jar: admin });
    expect(use(one)).toBeNull();
    const bob = new CookieJar();
    const body = { token: await invitation(), name: "bob", credential };
    const { personId } = (await world.ask("POST", "/api/v1/invitations/use", { body, jar: bob })).body;
    const bobs = await ticket(bob);
    await world.desk.changeRoles(personId, { roles: [], makeAdmin: false }, "ada");
    expect(use(bobs)).toBeNull();
  });
});
