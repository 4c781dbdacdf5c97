import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { opendir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeDurably } from "#shared/node/durable-files.ts";
import { randomBytes } from "#shared/node/system.ts";
import { ISSUER_FILE, makeIssuer, missingIssuer } from "../issuer.ts";
import { isErrorCode } from "../system-errors.ts";

/*
 * A data folder and its database belong together: the folder holds the issuer's key, the models and the
 * inputs that the database refers to. Both carry one instance id. A pair that does not match is refused, as
 * is a database that is missing or was emptied: starting over would silently end every run and every promise
 * made about it.
 *
 * The id is made at the first start: the folder records it as `pending`, the database takes it, the issuer's
 * key is made, and the folder confirms the id. If the process is killed in between, the next start completes
 * this. After that a missing key is refused like a missing database.
 */

const FILE_NAME = "instance.json";
const fileSchema = z.strictObject({
  instance: z.string().regex(/^[0-9a-f]{32}$/),
  /** True while the database may not have the id yet. */
  pending: z.boolean().optional(),
});
type InstanceFile = z.infer<typeof fileSchema>;

/** What a data folder tells before its database is opened. */
export interface FolderFacts {
  readonly dataDir: string;
  readonly file: InstanceFile | null;
  /** Whether it has an issuer's key or blobs, which are made later than the database. */
  readonly isUsed: boolean;
  /** Whether it has blobs, but no issuer's key. */
  readonly lacksIssuer: boolean;
}

/** @throws Error that says what to do if instance.json is unreadable. */
export async function folderFacts(dataDir: string): Promise<FolderFacts> {
  const hasIssuer = existsSync(join(dataDir, ISSUER_FILE));
  const hasBlobs = await holdsFile(join(dataDir, "blobs"));
  return {
    dataDir,
    file: await readInstanceFile(dataDir),
    isUsed: hasIssuer || hasBlobs,
    lacksIssuer: hasBlobs && !hasIssuer,
  };
}

/** What the opened database tells about itself. */
export interface DatabaseFacts {
  readonly instanceId: string | null;
  /** Whether it already had tables when it was opened. */
  readonly wasMade: boolean;
  /** Name for error messages, for example its path. */
  readonly name: string;
}

/**
 * Makes folder and database a pair, or checks that they are one.
 *
 * @param mark  Writes the id into the database, but keeps an existing one.
 * @throws Error that says what to do if they do not belong together.
 */
export async function agreeOnInstance(
  folder: FolderFacts,
  database: DatabaseFacts,
  mark: (instanceId: string) => Promise<void>,
): Promise<void> {
  const refusal = instanceMismatch(folder, database);
  if (refusal !== null) throw new Error(refusal);
  const { dataDir, file } = folder;
  if (file !== null && file.pending !== true) return;
  const instance = file?.instance ?? randomUUID().replaceAll("-", "");
  if (file === null) await writeInstanceFile(dataDir, { instance, pending: true });
  await mark(instance);
  await makeIssuer(dataDir, randomBytes);
  await writeInstanceFile(dataDir, { instance });
}

/** Why the two are no pair; null if they are or can become one. */
export function instanceMismatch(
  { dataDir, file, isUsed, lacksIssuer }: FolderFacts,
  database: DatabaseFacts,
): string | null {
  const { instanceId, wasMade, name } = database;
  if (file !== null && instanceId !== null) {
    if (file.instance === instanceId) return null;
    return `The data folder ${dataDir} and the database ${name} belong to two installations (${short(file.instance)} and ${short(instanceId)}). Start with the pair that was used together: check --data and DATABASE_URL.`;
  }
  if (instanceId !== null)
    return `The database ${name} belongs to an installation (${short(instanceId)}) whose data folder is not ${dataDir}: there is no ${FILE_NAME}. Start with the folder that it was used with (--data), or restore that file; its models and its issuer key are there.`;
  if (file !== null && file.pending !== true) return emptied(dataDir, name);
  // Folders of earlier versions have no file, but do have a database.
  if (file === null && isUsed && !wasMade) return emptied(dataDir, name);
  if (file === null && lacksIssuer) return missingIssuer(dataDir);
  return null;
}

function emptied(dataDir: string, name: string): string {
  return `The data folder ${dataDir} has been in use, but the database ${name} is empty. Restore the database from a backup, check DATABASE_URL, or start over with another --data folder.`;
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
    throw new Error(`${path} cannot be read by this version. Restore it from a backup.`, {
      cause: error,
    });
  }
}

async function writeInstanceFile(dataDir: string, file: InstanceFile): Promise<void> {
  await writeDurably(join(dataDir, FILE_NAME), new TextEncoder().encode(`${JSON.stringify(file)}\n`));
}

/** Whether there is any file in or below `folder`. */
async function holdsFile(folder: string): Promise<boolean> {
  try {
    for await (const entry of await opendir(folder, { recursive: true })) if (entry.isFile()) return true;
  } catch (error) {
    if (!isErrorCode(error, "ENOENT")) throw error;
  }
  return false;
}
