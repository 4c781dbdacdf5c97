import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import type { Log } from "#coordinator/core/ports.ts";
import { messageOf } from "../system-errors.ts";
import { migrate } from "./migrate.ts";
import { migrationsFor } from "./migrations/index.ts";
import type { Database } from "./schema.ts";
import type { OpenDatabase } from "./store.ts";

const CONNECTIONS_MAX = 10;
const SERVER_VERSION_MIN = 150_000;
const BYTEA_OID = 17;
const INT8_OID = 20;
const JSON_OID = 114;

/**
 * Opens a PostgreSQL database and brings it to the newest schema.
 *
 * @throws Error with what to do, where the server cannot be reached or is older than 15.
 */
export async function openPostgres(databaseUrl: string, log: Log | undefined): Promise<OpenDatabase> {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: 10_000,
    types: { getTypeParser },
  });
  // A connection that breaks while idle is replaced by the pool; without a listener it would end the process.
  pool.on("error", (error) => log?.warn({ error: error.message }, "an idle database connection was lost"));
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  try {
    await checkVersion(db);
    const { wasMade } = await migrate(db, migrationsFor("postgresql"));
    return { kind: "postgresql", db, wasMade, close: () => db.destroy() };
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

async function checkVersion(db: Kysely<Database>): Promise<void> {
  let version: number;
  try {
    const { rows } = await sql<{ server_version_num: string }>`show server_version_num`.execute(db);
    version = Number(rows[0]?.server_version_num);
  } catch (error) {
    throw new Error(
      `PostgreSQL does not answer at DATABASE_URL (${messageOf(error)}). Check its host, name and password, and that the server runs.`,
      { cause: error },
    );
  }
  if (!(version >= SERVER_VERSION_MIN)) {
    throw new Error(`This server is PostgreSQL ${Math.floor(version / 10_000)}; Chorus needs 15 or later.`);
  }
}

/** As SQLite gives them: int8 as a number (all of ours lie below 2^53), bytea as plain bytes, documents as text. */
export function getTypeParser(oid: number, format?: "text" | "binary") {
  if (format !== "binary" && oid === INT8_OID) return Number;
  if (format !== "binary" && oid === JSON_OID) return String;
  const parse = pg.types.getTypeParser(oid, format);
  return oid === BYTEA_OID ? (value: string) => Uint8Array.from(parse(value) as Buffer) : parse;
}
