import { type FolderLock, type LockRefusal, lockFolder } from "#shared/node/lock.ts";

/**
 * At most one coordinator per data folder, whatever database it uses: the issuer's key, blobs and spool are
 * there, too.
 *
 * @throws Error that says what to do if another process has the folder or it cannot be locked.
 */
export function lockDataFolder(dataDir: string): FolderLock {
  const lock = lockFolder(dataDir);
  if (!lock.ok) throw new Error(sentenceOf(dataDir, lock.error));
  return lock.value;
}

function sentenceOf(dataDir: string, refusal: LockRefusal): string {
  if (refusal.type === "held") {
    const holder = refusal.holder === null ? "" : ` (${refusal.holder})`;
    return `The data folder ${dataDir} is in use by another coordinator${holder}. Stop that one first, or start this one with another --data folder.`;
  }
  return unusableSentence(dataDir, refusal);
}

/** For a folder whose lock cannot be used. */
export function unusableSentence(
  dataDir: string,
  refusal: Extract<LockRefusal, { readonly type: "unusable" }>,
): string {
  return `The data folder ${dataDir} cannot be locked (${refusal.path}: ${refusal.reason}). It must be on a local disk that this user can write to, with space left; if lock.db itself is damaged, stop everything that uses the folder and delete that file.`;
}
