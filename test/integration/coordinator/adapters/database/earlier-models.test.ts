import { DatabaseSync } from "node:sqlite";
import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { afterAll, describe, expect, test } from "vitest";
import { migrate } from "#coordinator/adapters/database/migrate.ts";
import { migrationsFor } from "#coordinator/adapters/database/migrations/index.ts";
import { getTypeParser } from "#coordinator/adapters/database/postgres.ts";
import type { Database } from "#coordinator/adapters/database/schema.ts";
import { NodeSqliteDialect } from "#coordinator/adapters/database/sqlite/dialect.ts";
import { createStore } from "#coordinator/adapters/database/store.ts";
import { withLeaves } from "#test/kit/store-contract/rows.ts";
import { startPostgres } from "#test/kit/worlds/postgres-server.ts";

/* A database of the migration before models had numbers: two tasks, whose runs took turns. */

const server = await startPostgres();
afterAll(() => server?.stop());

const [A, B, C] = ["0a".repeat(16), "0b".repeat(16), "0c".repeat(16)];
const SET = "5e".repeat(32);
const accuracy = { value: 0.9, halfWidth95: 0.02, count: 359 };
const hash = (name: string) => name.repeat(64).slice(0, 64);

/** In the order of their commits: run, round, model. */
const COMMITS = [
  [A, 1, "a1"],
  [C, 1, "c1"],
  [B, 1, "b1"],
  [A, 3, "a3"],
] as const;
const roundIdOf = (runId: string, round: number) => `${runId.slice(0, 28)}000${round}`;

function rows(): readonly string[] {
  const statements: string[] = [];
  let position = 0;
  const event = (roundId: string, sequence: number) =>
    statements.push(`insert into event (position, project_id, stream_kind, stream_id, sequence, at, body)
      values (${++position}, 'default', 'round', '${roundId}', ${sequence}, ${1_000 + position}, '{}')`);
  const text = (value: unknown) => `'${JSON.stringify(value)}'`;
  const version = (runId: string, round: number, model: string, metrics: unknown) =>
    statements.push(`insert into model_version (run_id, round, project_id, model_hash, metrics)
      values ('${runId}', ${round}, 'default', '${hash(model)}', ${text(metrics)})`);
  for (const [number, runId] of [A, B].entries())
    statements.push(`insert into run (run_id, project_id, task, task_version, number, state, actor, created_at, view)
      values ('${runId}', 'default', 'digits', 1, ${number + 1}, 'completed', 'ada', 1, '{"shown":true}')`);
  statements.push(`insert into run (run_id, project_id, task, task_version, number, state, actor, created_at, view)
    values ('${C}', 'default', 'pens', 1, 1, 'failed', 'ada', 1, '{"shown":true}')`);
  const round = (runId: string, number: number, phase: string, view: unknown) =>
    statements.push(`insert into round (round_id, project_id, run_id, round, phase, view)
      values ('${roundIdOf(runId, number)}', 'default', '${runId}', ${number}, '${phase}', ${text({ view })})`);
  // The second round of A was voided, and left a model without a sum.
  round(A, 2, "voided", { survivors: 3 });
  version(A, 2, "a2", null);
  version(A, 0, "a0", { measures: null });
  for (const [runId, number, model] of COMMITS) {
    const measured = model === "a3" ? {} : { measuredOn: SET };
    round(runId, number, "committed", { round: number, survivors: 3 + number, ...measured });
    version(runId, number, model, { measures: { accuracy }, updateNormL2: 0.5 });
    event(roundIdOf(runId, number), 1);
  }
  // Rounds open in another order than they commit.
  for (const [runId, number] of COMMITS) event(roundIdOf(runId, number), 2);
  statements.push(`update counter set value = ${position} where name = 'event'`);
  return statements;
}

function suite(name: "sqlite" | "postgresql", connect: () => Promise<Kysely<Database> | null>): void {
  test("[D12] [G1] models get the numbers in which they were committed, and show what they did", async (context) => {
    const db = await connect();
    if (db === null) return context.skip();
    const all = migrationsFor(name);
    await migrate(db, Object.fromEntries(Object.entries(all).filter(([migration]) => migration < "0013")));
    for (const statement of rows()) await sql.raw(statement).execute(db);
    await migrate(db, all);
    const kind = name === "sqlite" ? "embedded" : "postgresql";
    const store = createStore({ kind, db, close: () => db.destroy() }, "default");
    const { items } = await store.listModels("digits", { limit: 9 });
    expect(items.map(({ number, modelHash, isCandidate }) => [number, modelHash, isCandidate])).toEqual([
      [3, hash("a3"), true],
      [2, hash("b1"), true],
      [1, hash("a1"), false],
    ]);
    expect(items.map(({ madeAt, runNumber, metrics }) => [madeAt, runNumber, metrics])).toEqual([
      [1_008, 1, { measures: { accuracy }, updateNormL2: 0.5, survivors: 6 }],
      [1_007, 2, { measures: { accuracy }, updateNormL2: 0.5, survivors: 4, measuredOn: SET }],
      [1_005, 1, { measures: { accuracy }, updateNormL2: 0.5, survivors: 4, measuredOn: SET }],
    ]);
    expect((await store.listModels("pens", { limit: 9 })).items).toMatchObject([{ number: 1, runId: C }]);
    expect(await store.listAliases("digits")).toEqual([]);
    expect(await store.modelNumbers(A)).toEqual(
      new Map([
        [1, 1],
        [3, 3],
      ]),
    );
    expect((await store.findRun(A))?.view).toEqual({ shown: true, candidate: 3 });
    expect((await store.findRun(B))?.view).toEqual({ shown: true, candidate: 2 });
    expect((await store.findRound(roundIdOf(A, 3)))?.view).toMatchObject({ view: { round: 3, version: 3 } });
    expect((await store.findRound(roundIdOf(A, 2)))?.view).toEqual({ view: { survivors: 3 } });
    // The next one counts on.
    const version = { runId: B, round: 2, modelHash: hash("b2"), parentHash: null, strategyStateHash: null };
    await store.append({ kind: "run", id: B }, [
      {
        event: { sequence: 1, at: 9, event: {} },
        records: withLeaves([
          { type: "model-version", version: { ...version, metrics: null }, numberedIn: "digits" },
        ]),
      },
    ]);
    expect(await store.modelNumbers(B)).toEqual(
      new Map([
        [1, 2],
        [2, 4],
      ]),
    );
    await store.close();
  });
}

describe("SQLite", () => {
  suite("sqlite", async () => new Kysely({ dialect: new NodeSqliteDialect(new DatabaseSync(":memory:")) }));
});
describe("PostgreSQL", () => {
  suite("postgresql", async () => {
    if (server === null) return null;
    const pool = new pg.Pool({ connectionString: await server.createDatabase(), types: { getTypeParser } });
    pool.on("error", () => undefined);
    return new Kysely({ dialect: new PostgresDialect({ pool }) });
  });
});
