import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { err, ok, type Result } from "../kernel/result.ts";

/*
 * Lets only one process use a folder. Node has no flock, but SQLite takes the system's own file locks (POSIX fcntl,
 * LockFileEx), which end with the process however it ends. So an open SQLite transaction on an empty file is the lock.
 *
 * | file         | holds                                                                  |
 * | ------------ | ---------------------------------------------------------------------- |
 * | lock.db      | nothing; `BEGIN EXCLUSIVE` on it is the lock. Never removed            |
 * | lock.holder  | process id and host of the newest holder, only for messages            |
 *
 * POSIX releases all locks of a process on a file as soon as the process closes any descriptor of it. So nothing else in
 * this process may open `lock.db`, not even to copy it or compute a checksum.
 *
 * Does not protect a folder on a network file system without working locks, or one whose `lock.db` is deleted.
 */

const FILE_NAME = "lock.db";
const HOLDER_NAME = "lock.holder";
/** Files of the lock in a folder. They belong to processes, so no copy of the folder needs them. */
export const LOCK_FILES: readonly string[] = [FILE_NAME, HOLDER_NAME];
/**
 * If two processes start at the same instant, each can block the other. SQLite retries for this long, with pauses, so one
 * of them gets the lock. A refused process has waited this long.
 */
const BUSY_MS = 500;

/** Keeps connections from the garbage collector, which would close them and release their locks. */
const heldConnections = new Set<DatabaseSync>();

export interface FolderLock {
  /** A second call does nothing. */
  release(): void;
}

/**
 * `held`: another process (or another part of this one) has the folder. `holder` is the name it gave, null if unknown.
 * `unusable`: the file cannot be opened or locked, e.g. read-only, full, damaged. `reason` is the system's message.
 */
export type LockRefusal =
  | { readonly type: "held"; readonly holder: string | null }
  | { readonly type: "unusable"; readonly path: string; readonly reason: string };

/**
 * Locks `folder`, which must exist, until `release` or the end of the process. Blocks the thread for up to half a second if
 * another process has the lock.
 */
export function lockFolder(folder: string): Result<FolderLock, LockRefusal> {
  const path = join(folder, FILE_NAME);
  let connection: DatabaseSync | null = null;
  try {
    connection = new DatabaseSync(path, { timeout: BUSY_MS });
    // The transaction is never committed, so its journal needs no disk, which may be full. On a file that may not be
    // written SQLite would begin a reading transaction, which several processes can have, so the lock tries to write.
    connection.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE; PRAGMA user_version = 1");
  } catch (fault) {
    connection?.close();
    return err(refusalOf(folder, path, fault));
  }
  const held = connection;
  heldConnections.add(held);
  nameHolder(folder);
  return ok({
    release: () => {
      if (!heldConnections.delete(held)) return;
      // Remove the file before releasing the lock. Afterwards it may be another process's file.
      unnameHolder(folder);
      held.close();
    },
  });
}

/**
 * Tells whether a process has `folder`, without locking it or writing anything.
 *
 * @returns Ok if nobody has it.
 */
export function probeFolder(folder: string): Result<null, LockRefusal> {
  const path = join(folder, FILE_NAME);
  if (!existsSync(path)) return ok(null);
  let connection: DatabaseSync | null = null;
  try {
    connection = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS });
    // Needs a shared lock, which an exclusive one excludes.
    connection.prepare("SELECT count(*) FROM sqlite_schema").get();
    return ok(null);
  } catch (fault) {
    return err(refusalOf(folder, path, fault));
  } finally {
    connection?.close();
  }
}

function refusalOf(folder: string, path: string, fault: unknown): LockRefusal {
  if (isBusy(fault)) return { type: "held", holder: readHolder(folder) };
  return { type: "unusable", path, reason: fault instanceof Error ? fault.message : String(fault) };
}

/** True for SQLITE_BUSY (5) and its extended codes. Source: sqlite.org/rescode.html. */
function isBusy(fault: unknown): boolean {
  const code = (fault as { readonly errcode?: unknown }).errcode;
  return typeof code === "number" && (code & 0xff) === 5;
}

/** Records the holder. If the disk is too full for that, the folder is still locked. */
function nameHolder(folder: string): void {
  try {
    writeFileSync(join(folder, HOLDER_NAME), `process ${process.pid} on ${hostname()}\n`, { mode: 0o600 });
  } catch {
    unnameHolder(folder);
  }
}

/** A folder that cannot be written to keeps the name, which proves nothing. */
function unnameHolder(folder: string): void {
  try {
    rmSync(join(folder, HOLDER_NAME), { force: true });
  } catch {}
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
