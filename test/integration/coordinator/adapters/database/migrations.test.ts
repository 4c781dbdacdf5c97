import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Kysely, PostgresDialect, sql } from "kysely";
import type { Migration } from "kysely/migration";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { migrate, pendingMigrations } from "#coordinator/adapters/database/migrate.ts";
import { migrationsFor } from "#coordinator/adapters/database/migrations/index.ts";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { NodeSqliteDialect } from "#coordinator/adapters/database/sqlite/dialect.ts";
import { ALL_READABLE, type Store } from "#coordinator/core/ports/store.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { positionNo } from "#test/kit/places.ts";
import { createTask } from "#test/kit/store-contract/rows.ts";
import { startPostgres } from "#test/kit/worlds/postgres-server.ts";

/*
 * People's databases must open after every later change. Two are kept, each made once and frozen:
 * data/database-0001.sql, PostgreSQL of the first migration, and data/sqlite-0003.sql, of the first SQLite.
 */

const POSTGRES = migrationsFor("postgresql");
const [firstName = "", firstMigration] = Object.entries(POSTGRES)[0] ?? [];
const frozen = await readFile(new URL("data/database-0001.sql", import.meta.url), "utf8");
const frozenSqlite = await readFile(new URL("data/sqlite-0003.sql", import.meta.url), "utf8");
const server = await startPostgres();
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "chorus-migrations-"));
});
afterAll(async () => {
  await server?.stop();
  await rm(scratch, { recursive: true, force: true });
});

const ACTOR = "\u0000\ud800😀\\n";
/** Notes that earlier versions wrote beside the fact. Actors may choose any name. */
const NOTED = [
  { fact: 2, note: null },
  { fact: 3, note: { kind: "round.committed", details: { round: 1, share: 0.5 } } },
  { fact: 4, note: { kind: "run.stop-asked", details: { actor: ACTOR } } },
  { fact: 5, note: "none" },
  { fact: 6, note: [] },
  ["note"],
  "note",
];
const noteStatements = NOTED.map((body, index) => {
  const [position, sequence, at] = [index + 3, index + 2, 1_700_000_000_003 + index];
  const [runId, roundId] = ["01".repeat(16), "02".repeat(16)];
  return `insert into event (position, project_id, stream_kind, stream_id, sequence, run_id, at, body)
    values (${position}, 'default', 'round', '${roundId}', ${sequence}, '${runId}', ${at}, '${JSON.stringify(body)}')`;
});
noteStatements.push(`update counter set value = ${NOTED.length + 2} where name = 'event'`);

