import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openOpenId } from "#coordinator/adapters/auth/open-id.ts";
import { type Answer, CookieJar, type DoorWorld, openDoorWorld } from "#test/kit/worlds/door-world.ts";
import { type IssuerFaults, type OpenIdIssuer, openIssuer } from "#test/kit/worlds/open-id-issuer.ts";

/* Signing in with an account at an OpenID provider, over real HTTP to a provider on this machine. */

const CLIENT = { id: "chorus", secret: "a secret of the client" };
const MINUTE_MS = 60_000;

let issuer: OpenIdIssuer;
let world: DoorWorld;
let ada: CookieJar;

beforeEach(async () => {
  issuer = await openIssuer(CLIENT);
  world = await openDoorWorld({
    openId: openOpenId({ issuer: issuer.url, clientId: CLIENT.id, clientSecret: CLIENT.secret }),
  });
  ada = new CookieJar();
  const credential = { type: "password", password: "an ordinary sentence" };
  const body = { token: world.doors.openSetUp(), name: "ada", projectId: "ward", credential };
  await world.ask("POST", "/api/v1/setup", { body, jar: ada });
});
afterEach(async () => {
  await world.close();
  await issuer.close();
});

const begin = (jar: CookieJar, body: object = { to: "/runs" }) =>
  world.ask("POST", "/api/v1/session/openid", { body, jar, headers: { origin: world.origin } });

/** What the provider's page does: the address that it sends the browser back to. */
async function atProvider(url: string): Promise<URL> {
  const answer = await fetch(url, { redirect: "manual" });
  return new URL(answer.headers.get("location") ?? "");
}

const comeBack = (
  jar: CookieJar,
  { pathname, search }: URL,
  headers: Readonly<Record<string, string>> = {},
) => world.ask("GET", `${pathname}${search}`, { jar, headers });

async function signIn(jar: CookieJar, body?: object): Promise<Answer> {
  const begun = await begin(jar, body);
  if (begun.status !== 200) return begun;
  return comeBack(jar, await atProvider(begun.body.url));
}

const own = (jar: CookieJar) => world.ask("GET", "/api/v1/session", { jar });
const codeOf = ({ body }: Answer) => body?.error?.code;

async function invited(name = "bob"): Promise<object> {
  const made = await world.desk.invite({ role: "auditor", projectId: "ward" }, "", "ada");
  if (!made.ok) throw new Error(made.error.message);
  return { to: "/runs", invitation: { token: made.value.token, name } };
}

describe("an account at the provider", () => {
  test("[X21] becomes someone's by an invitation, and signs them in from then on", async () => {
    const joined = new CookieJar();
    const done = await signIn(joined, await invited());
    expect([done.status, done.headers.location]).toEqual([303, "/runs"]);
    expect((await own(joined)).body).toMatchObject({ name: "bob", signsInWith: ["openid"], isProved: true });
    const again = new CookieJar();
    expect((await signIn(again, { to: "/runs?tab=log#top" })).headers.location).toBe("/runs?tab=log#top");
    expect((await own(again)).body).toMatchObject({ name: "bob", isNewPlace: true });
    expect([...again.values.keys()].sort()).toEqual(["chorus-local", "chorus-place"]);
  });

  test("[X21] of a stranger opens nothing, and the sentence says whom to ask", async () => {
    const jar = new CookieJar();
    const refused = await signIn(jar);
    expect([refused.status, codeOf(refused)]).toEqual([403, "FORBIDDEN"]);
    expect(refused.body.error.message).toBe(
      "Nobody here signs in with this account. Ask an admin for an invitation.",
    );
    expect(jar.values.has("chorus-local")).toBe(false);
    const { url } = (await begin(jar)).body;
    const page = await comeBack(jar, await atProvider(url), { accept: "text/html" });
    expect([page.status, page.headers.location]).toEqual([303, "/sign-in?refused=FORBIDDEN"]);
  });

  test("[X21] is added from a session with a fresh proof, and is then a proof", async () => {
    const link = { to: "/", purpose: "link" };
    expect((await signIn(ada, link)).status).toBe(303);
    expect((await own(ada)).body.signsInWith).toEqual(["password", "openid"]);
    world.clock.advance(11 * MINUTE_MS);
    expect((await own(ada)).body.isProved).toBe(false);
    expect(codeOf(await begin(ada, link))).toBe("STEP_UP_NEEDED");
    const before = ada.values.get("chorus-local");
    expect((await signIn(ada, { to: "/", purpose: "prove" })).status).toBe(303);
    expect((await own(ada)).body.isProved).toBe(true);
    expect(ada.values.get("chorus-local")).not.toBe(before);
  });

  test("[X21] of somebody else proves nothing, and is not added to a second person", async () => {
    const bob = new CookieJar();
    await signIn(bob, await invited());
    expect(codeOf(await signIn(ada, { to: "/", purpose: "prove" }))).toBe("WRONG_CREDENTIALS");
    expect(codeOf(await signIn(ada, { to: "/", purpose: "link" }))).toBe("CONFLICT");
    expect(codeOf(await signIn(new CookieJar(), await invited("eve")))).toBe("CONFLICT");
    expect(world.desk.book.personByName("eve")).toBeNull();
    expect(await world.store.countAuthRecords("user", [])).toBe(2);
  });

  test("[X21] proves only if the person authenticated there just now", async () => {
    await signIn(ada, { to: "/", purpose: "link" });
    const longAgo = Math.floor(Date.now() / 1000) - 3_600;
    issuer.state.faults = { claims: { auth_time: longAgo } };
    expect(codeOf(await signIn(ada, { to: "/", purpose: "prove" }))).toBe("WRONG_CREDENTIALS");
    // The control: signing in asks for no fresh proof there.
    expect((await signIn(new CookieJar())).status).toBe(303);
  });

  test("[X21] is linked or proved by nobody who has not signed in", async () => {
    for (const purpose of ["link", "prove"])
      expect(codeOf(await begin(new CookieJar(), { to: "/", purpose }))).toBe("NOT_AUTHENTICATED");
  });
});

