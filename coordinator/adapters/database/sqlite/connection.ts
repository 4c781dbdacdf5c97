import { DatabaseSync, type StatementSync } from "node:sqlite";
import { Kysely } from "kysely";
import type { Database } from "../schema.ts";
import { NodeSqliteDialect } from "./dialect.ts";

/** Another program may lock the file briefly, for example for a backup. */
const BUSY_TIMEOUT_MS = 5_000;
/** A checkpoint truncates the write-ahead log to this size. */
const LOG_BYTES_MAX = 16 * 2 ** 20;

/**
 * Pragmas set on each connection and read back. Source: sqlite.org/pragma.html.
 *
 * | pragma              | value | why                                                                     |
 * | ------------------- | ----- | ----------------------------------------------------------------------- |
 * | synchronous         | 2     | FULL: an acknowledged commit survives a power cut                       |
 * | fullfsync           | 1     | macOS: flushes the drive's cache as well; no effect elsewhere           |
 * | checkpoint_fullfsync| 1     | the same for checkpoints                                                |
 * | foreign_keys        | 1     |                                                                         |
 * | secure_delete       | 1     | deleted shares are overwritten, not only unlinked (S11)                 |
 * | trusted_schema      | 0     | a foreign file cannot call functions through its schema                 |
 * | journal_size_limit  |       | a long read does not leave a large log behind forever                   |
 */
const PRAGMAS = {
  synchronous: 2,
  fullfsync: 1,
  checkpoint_fullfsync: 1,
  foreign_keys: 1,
  secure_delete: 1,
  trusted_schema: 0,
  journal_size_limit: LOG_BYTES_MAX,
} as const;

export type Pragmas = Readonly<Record<string, unknown>>;
export interface Connection {
  readonly db: Kysely<Database>;
  /** As SQLite reports them, including `journal_mode`. */
  readonly pragmas: Pragmas;
  /** Position of the newest event over all streams. */
  readonly position: () => number;
  /**
   * Removes deleted data from the write-ahead log, too.
   *
   * @returns Whether the log is now empty; false while a reader needs it or if the disk refuses. Never
   *   throws.
   */
  readonly emptyLog: () => boolean;
  readonly close: () => void;
}

/**
 * Opens the file at `path`. A writing connection creates it if missing.
 *
 * @throws SQLite's error; Error if a setting needed for durability does not take effect.
 */
export function connect(path: string, access: "write" | "read"): Connection {
  const database = new DatabaseSync(path, { readOnly: access === "read", timeout: BUSY_TIMEOUT_MS });
  try {
    // First, because it reads the file and so fails if that is not a database.
    if (access === "write") database.exec("pragma journal_mode = wal");
    for (const [name, value] of Object.entries(PRAGMAS)) database.exec(`pragma ${name} = ${value}`);
    const pragmas: Record<string, unknown> = { journal_mode: pragma(database, "journal_mode") };
    for (const name of Object.keys(PRAGMAS)) pragmas[name] = pragma(database, name);
    const asked: Pragmas = { journal_mode: "wal", ...PRAGMAS };
    for (const name of ["journal_mode", "synchronous", "foreign_keys"]) {
      if (pragmas[name] !== asked[name])
        throw new Error(`SQLite keeps ${name} at ${String(pragmas[name])} here, not ${String(asked[name])}.`);
    }
    return {
      db: new Kysely<Database>({ dialect: new NodeSqliteDialect(database) }),
      pragmas,
      position: positionOf(database),
      emptyLog: () => emptyLog(database),
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

function positionOf(database: DatabaseSync): () => number {
  let statement: StatementSync | undefined;
  return () => {
    statement ??= database.prepare("select value from counter where name = 'event'");
    return Number(statement.get()?.["value"] ?? 0);
  };
}

/** Does not wait for readers, which would delay every write for as long as a list takes. */
function emptyLog(database: DatabaseSync): boolean {
  try {
    database.exec("pragma busy_timeout = 0");
    try {
      return database.prepare("pragma wal_checkpoint(truncate)").get()?.["busy"] === 0;
    } finally {
      database.exec(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`);
    }
  } catch {
    // The caller's write is committed. If the disk fails, the next write shows it.
    return false;
  }
}

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`pragma ${name}`).get() ?? {})[0];
}
