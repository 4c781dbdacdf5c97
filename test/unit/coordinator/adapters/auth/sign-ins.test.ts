import { beforeEach, describe, expect, test } from "vitest";
import { openSignIns } from "#coordinator/adapters/auth/sign-ins.ts";
import type { PasskeyOptions, SignIns } from "#coordinator/core/ports/sign-ins.ts";
import { randomBytes } from "#shared/node/system.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";
import { memoryDatabase } from "#test/kit/fakes/memory-database.ts";
import { memoryStore } from "#test/kit/fakes/memory-store.ts";
import { type Faults, SoftAuthenticator } from "#test/kit/soft-authenticator.ts";

/* Accounts, credentials and sessions over a store in memory, with clocks that a test sets. */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ADA = "a".repeat(32);
const BOB = "b".repeat(32);
const SITE = { origin: "https://chorus.example", host: "chorus.example" };

class World {
  readonly db = memoryDatabase();
  clock = new ManualClock();
  /** How far the wall clock is from the monotonic one. */
  offsetMs = 0;
  /** Calls of the store. */
  callCount = 0;
  signIns: SignIns & { close(): void } = this.open();

  open(): SignIns & { close(): void } {
    const nothing = () => {};
    return openSignIns({
      records: memoryStore(this.db, async () => {
        this.callCount += 1;
      }),
      random: randomBytes,
      clock: this.clock,
      wall: { nowUnixMs: () => this.clock.nowUnixMs() + this.offsetMs },
      after: this.clock.after,
      log: { info: nothing, warn: nothing, error: nothing },
    });
  }

  /** A new process on the same store, whose monotonic clock begins anew. */
  restart(): void {
    this.offsetMs += this.clock.nowMs();
    this.clock = new ManualClock();
    this.signIns = this.open();
  }

  /** Everything that is stored, as text. */
  get stored(): string {
    return JSON.stringify([...this.db.authRecords.entries()]);
  }
}

let world: World;
beforeEach(async () => {
  world = new World();
  await world.signIns.addPerson({ personId: ADA, name: "ada" });
  await world.signIns.addPerson({ personId: BOB, name: "bob" });
});

describe("passwords", () => {
  test("[X14] are right, wrong, or of nobody, and each is checked against a hash", async () => {
    const { signIns } = world;
    await signIns.setPassword(ADA, "an ordinary sentence");
    expect(await signIns.isPassword(ADA, "an ordinary sentence")).toEqual({ ok: true, value: true });
    expect(await signIns.isPassword(ADA, "another sentence")).toEqual({ ok: true, value: false });
    expect(await signIns.isPassword(BOB, "an ordinary sentence")).toEqual({ ok: true, value: false });
    expect(await signIns.isPassword(null, "an ordinary sentence")).toEqual({ ok: true, value: false });
    expect(world.stored).not.toContain("ordinary");
  });

  test("[X14] take about as long for nobody as for a wrong one", async () => {
    const { signIns } = world;
    await signIns.setPassword(ADA, "an ordinary sentence");
    await signIns.isPassword(null, "warm");
    const fastest = async (personId: string | null) => {
      const took: number[] = [];
      for (let round = 0; round < 7; round++) {
        const begun = performance.now();
        await signIns.isPassword(personId, "wrong");
        took.push(performance.now() - begun);
      }
      return Math.min(...took);
    };
    const [known, unknown] = [await fastest(ADA), await fastest(null)];
    // A look-up alone takes microseconds, the hash tens of milliseconds.
    expect(unknown).toBeGreaterThan(known / 2);
    expect(known).toBeGreaterThan(unknown / 2);
  });

  test("are replaced, and not by an empty one", async () => {
    const { signIns } = world;
    await signIns.setPassword(ADA, "the first sentence");
    await signIns.setPassword(ADA, "the second sentence");
    expect(await signIns.isPassword(ADA, "the first sentence")).toMatchObject({ value: false });
    expect(await signIns.isPassword(ADA, "the second sentence")).toMatchObject({ value: true });
    expect(await signIns.isPassword(BOB, "")).toMatchObject({ value: false });
  });

  test("[X15] wait for their turn, and too many are refused", async () => {
    const { signIns } = world;
    const asked = Array.from({ length: 18 }, () => signIns.isPassword(null, "x"));
    const answers = await Promise.all(asked);
    expect(answers.filter(({ ok }) => !ok)).toEqual([
      { ok: false, error: "busy" },
      { ok: false, error: "busy" },
    ]);
    expect(await signIns.isPassword(null, "x")).toMatchObject({ ok: true });
  });
});

