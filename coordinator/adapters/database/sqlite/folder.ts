import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { storeTrouble } from "#coordinator/core/ports/store-trouble.ts";
import { messageOf } from "../../system-errors.ts";
import type { FolderFacts } from "../instance.ts";
import { networkFileSystem } from "./network-file-system.ts";

/** Path of the database in a data folder. */
export function databasePath(dataDir: string): string {
  return join(dataDir, "chorus.db");
}

/** @throws Error that says what to do if `dataDir` is on a network file system. */
export async function refuseNetwork(dataDir: string): Promise<void> {
  const network = await networkFileSystem(dataDir);
  if (network === null) return;
  throw new Error(
    `The data folder ${dataDir} is on a network file system (${network}), where SQLite's locks do not work. Choose a folder on a local disk with --data, or use PostgreSQL: set DATABASE_URL.`,
  );
}

/**
 * Checks a folder before SQLite opens its file there.
 *
 * @returns Whether the file already exists.
 * @throws Error that says what to do if the folder has a database of an earlier version, or has lost its own.
 */
export async function checkFolder({ dataDir, file, isUsed }: FolderFacts): Promise<boolean> {
  const path = databasePath(dataDir);
  const byteCount = await sizeOf(path);
  if (byteCount !== null && byteCount > 0) return true;
  if (existsSync(join(dataDir, "database", "PG_VERSION")))
    throw new Error(
      `The data folder ${dataDir} holds a database of an earlier, unreleased version of Chorus (PGlite), which this version cannot read. Start with another --data folder.`,
    );
  const hasLog = ((await sizeOf(`${path}-wal`)) ?? 0) > 0;
  const wasFinished = file !== null && file.pending !== true;
  if (wasFinished || isUsed || hasLog) {
    const state = byteCount === null ? "is missing" : "is empty";
    throw new Error(
      `The data folder ${dataDir} has been in use, but its database ${path} ${state}. Restore it from a backup; if this folder was used with PostgreSQL, set DATABASE_URL; or start over with another --data folder.`,
    );
  }
  return false;
}

/** Turns SQLite's error on opening into one that says what to do. */
export function doesNotOpen(path: string, error: unknown): Error {
  const reason = messageOf(error);
  const primary = (error as { readonly errcode?: number }).errcode;
  const code = primary === undefined ? null : primary & 0xff;
  // SQLITE_NOTADB and SQLITE_CORRUPT.
  if (code === 26 || code === 11)
    return new Error(
      `${path} is not a database that SQLite can read (${reason}). Restore it from a backup, or start over with another --data folder.`,
      { cause: error },
    );
  if (storeTrouble(error) !== null)
    return new Error(
      `The database ${path} cannot be opened (${reason}). Check that its folder can be written to and has room, or choose another with --data.`,
      { cause: error },
    );
  return error instanceof Error ? error : new Error(reason);
}

/** @param missing  Number of events that the folder knows of and the database lacks. */
export function isBehind(path: string, mark: string, missing: number): Error {
  return new Error(
    `The database ${path} is older than its folder: it lacks the last ${missing} events. Its log file (${path}-wal) was lost, or it was replaced by an older copy. Restore folder and database together; to continue with this database anyway, delete ${mark}.`,
  );
}

async function sizeOf(path: string): Promise<number | null> {
  const found = await stat(path).catch(() => null);
  return found?.isFile() === true ? found.size : null;
}
