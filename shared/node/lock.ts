import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { err, ok, type Result } from "../kernel/result.ts";

/*
 * One process for each folder. Node has no flock; SQLite takes the system's own file locks (POSIX fcntl, LockFileEx),
 * which end with the process however it ends. So a folder is held by a SQLite transaction on an empty file of its own.
 *
 * | file         | holds                                                                  |
 * | ------------ | ---------------------------------------------------------------------- |
 * | lock.db      | nothing; `BEGIN EXCLUSIVE` on it is the lock. Never removed            |
 * | lock.holder  | process id and host of the newest holder, for a message and nothing else |
 *
 * POSIX gives up all of a process's locks on a file when the process closes any descriptor of it. Nothing else may open
 * `lock.db`: not even a copy or a checksum made by this process.
 *
 * Does not protect a folder on a network file system without working locks, or one whose `lock.db` somebody deletes.
 */

const FILE_NAME = "lock.db";
const HOLDER_NAME = "lock.holder";
/**
 * Two processes that begin at the same instant can each refuse the other. SQLite then asks again for this long, with
 * pauses, and one of them gets it. A process that is refused has waited this long.
 */
const BUSY_MS = 500;

/** A connection that the garbage collector closes would give its lock up. */
const heldConnections = new Set<DatabaseSync>();

export interface FolderLock {
  /** A second call does nothing. */
  release(): void;
}

/**
 * `held`: another process (or another part of this one) has the folder; `holder` says who it said it was, null if unknown.
 * `unusable`: the file cannot be opened or locked, e.g. read-only, full, damaged; `reason` is the system's word for it.
 */
export type LockRefusal =
  | { readonly type: "held"; readonly holder: string | null }
  | { readonly type: "unusable"; readonly path: string; readonly reason: string };

/**
 * Takes the lock of `folder`, which must exist. Held until `release` or the end of the process, whichever comes first.
 * Blocks the thread for up to half a second if another process has it.
 */
export function lockFolder(folder: string): Result<FolderLock, LockRefusal> {
  const path = join(folder, FILE_NAME);
  let connection: DatabaseSync | null = null;
  try {
    connection = new DatabaseSync(path, { timeout: BUSY_MS });
    // The transaction is never committed, so its journal need not be on a disk, which may be full.
    connection.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (fault) {
    connection?.close();
    if (isBusy(fault)) return err({ type: "held", holder: readHolder(folder) });
    const reason = fault instanceof Error ? fault.message : String(fault);
    return err({ type: "unusable", path, reason });
  }
  const held = connection;
  heldConnections.add(held);
  nameHolder(folder);
  return ok({
    release: () => {
      if (!heldConnections.delete(held)) return;
      // Before the lock goes: after it, the file may be another's.
      rmSync(join(folder, HOLDER_NAME), { force: true });
      held.close();
    },
  });
}

/** SQLITE_BUSY (5), extended codes included. Source: sqlite.org/rescode.html. */
function isBusy(fault: unknown): boolean {
  const code = (fault as { readonly errcode?: unknown }).errcode;
  return typeof code === "number" && (code & 0xff) === 5;
}

/** The lock is what holds; a folder too full for these bytes is locked all the same. */
function nameHolder(folder: string): void {
  try {
    writeFileSync(join(folder, HOLDER_NAME), `process ${process.pid} on ${hostname()}\n`, { mode: 0o600 });
  } catch {
    rmSync(join(folder, HOLDER_NAME), { force: true });
  }
}

const HOLDER_PATTERN = /^process \d{1,10} on [\w.-]{1,255}\n$/;

function readHolder(folder: string): string | null {
  try {
    const text = readFileSync(join(folder, HOLDER_NAME), "utf8");
    return HOLDER_PATTERN.test(text) ? text.trim() : null;
  } catch {
    return null;
  }
}