describe("an answer of the provider", () => {
  const known = async () => {
    await signIn(new CookieJar(), await invited());
    expect((await signIn(new CookieJar())).status).toBe(303);
  };

  test.each<[string, IssuerFaults]>([
    ["with another nonce", { claims: { nonce: "another" } }],
    ["without a nonce", { claims: { nonce: undefined } }],
    ["for another client", { claims: { aud: "another" } }],
    ["of another issuer", { claims: { iss: "https://evil.example" } }],
    ["that has run out", { claims: { exp: 1_000 } }],
    ["without a subject", { claims: { sub: undefined } }],
    ["signed with another key", { foreignKey: true }],
    ["without an ID token", { noIdToken: true }],
    ["that names another issuer to the browser", { iss: "https://evil.example" }],
  ])("[X21] %s signs nobody in", async (_, faults) => {
    await known();
    issuer.state.faults = faults;
    const jar = new CookieJar();
    const refused = await signIn(jar);
    expect([refused.status, codeOf(refused)]).toEqual([401, "WRONG_CREDENTIALS"]);
    expect(jar.values.has("chorus-local")).toBe(false);
  });

  test("[X21] works once, in the browser that began, within ten minutes", async () => {
    await known();
    const jar = new CookieJar();
    const other = new CookieJar();
    const stolen = await atProvider((await begin(jar)).body.url);
    expect(codeOf(await comeBack(new CookieJar(), stolen))).toBe("TOKEN_ENDED");
    await begin(other);
    const mine = await atProvider((await begin(jar)).body.url);
    expect(codeOf(await comeBack(other, mine))).toBe("TOKEN_ENDED");
    const once = await atProvider((await begin(jar)).body.url);
    const kept = jar.values.get("chorus-openid") ?? "";
    expect((await comeBack(jar, once)).status).toBe(303);
    jar.values.set("chorus-openid", kept);
    expect(codeOf(await comeBack(jar, once))).toBe("TOKEN_ENDED");
    const late = await atProvider((await begin(jar)).body.url);
    world.clock.advance(10 * MINUTE_MS);
    expect(codeOf(await comeBack(jar, late))).toBe("TOKEN_ENDED");
  });

  test("[X21] that says no, or whose code was changed, signs nobody in", async () => {
    await known();
    issuer.state.refuses = true;
    const refused = await signIn(new CookieJar());
    expect(refused.body.error.message).toContain("did not confirm who you are");
    issuer.state.refuses = false;
    const jar = new CookieJar();
    const back = await atProvider((await begin(jar)).body.url);
    back.searchParams.set("code", "made-up");
    expect(codeOf(await comeBack(jar, back))).toBe("WRONG_CREDENTIALS");
    for (const query of ["", "?state=", "?state=x&state=y&code=z", "?code=x"]) {
      const answer = await world.ask("GET", `/api/v1/session/openid/callback${query}`, { jar });
      expect(codeOf(answer)).toBe("TOKEN_ENDED");
    }
  });

  test("[X20] leads only to this host", async () => {
    for (const to of ["//evil.example", "https:evil.example", "/\\evil.example", "https://evil.example/"])
      expect(codeOf(await begin(new CookieJar(), { to }))).toBe("BAD_REQUEST");
  });
});

describe("a provider", () => {
  test("[X21] is told who asks, and nothing about the person but who they are", async () => {
    const { url } = (await begin(new CookieJar())).body;
    const asked = new URL(url).searchParams;
    expect(asked.get("scope")).toBe("openid");
    expect(asked.get("code_challenge_method")).toBe("S256");
    expect(asked.get("redirect_uri")).toBe(`${world.origin}/api/v1/session/openid/callback`);
    for (const name of ["state", "nonce", "code_challenge"])
      expect(asked.get(name)).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(url).not.toContain("secret");
  });

  test("that does not answer is told, and asked again the next time", async () => {
    await world.close();
    const gone = { issuer: "http://127.0.0.1:9", clientId: "a", clientSecret: "b" };
    world = await openDoorWorld({ openId: openOpenId(gone) });
    expect(codeOf(await begin(new CookieJar()))).toBe("UNAVAILABLE");
    await world.close();
    world = await openDoorWorld();
    expect(codeOf(await begin(new CookieJar()))).toBe("NOT_FOUND");
  });
});
