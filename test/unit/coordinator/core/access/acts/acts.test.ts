import { describe, expect, test } from "vitest";
import * as people from "#coordinator/core/access/acts/people.ts";
import * as proposals from "#coordinator/core/access/acts/proposals.ts";
import * as sites from "#coordinator/core/access/acts/sites.ts";
import * as tokens from "#coordinator/core/access/acts/tokens.ts";
import type { Role } from "#shared/access/roles.ts";
import { codeOf, demote, HASH, HOUR_MS, newcomer, setUp } from "#test/kit/worlds/access-book.ts";

/* The acts of access over a book that each step changes, as the desk does: who is there and with which roles. */

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
