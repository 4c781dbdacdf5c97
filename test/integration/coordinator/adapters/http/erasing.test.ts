import { afterEach, beforeEach, expect, test } from "vitest";
import { codeOf, doorHelpers, PASSWORD } from "#test/kit/worlds/door-helpers.ts";
import { CookieJar, type DoorWorld, openDoorWorld } from "#test/kit/worlds/door-world.ts";

/* Erasing people over real HTTP and SQLite. */

let world: DoorWorld;
let admin: CookieJar;
beforeEach(async () => {
  world = await openDoorWorld();
  admin = new CookieJar();
});
afterEach(() => world.close());
const { setUp, signIn, invitation } = doorHelpers(() => ({ world, admin }));

test("[A80] [A81] [A111] a person's account, session and salt are gone, and the leaf names nobody", async () => {
  await setUp();
  const token = await invitation();
  const bob = new CookieJar();
  const credential = { type: "password", password: PASSWORD };
  const joined = await world.ask("POST", "/api/v1/invitations/use", {
    jar: bob,
    body: { token, name: "bob", credential },
  });
  expect(joined.status, JSON.stringify(joined.body)).toBe(200);
  const personId = world.desk.book.personByName("bob")?.personId ?? "";
  const salt = world.desk.book.get("person", personId)?.salt ?? "none";
  const path = `/api/v1/people/${personId}/erase`;
  const actsOf = (actor: string) =>
    world.store.leavesBefore({
      before: Number.MAX_SAFE_INTEGER,
      countMax: 50,
      by: { actor, projects: "all", besides: [] },
    });
  expect((await actsOf("bob")).map(({ kind }) => kind)).toEqual(["role.given"]);
  expect((await actsOf("ada")).length).toBeGreaterThan(1);
  expect(codeOf(await world.ask("POST", path, { jar: bob, body: {} }))).toBe("FORBIDDEN");
  const erased = await world.ask("POST", path, { jar: admin, body: {} });
  expect([erased.status, erased.body]).toEqual([200, { erased: true }]);
  expect(codeOf(await world.ask("GET", "/api/v1/session", { jar: bob }))).toBe("NOT_AUTHENTICATED");
  expect(codeOf(await signIn(PASSWORD, undefined, "bob"))).toBe("WRONG_CREDENTIALS");
  expect(await world.store.countAuthRecords("user", [])).toBe(1);
  expect(JSON.stringify(await world.store.listAccessRows())).not.toContain(salt);
  // [A111] Whose marks these were is not kept beside the leaves either; the one who erased stays.
  expect(await actsOf("bob")).toEqual([]);
  expect((await actsOf("ada")).map(({ kind }) => kind)).toContain("deletion.performed");
  const people = await world.ask("GET", "/api/v1/people", { jar: admin });
  expect(JSON.stringify(people.body)).toMatch(/ada/);
  expect(JSON.stringify(people.body)).not.toMatch(/bob/);
  const leaves = await world.store.auditLeaves({ limit: 20 });
  const last = leaves.items.find(({ kind }) => kind === "deletion.performed");
  expect(last?.body).toMatchObject({ version: 1, what: "person", count: 1 });
  expect(JSON.stringify(last)).not.toMatch(new RegExp(`bob|${personId}`));
  // A second time finds nobody; the only admin stays.
  expect(codeOf(await world.ask("POST", path, { jar: admin, body: {} }))).toBe("NOT_FOUND");
  const ada = world.desk.book.personByName("ada")?.personId ?? "";
  expect(codeOf(await world.ask("POST", `/api/v1/people/${ada}/erase`, { jar: admin, body: {} }))).toBe(
    "CONFLICT",
  );
});
