import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newToken } from "#shared/access/tokens.ts";
import { randomBytes } from "#shared/node/system.ts";
import { ownSessionSchema } from "#shared/protocol/access-api.ts";
import { SoftAuthenticator } from "#test/kit/soft-authenticator.ts";
import { codeOf, credential, doorHelpers, PASSWORD } from "#test/kit/worlds/door-helpers.ts";
import { CookieJar, type DoorWorld, openDoorWorld } from "#test/kit/worlds/door-world.ts";

/* Setting up and signing in over real HTTP and SQLite. */

const MINUTE_MS = 60_000;

let world: DoorWorld;
let admin: CookieJar;
beforeEach(async () => {
  world = await openDoorWorld();
  admin = new CookieJar();
});
afterEach(() => world.close());
const { setUp, signIn, own, stored, invitation } = doorHelpers(() => ({ world, admin }));

describe("set-up", () => {
  test("[X17] makes one admin by its token, who is then signed in", async () => {
    const before = await world.ask("GET", "/api/v1/setup");
    expect(before.body).toEqual({ isClaimed: false, endsAt: null, hasOpenId: false });
    const done = await setUp();
    expect(done.status, JSON.stringify(done.body)).toBe(200);
    expect(ownSessionSchema.parse(done.body)).toMatchObject({
      name: "ada",
      isAdmin: true,
      projects: [{ projectId: "ward" }],
      isProved: true,
      isNewPlace: false,
      signsInWith: ["password"],
      by: "session",
    });
    expect(done.body.permissions).toContain("people.manage");
    expect((await own(admin)).body).toMatchObject({ name: "ada" });
    expect((await world.ask("GET", "/api/v1/setup")).body).toMatchObject({ isClaimed: true, endsAt: null });
  });

  test("[X17] works once: nobody becomes a second admin by it, and nothing of them stays", async () => {
    const token = world.doors.openSetUp();
    const claim = (name: string) =>
      world.ask("POST", "/api/v1/setup", { body: { token, name, projectId: "ward", credential } });
    const answers = await Promise.all([claim("ada"), claim("eve")]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 410]);
    expect(world.desk.book.list("person")).toHaveLength(1);
    expect(await world.store.countAuthRecords("user", [])).toBe(1);
    const late = await claim("mallory");
    expect(codeOf(late)).toBe("TOKEN_ENDED");
    expect(late.body.error.message).toMatch(
      /^This link was used on 2026-01-01 at 00:00 UTC\. If that was not/,
    );
    expect(world.doors.openSetUp()).toBeNull();
  });

  test("[X17] takes no other token, none that was replaced, and none after 30 minutes", async () => {
    const claim = (token: string | null) =>
      world.ask("POST", "/api/v1/setup", { body: { token, name: "eve", projectId: "ward", credential } });
    const first = world.doors.openSetUp();
    expect(codeOf(await claim(newToken("setup", randomBytes)))).toBe("TOKEN_ENDED");
    const second = world.doors.openSetUp();
    expect(codeOf(await claim(first))).toBe("TOKEN_ENDED");
    world.clock.advance(30 * MINUTE_MS);
    expect(codeOf(await claim(second))).toBe("TOKEN_ENDED");
    expect(codeOf(await claim(newToken("invitation", randomBytes)))).toBe("BAD_REQUEST");
    expect(world.desk.isClaimed).toBe(false);
  });
});

