import { spawn } from "node:child_process";
import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { isErrorCode } from "../system-errors.ts";
import { checkServer, getTypeParser } from "./postgres.ts";
import { contentsOf, type DatabaseCopy, type DatabaseReport, EPHEMERAL_TABLE, reportOf } from "./report.ts";
import type { Database } from "./schema.ts";

/*
 * PostgreSQL is copied and restored by its own tools, pg_dump and pg_restore. The URL's password reaches them in the
 * environment: an argument could be read by every user of the machine.
 */

const CONNECT_MS = 10_000;
const MESSAGE_LENGTH_MAX = 2_000;

/**
 * @returns Null if Chorus never opened this database.
 * @throws Error that says what to do if the server is away, too old or not in UTF-8; the driver's error.
 */
export function readPostgres(databaseUrl: string): Promise<DatabaseReport | null> {
  return withReader(databaseUrl, (db) => reportOf(db, "postgresql"));
}

/** The files that a database names now. Null as in `DatabaseCopy`. @throws as `readPostgres`. */
export function filesNamedByPostgres(databaseUrl: string): Promise<DatabaseCopy["named"]> {
  return withReader(databaseUrl, async (db) => (await contentsOf(db, "postgresql"))?.named ?? null);
}

/** Whether there is no table where Chorus would make its own. @throws Error that says what to do if the server cannot be used. */
export function isEmptyPostgres(databaseUrl: string): Promise<boolean> {
  return withReader(databaseUrl, async (db) => {
    const { rows } = await sql`
      select 1 from information_schema.tables where table_schema = current_schema() limit 1`.execute(db);
    return rows.length === 0;
  });
}

/**
 * Dumps a database as it is at one moment, except for the shares of open rounds.
 *
 * @param target  File in pg_dump's custom format. Must not exist.
 * @returns What the database tells at that moment. Null if Chorus never opened it.
 * @throws Error that says what to do.
 */
export function dumpPostgres(databaseUrl: string, target: string): Promise<DatabaseCopy | null> {
  return withReader(databaseUrl, async (db) => {
    const { rows } = await sql<{ readonly id: string }>`select pg_export_snapshot() as id`.execute(db);
    const copy = await contentsOf(db, "postgresql");
    await runTool("pg_dump", databaseUrl, [
      "--format=custom",
      "--no-owner",
      "--no-privileges",
      `--exclude-table-data=${EPHEMERAL_TABLE}`,
      `--snapshot=${rows[0]?.id ?? ""}`,
      `--file=${target}`,
    ]);
    return copy;
  });
}

/** Restores a dump into an empty database, as a whole or not at all. @throws Error that says what to do. */
export async function restorePostgres(databaseUrl: string, dump: string): Promise<void> {
  const whole = ["--single-transaction", "--exit-on-error"];
  await runTool("pg_restore", databaseUrl, [...whole, "--no-owner", "--no-privileges", dump]);
}

/** In one read-only transaction with one snapshot. */
async function withReader<T>(databaseUrl: string, read: (db: Kysely<Database>) => Promise<T>): Promise<T> {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: 1,
    connectionTimeoutMillis: CONNECT_MS,
    types: { getTypeParser },
  });
  pool.on("error", () => undefined);
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  try {
    await checkServer(db);
    return await db
      .transaction()
      .setIsolationLevel("repeatable read")
      .setAccessMode("read only")
      .execute((transaction) => read(transaction));
  } finally {
    await db.destroy();
  }
}

/** A URL has its password before the host or as a parameter, which comes first. */
export function withoutPassword(databaseUrl: string): {
  readonly url: string;
  readonly password: string | null;
} {
  const url = new URL(databaseUrl);
  const parameter = url.searchParams.get("password");
  const password = parameter ?? (url.password === "" ? null : decodeURIComponent(url.password));
  url.password = "";
  if (parameter !== null) url.searchParams.delete("password");
  return { url: url.href, password };
}

async function runTool(name: string, databaseUrl: string, args: readonly string[]): Promise<void> {
  const { url, password } = withoutPassword(databaseUrl);
  const child = spawn(name, [`--dbname=${url}`, ...args], {
    env: { ...process.env, ...(password === null ? {} : { PGPASSWORD: password }) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(0, MESSAGE_LENGTH_MAX);
  });
  const end = () => void child.kill();
  process.once("exit", end);
  await new Promise<void>((resolve, reject) => {
    child.once("error", (error) =>
      reject(
        isErrorCode(error, "ENOENT")
          ? new Error(
              `${name} is not installed, and a PostgreSQL database is copied by its own tools. Install the client of your server's version (Debian: apt-get install postgresql-client) and try again.`,
            )
          : error,
      ),
    );
    child.once("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${name} ended with ${code ?? "a signal"}: ${said.trim()}`));
    });
  }).finally(() => process.off("exit", end));
}
