import { describe, expect, test } from "vitest";
import type { Decided, Sight } from "#coordinator/core/access/acts/change.ts";
import * as erasing from "#coordinator/core/access/acts/erasing.ts";
import * as people from "#coordinator/core/access/acts/people.ts";
import * as proposals from "#coordinator/core/access/acts/proposals.ts";
import * as sites from "#coordinator/core/access/acts/sites.ts";
import * as tokens from "#coordinator/core/access/acts/tokens.ts";
import { AccessBook } from "#coordinator/core/access/book.ts";
import type { Role } from "#shared/access/roles.ts";

/* The acts of access over a book that each step changes, as the desk does. */

const HOUR_MS = 3_600_000;
const HASH = (letter: string) => letter.repeat(64);

class World {
  readonly book = new AccessBook();
  now = 1_000_000;
  #ids = 0;

  get sight(): Sight {
    return {
      book: this.book,
      now: this.now,
      id: () => (++this.#ids).toString(16).padStart(32, "0"),
      salt: () => "5a".repeat(32),
    };
  }

  /** Applies an act that must succeed. */
  done(decided: Decided | null) {
    if (decided?.ok !== true) throw new Error(decided?.error.message ?? "nothing is done");
    this.book.apply(decided.value.rows);
    return decided.value.event;
  }

  id(name: string): string {
    return this.book.personByName(name)?.personId ?? "";
  }

  join(name: string, role: Role, letter: string) {
    this.done(people.invite(this.sight, { role, note: "", tokenHash: HASH(letter), actor: "ada" }));
    return this.done(people.useInvitation(this.sight, HASH(letter), newcomer(name)));
  }
}

function newcomer(name: string) {
  const personId = Buffer.from(name).toString("hex").padEnd(32, "0").slice(0, 32);
  return { personId, name, signsInWith: "password" } as const;
}

function setUp(): World {
  const world = new World();
  world.done(people.setUp(world.sight, newcomer("ada"), "ward"));
  return world;
}

const codeOf = (decided: Decided | null | undefined) =>
  decided === undefined || decided === null || decided.ok ? null : decided.error.code;

describe("setting up", () => {
  test("[X81] makes one admin, and never a second", () => {
    const world = setUp();
    expect(world.book.admins().map(({ name }) => name)).toEqual(["ada"]);
    expect(world.book.get("project", "ward")?.madeBy).toBe("ada");
    expect(codeOf(people.setUp(world.sight, newcomer("eve"), "ward"))).toBe("TOKEN_ENDED");
  });

  test("[X81] gives nobody the name of someone who is there, if all admins are gone", () => {
    const world = setUp();
    const ada = world.book.get("person", world.id("ada"));
    if (ada === null) throw new Error("ada is there");
    world.book.apply([{ kind: "person", id: ada.personId, row: { ...ada, isAdmin: false } }]);
    const again = { ...newcomer("ada"), personId: "f".repeat(32) };
    expect(codeOf(people.setUp(world.sight, again, "ward"))).toBe("CONFLICT");
    world.done(people.setUp(world.sight, newcomer("eve"), "ward"));
    expect(world.book.admins().map(({ name }) => name)).toEqual(["eve"]);
  });
});

describe("an invitation", () => {
  const role: Role = { role: "auditor", projectId: "ward" };

  test("[X82] makes one person with its role, once", () => {
    const world = setUp();
    const event = world.join("bob", role, "b");
    expect(event).toMatchObject({ type: "joined", name: "bob", role, actor: "bob" });
    expect(world.book.rightsOf(world.id("bob"))?.rolesByProject.get("ward")).toEqual(new Set(["auditor"]));
    expect(codeOf(people.useInvitation(world.sight, HASH("b"), newcomer("eve")))).toBe("TOKEN_ENDED");
    expect(world.book.personByName("eve")).toBeNull();
  });

  test("[X40] of someone who is no longer an admin makes nobody", () => {
    const world = setUp();
    world.done(people.invite(world.sight, { role, note: "", tokenHash: HASH("b"), actor: "ada" }));
    expect(people.useInvitation(world.sight, HASH("b"), newcomer("bob")).ok).toBe(true);
    demote(world, "ada");
    expect(codeOf(people.useInvitation(world.sight, HASH("b"), newcomer("bob")))).toBe("TOKEN_ENDED");
  });

  test("[X82] ends after 72 hours, when it is withdrawn, and is unknown by another hash", () => {
    const world = setUp();
    world.done(people.invite(world.sight, { role, note: "", tokenHash: HASH("b"), actor: "ada" }));
    world.now += 72 * HOUR_MS - 1;
    expect(people.useInvitation(world.sight, HASH("b"), newcomer("bob")).ok).toBe(true);
    world.now += 1;
    expect(codeOf(people.useInvitation(world.sight, HASH("b"), newcomer("bob")))).toBe("TOKEN_ENDED");
    expect(codeOf(people.useInvitation(world.sight, HASH("c"), newcomer("bob")))).toBe("TOKEN_ENDED");
    const made = world.done(
      people.invite(world.sight, { role, note: "", tokenHash: HASH("d"), actor: "ada" }),
    );
    if (made.type !== "invited") throw new Error("an invitation is made");
    world.done(people.withdrawInvitation(world.sight, made.invitationId, "ada"));
    expect(codeOf(people.useInvitation(world.sight, HASH("d"), newcomer("bob")))).toBe("TOKEN_ENDED");
    expect(codeOf(people.withdrawInvitation(world.sight, made.invitationId, "ada"))).toBe("CONFLICT");
  });

  test("[X82] leaves itself open if the name is taken", () => {
    const world = setUp();
    world.done(people.invite(world.sight, { role, note: "", tokenHash: HASH("b"), actor: "ada" }));
    expect(codeOf(people.useInvitation(world.sight, HASH("b"), newcomer("ada")))).toBe("CONFLICT");
    expect(people.useInvitation(world.sight, HASH("b"), newcomer("bob")).ok).toBe(true);
  });

  test("to a project that does not exist is refused", () => {
    const world = setUp();
    const elsewhere: Role = { role: "researcher", projectId: "elsewhere" };
    const asked = { role: elsewhere, note: "", tokenHash: HASH("b"), actor: "ada" };
    expect(codeOf(people.invite(world.sight, asked))).toBe("NOT_FOUND");
  });
});

describe("[X83] the role of admin", () => {
  test("is given by the first admin alone, and by two people from the second on", () => {
    const world = setUp();
    world.join("bob", { role: "admin" }, "b");
    const third = { role: { role: "admin" } as const, note: "", tokenHash: HASH("c"), actor: "ada" };
    expect(codeOf(people.invite(world.sight, third))).toBe("CONFLICT");
    world.join("cyd", { role: "researcher", projectId: "ward" }, "d");
    const [asked] = people.changeRoles(world.sight, world.id("cyd"), { roles: [], makeAdmin: true }, "ada");
    expect(codeOf(asked)).toBe("CONFLICT");
    const act = { type: "give-admin-role", personId: world.id("cyd") } as const;
    const proposed = world.done(proposals.propose(world.sight, act, "she joins us", "ada"));
    if (proposed.type !== "proposed") throw new Error("it is proposed");
    expect(codeOf(proposals.agree(world.sight, proposed.proposalId, "ada"))).toBe("FORBIDDEN");
    world.done(proposals.agree(world.sight, proposed.proposalId, "bob"));
    expect(world.book.admins().map(({ name }) => name)).toEqual(["ada", "bob", "cyd"]);
  });

  test("an invitation to it that was open when a second admin came makes no third", () => {
    const world = setUp();
    const asked = { role: { role: "admin" } as const, note: "", actor: "ada" };
    world.done(people.invite(world.sight, { ...asked, tokenHash: HASH("b") }));
    world.done(people.invite(world.sight, { ...asked, tokenHash: HASH("c") }));
    world.done(people.useInvitation(world.sight, HASH("b"), newcomer("bob")));
    expect(codeOf(people.useInvitation(world.sight, HASH("c"), newcomer("cyd")))).toBe("CONFLICT");
  });

  test("is never taken from the only admin", () => {
    const world = setUp();
    const act = { type: "take-admin-role", personId: world.id("ada") } as const;
    expect(codeOf(proposals.propose(world.sight, act, "away", "ada"))).toBe("CONFLICT");
  });
});

describe("[X84] a proposal", () => {
  function withAdmins(...names: string[]): World {
    const world = setUp();
    for (const name of names) {
      world.done(
        people.invite(world.sight, {
          role: { role: "researcher", projectId: "ward" },
          note: "",
          tokenHash: HASH(name[0] ?? ""),
          actor: "ada",
        }),
      );
      world.done(people.useInvitation(world.sight, HASH(name[0] ?? ""), newcomer(name)));
      const row = world.book.personByName(name);
      if (row !== null)
        world.book.apply([{ kind: "person", id: row.personId, row: { ...row, isAdmin: true } }]);
    }
    return world;
  }
  function propose(world: World, act: Parameters<typeof proposals.propose>[1], actor: string): string {
    const event = world.done(proposals.propose(world.sight, act, "a reason", actor));
    return event.type === "proposed" ? event.proposalId : "";
  }
  const deletion = { type: "delete-project-data", projectId: "ward" } as const;

  test("is decided by another person, once, within 24 hours", () => {
    const world = withAdmins("bob");
    const proposalId = propose(world, deletion, "ada");
    expect(codeOf(proposals.propose(world.sight, deletion, "again", "bob"))).toBe("CONFLICT");
    expect(codeOf(proposals.agree(world.sight, proposalId, "ada"))).toBe("FORBIDDEN");
    expect(codeOf(proposals.agree(world.sight, proposalId, "cyd"))).toBe("FORBIDDEN");
    expect(world.done(proposals.agree(world.sight, proposalId, "bob"))).toMatchObject({ alone: false });
    expect(codeOf(proposals.agree(world.sight, proposalId, "bob"))).toBe("CONFLICT");
  });

  test("runs out, and the log says so", () => {
    const world = withAdmins("bob");
    const proposalId = propose(world, deletion, "ada");
    world.now += 24 * HOUR_MS - 1;
    expect(proposals.runOut(world.sight)).toBeNull();
    world.now += 1;
    expect(codeOf(proposals.agree(world.sight, proposalId, "bob"))).toBe("CONFLICT");
    const decided = proposals.runOut(world.sight);
    expect(decided).not.toBeNull();
    if (decided !== null) expect(world.done(decided)).toMatchObject({ type: "proposal-ran-out", proposalId });
    expect(proposals.runOut(world.sight)).toBeNull();
  });

  test("is withdrawn by its maker and refused by others, not the other way round", () => {
    const world = withAdmins("bob");
    const proposalId = propose(world, deletion, "ada");
    expect(codeOf(proposals.decline(world.sight, proposalId, "refuse", "ada"))).toBe("FORBIDDEN");
    expect(codeOf(proposals.decline(world.sight, proposalId, "withdraw", "bob"))).toBe("FORBIDDEN");
    expect(world.done(proposals.decline(world.sight, proposalId, "refuse", "bob")).type).toBe(
      "proposal-refused",
    );
    expect(codeOf(proposals.agree(world.sight, proposalId, "bob"))).toBe("CONFLICT");
  });

  test("is decided alone by the only admin, and the event says so", () => {
    const world = setUp();
    const proposalId = propose(world, deletion, "ada");
    expect(world.done(proposals.agree(world.sight, proposalId, "ada"))).toMatchObject({ alone: true });
  });

  test("about someone's own role waits for the others, and for them only if nobody else is left", () => {
    const three = withAdmins("bob", "cyd");
    const act = { type: "take-admin-role", personId: three.id("cyd") } as const;
    const proposalId = propose(three, act, "ada");
    expect(codeOf(proposals.agree(three.sight, proposalId, "cyd"))).toBe("FORBIDDEN");
    expect(codeOf(proposals.decline(three.sight, proposalId, "refuse", "cyd"))).toBe("FORBIDDEN");
    three.done(proposals.agree(three.sight, proposalId, "bob"));
    expect(three.book.admins().map(({ name }) => name)).toEqual(["ada", "bob"]);
    expect(three.book.get("person", three.id("cyd"))?.rolesTaken).toBeNull();

    const two = withAdmins("bob");
    const first = propose(two, { type: "take-admin-role", personId: two.id("bob") }, "ada");
    two.done(proposals.decline(two.sight, first, "refuse", "bob"));
    const last = propose(two, { type: "take-admin-role", personId: two.id("bob") }, "ada");
    two.done(proposals.agree(two.sight, last, "bob"));
    expect(two.book.admins().map(({ name }) => name)).toEqual(["ada"]);
  });

  test("of someone who has lost the role is agreed to by nobody, unless one admin is left", () => {
    const world = withAdmins("bob", "cyd", "dan");
    world.join("eve", AUDITOR, "e");
    const proposalId = propose(world, { type: "give-admin-role", personId: world.id("eve") }, "cyd");
    demote(world, "cyd");
    expect(codeOf(proposals.agree(world.sight, proposalId, "bob"))).toBe("CONFLICT");
    expect(codeOf(proposals.decline(world.sight, proposalId, "withdraw", "cyd"))).toBe("FORBIDDEN");
    for (const name of ["bob", "dan"]) demote(world, name);
    expect(world.done(proposals.agree(world.sight, proposalId, "ada"))).toMatchObject({ alone: true });
  });
});

const AUDITOR = { role: "auditor", projectId: "ward" } as const;

/** Takes the role of admin from someone, as if two people had decided it. */
function demote(world: World, name: string): void {
  const row = world.book.personByName(name);
  if (row !== null) world.book.apply([{ kind: "person", id: row.personId, row: { ...row, isAdmin: false } }]);
}

describe("[X39] an actor whose role was taken before their turn", () => {
  const join = {
    ...{ tokenHash: HASH("9"), shown: "chj_aaaa", projectId: "ward", task: null },
    siteId: null,
  };
  const uses = { uses: 1, lifeMs: HOUR_MS };

  test("does nothing that takes an admin", () => {
    const world = setUp();
    world.join("bob", { role: "researcher", projectId: "ward" }, "b");
    demote(world, "ada");
    const { sight } = world;
    const role = { role: "admin" } as const;
    const deletion = { type: "delete-project-data", projectId: "ward" } as const;
    const wanted = { roles: [], makeAdmin: false };
    const refused = [
      people.makeProject(sight, "lab", "ada"),
      people.invite(sight, { role, note: "", tokenHash: HASH("a"), actor: "ada" }),
      people.withdrawInvitation(sight, "0".repeat(32), "ada"),
      ...people.changeRoles(sight, world.id("bob"), wanted, "ada"),
      proposals.propose(sight, deletion, "a reason", "ada"),
      sites.nameSite(sight, "Clinic North", "ward", "ada"),
      sites.revokeSite(sight, "0".repeat(32), "ada"),
      tokens.revokeApiToken(sight, "0".repeat(32), null, "ada"),
      tokens.makeJoinToken(sight, { ...join, ...uses, actor: "ada" }),
    ];
    expect(refused.map(codeOf)).toEqual(refused.map(() => "FORBIDDEN"));
    expect(codeOf(tokens.makeJoinToken(sight, { ...join, ...uses, actor: "bob" }))).toBeNull();
    expect(codeOf(tokens.makeJoinToken(sight, { ...join, ...uses, actor: "coordinator" }))).toBeNull();
  });

  test("makes and revokes no join token of a project, and no API token without any role", () => {
    const world = setUp();
    world.join("bob", { role: "researcher", projectId: "ward" }, "b");
    const made = world.done(tokens.makeJoinToken(world.sight, { ...join, ...uses, actor: "bob" }));
    const joinTokenId = made.type === "join-token-made" ? made.tokenId : "";
    const wanted = { roles: [], makeAdmin: false };
    for (const one of people.changeRoles(world.sight, world.id("bob"), wanted, "ada")) world.done(one);
    const api = {
      tokenHash: HASH("c"),
      shown: "",
      label: "",
      scopes: [],
      days: 1,
      personId: world.id("bob"),
    };
    const refused = [
      tokens.makeJoinToken(world.sight, { ...join, ...uses, tokenHash: HASH("8"), actor: "bob" }),
      tokens.revokeJoinToken(world.sight, joinTokenId, "bob"),
      tokens.removeJoinedDevices(world.sight, joinTokenId, "bob"),
      tokens.makeApiToken(world.sight, { ...api, actor: "bob" }),
    ];
    expect(refused.map(codeOf)).toEqual(refused.map(() => "FORBIDDEN"));
  });
});

describe("[X85] a change of roles", () => {
  test("writes one event for each role given or taken, and nothing if all are the same", () => {
    const world = setUp();
    world.done(people.makeProject(world.sight, "lab", "ada"));
    world.join("bob", { role: "researcher", projectId: "ward" }, "b");
    const wanted = {
      roles: [
        { projectId: "ward", role: "auditor" },
        { projectId: "lab", role: "researcher" },
      ],
    } as const;
    const asked = { roles: [...wanted.roles], makeAdmin: false };
    const decided = people.changeRoles(world.sight, world.id("bob"), asked, "ada");
    expect(decided.map((one) => world.done(one).type)).toEqual(["role-given", "role-given", "role-taken"]);
    expect(world.book.get("person", world.id("bob"))?.roles).toEqual(wanted.roles);
    expect(people.changeRoles(world.sight, world.id("bob"), asked, "ada")).toEqual([]);
  });

  test("remembers who took the last role, for the sentence at the door", () => {
    const world = setUp();
    world.join("bob", { role: "researcher", projectId: "ward" }, "b");
    for (const one of people.changeRoles(
      world.sight,
      world.id("bob"),
      { roles: [], makeAdmin: false },
      "ada",
    ))
      world.done(one);
    expect(world.book.get("person", world.id("bob"))?.rolesTaken).toEqual({ at: world.now, by: "ada" });
  });

  test("is refused whole for an unknown project", () => {
    const world = setUp();
    world.join("bob", { role: "researcher", projectId: "ward" }, "b");
    const asked = { roles: [{ projectId: "nowhere", role: "auditor" } as const], makeAdmin: false };
    expect(people.changeRoles(world.sight, world.id("bob"), asked, "ada").map(codeOf)).toEqual(["NOT_FOUND"]);
  });
});

describe("[X86] tokens", () => {
  const terms = { shown: "cht_aaaa", label: "nightly", scopes: ["read"], days: 1, actor: "ada" } as const;

  test("end by time and by revocation, and only their owner or an admin ends them", () => {
    const world = setUp();
    const made = world.done(
      tokens.makeApiToken(world.sight, { ...terms, tokenHash: HASH("a"), personId: world.id("ada") }),
    );
    const tokenId = made.type === "api-token-made" ? made.tokenId : "";
    const row = () => world.book.get("api-token", tokenId);
    expect(tokens.isInForce(row() ?? { endsAt: 0, revokedAt: null }, world.now)).toBe(true);
    expect(tokens.isInForce(row() ?? { endsAt: 0, revokedAt: null }, world.now + 24 * HOUR_MS)).toBe(false);
    expect(codeOf(tokens.revokeApiToken(world.sight, tokenId, "someone else", "bob"))).toBe("NOT_FOUND");
    world.done(tokens.revokeApiToken(world.sight, tokenId, null, "ada"));
    expect(tokens.isInForce(row() ?? { endsAt: 0, revokedAt: null }, world.now)).toBe(false);
    expect(codeOf(tokens.revokeApiToken(world.sight, tokenId, null, "ada"))).toBe("CONFLICT");
  });

  test("end with the last role, and no later role brings them back", () => {
    const world = setUp();
    world.join("bob", { role: "researcher", projectId: "ward" }, "b");
    const of = { ...terms, personId: world.id("bob"), actor: "bob" };
    const made = world.done(tokens.makeApiToken(world.sight, { ...of, tokenHash: HASH("b") }));
    const tokenId = made.type === "api-token-made" ? made.tokenId : "";
    const rolesAre = (roles: Parameters<typeof people.changeRoles>[2]["roles"]) => {
      const asked = { roles, makeAdmin: false };
      for (const one of people.changeRoles(world.sight, world.id("bob"), asked, "ada")) world.done(one);
    };
    const isInForce = () => world.book.get("api-token", tokenId)?.revokedAt === null;
    rolesAre([AUDITOR]);
    expect(isInForce()).toBe(true);
    rolesAre([]);
    rolesAre([AUDITOR]);
    expect(isInForce()).toBe(false);

    // The last role may be that of an admin.
    const second = world.done(
      people.changeRoles(world.sight, world.id("bob"), { roles: [], makeAdmin: true }, "ada")[0] ?? null,
    );
    expect(second.type).toBe("role-given");
    for (const one of people.changeRoles(
      world.sight,
      world.id("bob"),
      { roles: [], makeAdmin: false },
      "ada",
    ))
      world.done(one);
    world.done(tokens.makeApiToken(world.sight, { ...of, tokenHash: HASH("d") }));
    const act = { type: "take-admin-role", personId: world.id("bob") } as const;
    const proposed = world.done(proposals.propose(world.sight, act, "a reason", "ada"));
    const proposalId = proposed.type === "proposed" ? proposed.proposalId : "";
    world.done(proposals.agree(world.sight, proposalId, "bob"));
    expect(world.book.apiTokenByHash(HASH("d"))?.revokedAt).toBe(world.now);
  });

  test("are bounded for each person", () => {
    const world = setUp();
    const make = (index: number) =>
      tokens.makeApiToken(world.sight, {
        ...terms,
        tokenHash: index.toString(16).padStart(64, "0"),
        personId: world.id("ada"),
      });
    for (let index = 0; index < 50; index++) world.done(make(index));
    expect(codeOf(make(50))).toBe("CONFLICT");
  });
});

describe("[X87] a site", () => {
  test("is one device, and none after it is revoked", () => {
    const world = setUp();
    const named = world.done(sites.nameSite(world.sight, "Clinic North", "ward", "ada"));
    const siteId = named.type === "site-named" ? named.siteId : "";
    expect(codeOf(sites.nameSite(world.sight, "Clinic North", "ward", "ada"))).toBe("CONFLICT");
    const token = {
      tokenHash: HASH("a"),
      shown: "chj_aaaa",
      projectId: "ward",
      task: null,
      siteId,
      uses: 1,
      lifeMs: HOUR_MS,
      actor: "ada",
    };
    const made = world.done(tokens.makeJoinToken(world.sight, token));
    world.done(sites.enrolSite(world.sight, siteId, HASH("1"), HASH("2")));
    expect(world.book.siteByIdentity(HASH("1"))?.name).toBe("Clinic North");
    expect(sites.enrolSite(world.sight, siteId, HASH("1"), HASH("2"))).toBeNull();
    expect(codeOf(sites.enrolSite(world.sight, siteId, HASH("3"), HASH("4")))).toBe("TOKEN_ENDED");
    world.done(sites.revokeSite(world.sight, siteId, "ada"));
    const tokenId = made.type === "join-token-made" ? made.tokenId : "";
    expect(world.book.get("join-token", tokenId)?.revokedAt).toBe(world.now);
    expect(codeOf(sites.enrolSite(world.sight, siteId, HASH("1"), HASH("2")))).toBe("REVOKED");
  });
});

describe("[A81] erasing", () => {
  test("a person keeps the name and nothing else, and only once; an admin is refused", () => {
    const world = setUp();
    world.join("bob", { role: "researcher", projectId: "ward" }, "b");
    const personId = world.id("bob");
    const terms = { label: "Bob's nightly", scopes: ["read"], days: 1, shown: "x" } as const;
    world.done(tokens.makeApiToken(world.sight, { ...terms, tokenHash: HASH("7"), personId, actor: "bob" }));
    expect(codeOf(erasing.erasePerson(world.sight, world.id("ada"), "ada"))).toBe("CONFLICT");
    expect(codeOf(erasing.erasePerson(world.sight, "__proto__", "ada"))).toBe("NOT_FOUND");
    expect(codeOf(erasing.erasePerson(world.sight, personId, "bob"))).toBe("FORBIDDEN");
    expect(world.done(erasing.erasePerson(world.sight, personId, "ada"))).toEqual({
      ...{ type: "person-erased", personId, actor: "ada" },
    });
    expect(world.book.get("person", personId)).toEqual({
      ...{ personId, name: "bob", isAdmin: false, roles: [], madeAt: world.now, salt: null },
      ...{ signsInWith: [], rolesTaken: null, places: [], erasedAt: world.now },
    });
    expect(world.book.list("api-token")).toEqual([]);
    expect(people.nameRefusal(world.book, "bob")?.code).toBe("CONFLICT");
    expect(codeOf(erasing.erasePerson(world.sight, personId, "ada"))).toBe("NOT_FOUND");
  });

  test("a revoked site keeps its key, which stays refused; its name is free again", () => {
    const world = setUp();
    const name = () => world.done(sites.nameSite(world.sight, "Clinic North", "ward", "ada"));
    const named = name();
    const siteId = "siteId" in named ? named.siteId : "";
    world.done(sites.enrolSite(world.sight, siteId, "c".repeat(64), HASH("c")));
    expect(codeOf(erasing.eraseSite(world.sight, siteId, "ada"))).toBe("CONFLICT");
    world.done(sites.revokeSite(world.sight, siteId, "ada"));
    world.done(erasing.eraseSite(world.sight, siteId, "ada"));
    expect(world.book.get("site", siteId)).toMatchObject({ identity: "c".repeat(64), lastSeenAt: null });
    expect(JSON.stringify(world.book.get("site", siteId))).not.toContain("Clinic");
    expect(codeOf(erasing.eraseSite(world.sight, siteId, "ada"))).toBe("NOT_FOUND");
    const again = name();
    const other = "siteId" in again ? again.siteId : "";
    expect(codeOf(sites.enrolSite(world.sight, other, "c".repeat(64), HASH("c")))).toBe("REVOKED");
    // One that never enrolled leaves nothing.
    world.done(sites.revokeSite(world.sight, other, "ada"));
    world.done(erasing.eraseSite(world.sight, other, "ada"));
    expect(world.book.get("site", other)).toBeNull();
  });
});