/** Checks everything in the frozen database through today's store. @param actor  The actor of a note. */
async function expectFrozenRows(store: Store, actor: string): Promise<void> {
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
    ...NOTED.map((body, index) => ({ sequence: index + 2, at: at + 3 + index, event: body })),
  ]);
  // Its two events are older than notes; those of `NOTED` have some.
  const stream = { kind: "round", id: roundId } as const;
  const noted = [
    { stream, sequence: 3, at: at + 4, note: { kind: "round.committed", details: { round: 1, share: 0.5 } } },
    { stream, sequence: 4, at: at + 5, note: { kind: "run.stop-asked", details: { actor } } },
  ];
  expect(await store.readNotes(stream)).toEqual(noted);
  expect((await store.listNotes(runId, { limit: 9 })).items).toEqual(noted.toReversed());
  expect(await store.findOffer(modelHash)).toEqual({ runId, openedSid: null });
  expect(await store.listModelVersions(runId)).toMatchObject([
    { round: 0, modelHash, metrics: { measures: { accuracy: 0.1 } } },
  ]);
  expect((await store.auditLeaves({ limit: 9 })).items).toEqual([
    { sequence: 1, kind: "round.opened", body: { b: 1, a: 2 } },
  ]);
  // Leaves of versions without a time are in the log and are not looked for; nothing is signed yet.
  expect(await store.leavesAfter(0, 9)).toEqual([
    { sequence: 1, kind: "round.opened", at: null, body: { b: 1, a: 2 } },
  ]);
  expect(await store.logHead()).toBeNull();
  expect((await store.loadMaterial(sid, "share")).get(positionNo(1))).toStrictEqual(
    Uint8Array.of(0, 1, 254, 255),
  );
  expect(await store.listInputs(sid)).toMatchObject([{ position: 1, byteCount: 400 }]);
  expect(await store.findSlot(sid, positionNo(2))).toEqual({
    slotHash: "07".repeat(32),
    byteCount: 400,
    open: true,
  });
  expect(await store.getSetting("issuer-key")).toBe("not a real key");
  // What later migrations added is there and empty, or follows from earlier data.
  expect((await store.findTask("digits"))?.newest).toBeNull();
  expect((await store.findRun(runId))?.newest).toBeNull();
  expect(await store.listTranscripts()).toEqual([]);
  const transcript = { sid, roundId, task: "digits", shard: 0, bytes: Uint8Array.of(1) };
  await store.saveTranscript(transcript);
  await store.keepOpenings(sid, new Map([[positionNo(1), Uint8Array.of(2)]]));
  expect(await store.loadTranscript(roundId, 0)).toStrictEqual(transcript);
  expect(await store.loadOpenings(sid)).toStrictEqual(new Map([[positionNo(1), Uint8Array.of(2)]]));
  const evidence = { salt: new Uint8Array(32).fill(3), words: Uint8Array.of(1, 0, 0, 0) };
  await store.saveEvidence(sid, evidence);
  await store.sealEvidence(sid, Uint8Array.of(4));
  expect(await store.loadEvidence(sid)).toStrictEqual(evidence);
  // Tasks of earlier versions have no event; tasks created now have one.
  expect(await store.readStream({ kind: "project", id: "default" })).toEqual([]);
  expect((await store.findTask("digits"))?.settings).toMatchObject({
    invitation: null,
    joining: "public",
    heldOut: null,
    archived: null,
  });
  const task = bundledTask("digits", 8, 2);
  expect(await createTask(store, bundledTask("digits", 8, 1))).toEqual({
    ok: false,
    error: { type: "exists" },
  });
  expect(await createTask(store, task)).toEqual({ ok: true, value: 1 });
  expect((await store.auditLeaves({ limit: 9 })).items.map(({ sequence }) => sequence)).toEqual([1, 2]);
  expect((await store.listTasks(ALL_READABLE, { limit: 9 })).items).toMatchObject([{ task: { version: 2 } }]);
  // It can be written to.
  expect(await store.nextRunNumber("digits")).toBe(2);
  expect(
    (await store.append({ kind: "run", id: runId }, [{ event: { sequence: 2, at, event: {} }, records: [] }]))
      .ok,
  ).toBe(true);
}

const [RUN_ID, ROUND_ID, MODEL_HASH] = ["01".repeat(16), "02".repeat(16), "04".repeat(32)];
const measureOf = (value: number) => ({ value, halfWidth95: 0.02, count: 359 });

/**
 * Rows of the frozen database in the form that later versions wrote, before views had all figures under `measures`
 * and `deviceMeasures`.
 */
function rowsWithNamedFigures(): Readonly<Record<string, string>> {
  const [accuracy, loss] = [measureOf(0.9), measureOf(0.4)];
  const both = { accuracy, loss };
  const history = [
    { round: 0, accuracy: measureOf(0.1), loss: measureOf(2.3) },
    { round: 1, measures: { ...both, other: measureOf(0.5) }, ...both },
  ];
  const none = { deviceAccuracyBefore: null, deviceAccuracyAfter: null };
  const currentRound = { round: 2, accuracy: null, loss: null, ...none, phase: "collecting" };
  const runShown = { roundsCommitted: 1, modelHash: MODEL_HASH, history, currentRound };
  const figures = { ...both, ...none, deviceAccuracyBefore: measureOf(0.6), updateNormL2: 0.5 };
  const roundShown = { view: { round: 1, ...figures }, detail: { sid: null } };
  return {
    "update run set view": JSON.stringify(runShown),
    "update run set newest": JSON.stringify({ modelHash: MODEL_HASH, accuracy }),
    "update round set view": JSON.stringify(roundShown),
    "update model_version set metrics": JSON.stringify(figures),
  };
}

async function expectFiguresByName(store: Store): Promise<void> {
  const both = { accuracy: measureOf(0.9), loss: measureOf(0.4) };
  const newest = { ...both, other: measureOf(0.5) };
  const deviceMeasures = { before: { accuracy: measureOf(0.6) }, after: {} };
  const run = await store.findRun(RUN_ID);
  expect(run?.view).toEqual({
    roundsCommitted: 1,
    modelHash: MODEL_HASH,
    history: [
      { round: 0, measures: { accuracy: measureOf(0.1), loss: measureOf(2.3) } },
      { round: 1, measures: newest },
    ],
    currentRound: {
      round: 2,
      measures: null,
      deviceMeasures: { before: {}, after: {} },
      phase: "collecting",
    },
  });
  expect(run?.newest).toEqual({ modelHash: MODEL_HASH, measures: newest });
  expect((await store.findRound(ROUND_ID))?.view).toEqual({
    view: { round: 1, measures: both, deviceMeasures, updateNormL2: 0.5 },
    detail: { sid: null },
  });
  expect((await store.listModelVersions(RUN_ID)).map(({ metrics }) => metrics)).toEqual([
    { measures: both, deviceMeasures, updateNormL2: 0.5 },
  ]);
}

