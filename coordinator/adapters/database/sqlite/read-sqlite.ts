import { existsSync } from "node:fs";
import { open, rm, stat } from "node:fs/promises";
import { backup, DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { Kysely } from "kysely";
import { syncFile } from "#shared/node/durable-files.ts";
import { contentsOf, type DatabaseCopy, type DatabaseReport, EPHEMERAL_TABLE, reportOf } from "../report.ts";
import type { Database } from "../schema.ts";
import { NodeSqliteDialect } from "./dialect.ts";

/** The coordinator may be writing, and a file may be locked for a moment. */
const BUSY_TIMEOUT_MS = 5_000;
const PAGES_PER_STEP = 1_000;

export interface ReadSqlite {
  readonly report: DatabaseReport | null;
  /** What `pragma integrity_check` found. Empty if the file is whole. */
  readonly faults: readonly string[];
}

/**
 * Reads a database without changing it or anything beside it, unless a coordinator or a crash has left a log.
 *
 * @param isInUse  Whether a coordinator may have it open.
 * @throws SQLite's error.
 */
export function readSqlite(path: string, isInUse: boolean): Promise<ReadSqlite> {
  return withReader(path, isInUse, async (database) => {
    const rows = database.prepare("pragma integrity_check(10)").all();
    const faults = rows.map((row) => String(Object.values(row)[0])).filter((text) => text !== "ok");
    return { report: await reportOf(kyselyOf(database), "sqlite"), faults };
  });
}

/** The files that a database names. Null as in `DatabaseCopy`. See `readSqlite`. */
export function filesNamedBySqlite(path: string, isInUse: boolean): Promise<DatabaseCopy["named"]> {
  return withReader(
    path,
    isInUse,
    async (database) => (await contentsOf(kyselyOf(database), "sqlite"))?.named ?? null,
  );
}

async function withReader<Value>(
  path: string,
  isInUse: boolean,
  read: (database: DatabaseSync) => Promise<Value>,
): Promise<Value> {
  const hasLog = ((await stat(`${path}-wal`).catch(() => null))?.size ?? 0) > 0;
  // Otherwise SQLite would leave an empty log and its index behind.
  const isStill = !isInUse && !hasLog;
  const url = pathToFileURL(path);
  if (isStill) url.searchParams.set("immutable", "1");
  const database = new DatabaseSync(isStill ? url : path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    return await read(database);
  } finally {
    database.close();
  }
}

/**
 * Copies a database by SQLite's backup call, as it is at one moment, while a coordinator may be writing.
 *
 * The copy has everything except the shares of open rounds. It takes one read transaction, which delays no write, but keeps
 * deleted data in the coordinator's log until it ends (S11).
 *
 * @param target      Must not exist. Only this user can read it.
 * @param onProgress  Fraction copied, 0 to 1.
 * @returns What the copy tells. Null if Chorus never opened the database.
 * @throws SQLite's error; Error that says what to do if the copy is damaged. Leaves no target behind.
 */
export async function copySqlite(
  source: string,
  target: string,
  onProgress: (fraction: number) => void,
): Promise<DatabaseCopy | null> {
  await (await open(target, "wx", 0o600)).close();
  try {
    const database = new DatabaseSync(source, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    try {
      // Without a transaction around all steps, each write of the coordinator would start the copy again.
      database.exec("begin");
      database.prepare("select count(*) from sqlite_schema").get();
      await backup(database, target, {
        rate: PAGES_PER_STEP,
        progress: ({ totalPages, remainingPages }) => onProgress(1 - remainingPages / totalPages),
      });
    } finally {
      database.close();
    }
    forgetMaterial(target);
    const { report, faults } = await readSqlite(target, false);
    if (faults.length > 0)
      throw new Error(
        `The database ${source} is damaged (${faults[0]}). Check the disk, and restore an earlier backup.`,
      );
    await syncFile(target);
    return report === null ? null : { report, named: await filesNamedBySqlite(target, false) };
  } catch (error) {
    for (const suffix of ["", "-wal", "-shm", "-journal"])
      if (existsSync(target + suffix)) await rm(target + suffix, { force: true });
    throw error;
  }
}

/** @see EPHEMERAL_TABLE */
function forgetMaterial(path: string): void {
  const database = new DatabaseSync(path);
  try {
    database.exec("pragma secure_delete = 1");
    const found = database.prepare("select 1 from sqlite_schema where name = ?").get(EPHEMERAL_TABLE);
    if (found !== undefined) database.exec(`delete from ${EPHEMERAL_TABLE}`);
    // Closing the last connection empties and removes the write-ahead log.
  } finally {
    database.close();
  }
}

function kyselyOf(database: DatabaseSync): Kysely<Database> {
  return new Kysely<Database>({ dialect: new NodeSqliteDialect(database) });
}
