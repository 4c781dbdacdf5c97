import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeDurably } from "#shared/node/durable-files.ts";

/* When the last backup of a data folder was made, for those who run the coordinator. The backup itself does not need it. */

export const LAST_BACKUP_NAME = "last-backup.json";

const lastBackupSchema = z.object({ at: z.iso.datetime(), byteCount: z.int().min(0) });
export type LastBackup = z.infer<typeof lastBackupSchema>;

export async function noteBackup(dataDir: string, backup: LastBackup): Promise<void> {
  await writeDurably(join(dataDir, LAST_BACKUP_NAME), `${JSON.stringify(backup)}\n`, 0o600);
}

/** Null if there was none, or if its note cannot be read. */
export async function readLastBackup(dataDir: string): Promise<LastBackup | null> {
  try {
    const text = await readFile(join(dataDir, LAST_BACKUP_NAME), "utf8");
    return lastBackupSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
