import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { copyDurably, copyFolderDurably, syncFolder } from "#shared/node/durable-files.ts";
import { parseCheckpoint } from "#shared/tlog/checkpoint.ts";
import { parseNote } from "#shared/tlog/note.ts";
import { doubtLog, LOG_FOLDER, openLogFiles } from "../../adapters/log-files.ts";
import { LOG_KEY_FILE, NEXT_LOG_KEY_FILE } from "../../adapters/log-key.ts";

const DOUBT =
  "This log was restored from a backup, and nobody can tell whether more was signed after it. If it signed again, it would show two histories. If the coordinator never ran after the backup was made, say so with: npm run log -- trust --data FOLDER. If it did, restore over the folder that has the newer log, with --replace.";

/**
 * Of the backup's log and the one at the place, keeps the one that goes further; the database gets its leaves from it at the
 * next start. If the backup's goes further, or nothing is at the place, nobody knows whether it is the newest.
 *
 * @param staging   The restored folder, beside `dataDir`.
 * @param isNewest  Whether the operator says that the backup's is.
 */
export async function settleLog(dataDir: string, staging: string, isNewest: boolean): Promise<void> {
  const [there, restored] = [await logSize(dataDir), await logSize(staging)];
  if (there > 0 && there >= restored) {
    await rm(join(staging, LOG_FOLDER), { recursive: true, force: true });
    await copyFolderDurably(join(dataDir, LOG_FOLDER), join(staging, LOG_FOLDER));
    // A key that was made since is part of the log.
    for (const name of [LOG_KEY_FILE, NEXT_LOG_KEY_FILE])
      await replaceIfThere(join(dataDir, name), join(staging, name));
    await syncFolder(staging);
    return;
  }
  if (restored > 0 && !isNewest) await doubtLog(join(staging, LOG_FOLDER), DOUBT);
}

async function logSize(dataDir: string): Promise<number> {
  const text = await openLogFiles(join(dataDir, LOG_FOLDER)).checkpoint();
  const note = text === null ? null : parseNote(text);
  const checkpoint = note?.ok === true ? parseCheckpoint(note.value.text) : null;
  return checkpoint?.ok === true ? checkpoint.value.size : 0;
}

async function replaceIfThere(from: string, to: string): Promise<void> {
  if (!existsSync(from)) return;
  await rm(to, { force: true });
  await copyDurably(from, to);
}