describe("a session", () => {
  test("[X10] is stored by the hash of its token, and finding one by that hash fails", async () => {
    const { token } = await world.signIns.openSession(ADA);
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(world.stored).not.toContain(token);
    const [record] = world.db.authRecords.get("session") ?? [];
    expect(record).toMatchObject({ userId: ADA, ipAddress: null, userAgent: null });
    expect(await world.signIns.findSession(String(record?.["token"]))).toBeNull();
    expect(await world.signIns.findSession(token)).toMatchObject({ personId: ADA });
    // The control: the search finds what is stored.
    expect(world.stored).toContain(String(record?.["token"]));
  });

  test("[X10] is checked without a call of the store", async () => {
    const { token } = await world.signIns.openSession(ADA);
    const before = world.callCount;
    for (let asked = 0; asked < 100; asked++) expect(await world.signIns.findSession(token)).not.toBeNull();
    expect(world.callCount).toBe(before);
    await world.signIns.endSessions(ADA);
    expect(world.callCount).toBeGreaterThan(before);
    expect(await world.signIns.findSession(token)).toBeNull();
  });

  test("[X12] ends after 12 hours without use", async () => {
    const { token } = await world.signIns.openSession(ADA);
    world.clock.advance(12 * HOUR_MS - 1);
    expect(await world.signIns.findSession(token)).not.toBeNull();
    world.clock.advance(12 * HOUR_MS);
    expect(await world.signIns.findSession(token)).toBeNull();
    expect(world.db.authRecords.get("session")).toEqual([]);
  });

  test("[X36] tells that its time is over without being asked", async () => {
    const ended: string[] = [];
    world.signIns.onSessionEnd((sessionId) => void ended.push(sessionId));
    const { session } = await world.signIns.openSession(ADA);
    const advance = async (ms: number) => {
      world.clock.advance(ms);
      // The next wait begins when the work of this one is done.
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    };
    for (let minute = 1; minute < 12 * 60; minute++) await advance(60_000);
    await advance(30_000);
    await advance(29_999);
    expect(ended).toEqual([]);
    await advance(1_000);
    expect(ended).toEqual([session.sessionId]);
  });

  test("[X12] ends after 7 days, however it is used", async () => {
    const { token } = await world.signIns.openSession(ADA);
    for (let hour = 1; hour < 7 * 24; hour++) {
      world.clock.advance(HOUR_MS);
      expect(await world.signIns.findSession(token)).not.toBeNull();
    }
    world.clock.advance(HOUR_MS);
    expect(await world.signIns.findSession(token)).toBeNull();
  });

  test("[X12] gets no more time by a clock that is set back, nor does its proof", async () => {
    const { token, session } = await world.signIns.openSession(ADA);
    expect(session.endsAt - session.openedAt).toBe(12 * HOUR_MS);
    world.offsetMs = -30 * DAY_MS;
    const found = await world.signIns.findSession(token);
    // Ages are as they were, by the clock that others compare with.
    const now = world.clock.nowUnixMs() + world.offsetMs;
    expect(now - (found?.provedAt ?? 0)).toBe(0);
    world.clock.advance(HOUR_MS);
    const later = await world.signIns.findSession(token);
    expect(world.clock.nowUnixMs() + world.offsetMs - (later?.provedAt ?? 0)).toBe(HOUR_MS);
    world.clock.advance(12 * HOUR_MS);
    expect(await world.signIns.findSession(token)).toBeNull();
  });

  test("[X12] gets no more time by a clock that is set back while the process is down", async () => {
    const { token } = await world.signIns.openSession(ADA);
    world.restart();
    world.offsetMs -= 30 * DAY_MS;
    for (let hour = 1; hour < 7 * 24; hour++) {
      world.clock.advance(HOUR_MS);
      expect(await world.signIns.findSession(token)).not.toBeNull();
    }
    world.clock.advance(HOUR_MS);
    expect(await world.signIns.findSession(token)).toBeNull();
  });

  test("[X12] lives on in a new process, with what its use has added", async () => {
    const { token } = await world.signIns.openSession(ADA);
    world.clock.advance(11 * HOUR_MS);
    await world.signIns.findSession(token);
    await expect
      .poll(() => world.db.authRecords.get("session")?.[0]?.["updatedAt"])
      .toBe(world.clock.nowUnixMs());
    world.restart();
    world.clock.advance(11 * HOUR_MS);
    expect(await world.signIns.findSession(token)).toMatchObject({ personId: ADA });
  });

  test("[X13] that is ended works no more, and others are told", async () => {
    const told: string[] = [];
    world.signIns.onSessionEnd((sessionId) => told.push(sessionId));
    const one = await world.signIns.openSession(ADA);
    const two = await world.signIns.openSession(ADA);
    const other = await world.signIns.openSession(BOB);
    const ending = world.signIns.endSession(one.session.sessionId);
    // At once, before the store has answered.
    expect(await world.signIns.findSession(one.token)).toBeNull();
    await ending;
    await world.signIns.endSessions(ADA);
    expect(await world.signIns.findSession(two.token)).toBeNull();
    expect(await world.signIns.findSession(other.token)).not.toBeNull();
    expect(told).toEqual([one.session.sessionId, two.session.sessionId]);
    await world.signIns.reload();
    expect(await world.signIns.findSession(one.token)).toBeNull();
    expect(await world.signIns.findSession(other.token)).not.toBeNull();
  });

  test("[X13] gets a new token with a fresh proof, and the old one works no more", async () => {
    const { token, session } = await world.signIns.openSession(ADA);
    world.clock.advance(HOUR_MS);
    const renewed = await world.signIns.renewSession(session.sessionId);
    expect(renewed?.token).not.toBe(token);
    expect(renewed?.session.sessionId).toBe(session.sessionId);
    expect(renewed?.session.provedAt).toBe(world.clock.nowUnixMs());
    expect(await world.signIns.findSession(token)).toBeNull();
    expect(await world.signIns.findSession(renewed?.token ?? "")).not.toBeNull();
    world.restart();
    expect(await world.signIns.findSession(token)).toBeNull();
    expect(await world.signIns.findSession(renewed?.token ?? "")).not.toBeNull();
    await world.signIns.endSession(session.sessionId);
    expect(await world.signIns.renewSession(session.sessionId)).toBeNull();
  });

  test("[X13] is one of at most 20 of a person: the longest unused one ends", async () => {
    const first = await world.signIns.openSession(ADA);
    for (let count = 0; count < 20; count++) {
      world.clock.advance(1);
      await world.signIns.openSession(ADA);
    }
    expect(await world.signIns.findSession(first.token)).toBeNull();
    expect(world.db.authRecords.get("session")).toHaveLength(20);
  });

  test("[X13] that another process ended is gone after reading anew", async () => {
    const told: string[] = [];
    world.signIns.onSessionEnd((sessionId) => told.push(sessionId));
    const { token, session } = await world.signIns.openSession(ADA);
    world.db.authRecords.set("session", []);
    await world.signIns.reload();
    expect(await world.signIns.findSession(token)).toBeNull();
    expect(told).toEqual([session.sessionId]);
  });

  test("[X13] goes with its account", async () => {
    await world.signIns.setPassword(ADA, "an ordinary sentence");
    const { token } = await world.signIns.openSession(ADA);
    await world.signIns.removePerson(ADA);
    expect(await world.signIns.findSession(token)).toBeNull();
    expect(world.stored).not.toContain(ADA);
  });
});

