import { describe, expect, test } from "vitest";
import type { AccessNews } from "#coordinator/core/access/act-writer.ts";
import { AccessDesk } from "#coordinator/core/access/desk.ts";
import { accessFactOf } from "#shared/access/log.ts";
import { err, type Result } from "#shared/kernel/result.ts";
import { primitives, randomBytes } from "#shared/node/system.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import { type MemoryDatabase, memoryDatabase } from "#test/kit/fakes/memory-database.ts";
import { memoryStore } from "#test/kit/fakes/memory-store.ts";

/* The desk over a store in memory: what it writes, what counts when, and what it tells others. */

const ADA = { personId: "a".repeat(32), name: "ada", signsInWith: "password" } as const;
const BOB = { personId: "b".repeat(32), name: "bob", signsInWith: "passkey" } as const;
const STREAM = { kind: "access", id: "coordinator" } as const;

interface World {
  readonly desk: AccessDesk;
  readonly db: MemoryDatabase;
  readonly news: AccessNews[];
  readonly store: ReturnType<typeof memoryStore>;
  now: number;
  /** Runs what the desk does every minute. */
  sweep(): Promise<void>;
  /** Makes the next write fail; its rows are kept or not. */
  failing: "kept" | "lost" | null;
}

async function open(db = memoryDatabase()): Promise<World> {
  const store = memoryStore(db);
  const world = { db, store, news: [], now: 1_700_000_000_000, failing: null } as unknown as World & {
    desk: AccessDesk;
  };
  const desk = new AccessDesk({
    primitives,
    random: randomBytes,
    wall: { nowUnixMs: () => world.now },
    after: (_delayMs, run) => {
      world.sweep = async () => {
        run();
        await desk.finishDeletions();
      };
      return () => {};
    },
    log: { info: () => {}, warn: () => {}, error: () => {} },
    store: {
      listAccessRows: () => store.listAccessRows(),
      listTasks: (...args) => store.listTasks(...args),
      noteSite: (...args) => store.noteSite(...args),
      appendNext: async (...args) => {
        const { failing } = world;
        world.failing = null;
        if (failing === "lost") throw new Error("connection lost");
        const written = await store.appendNext(...args);
        if (failing === "kept") throw new Error("connection lost");
        return written;
      },
    },
  });
  world.desk = desk;
  await desk.start((_projectId, agreed) => agreed({ taskCount: 2, runCount: 6 }));
  desk.onNews((news) => world.news.push(news));
  return world;
}

async function setUp(): Promise<World> {
  const world = await open();
  expect((await world.desk.setUp(ADA, "ward")).ok).toBe(true);
  return world;
}

async function join(world: World, newcomer: typeof BOB, role: "researcher" | "auditor" = "researcher") {
  const invited = await world.desk.invite({ role, projectId: "ward" }, "", "ada");
  if (!invited.ok) throw new Error(invited.error.message);
  const joined = await world.desk.useInvitation(invited.value.token, newcomer);
  if (!joined.ok) throw new Error(joined.error.message);
}

async function events({ store }: World) {
  const rows = await store.readStream(STREAM);
  return rows.map((row) => {
    const fact = accessFactOf(row);
    if (!fact.ok) throw new Error("an event is not readable");
    return fact.value;
  });
}

test("[X81] setting up also makes the projects that tasks belong to already, page after page", async () => {
  const db = memoryDatabase();
  for (let index = 0; index < 150; index++)
    // The desk asks for no more of a task than this.
    db.tasks.push({ projectId: index === 149 ? "late" : "early", task: { slug: `t${index}` } } as never);
  const { desk } = await open(db);
  expect((await desk.setUp(ADA, "ward")).ok).toBe(true);
  const made = desk.book.list("project").map(({ projectId, madeBy }) => `${projectId} ${madeBy}`);
  expect(made.sort()).toEqual(["early ada", "late ada", "ward ada"]);
});