describe("a password", () => {
  test("[X14] that is wrong and a name that does not exist get the same answers", async () => {
    await setUp();
    const wrong: unknown[] = [];
    const unknown: unknown[] = [];
    for (let count = 0; count < 6; count++) {
      wrong.push((await signIn("wrong")).body);
      unknown.push((await signIn("wrong", undefined, "nobody")).body);
    }
    expect(unknown).toEqual(wrong);
    expect(wrong[0]).toEqual({
      error: {
        code: "WRONG_CREDENTIALS",
        message: "The name or the password is wrong. 4 tries are left.",
        retry: "now",
      },
    });
    expect(wrong[3]).toMatchObject({ error: { message: expect.stringContaining(" 1 try is left.") } });
    const rests = "Five tries failed. Try again at 00:15 UTC. Passkeys work meanwhile.";
    expect(wrong.slice(4)).toEqual([
      { error: { code: "RATE_LIMITED", message: rests, retry: "later" } },
      { error: { code: "RATE_LIMITED", message: rests, retry: "later" } },
    ]);
  });

  test("[X15] is not checked while the account rests, and is afterwards; others are not concerned", async () => {
    await setUp();
    for (let count = 0; count < 5; count++) await signIn("wrong");
    const resting = await signIn(PASSWORD);
    expect([resting.status, resting.headers["retry-after"]]).toEqual([429, "900"]);
    world.clock.advance(10 * MINUTE_MS);
    expect((await signIn(PASSWORD)).headers["retry-after"]).toBe("300");
    const other = await signIn("wrong", undefined, "bob");
    expect(other.body.error.message).toContain("4 tries");
    world.clock.advance(5 * MINUTE_MS);
    expect((await signIn(PASSWORD)).status).toBe(200);
  });

  test("[X15] tried many times at once is tried five times", async () => {
    await setUp();
    const answers = await Promise.all(
      ["a", "b", "c", "d", "e", "f", PASSWORD, "g"].map((password) => signIn(password)),
    );
    expect(answers.map(({ status }) => status).filter((status) => status === 401)).toHaveLength(4);
    expect(answers.some(({ status }) => status === 200)).toBe(false);
  });

  test("[X15] is tried at most 20 times a minute by one address, whatever the names", async () => {
    await setUp();
    const codes: string[] = [];
    for (let count = 0; count < 25; count++)
      codes.push(codeOf(await signIn("wrong", undefined, `person-${count}`)));
    // Set-up was one.
    expect(codes.indexOf("RATE_LIMITED")).toBe(19);
    expect(new Set(codes.slice(19))).toEqual(new Set(["RATE_LIMITED"]));
    world.clock.advance(MINUTE_MS);
    expect((await signIn(PASSWORD)).status).toBe(200);
  });

  test("[X15] that is right starts the count anew", async () => {
    await setUp();
    for (let count = 0; count < 4; count++) await signIn("wrong");
    expect((await signIn(PASSWORD)).status).toBe(200);
    expect((await signIn("wrong")).body.error.message).toContain("4 tries");
  });

  test("[X13] that is new ends the other sessions and needs a fresh proof", async () => {
    await setUp();
    const other = new CookieJar();
    await signIn(PASSWORD, other);
    world.clock.advance(11 * MINUTE_MS);
    const change = () =>
      world.ask("POST", "/api/v1/session/password", { body: { password: "a second sentence" }, jar: admin });
    expect(codeOf(await change())).toBe("STEP_UP_NEEDED");
    const proof = { type: "password", password: PASSWORD };
    const proved = await world.ask("POST", "/api/v1/session/prove", { body: proof, jar: admin });
    expect(proved.body).toMatchObject({ isProved: true });
    expect((await change()).status).toBe(200);
    expect((await own(other)).status).toBe(401);
    expect((await own(admin)).status).toBe(200);
    expect((await signIn(PASSWORD)).status).toBe(401);
    expect((await signIn("a second sentence")).status).toBe(200);
  });
});

describe("an invitation", () => {
  test("[X17] is looked at without being used, and used once", async () => {
    await setUp();
    const token = await invitation("auditor");
    const look = () => world.ask("POST", "/api/v1/invitations/look", { body: { token } });
    expect((await look()).body).toMatchObject({
      role: { role: "auditor", projectId: "ward" },
      invitedBy: "ada",
    });
    const use = (name: string) =>
      world.ask("POST", "/api/v1/invitations/use", { body: { token, name, credential } });
    expect(codeOf(await use("ada"))).toBe("CONFLICT");
    const answers = await Promise.all([use("bob"), use("eve")]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 410]);
    expect([codeOf(await look()), codeOf(await use("mallory"))]).toEqual(["TOKEN_ENDED", "TOKEN_ENDED"]);
    expect(await world.store.countAuthRecords("user", [])).toBe(2);
    expect(await world.store.countAuthRecords("account", [])).toBe(2);
  });

  test("[X17] that has run out makes nobody", async () => {
    await setUp();
    const token = await invitation();
    world.clock.advance(72 * 60 * MINUTE_MS);
    const body = { token, name: "bob", credential };
    expect(codeOf(await world.ask("POST", "/api/v1/invitations/use", { body }))).toBe("TOKEN_ENDED");
  });
});

