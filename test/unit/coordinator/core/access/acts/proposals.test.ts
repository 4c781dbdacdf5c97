import { describe, expect, test } from "vitest";
import * as people from "#coordinator/core/access/acts/people.ts";
import * as proposals from "#coordinator/core/access/acts/proposals.ts";
import {
  AUDITOR,
  type BookWorld,
  codeOf,
  demote,
  HASH,
  HOUR_MS,
  newcomer,
  setUp,
} from "#test/kit/worlds/access-book.ts";

/* What two people decide, over a book that each step changes. */

describe("[X84] a proposal", () => {
  function withAdmins(...names: string[]): BookWorld {
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
  function propose(world: BookWorld, act: Parameters<typeof proposals.propose>[1], actor: string): string {
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
