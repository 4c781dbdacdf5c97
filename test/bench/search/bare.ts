import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { databasePath } from "#coordinator/adapters/database/sqlite/folder.ts";
import { type BenchRun, benchRun } from "./rows.ts";

/** A database without the coordinator's code before it. */
export interface BareDatabase {
  fill(runCount: number): Promise<void>;
  /** Runs one statement and reads its rows. */
  ask(statement: string): Promise<unknown>;
  close(): Promise<void>;
}

interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  /** What each is in an array of PostgreSQL. */
  readonly types: readonly string[];
  rows(run: BenchRun): readonly (readonly (string | number | null)[])[];
}

const entries = (name: "param" | "tag"): Table => ({
  name: `tracking_${name}`,
  columns: ["run_id", "key", "value"],
  types: ["text", "text", "text"],
  rows: ({ runId, params, tags }) => (name === "param" ? params : tags).map((entry) => [runId, ...entry]),
});

const TABLES: readonly Table[] = [
  {
    name: "run",
    columns: [
      "run_id",
      "project_id",
      "task",
      "task_version",
      "number",
      "state",
      "actor",
      "created_at",
      "view",
      "newest",
    ],
    types: ["text", "text", "text", "int", "int", "text", "text", "bigint", "json", "json"],
    rows: ({ run }) => [run],
  },
  {
    name: "tracking_run",
    columns: [
      ...["run_id", "project_id", "experiment_id", "name", "user_id", "status", "start_time", "end_time"],
      ...["artifact_uri", "is_deleted", "is_own"],
    ],
    types: ["text", "text", "text", "text", "text", "text", "bigint", "bigint", "text", "boolean", "boolean"],
    rows: ({ tracked }) => [[...tracked, 0, 1]],
  },
  {
    name: "tracking_newest_metric",
    columns: ["run_id", "key", "step", "timestamp", "value", "is_nan"],
    types: ["text", "text", "bigint", "bigint", "double precision", "boolean"],
    rows: ({ runId, metrics }) => metrics.map(([key, value]) => [runId, key, 1, 1, value, 0]),
  },
  entries("param"),
  entries("tag"),
];

/** Runs that are inserted at once. */
const BATCH = 500;

export function openBare(dataDir: string, databaseUrl: string | undefined): Promise<BareDatabase> {
  return databaseUrl === undefined ? openSqlite(dataDir) : openPostgres(databaseUrl);
}

async function openSqlite(dataDir: string): Promise<BareDatabase> {
  const database = new DatabaseSync(databasePath(dataDir));
  return {
    fill: async (runCount) => {
      database.exec("begin");
      const inserts = TABLES.map(({ name, columns }) =>
        database.prepare(
          `insert into ${name} (${columns.join(", ")}) values (${columns.map(() => "?").join(", ")})`,
        ),
      );
      for (let index = 0; index < runCount; index++)
        for (const [table, insert] of inserts.entries())
          for (const row of TABLES[table]?.rows(benchRun(index)) ?? []) insert.run(...row);
      database.exec("commit");
    },
    ask: async (statement) => database.prepare(statement).all(),
    close: async () => database.close(),
  };
}

async function openPostgres(databaseUrl: string): Promise<BareDatabase> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  return {
    fill: async (runCount) => {
      for (let first = 0; first < runCount; first += BATCH) {
        const runs = Array.from({ length: Math.min(BATCH, runCount - first) }, (_, index) =>
          benchRun(first + index),
        );
        for (const { name, columns, types, rows } of TABLES) {
          const all = runs.flatMap(rows);
          const arrays = types.map((type, at) => `$${at + 1}::${type}[]`).join(", ");
          await client.query(
            `insert into ${name} (${columns.join(", ")}) select * from unnest(${arrays})`,
            columns.map((_, at) => all.map((row) => row[at])),
          );
        }
      }
      await client.query("analyze");
    },
    ask: async (statement) => (await client.query(statement)).rows,
    close: () => client.end(),
  };
}