describe("a place", () => {
  const placesInLog = async () =>
    (await stored()).toString("latin1").split("signed-in-from-new-place").length - 1;

  test("[X18] that is new to someone is told and logged, once", async () => {
    await setUp();
    expect((await signIn(PASSWORD, admin)).body.isNewPlace).toBe(false);
    const before = await placesInLog();
    const other = new CookieJar();
    expect((await signIn(PASSWORD, other)).body.isNewPlace).toBe(true);
    expect((await own(other)).body.isNewPlace).toBe(true);
    expect(await placesInLog()).toBeGreaterThan(before);
    expect((await signIn(PASSWORD, other)).body.isNewPlace).toBe(false);
  });

  test("[X18] that is new to someone is told to their other sessions, for a week", async () => {
    await setUp();
    await signIn(PASSWORD, admin);
    expect((await own(admin)).body.newPlaceElsewhereAt).toBeNull();
    const other = new CookieJar();
    const now = new Date(world.clock.nowUnixMs()).toISOString();
    await signIn(PASSWORD, other);
    expect((await own(other)).body.newPlaceElsewhereAt).toBeNull();
    expect((await own(admin)).body.newPlaceElsewhereAt).toBe(now);
    // It stays said if that session signs out at once.
    await world.ask("POST", "/api/v1/session/end", { body: {}, jar: other });
    expect((await own(admin)).body.newPlaceElsewhereAt).toBe(now);
  });

  test("[X18] of one person is new to another", async () => {
    await setUp();
    const body = { token: await invitation(), name: "bob", credential };
    await world.ask("POST", "/api/v1/invitations/use", { body });
    expect((await signIn(PASSWORD, admin, "bob")).body.isNewPlace).toBe(true);
  });
});

describe("a link", () => {
  test("[X17] signs one browser in, once", async () => {
    await setUp();
    const personId = world.desk.book.personByName("ada")?.personId ?? "";
    const token = world.doors.signInLink(personId);
    const use = (jar: CookieJar) => world.ask("POST", "/api/v1/session/link", { body: { token }, jar });
    const jar = new CookieJar();
    expect((await use(jar)).body).toMatchObject({ name: "ada" });
    expect((await own(jar)).status).toBe(200);
    expect(codeOf(await use(new CookieJar()))).toBe("TOKEN_ENDED");
  });
});