const SUM_HASH = "09".repeat(32);
/** A round that has published a sum, and a join token. */
const PUBLISHED = [
  `update round set view = '${JSON.stringify({ view: {}, detail: { sumHash: SUM_HASH } })}'`,
  "insert into join_token (token_hash, project_id, uses_left, expires_at) values ('0a', 'default', 1, 1)",
];

/** Acts of a database from before leaves had actors, in the form of its last migration. */
const ACTED = [
  ["run", 1, "run.launched", "ada"],
  ["project", 2, "task.published", "eve"],
  ["access", 3, "token.made", "erased"],
  // Two people in one millisecond.
  ["run", 4, "run.pauseAsked", "ada"],
  ["access", 4, "token.revoked", "eve"],
  // A site may be called like a person.
  ["access", 5, "site.enrolled", "ada"],
  // What no database reads as a text.
  ["run", 6, "run.stopAsked", "\u0000\ud800"],
].flatMap(([stream, at, kind, actor], index) => {
  const body = JSON.stringify({ version: 1, fact: { type: kind, actor } });
  const position = 1_000 + index;
  return [
    `insert into event (position, project_id, stream_kind, stream_id, sequence, at, body)
      values (${position}, 'default', '${stream}', 'acted', ${position}, ${at}, '${body}')`,
    `insert into audit_leaf (sequence, project_id, kind, at, body)
      values (${position}, 'default', '${kind}', ${at}, '{"version":1}')`,
  ];
});
ACTED.push(
  `insert into audit_leaf (sequence, project_id, kind, at, body)
    values (2000, 'default', 'round.opened', 1, '{"version":1}')`,
  `insert into access_row (kind, id, body) values ('person', 'p1', '{"name":"erased","erasedAt":9}')`,
  `insert into access_row (kind, id, body) values ('person', 'p2', '{"name":"ada","erasedAt":null}')`,
);

async function expectActors(store: Store): Promise<void> {
  const leaves = await store.leavesBefore({ before: 3_000, countMax: 50, from: 0, to: 9 });
  const known = leaves.filter(({ kind }) => kind !== "run.stopAsked").map(({ kind, actor }) => [kind, actor]);
  expect(known.toReversed()).toEqual([
    ["run.launched", "ada"],
    ["task.published", "eve"],
    ["token.made", null],
    ["run.pauseAsked", null],
    ["token.revoked", null],
    ["site.enrolled", null],
    ["round.opened", null],
  ]);
}

