import { expect, test } from "vitest";
import { NO_OVERRIDES } from "#coordinator/core/access/promotions.ts";
import { openAccess } from "#coordinator/open-access.ts";
import { present } from "#shared/kernel/assert.ts";
import { err, ok } from "#shared/kernel/result.ts";
import { primitives, randomBytes } from "#shared/node/system.ts";
import { wireError } from "#shared/protocol/errors.ts";
import { memoryDatabase } from "#test/kit/fakes/memory-database.ts";
import { memoryStore } from "#test/kit/fakes/memory-store.ts";

/* Access under a wall clock that someone sets. */

const DAY_MS = 86_400_000;
const ADA = {
  personId: "a".repeat(32),
  name: "ada",
  signsInWith: "password",
  placeHash: "0".repeat(64),
} as const;

function world() {
  const db = memoryDatabase();
  const clocks = { nowMs: 0, wallMs: 1_700_000_000_000 };
  const open = () =>
    openAccess({
      primitives,
      random: randomBytes,
      clock: { nowMs: () => clocks.nowMs },
      wall: { nowUnixMs: () => clocks.wallMs },
      after: () => () => {},
      log: { info: () => {}, warn: () => {}, error: () => {} },
      store: memoryStore(db),
      keeping: null,
      projects: { deleteData: () => Promise.resolve(err(wireError("UNAVAILABLE"))) } as never,
      registry: NO_OVERRIDES,
    });
  const pass = (ms: number) => {
    clocks.nowMs += ms;
    clocks.wallMs += ms;
  };
  return { clocks, open, pass };
}

test("[X12] an API token that has run out stays so when the wall clock is set back", async () => {
  const { clocks, open, pass } = world();
  const { accessDesk } = await open();
  expect((await accessDesk.setUp(ADA, "ward")).ok).toBe(true);
  const made = await accessDesk.makeApiToken(ADA, { label: "nightly", scopes: ["read"], days: 1 });
  const { token } = present(made.ok ? made.value : null, "the token");
  expect(await accessDesk.personOfApiToken(token)).not.toBeNull();
  pass(DAY_MS);
  expect(await accessDesk.personOfApiToken(token)).toBeNull();
  clocks.wallMs -= 2 * DAY_MS;
  expect(await accessDesk.personOfApiToken(token)).toBeNull();
});

test("[X12] after a restart the clock is not before the newest row", async () => {
  const { clocks, open, pass } = world();
  const before = await open();
  await before.accessDesk.setUp(ADA, "ward");
  const made = await before.accessDesk.makeApiToken(ADA, { label: "nightly", scopes: ["read"], days: 1 });
  const { token } = present(made.ok ? made.value : null, "the token");
  pass(2 * DAY_MS);
  expect(await before.accessDesk.makeProject("later", "ada")).toEqual(ok(undefined));
  clocks.wallMs -= 5 * DAY_MS;
  const after = await open();
  expect(after.nowUnixMs()).toBeGreaterThan(clocks.wallMs + 4 * DAY_MS);
  expect(await after.accessDesk.personOfApiToken(token)).toBeNull();
});
