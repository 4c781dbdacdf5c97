import { type Kysely, sql } from "kysely";
import { readInstance } from "./instance-row.ts";
import { migrationsFor } from "./migrations/index.ts";
import type { Dialect } from "./migrations/statement.ts";
import { namedFiles } from "./named-files.ts";
import type { Database } from "./schema.ts";

/**
 * Shares that devices sent for rounds that are open. Copies of a database leave them out: they would outlive the end
 * of their round (S11), and without the inputs in the spool no restored round can use them.
 */
export const EPHEMERAL_TABLE = "material";

/** What a database tells about itself without being changed. */
export interface DatabaseReport {
  readonly instanceId: string | null;
  /** Of the newest event over all streams; 0 if there is none. */
  readonly position: number;
  readonly newestEventUnixMs: number | null;
  /** Its newest migration. */
  readonly schema: string | null;
  /** Migrations that the next start applies. */
  readonly pending: readonly string[];
  /** Migrations of a newer version of this program. */
  readonly foreign: readonly string[];
}

/** A copy of a database. */
export interface DatabaseCopy {
  readonly report: DatabaseReport;
  /** Files of the data folder that it names. Null if it is of an earlier version, whose tables are others. */
  readonly named: ReadonlySet<string> | null;
}

/** Reads both in the caller's transaction, if there is one. @returns Null if Chorus never opened this database. */
export async function contentsOf(db: Kysely<Database>, dialect: Dialect): Promise<DatabaseCopy | null> {
  const report = await reportOf(db, dialect);
  if (report === null) return null;
  const isCurrent = report.pending.length === 0 && report.foreign.length === 0;
  return { report, named: isCurrent ? await namedFiles(db) : null };
}

/**
 * Reads the report in the caller's transaction, if there is one.
 *
 * @returns Null if Chorus never opened this database.
 * @throws the driver's error.
 */
export async function reportOf(db: Kysely<Database>, dialect: Dialect): Promise<DatabaseReport | null> {
  const applied = await appliedMigrations(db, dialect);
  if (applied.length === 0) return null;
  const known = Object.keys(migrationsFor(dialect));
  const schema = {
    schema: applied.at(-1) ?? null,
    pending: known.filter((name) => !applied.includes(name)),
    foreign: applied.filter((name) => !known.includes(name)),
  };
  const counter = await db
    .selectFrom("counter")
    .select("value")
    .where("name", "=", "event")
    .executeTakeFirst();
  const position = counter?.value ?? 0;
  const newest = await db
    .selectFrom("event")
    .select("at")
    .where("position", "=", position)
    .executeTakeFirst();
  return {
    instanceId: await readInstance(db),
    position,
    newestEventUnixMs: newest?.at ?? null,
    ...schema,
  };
}

/** In the order of their names. Empty if there is no table of migrations. */
async function appliedMigrations(db: Kysely<Database>, dialect: Dialect): Promise<readonly string[]> {
  const found = await HAS_MIGRATIONS[dialect].execute(db);
  if (found.rows.length === 0) return [];
  const { rows } = await sql<{ readonly name: string }>`
    select name from kysely_migration order by name`.execute(db);
  return rows.map(({ name }) => name);
}

const HAS_MIGRATIONS = {
  sqlite: sql`select name from sqlite_schema where name = 'kysely_migration'`,
  postgresql: sql`select 1 where to_regclass('kysely_migration') is not null`,
} as const;