describe("when people were last seen", () => {
  test("is when they used a session, open or ended", async () => {
    const opened = world.clock.nowUnixMs();
    const { token, session } = await world.signIns.openSession(ADA);
    world.clock.advance(HOUR_MS);
    await world.signIns.findSession(token);
    expect((await world.signIns.lastSeen()).get(ADA)).toBe(opened + HOUR_MS);
    await world.signIns.endSession(session.sessionId);
    expect((await world.signIns.lastSeen()).get(ADA)).toBeGreaterThanOrEqual(opened);
  });
});

describe("a passkey", () => {
  const options = () => world.signIns.passkeyOptions(SITE);
  const use = (authenticator: SoftAuthenticator, asked: PasskeyOptions, faults: Faults = {}) =>
    world.signIns.personOfPasskey({
      challengeId: asked.challengeId,
      response: authenticator.use(asked, faults),
    });

  async function withPasskey(personId = ADA): Promise<SoftAuthenticator> {
    const authenticator = new SoftAuthenticator(SITE);
    const asked = await world.signIns.newPasskeyOptions(SITE, "ada", null);
    const response = authenticator.make(asked);
    const added = await world.signIns.addPasskey(personId, { challengeId: asked.challengeId, response });
    expect(added).toEqual({ ok: true, value: undefined });
    return authenticator;
  }

  test("[X16] signs its person in", async () => {
    const authenticator = await withPasskey();
    expect(await use(authenticator, await options())).toEqual({ ok: true, value: ADA });
    expect(await use(authenticator, await options())).toEqual({ ok: true, value: ADA });
  });

  test.each<[string, Faults]>([
    ["from another origin", { origin: "https://evil.example" }],
    ["from another port", { origin: "https://chorus.example:8443" }],
    ["for another host", { host: "evil.example" }],
    ["to another challenge", { challenge: "AAAA" }],
    ["without verifying the person", { isUnverified: true }],
  ])("[X16] is refused %s", async (_, faults) => {
    const authenticator = await withPasskey();
    expect(await use(authenticator, await options(), faults)).toEqual({ ok: false, error: "wrong" });
    const asked = await world.signIns.newPasskeyOptions(SITE, "bob", null);
    const response = new SoftAuthenticator(SITE).make(asked, faults);
    expect(await world.signIns.addPasskey(BOB, { challengeId: asked.challengeId, response })).toMatchObject({
      ok: false,
    });
    expect(world.db.authRecords.get("passkey")).toHaveLength(1);
  });

  test("[X16] answers a challenge once, within five minutes, and of its own kind", async () => {
    const authenticator = await withPasskey();
    const asked = await options();
    expect(await use(authenticator, asked)).toMatchObject({ ok: true });
    expect(await use(authenticator, asked)).toMatchObject({ ok: false });
    const late = await options();
    world.clock.advance(5 * 60_000);
    expect(await use(authenticator, late)).toMatchObject({ ok: false });
    const other = await world.signIns.newPasskeyOptions(SITE, "ada", null);
    expect(await use(authenticator, other)).toMatchObject({ ok: false });
    expect(await use(authenticator, { challengeId: "0".repeat(32), options: {} })).toMatchObject({
      ok: false,
    });
  });

  test("[X16] whose counter does not rise is a copy", async () => {
    const authenticator = await withPasskey();
    await use(authenticator, await options());
    authenticator.counter -= 1;
    expect(await use(authenticator, await options())).toEqual({ ok: false, error: "wrong" });
    authenticator.counter += 5;
    expect(await use(authenticator, await options())).toMatchObject({ ok: true });
  });

  test("[X16] with certificates is refused, and the network is left alone", async () => {
    const asked = await world.signIns.newPasskeyOptions(SITE, "ada", null);
    const response = new SoftAuthenticator(SITE).make(asked, { attestation: "packed-with-certificate" });
    const before = globalThis.fetch;
    let fetched = 0;
    globalThis.fetch = () => {
      fetched++;
      return Promise.reject(new Error("no network"));
    };
    try {
      expect(await world.signIns.addPasskey(ADA, { challengeId: asked.challengeId, response })).toMatchObject(
        { ok: false },
      );
    } finally {
      globalThis.fetch = before;
    }
    expect(fetched).toBe(0);
  });

  test("[X16] made for one person is no other's, and is nobody's twice", async () => {
    const forBob = await world.signIns.newPasskeyOptions(SITE, "bob", BOB);
    const authenticator = new SoftAuthenticator(SITE);
    const answer = { challengeId: forBob.challengeId, response: authenticator.make(forBob) };
    expect(await world.signIns.addPasskey(ADA, answer)).toMatchObject({ ok: false });
    const known = await withPasskey(ADA);
    const again = await world.signIns.newPasskeyOptions(SITE, "bob", BOB);
    const stolen = { challengeId: again.challengeId, response: known.make(again) };
    expect(await world.signIns.addPasskey(BOB, stolen)).toMatchObject({ ok: false });
    expect(await use(known, await options())).toEqual({ ok: true, value: ADA });
  });

  test.each<[string, Record<string, unknown>]>([
    ["nothing", {}],
    ["no answer", { id: "AAAA", rawId: "AAAA", type: "public-key" }],
    ["numbers", { id: 1, rawId: 2, type: 3, response: 4 }],
    ["a prototype", JSON.parse('{"__proto__":{"id":"AAAA"}}')],
    [
      "garbage",
      {
        id: "AAAA",
        rawId: "AAAA",
        type: "public-key",
        response: {
          clientDataJSON: "AAAA",
          authenticatorData: "AAAA",
          signature: "AAAA",
          attestationObject: "gYGBgYGBgYGB",
        },
      },
    ],
  ])("[X16] is refused if its answer is %s", async (_, response) => {
    await withPasskey();
    const asked = await options();
    expect(await world.signIns.personOfPasskey({ ...asked, response })).toMatchObject({ ok: false });
    const made = await world.signIns.newPasskeyOptions(SITE, "bob", null);
    expect(await world.signIns.addPasskey(BOB, { ...made, response })).toMatchObject({ ok: false });
  });
});

describe("an OpenID account", () => {
  const account = { issuer: "https://login.example", subject: "42" };

  test("[X21] is one person's", async () => {
    const { signIns } = world;
    expect(await signIns.personOfOpenId(account)).toBeNull();
    expect(await signIns.addOpenId(ADA, account)).toMatchObject({ ok: true });
    expect(await signIns.addOpenId(BOB, account)).toEqual({ ok: false, error: "taken" });
    expect(await signIns.personOfOpenId(account)).toBe(ADA);
    expect(await signIns.personOfOpenId({ ...account, issuer: "https://other.example" })).toBeNull();
  });
});
