import { describe, expect, test } from "vitest";
import * as erasing from "#coordinator/core/access/acts/erasing.ts";
import * as people from "#coordinator/core/access/acts/people.ts";
import * as proposals from "#coordinator/core/access/acts/proposals.ts";
import * as sites from "#coordinator/core/access/acts/sites.ts";
import * as tokens from "#coordinator/core/access/acts/tokens.ts";
import { AUDITOR, codeOf, HASH, HOUR_MS, setUp } from "#test/kit/worlds/access-book.ts";

/* Tokens, sites and what is left of those who are gone, over a book that each step changes. */

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