describe("a passkey", () => {
  const here = () => ({ headers: { origin: world.origin } });
  const site = () => ({ origin: world.origin, host: "localhost" });

  test("[X16] sets up, is added, proves and signs in, also while the account rests", async () => {
    const authenticator = new SoftAuthenticator(site());
    const asked = await world.ask("POST", "/api/v1/session/passkey/new", {
      body: { name: "ada" },
      ...here(),
    });
    const answer = { challengeId: asked.body.challengeId, response: authenticator.make(asked.body) };
    const token = world.doors.openSetUp();
    const claim = { token, name: "ada", projectId: "ward", credential: { type: "passkey", answer } };
    const claimed = await world.ask("POST", "/api/v1/setup", { body: claim, jar: admin, ...here() });
    expect(claimed.body).toMatchObject({ name: "ada", signsInWith: ["passkey"] });

    for (let count = 0; count < 5; count++) await signIn("wrong");
    const options = () => world.ask("POST", "/api/v1/session/passkey/options", { body: {}, ...here() });
    const use = async () => {
      const { body } = await options();
      return { challengeId: body.challengeId, response: authenticator.use(body) };
    };
    const jar = new CookieJar();
    const entered = await world.ask("POST", "/api/v1/session/passkey", { body: await use(), jar });
    expect(entered.body).toMatchObject({ name: "ada", isProved: true });
    const proof = { type: "passkey", answer: await use() };
    expect((await world.ask("POST", "/api/v1/session/prove", { body: proof, jar })).status).toBe(200);

    const second = new SoftAuthenticator(site());
    const more = await world.ask("POST", "/api/v1/session/passkeys/options", { body: {}, jar, ...here() });
    expect(more.body.options["excludeCredentials"]).toHaveLength(1);
    const made = { challengeId: more.body.challengeId, response: second.make(more.body) };
    expect((await world.ask("POST", "/api/v1/session/passkeys", { body: made, jar })).status).toBe(200);
    const next = (await options()).body;
    const bySecond = { challengeId: next.challengeId, response: second.use(next) };
    expect((await world.ask("POST", "/api/v1/session/passkey", { body: bySecond })).status).toBe(200);
  });

  test("[X22] is removed for good, unless it is the only way, and other sessions end", async () => {
    await setUp();
    const lost = new SoftAuthenticator(site());
    const asked = await world.ask("POST", "/api/v1/session/passkeys/options", {
      body: {},
      jar: admin,
      ...here(),
    });
    const added = { challengeId: asked.body.challengeId, response: lost.make(asked.body) };
    await world.ask("POST", "/api/v1/session/passkeys", { body: added, jar: admin });
    const options = () => world.ask("POST", "/api/v1/session/passkey/options", { body: {}, ...here() });
    const use = async (jar: CookieJar) => {
      const { body } = await options();
      const answer = { challengeId: body.challengeId, response: lost.use(body) };
      return world.ask("POST", "/api/v1/session/passkey", { body: answer, jar });
    };
    const thief = new CookieJar();
    expect((await use(thief)).status).toBe(200);
    const ways = (await world.ask("GET", "/api/v1/session/ways", { jar: admin })).body.items;
    expect(ways.map(({ way }) => way).sort()).toEqual(["passkey", "password"]);
    const remove = (wayId: string, jar = admin) =>
      world.ask("POST", `/api/v1/session/ways/${wayId}/remove`, { body: {}, jar });
    expect(codeOf(await remove("0".repeat(32)))).toBe("NOT_FOUND");
    // Of two at once, one stays.
    const idOf = (kind: string) => ways.find(({ way }) => way === kind)?.wayId ?? "";
    const both = await Promise.all([remove(idOf("passkey")), remove(idOf("password"))]);
    expect(both.map((one) => codeOf(one) ?? "removed")).toEqual(["removed", "CONFLICT"]);
    expect(both[0]?.body.items).toMatchObject([{ way: "password" }]);
    expect((await own(thief)).status).toBe(401);
    expect(codeOf(await use(new CookieJar()))).toBe("WRONG_CREDENTIALS");
    expect((await own(admin)).body.signsInWith).toEqual(["password"]);
    expect((await signIn(PASSWORD)).status).toBe(200);
  });

  test("[X16] of somebody else proves nothing", async () => {
    await setUp();
    const bobs = new SoftAuthenticator(site());
    const asked = await world.ask("POST", "/api/v1/session/passkey/new", {
      body: { name: "bob" },
      ...here(),
    });
    const answer = { challengeId: asked.body.challengeId, response: bobs.make(asked.body) };
    const body = { token: await invitation(), name: "bob", credential: { type: "passkey", answer } };
    expect((await world.ask("POST", "/api/v1/invitations/use", { body })).status).toBe(200);
    const options = await world.ask("POST", "/api/v1/session/passkey/options", { body: {}, ...here() });
    const proof = {
      type: "passkey",
      answer: { challengeId: options.body.challengeId, response: bobs.use(options.body) },
    };
    const refused = await world.ask("POST", "/api/v1/session/prove", { body: proof, jar: admin });
    expect(codeOf(refused)).toBe("WRONG_CREDENTIALS");
  });

  test("[X16] needs a page of ours, by a name", async () => {
    const path = "/api/v1/session/passkey/options";
    expect(codeOf(await world.ask("POST", path, { body: {} }))).toBe("BAD_REQUEST");
    const address = `127.0.0.1:${world.port}`;
    const at = { host: address, headers: { origin: `http://${address}` } };
    expect(codeOf(await world.ask("POST", path, { body: {}, ...at }))).toBe("BAD_REQUEST");
  });
});
