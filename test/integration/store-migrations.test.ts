import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { Kysely, PGliteDialect, sql } from "kysely";
import type { Migration } from "kysely/migration";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { migrate, pendingMigrations } from "#coordinator/adapters/database/migrate.ts";
import { MIGRATIONS } from "#coordinator/adapters/database/migrations/index.ts";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import type { Store } from "#coordinator/core/ports.ts";
import { startPostgres } from "#test/kit/postgres-server.ts";

/*
 * Databases that people have must open after every later change. data/database-0001.sql is one: made once, frozen.
 */

const [firstName = "", firstMigration] = Object.entries(MIGRATIONS)[0] ?? [];
const frozen = await readFile(new URL("data/database-0001.sql", import.meta.url), "utf8");
const server = await startPostgres();
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "chorus-migrations-"));
});
afterAll(async () => {
  await server?.stop();
  await rm(scratch, { recursive: true, force: true });
});

/** Everything that the frozen database holds, read through today's store. */
async function expectFrozenRows(store: Store): Promise<void> {
  const [runId, roundId, sid] = ["01".repeat(16), "02".repeat(16), "03".repeat(32)];
  const [modelHash, at] = ["04".repeat(32), 1_700_000_000_000];
  expect(await store.openRunIds()).toEqual([runId]);
  expect(await store.findTask("digits")).toMatchObject({
    task: { version: 1 },
    taskHash: "05".repeat(32),
    actor: "ada",
  });
  expect(await store.findRun(runId)).toMatchObject({
    number: 1,
    actor: "ada",
    createdAt: at + 1,
    view: { state: "running" },
  });
  expect(await store.findRound(roundId)).toEqual({
    runId,
    round: 1,
    phase: "collecting",
    view: { round: 1 },
  });
  expect(await store.readStream({ kind: "round", id: roundId })).toEqual([
    { sequence: 1, at: at + 2, event: { kind: "opened", list: [1, 2, 3] } },
  ]);
  expect((await store.listEvents(runId, { limit: 9 })).items).toHaveLength(2);
  expect(await store.findOffer(modelHash)).toEqual({ runId, openedSid: null });
  expect(await store.listModelVersions(runId)).toMatchObject([
    { round: 0, modelHash, metrics: { accuracy: 0.1 } },
  ]);
  expect((await store.auditLeaves({ limit: 9 })).items).toEqual([
    { sequence: 1, kind: "round.opened", body: { b: 1, a: 2 } },
  ]);
  expect((await store.loadMaterial(sid, "share")).get(1)).toStrictEqual(Uint8Array.of(0, 1, 254, 255));
  expect(await store.listInputs(sid)).toMatchObject([{ position: 1, byteCount: 400 }]);
  expect(await store.findSlot(sid, 2)).toEqual({ slotHash: "07".repeat(32), byteCount: 400, open: true });
  expect(await store.getSetting("issuer-key")).toBe("not a real key");
  // What later migrations added is there and empty.
  expect(await store.listTranscripts()).toEqual([]);
  const transcript = { sid, roundId, task: "digits", shard: 0, bytes: Uint8Array.of(1) };
  await store.saveTranscript(transcript);
  await store.keepOpenings(sid, new Map([[1, Uint8Array.of(2)]]));
  expect(await store.loadTranscript(roundId, 0)).toStrictEqual(transcript);
  expect(await store.loadOpenings(sid)).toStrictEqual(new Map([[1, Uint8Array.of(2)]]));
  // And it is written on.
  expect(await store.nextRunNumber("digits")).toBe(2);
  expect((await store.append({ kind: "run", id: runId }, { sequence: 2, at, event: {} }, [])).ok).toBe(true);
}

/** Columns, constraints and indexes, as the database describes them. */
async function describeSchema(run: (text: string) => Promise<readonly unknown[]>): Promise<unknown> {
  return {
    columns: await run(
      `select table_name, column_name, data_type, is_nullable, collation_name from information_schema.columns
       where table_schema = 'public' order by table_name, ordinal_position`,
    ),
    constraints: await run(
      `select conrelid::regclass::text as on_table, conname, pg_get_constraintdef(oid) as definition
       from pg_constraint where connamespace = 'public'::regnamespace order by 1, 2`,
    ),
    indexes: await run(`select indexname, indexdef from pg_indexes where schemaname = 'public' order by 1`),
  };
}

/** A migration of tomorrow. */
const tomorrow: Migration = {
  up: async (db) => {
    await sql`alter table run add column note text not null default 'none'`.execute(db);
  },
};
const torn: Migration = {
  up: async (db) => {
    await sql`alter table run add column half text`.execute(db);
    await sql`select no_such_function()`.execute(db);
  },
};

describe("the embedded database", () => {
  const open = (pglite: PGlite) => new Kysely<never>({ dialect: new PGliteDialect({ pglite }) });
  const run = (pglite: PGlite) => async (text: string) => (await pglite.query(text)).rows;

  /** The frozen database, in the place where the store looks for it. */
  async function frozenIn(dataDir: string): Promise<PGlite> {
    await mkdir(dataDir);
    const pglite = await PGlite.create({ dataDir: join(dataDir, "database") });
    await pglite.exec(frozen);
    return pglite;
  }

  test("of the first release opens and keeps its rows", async () => {
    const dataDir = join(scratch, "first-release");
    await (await frozenIn(dataDir)).close();
    const store = await openStore({ dataDir, snapshotEveryMs: null });
    await expectFrozenRows(store);
    await store.close();
  });

  test("of the first migration is the frozen one: a released migration is not edited", async () => {
    const [fresh, old] = [await PGlite.create(), await PGlite.create()];
    if (firstMigration === undefined) throw new Error("no migrations");
    await migrate(open(fresh), { [firstName]: firstMigration });
    await old.exec(frozen);
    expect(await describeSchema(run(fresh))).toEqual(await describeSchema(run(old)));
    expect(await pendingMigrations(open(old), { [firstName]: firstMigration })).toEqual([]);
    await fresh.close();
    await old.close();
  });

  test("goes forward with its rows, all or nothing, and is refused by a program older than itself", async () => {
    const dataDir = join(scratch, "forward");
    const pglite = await frozenIn(dataDir);
    const db = open(pglite);
    const failing = { ...MIGRATIONS, "9998-tomorrow": tomorrow, "9999-torn": torn };
    await expect(migrate(db, failing)).rejects.toThrow(/9999-torn.*no_such_function.*Nothing was changed/);
    expect(await pendingMigrations(db, failing)).toEqual(
      expect.arrayContaining(["9998-tomorrow", "9999-torn"]),
    );
    expect(
      await run(pglite)(
        "select column_name from information_schema.columns where column_name in ('note', 'half')",
      ),
    ).toEqual([]);
    await migrate(db, { ...MIGRATIONS, "9998-tomorrow": tomorrow });
    expect(await run(pglite)("select actor, note from run")).toEqual([{ actor: "ada", note: "none" }]);
    await pglite.close();
    await expect(openStore({ dataDir, snapshotEveryMs: null })).rejects.toThrow(/made by a newer version/);
  });
});

test("PostgreSQL of the first release opens and keeps its rows", async (context) => {
  if (server === null) {
    context.skip();
    return;
  }
  const databaseUrl = await server.createDatabase();
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(frozen);
  await client.end();
  const store = await openStore({ databaseUrl });
  await expectFrozenRows(store);
  await store.close();
});