describe("[A82] the sweep of access", () => {
  test("deletes the rows of what had been over for 90 days, and of nothing else, with a leaf of how many", async () => {
    const world = await setUp();
    const { desk } = world;
    const DAY_MS = 86_400_000;
    await join(world, BOB);
    const good = <Value>(result: Result<Value, WireError>) => {
      if (!result.ok) throw new Error(result.error.message);
      return result.value;
    };
    const invited = good(await desk.invite({ role: "auditor", projectId: "ward" }, "", "ada"));
    const short = good(await desk.makeApiToken(ADA, { label: "short", scopes: ["read"], days: 1 }));
    const long = good(await desk.makeApiToken(ADA, { label: "long", scopes: ["read"], days: 365 }));
    const revoked = good(await desk.makeApiToken(ADA, { label: "revoked", scopes: ["read"], days: 365 }));
    good(await desk.revokeApiToken(revoked.row.tokenId, null, "ada"));
    const terms = { projectId: "ward", task: null, siteId: null, uses: 1, actor: "ada" };
    const joining = good(await desk.makeJoinToken({ ...terms, lifeMs: DAY_MS }));
    const proposed = good(
      await desk.propose({ type: "give-admin-role", personId: BOB.personId }, "reason", "ada"),
    );
    good(await desk.decline(proposed.proposalId, "withdraw", "ada"));
    const kept = () => ({
      invitations: desk.book.list("invitation").length,
      apiTokens: desk.book.list("api-token").map(({ label }) => label),
      proposals: desk.book.list("proposal").length,
      joinTokens: desk.book.list("join-token").length,
    });
    const stored = async () => (await world.store.listAccessRows()).length;
    const before = { rows: await stored(), events: (await events(world)).length };

    world.now += 90 * DAY_MS;
    await world.sweep();
    expect(kept()).toEqual({
      ...{ invitations: 2, apiTokens: ["short", "long", "revoked"], proposals: 1, joinTokens: 1 },
    });
    world.now += 4 * DAY_MS;
    await world.sweep();
    expect(kept()).toEqual({ invitations: 0, apiTokens: ["long"], proposals: 0, joinTokens: 1 });
    expect(await stored()).toBe(before.rows - 5);
    expect((await events(world)).slice(before.events)).toEqual([
      { type: "ended-rows-deleted", of: "invitation", count: 2, actor: "coordinator" },
      { type: "ended-rows-deleted", of: "api-token", count: 2, actor: "coordinator" },
      { type: "ended-rows-deleted", of: "proposal", count: 1, actor: "coordinator" },
    ]);
    expect(world.db.leaves.slice(-3).map(({ kind, body }) => [kind, body])).toEqual([
      ["deletion.performed", { version: 1, by: null, what: "invitation", count: 2 }],
      ["deletion.performed", { version: 1, by: null, what: "api-token", count: 2 }],
      ["deletion.performed", { version: 1, by: null, what: "proposal", count: 1 }],
    ]);
    const hash = (token: string) => desk.hashOf(token);
    expect(desk.book.invitationByHash(await hash(invited.token))).toBeNull();
    expect(desk.book.apiTokenByHash(await hash(short.token))).toBeNull();
    expect(desk.book.apiTokenByHash(await hash(long.token))).not.toBeNull();
    expect(desk.book.joinTokenByHash(await hash(joining.token))).not.toBeNull();
    // A later start reads what is left.
    const later = await open(world.db);
    expect(later.desk.book.list("api-token").map(({ label }) => label)).toEqual(["long"]);
  });
});