/** Rows of one installation all belonged to one project. */
async function expectOneProject(store: Store): Promise<void> {
  const place = { projectId: "default", slug: "digits", joining: "public" };
  for (const of of [
    { type: "task", id: "digits" },
    { type: "run", id: RUN_ID },
    { type: "round", id: ROUND_ID },
    { type: "model", id: MODEL_HASH },
  ] as const)
    expect(await store.findPlaces(of)).toEqual([place]);
  expect(await store.countTasks()).toEqual(new Map([["default", 1]]));
  expect(await store.listAccessRows()).toEqual([]);
  expect(await store.countJoins()).toEqual(new Map());
  // Nothing here is of another project; the sum is known by its hash.
  expect((await store.findProjectData("other")).blobHashes).toEqual([]);
  expect(await store.findProjectData("default")).toMatchObject({
    ...{ taskCount: 1, runCount: 1, roundCount: 1, sids: ["03".repeat(32)] },
    blobHashes: [MODEL_HASH, SUM_HASH].sort(),
  });
  await store.deleteProjectData("default");
  expect(await store.openRunIds()).toEqual([]);
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

/** A future migration. */
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

describe("PostgreSQL", () => {
  /** A connection to a new database that holds the frozen rows, or none. */
  async function database(text: string | null) {
    if (server === null) return null;
    const url = await server.createDatabase();
    const pool = new pg.Pool({ connectionString: url });
    pool.on("error", () => undefined);
    if (text !== null) await pool.query(text);
    return {
      url,
      db: new Kysely<never>({ dialect: new PostgresDialect({ pool }) }),
      run: async (query: string) => (await pool.query(query)).rows as unknown[],
    };
  }
  let folders = 0;
  const newFolder = () => join(scratch, `postgres-${++folders}`);

  test("[D12] of the first version opens and keeps its rows", async (context) => {
    const old = await database(frozen);
    if (old === null) return context.skip();
    for (const statement of noteStatements) await old.run(statement);
    await old.db.destroy();
    const store = await openStore({ dataDir: newFolder(), databaseUrl: old.url });
    // PostgreSQL reads no document with a lone surrogate.
    await expectFrozenRows(store, "\ufffd\ufffd😀\\n");
    await store.close();
  });

  test("[D12] of the first migration is the frozen one: a released migration is not edited", async (context) => {
    const [fresh, old] = [await database(null), await database(frozen)];
    if (fresh === null || old === null || firstMigration === undefined) return context.skip();
    await migrate(fresh.db, { [firstName]: firstMigration });
    expect(await describeSchema(fresh.run)).toEqual(await describeSchema(old.run));
    expect(await pendingMigrations(old.db, { [firstName]: firstMigration })).toEqual([]);
    await fresh.db.destroy();
    await old.db.destroy();
  });

  test("[D12] takes the newest model of a run out of its view", async (context) => {
    const old = await database(frozen);
    if (old === null) return context.skip();
    const accuracy = { value: 0.9, halfWidth95: 0.02, count: 359 };
    const history = [
      { round: 0, accuracy: { value: 0.1, halfWidth95: 0.02, count: 359 } },
      { round: 1, accuracy },
    ];
    const view = { roundsCommitted: 1, modelHash: "08".repeat(32), history };
    await old.run(`update run set view = '${JSON.stringify(view)}'`);
    await old.db.destroy();
    const store = await openStore({ dataDir: newFolder(), databaseUrl: old.url });
    expect((await store.findTask("digits"))?.newest).toEqual({
      modelHash: view.modelHash,
      measures: { accuracy },
    });
    await store.close();
  });

  test("[D12] keeps the figures of views and versions, by name", async (context) => {
    const old = await database(frozen);
    if (old === null) return context.skip();
    const before = Object.fromEntries(Object.entries(POSTGRES).filter(([name]) => name < "0009"));
    await migrate(old.db, before);
    for (const [statement, json] of Object.entries(rowsWithNamedFigures())) {
      await old.run(`${statement} = '${json}'`);
    }
    await old.db.destroy();
    const store = await openStore({ dataDir: newFolder(), databaseUrl: old.url });
    await expectFiguresByName(store);
    await store.close();
  });

  test("[D12] [A111] leaves get the name in their event if it is certain", async (context) => {
    const old = await database(frozen);
    if (old === null) return context.skip();
    await migrate(old.db, Object.fromEntries(Object.entries(POSTGRES).filter(([name]) => name < "0016")));
    for (const statement of ACTED) await old.run(statement);
    await old.db.destroy();
    const store = await openStore({ dataDir: newFolder(), databaseUrl: old.url });
    await expectActors(store);
    await store.close();
  });

  test("[D12] [D13] compares the IDs of runs alike in all tables, so that what belongs to a run is found by an index", async (context) => {
    const old = await database(frozen);
    if (old === null) return context.skip();
    await migrate(old.db, POSTGRES);
    const collations = await old.run(
      "select distinct collation_name from information_schema.columns where table_schema = 'public' and column_name = 'run_id'",
    );
    expect(collations).toEqual([{ collation_name: "C" }]);
    await old.db.destroy();
  });

  test("[D12] [X5] [X8] finds its rows in their project, and deletes them with it", async (context) => {
    const old = await database(frozen);
    if (old === null) return context.skip();
    for (const statement of PUBLISHED) await old.run(statement);
    await old.db.destroy();
    const store = await openStore({ dataDir: newFolder(), databaseUrl: old.url });
    await expectOneProject(store);
    await store.close();
  });

  test("[D12] migrates with its rows, all or nothing, and is refused by a program older than itself", async (context) => {
    const old = await database(frozen);
    if (old === null) return context.skip();
    const failing = { ...POSTGRES, "9998-tomorrow": tomorrow, "9999-torn": torn };
    await expect(migrate(old.db, failing)).rejects.toThrow(
      /9999-torn.*no_such_function.*Nothing was changed/,
    );
    expect(await pendingMigrations(old.db, failing)).toEqual(
      expect.arrayContaining(["9998-tomorrow", "9999-torn"]),
    );
    const added = "select column_name from information_schema.columns where column_name in ('note', 'half')";
    expect(await old.run(added)).toEqual([]);
    await migrate(old.db, { ...POSTGRES, "9998-tomorrow": tomorrow });
    expect(await old.run("select actor, note from run")).toEqual([{ actor: "ada", note: "none" }]);
    await old.db.destroy();
    const opening = openStore({ dataDir: newFolder(), databaseUrl: old.url });
    await expect(opening).rejects.toThrow(/made by a newer version/);
  });
});

describe("SQLite", () => {
  /** The frozen database, where the store looks for it. */
  async function frozenIn(dataDir: string): Promise<DatabaseSync> {
    await mkdir(dataDir);
    const sqlite = new DatabaseSync(join(dataDir, "chorus.db"));
    sqlite.exec(frozenSqlite);
    return sqlite;
  }

  test("[D12] of the first version opens and keeps its rows", async () => {
    const dataDir = join(scratch, "first-sqlite");
    const sqlite = await frozenIn(dataDir);
    for (const statement of noteStatements) sqlite.exec(statement);
    sqlite.close();
    const store = await openStore({ dataDir });
    await expectFrozenRows(store, ACTOR);
    await store.close();
  });

  test("[D12] keeps the figures of views and versions, by name", async () => {
    const dataDir = join(scratch, "figures");
    const sqlite = await frozenIn(dataDir);
    for (const [statement, json] of Object.entries(rowsWithNamedFigures())) {
      sqlite.exec(`${statement} = '${json}'`);
    }
    sqlite.close();
    const store = await openStore({ dataDir });
    await expectFiguresByName(store);
    await store.close();
  });

  test("[D12] [A111] leaves get the name in their event if it is certain", async () => {
    const dataDir = join(scratch, "actors");
    const sqlite = await frozenIn(dataDir);
    const before = Object.entries(migrationsFor("sqlite")).filter(([name]) => name < "0016");
    await migrate(new Kysely<never>({ dialect: new NodeSqliteDialect(sqlite) }), Object.fromEntries(before));
    for (const statement of ACTED) sqlite.exec(statement);
    sqlite.close();
    const store = await openStore({ dataDir });
    await expectActors(store);
    await store.close();
  });

  test("[D12] [X5] [X8] finds its rows in their project, and deletes them with it", async () => {
    const dataDir = join(scratch, "project");
    const sqlite = await frozenIn(dataDir);
    for (const statement of PUBLISHED) sqlite.exec(statement);
    sqlite.close();
    const store = await openStore({ dataDir });
    await expectOneProject(store);
    await store.close();
  });

  test("[D12] of today is the frozen one: a released migration is not edited", async () => {
    const dataDir = join(scratch, "schemas");
    const schemaOf = (sqlite: DatabaseSync) =>
      sqlite.prepare("select name, sql from sqlite_schema where sql is not null order by name").all();
    const old = await frozenIn(dataDir);
    const fresh = new DatabaseSync(":memory:");
    const three = Object.entries(migrationsFor("sqlite")).slice(0, 3);
    await migrate(new Kysely<never>({ dialect: new NodeSqliteDialect(fresh) }), Object.fromEntries(three));
    expect(schemaOf(fresh)).toEqual(schemaOf(old));
    old.close();
    fresh.close();
  });

  test("[D12] migrates with its rows, all or nothing, and is refused by a program older than itself", async () => {
    const dataDir = join(scratch, "forward");
    const sqlite = await frozenIn(dataDir);
    const db = new Kysely<never>({ dialect: new NodeSqliteDialect(sqlite) });
    const today = migrationsFor("sqlite");
    const failing = { ...today, "9998-tomorrow": tomorrow, "9999-torn": torn };
    await expect(migrate(db, failing)).rejects.toThrow(/9999-torn.*no_such_function.*Nothing was changed/);
    expect(await pendingMigrations(db, failing)).toEqual(
      expect.arrayContaining(["9998-tomorrow", "9999-torn"]),
    );
    const columns = () =>
      sqlite.prepare("select name from pragma_table_info('run') where name in ('note', 'half')").all();
    expect(columns()).toEqual([]);
    await migrate(db, { ...today, "9998-tomorrow": tomorrow });
    expect(sqlite.prepare("select actor, note from run").all()).toEqual([{ actor: "ada", note: "none" }]);
    sqlite.close();
    await expect(openStore({ dataDir })).rejects.toThrow(/made by a newer version/);
  });
});
