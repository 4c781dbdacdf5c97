import { DatabaseSync } from "node:sqlite";
import { type Dialect, Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { afterAll, describe, expect, test } from "vitest";
import { migrate } from "#coordinator/adapters/database/migrate.ts";
import { migrationsFor } from "#coordinator/adapters/database/migrations/index.ts";
import { getTypeParser } from "#coordinator/adapters/database/postgres.ts";
import type { Database } from "#coordinator/adapters/database/schema.ts";
import { NodeSqliteDialect } from "#coordinator/adapters/database/sqlite/dialect.ts";
import { createStore } from "#coordinator/adapters/database/store.ts";
import { type Living, Readers } from "#coordinator/core/desks/readers.ts";
import type { Store } from "#coordinator/core/ports/store.ts";
import { ALL_READABLE } from "#coordinator/core/ports/store.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import {
  createTask,
  newRoundId,
  newRunId,
  noteRecord,
  roundRecord,
  runRecord,
} from "#test/kit/store-contract/rows.ts";
import { startPostgres } from "#test/kit/worlds/postgres-server.ts";

/* How many queries the API's pages cost, counted as they leave for the database. */

const server = await startPostgres();
afterAll(() => server?.stop());

const nothingLives: Living = {
  lobby: { connected: () => [], agreedCount: () => 0 } as unknown as Living["lobby"],
  run: () => null,
  round: () => null,
  activeRun: () => null,
};
const TASKS = 40;

async function countingStore(kind: Store["kind"], dialect: Dialect) {
  const queries: string[] = [];
  const db = new Kysely<Database>({
    dialect,
    log: (event) => {
      if (event.level === "query") queries.push(event.query.sql);
    },
  });
  await migrate(db, migrationsFor(kind === "embedded" ? "sqlite" : "postgresql"));
  const store = createStore({ kind, db, close: () => db.destroy() }, "default");
  const runId = newRunId();
  let roundId = "";
  let sequence = 0;
  for (let index = 0; index < TASKS; index++) {
    const slug = `task-${String(index).padStart(3, "0")}` as ReturnType<typeof bundledTask>["slug"];
    await createTask(store, { ...bundledTask("digits", 8, 1), slug }, { at: 0 });
    const newest = { modelHash: "a".repeat(64), measures: null };
    const runs = [1, 2, 3].map((createdAt) =>
      runRecord(newRunId(), { task: slug, createdAt, newest: createdAt === 2 ? newest : null }),
    );
    roundId = newRoundId();
    const round = roundRecord(roundId, runId, index + 1);
    const stored = { sequence: ++sequence, at: 0, event: { fact: {} } };
    const notes = index % 4 === 0 ? [noteRecord("run.wait-expired")] : [];
    await store.append({ kind: "run", id: runId }, [{ event: stored, records: [...runs, round, ...notes] }]);
  }
  const readers = new Readers({ store, after: () => () => {} }, nothingLives);
  const costOf = async (read: () => Promise<unknown>) => {
    queries.length = 0;
    await read();
    return queries.length;
  };
  return { store, readers, runId, roundId, costOf, queries };
}

type Counting = Awaited<ReturnType<typeof countingStore>>;

function suite(name: string, open: () => Promise<Counting | null>): void {
  describe(name, () => {
    test("[D13] a page of tasks, versions, runs, rounds or events costs one query, whatever its size", async (context) => {
      const opened = await open();
      if (opened === null) return context.skip();
      const { store, readers, runId, costOf } = opened;
      for (const limit of [1, 10, TASKS, 200]) {
        expect(await costOf(() => readers.listTasks(ALL_READABLE, { limit }))).toBe(1);
        expect(await costOf(() => readers.listVersions("task-001", { limit }))).toBe(1);
        expect(await costOf(() => readers.listRuns(ALL_READABLE, { limit }))).toBe(1);
        expect(await costOf(() => readers.listRuns({ ...ALL_READABLE, task: "task-001" }, { limit }))).toBe(
          1,
        );
        expect(await costOf(() => readers.listRounds(runId, { limit }))).toBe(1);
        expect(await costOf(() => store.auditLeaves({ limit }))).toBe(1);
        expect(await costOf(() => readers.listEvents(runId, { limit }))).toBe(1);
      }
      expect(await costOf(() => readers.taskView("task-001"))).toBe(1);
      const { items } = await readers.listTasks(ALL_READABLE, { limit: 200 });
      expect(items).toHaveLength(TASKS);
      expect(new Set(items.map((view) => view.latestModelHash))).toEqual(new Set(["a".repeat(64)]));
      await store.close();
    });

    test("[L4] the files of a folder are removed together, whatever their number", async (context) => {
      const opened = await open();
      if (opened === null) return context.skip();
      const { store, costOf } = opened;
      const costs: number[] = [];
      for (const [folder, count] of [
        ["one", 1],
        ["many", 60],
      ] as const) {
        for (let index = 0; index < count; index++) {
          const blobHash = String(index).padStart(64, "0");
          await store.putArtifact("default", { path: `${folder}/${index}`, blobHash, byteCount: 1 });
        }
        costs.push(
          await costOf(async () =>
            expect(await store.removeArtifacts("default", folder)).toHaveLength(count),
          ),
        );
      }
      expect(costs[1]).toBe(costs[0]);
      await store.close();
    });

    test("[D16] what people are shown of a run or a round is read without its log", async (context) => {
      const opened = await open();
      if (opened === null) return context.skip();
      const { store, readers, runId, roundId, queries } = opened;
      const stream = { kind: "round", id: roundId } as const;
      for (let sequence = 1; sequence <= 20; sequence++) {
        const notes = sequence % 5 === 0 ? [noteRecord("round.restarted")] : [];
        await store.append(stream, [{ event: { sequence, at: 0, event: { fact: {} } }, records: notes }]);
      }
      queries.length = 0;
      const { items } = await readers.listEvents(runId, { limit: 200 });
      const detail = await readers.roundDetail(roundId);
      expect(items).toHaveLength(TASKS / 4 + 4);
      expect(detail?.events.map(({ sequence }) => sequence)).toEqual([20, 15, 10, 5]);
      const tables = queries.map((query) => /from "(\w+)"/.exec(query)?.[1]);
      expect(tables).toEqual(["note", "round", "note"]);
      await store.close();
    });
  });
}

suite("SQLite", () => countingStore("embedded", new NodeSqliteDialect(new DatabaseSync(":memory:"))));
suite("PostgreSQL", async () => {
  if (server === null) return null;
  const pool = new pg.Pool({ connectionString: await server.createDatabase(), types: { getTypeParser } });
  pool.on("error", () => undefined);
  return countingStore("postgresql", new PostgresDialect({ pool }));
});
