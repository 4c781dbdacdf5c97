import { LOCK_FILES } from "#shared/node/lock.ts";
import { LAST_BACKUP_NAME } from "../../adapters/last-backup.ts";

/**
 * Entries at the top of a data folder that are no part of a backup. Everything else is, so that a key which a later
 * version adds is not forgotten.
 */
const LEFT_OUT: ReadonlySet<string> = new Set([
  // Belong to processes, not to the state.
  ...LOCK_FILES,
  // Copied by the database's own call. The mark is written for that copy: the folder's would be ahead of it.
  "chorus.db",
  "chorus.db-wal",
  "chorus.db-shm",
  "chorus.db-journal",
  "chorus.position",
  // Uploads of rounds that are open or kept for an auditor. A round that is open is given up or repeated after a
  // restore, as after any loss (R14), and masked lists should not outlive their coordinator's copy.
  "spool",
  // The demo's devices and their rows, which are not the coordinator's.
  "demo",
  "coordinator.log",
  // About backups, not part of one.
  LAST_BACKUP_NAME,
]);

/** Whether a backup has this entry of a data folder. @param path  From the folder, with slashes. */
export function isPartOfBackup(path: string): boolean {
  const [top = ""] = path.split("/");
  return !LEFT_OUT.has(top) && !path.endsWith(".partial");
}

/** The SHA-256 by which a model's file is named; null for other files. */
export function blobHashOf(path: string): string | null {
  return /^blobs\/[0-9a-f]{2}\/([0-9a-f]{64})$/.exec(path)?.[1] ?? null;
}