describe("[X80] an act", () => {
  test("is an event, a leaf and rows, and is there after a restart", async () => {
    const world = await setUp();
    await join(world, BOB);
    expect((await events(world)).map(({ type, actor }) => `${type} ${actor}`)).toEqual([
      "set-up ada",
      "invited ada",
      "joined bob",
    ]);
    expect(world.db.leaves.map(({ kind }) => kind)).toEqual(["role.given", "invitation.made", "role.given"]);
    const again = await open(world.db);
    expect(again.desk.isClaimed).toBe(true);
    expect(again.desk.book.personByName("bob")?.roles).toEqual([{ projectId: "ward", role: "researcher" }]);
  });

  test.each(["lost", "kept"] as const)(
    "whose write fails and is %s counts as the store says",
    async (how) => {
      const world = await setUp();
      world.failing = how;
      await expect(world.desk.makeProject("lab", "ada")).rejects.toThrow("connection lost");
      expect(world.desk.book.get("project", "lab")).toBeNull();
      await world.desk.makeProject("other", "ada");
      expect(world.desk.book.get("project", "lab") === null).toBe(how === "lost");
      expect(world.news).toContainEqual({ type: "rights-lost", personId: null });
    },
  );

  test("of two at once: an invitation makes one person", async () => {
    const world = await setUp();
    const invited = await world.desk.invite({ role: "auditor", projectId: "ward" }, "", "ada");
    if (!invited.ok) throw new Error("it is made");
    const { token } = invited.value;
    const eve = { ...BOB, personId: "e".repeat(32), name: "eve" };
    const both = await Promise.all([
      world.desk.useInvitation(token, BOB),
      world.desk.useInvitation(token, eve),
    ]);
    expect(both.map((one) => (one.ok ? "in" : one.error.code))).toEqual(["in", "TOKEN_ENDED"]);
  });

  test("of a newer version's rows is refused at the start with what to do", async () => {
    const world = await setUp();
    world.db.accessRows.set("person x", { kind: "person", id: "x", body: { name: 7 } });
    await expect(open(world.db)).rejects.toThrow(/Start the newer version/);
  });
});

describe("[X86] an API token", () => {
  const terms = { label: "nightly", scopes: ["read", "runs"], days: 1 } as const;

  test("acts for its maker within its scopes, and its hash alone is stored", async () => {
    const world = await setUp();
    const made = await world.desk.makeApiToken(ADA, terms);
    if (!made.ok) throw new Error("it is made");
    const { token } = made.value;
    const person = await world.desk.personOfApiToken(token);
    expect(person).toMatchObject({ name: "ada", rights: { isAdmin: true }, by: { type: "token" } });
    expect(JSON.stringify([...world.db.accessRows, ...world.db.leaves, ...world.db.log])).not.toContain(
      token,
    );
    expect(await world.desk.personOfApiToken(`${token.slice(0, -1)}A`)).toBeNull();
  });

  test("ends at its time, when it is revoked, and with its maker's last role", async () => {
    const world = await setUp();
    await join(world, BOB);
    const make = async () => {
      const made = await world.desk.makeApiToken(BOB, terms);
      if (!made.ok) throw new Error("it is made");
      return made.value;
    };
    const late = await make();
    world.now += 86_400_000;
    expect(await world.desk.personOfApiToken(late.token)).toBeNull();
    const revoked = await make();
    expect(await world.desk.personOfApiToken(revoked.token)).not.toBeNull();
    await world.desk.revokeApiToken(revoked.row.tokenId, BOB.personId, "bob");
    expect(await world.desk.personOfApiToken(revoked.token)).toBeNull();
    expect(world.news).toContainEqual({ type: "api-token-ended", tokenId: revoked.row.tokenId });
    const orphan = await make();
    await world.desk.changeRoles(BOB.personId, { roles: [], makeAdmin: false }, "ada");
    expect(world.news).toContainEqual({ type: "rights-lost", personId: BOB.personId });
    expect(await world.desk.personOfApiToken(orphan.token)).toBeNull();
  });
});

describe("[X84] deleting a project's data", () => {
  const act = { type: "delete-project-data", projectId: "ward" } as const;

  test("is agreed to, done, and logged with its counts", async () => {
    const world = await setUp();
    const proposed = await world.desk.propose(act, "the study has ended", "ada");
    if (!proposed.ok) throw new Error("it is proposed");
    expect((await world.desk.agree(proposed.value.proposalId, "ada")).ok).toBe(true);
    expect((await events(world)).slice(-2)).toEqual([
      { type: "proposal-agreed", proposalId: proposed.value.proposalId, act, alone: true, actor: "ada" },
      { type: "project-data-deleted", projectId: "ward", taskCount: 2, runCount: 6, actor: "ada" },
    ]);
  });

  test("that cannot be done now is not agreed to", async () => {
    const world = await setUp();
    await world.desk.start(async () => err(wireError("CONFLICT", "A run is open.")));
    const proposed = await world.desk.propose(act, "the study has ended", "ada");
    if (!proposed.ok) throw new Error("it is proposed");
    const agreed = await world.desk.agree(proposed.value.proposalId, "ada");
    expect(agreed.ok ? null : agreed.error.message).toBe("A run is open.");
    expect(world.desk.book.get("proposal", proposed.value.proposalId)?.end).toBeNull();
  });
});

