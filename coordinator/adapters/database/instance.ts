import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { opendir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeDurably } from "#shared/node/durable-files.ts";
import { isErrorCode } from "../system-errors.ts";

/*
 * A data folder and its database belong together: the folder has the issuer's key, the models and the inputs that the
 * database speaks of. Both carry one instance id, and a pair that does not match is refused, as is a database that is
 * gone or was emptied: begun anew, it would end every run and every promise about them without a word.
 *
 * The id is made at the first start: the folder says `pending`, the database takes the id, the folder says it for good.
 * A kill on the way is made up for by the next start.
 */

const FILE_NAME = "instance.json";
const fileSchema = z.strictObject({
  instance: z.string().regex(/^[0-9a-f]{32}$/),
  /** The database may not have the id yet. */
  pending: z.boolean().optional(),
});
type InstanceFile = z.infer<typeof fileSchema>;

/** What a data folder shows before any database is opened. */
export interface FolderFacts {
  readonly dataDir: string;
  readonly file: InstanceFile | null;
  /** Whether it has an issuer's key or blobs, which are made after the first database. */
  readonly isUsed: boolean;
}

/** @throws Error with what to do, if instance.json is unreadable. */
export async function folderFacts(dataDir: string): Promise<FolderFacts> {
  const isUsed = existsSync(join(dataDir, "issuer.key")) || (await holdsFile(join(dataDir, "blobs")));
  return { dataDir, file: await readInstanceFile(dataDir), isUsed };
}

/** What the opened database says of itself. */
export interface DatabaseFacts {
  readonly instanceId: string | null;
  /** Whether it already had tables when it was opened. */
  readonly wasMade: boolean;
  /** For sentences, e.g. its path. */
  readonly name: string;
}

/**
 * Makes folder and database one pair, or finds that they are.
 *
 * @param mark  Writes the id into the database; the first one stands.
 * @throws Error with what to do, if they do not belong together.
 */
export async function agreeOnInstance(
  folder: FolderFacts,
  database: DatabaseFacts,
  mark: (instanceId: string) => Promise<void>,
): Promise<void> {
  const refusal = mismatch(folder, database);
  if (refusal !== null) throw new Error(refusal);
  const { dataDir, file } = folder;
  if (file !== null && file.pending !== true) return;
  const instance = file?.instance ?? randomUUID().replaceAll("-", "");
  if (file === null) await writeInstanceFile(dataDir, { instance, pending: true });
  await mark(instance);
  await writeInstanceFile(dataDir, { instance });
}

/** Why the two are no pair; null if they are, or can become one. */
function mismatch({ dataDir, file, isUsed }: FolderFacts, database: DatabaseFacts): string | null {
  const { instanceId, wasMade, name } = database;
  if (file !== null && instanceId !== null) {
    if (file.instance === instanceId) return null;
    return `The data folder ${dataDir} and the database ${name} belong to two installations (${short(file.instance)} and ${short(instanceId)}). Start with the pair that was used together: check --data and DATABASE_URL.`;
  }
  if (instanceId !== null)
    return `The database ${name} belongs to an installation (${short(instanceId)}) whose data folder is not ${dataDir}: there is no ${FILE_NAME}. Start with the folder that it was used with (--data), or restore that file; its models and its issuer key are there.`;
  if (file !== null && file.pending !== true) return emptied(dataDir, name);
  // A folder of an earlier version has no file; its database was made then, too.
  if (file === null && isUsed && !wasMade) return emptied(dataDir, name);
  return null;
}

function emptied(dataDir: string, name: string): string {
  return `The data folder ${dataDir} has been in use, but the database ${name} is empty. Restore the database from a backup, check DATABASE_URL, or begin anew with another --data folder.`;
}

const short = (instanceId: string) => instanceId.slice(0, 8);

async function readInstanceFile(dataDir: string): Promise<InstanceFile | null> {
  const path = join(dataDir, FILE_NAME);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (isErrorCode(error, "ENOENT")) return null;
    throw error;
  }
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(`${path} says nothing that this version reads. Restore it from a backup.`, {
      cause: error,
    });
  }
}

async function writeInstanceFile(dataDir: string, file: InstanceFile): Promise<void> {
  await writeDurably(join(dataDir, FILE_NAME), new TextEncoder().encode(`${JSON.stringify(file)}\n`));
}

/** Whether any file lies in or below `folder`. */
async function holdsFile(folder: string): Promise<boolean> {
  try {
    for await (const entry of await opendir(folder, { recursive: true })) if (entry.isFile()) return true;
  } catch (error) {
    if (!isErrorCode(error, "ENOENT")) throw error;
  }
  return false;
}