describe("[X40] what an admin left open", () => {
  test("is withdrawn with their role; what others made, and join tokens, stay", async () => {
    const world = await setUp();
    const { desk } = world;
    await join(world, BOB);
    const roles = [{ projectId: "ward", role: "researcher" }] as const;
    await desk.changeRoles(BOB.personId, { roles: [...roles], makeAdmin: true }, "ada");
    const role = { role: "auditor", projectId: "ward" } as const;
    const ofBob = await desk.invite(role, "", "bob");
    const ofAda = await desk.invite(role, "", "ada");
    const terms = { projectId: "ward", task: null, siteId: null, uses: 1, lifeMs: 60_000, actor: "bob" };
    const joinToken = await desk.makeJoinToken(terms);
    const act = { type: "delete-project-data", projectId: "ward" } as const;
    const proposed = await desk.propose(act, "a reason", "bob");
    const take = await desk.propose({ type: "take-admin-role", personId: BOB.personId }, "gone", "ada");
    if (!ofBob.ok || !ofAda.ok || !joinToken.ok || !proposed.ok || !take.ok) throw new Error("all are made");
    // Whoever loses the role decides only because nobody else can.
    expect((await desk.agree(take.value.proposalId, "bob")).ok).toBe(true);
    expect((await events(world)).slice(-3)).toMatchObject([
      { type: "proposal-agreed" },
      { type: "invitation-withdrawn", invitationId: ofBob.value.invitationId, actor: "coordinator" },
      { type: "proposal-withdrawn", proposalId: proposed.value.proposalId, actor: "coordinator" },
    ]);
    const eve = { ...BOB, personId: "e".repeat(32), name: "eve" };
    const used = await desk.useInvitation(ofBob.value.token, eve);
    expect(used.ok ? null : used.error.code).toBe("TOKEN_ENDED");
    expect((await desk.useInvitation(ofAda.value.token, eve)).ok).toBe(true);
    expect(await desk.joinTokenOf(joinToken.value.token)).not.toBeNull();
  });
});

describe("[X88] a leaf", () => {
  test("holds no name, label, reason or secret, and marks one person differently each time", async () => {
    const world = await setUp();
    await join(world, BOB);
    await world.desk.makeApiToken(ADA, { label: "my label", scopes: ["read"], days: 1 });
    await world.desk.nameSite("Clinic North", "ward", "ada");
    await world.desk.propose({ type: "give-admin-role", personId: BOB.personId }, "my reason", "ada");
    world.now += 1;
    await world.desk.makeProject("lab", "ada");
    const text = JSON.stringify(world.db.leaves);
    // A hash may hold any letters up to f.
    for (const private_ of ["ada", "bob", "my label", "Clinic", "my reason", ADA.personId, BOB.personId])
      expect(text.replaceAll(/[0-9a-f]{64}/g, "[hash]")).not.toContain(private_);
    const salt = world.desk.book.personByName("ada")?.salt ?? "";
    expect(text).not.toContain(salt);
    const marks = world.db.leaves.map(({ body }) => (body as { by: string | null }).by);
    expect(marks[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set([marks[0], marks.at(-1)]).size).toBe(2);
  });

  test("of a site that is called like a person does not mark that person", async () => {
    const world = await setUp();
    const named = await world.desk.nameSite("ada", "ward", "ada");
    if (!named.ok) throw new Error("it is named");
    await world.desk.enrolSite(named.value.siteId, "1".repeat(64));
    expect(world.db.leaves.at(-1)).toMatchObject({ kind: "site.enrolled", body: { by: null } });
  });
});
