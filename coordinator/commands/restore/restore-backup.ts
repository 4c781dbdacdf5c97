import { existsSync, renameSync } from "node:fs";
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Result } from "#shared/kernel/result.ts";
import { copyDurably, digestFile, syncFolder } from "#shared/node/durable-files.ts";
import { type FolderLock, LOCK_FILES, type LockRefusal, lockFolder, probeFolder } from "#shared/node/lock.ts";
import { folderFacts } from "../../adapters/database/instance.ts";
import { migrationsFor } from "../../adapters/database/migrations/index.ts";
import { databasePath } from "../../adapters/database/sqlite/folder.ts";
import { markPath, readMark } from "../../adapters/database/sqlite/position-mark.ts";
import { readSqlite } from "../../adapters/database/sqlite/read-sqlite.ts";
import { unusableSentence } from "../../adapters/folder-lock.ts";
import { isErrorCode } from "../../adapters/system-errors.ts";
import { timeInName } from "../backup/backup-name.ts";
import {
  DATA_NAME,
  DUMP_NAME,
  MANIFEST_NAME,
  type Manifest,
  type ManifestFile,
  type ManifestRefusal,
  readManifest,
} from "../backup/manifest.ts";
import {
  decideRestore,
  type RestoreFlags,
  type RestoreTarget,
  restoreRefusalSentence,
} from "./decide-restore.ts";
import { settleLog } from "./settle-log.ts";

export interface RestoreRequest extends RestoreFlags {
  /** The backup's folder. */
  readonly from: string;
  readonly dataDir: string;
  /** Empty PostgreSQL database for a backup of one. */
  readonly databaseUrl: string | undefined;
  /** Whether the operator knows that the backup's log is the newest. */
  readonly newestLog: boolean;
  readonly nowUnixMs: number;
  readonly report: (line: string) => void;
}

export interface Restored {
  readonly manifest: Manifest;
  /** Number of events that the replaced folder had beyond the backup; null if unknown. */
  readonly lost: number | null;
  /** Where the replaced folder is now. */
  readonly aside: string | null;
}

/**
 * Puts a backup in place of a data folder. Checks all of it before anything changes, copies it beside the folder, and
 * then exchanges the two.
 *
 * @param staging  Path beside `dataDir` to collect the files at. The caller removes it if this rejects or the process
 *   is told to stop.
 * @throws Error that says what to do. Nothing has changed then, except that a PostgreSQL database may be filled if the
 *   last renaming fails.
 */
export async function restoreBackup(request: RestoreRequest, staging: string): Promise<Restored> {
  const { from, dataDir, databaseUrl, report } = request;
  const manifest = await openBackup(from);
  await checkDatabaseUrl(manifest, databaseUrl);
  // A coordinator that runs, or is started meanwhile, must not lose the folder under it.
  const lock = lockTarget(dataDir);
  try {
    const target = await lookAt(dataDir);
    const decided = decideRestore(manifest, target, request);
    if (!decided.ok) throw new Error(restoreRefusalSentence(decided.error, dataDir));
    report(`Checking ${manifest.files.length} files ...`);
    await checkFiles(from, manifest.files);
    report("Copying ...");
    await copyFiles(from, staging, manifest.files);
    await settleLog(dataDir, staging, request.newestLog);
    if (databaseUrl !== undefined && manifest.database === "postgresql") {
      report("Restoring the database ...");
      const { restorePostgres } = await import("../../adapters/database/postgres-tools.ts");
      await restorePostgres(databaseUrl, join(from, DUMP_NAME));
    }
    if (lock === null) refuseHeld(dataDir, probeFolder(dataDir));
    return { manifest, lost: decided.value, aside: await exchange(request, staging, target) };
  } finally {
    lock?.release();
  }
}

/** Reads and checks the manifest. @throws Error that says what to do. */
async function openBackup(from: string): Promise<Manifest> {
  let text: string;
  try {
    text = await readFile(join(from, MANIFEST_NAME), "utf8");
  } catch (error) {
    if (!isErrorCode(error, "ENOENT", "ENOTDIR")) throw error;
    throw new Error(
      `${from} is not a backup: it has no ${MANIFEST_NAME}. Name the folder that npm run backup made.`,
    );
  }
  const manifest = readManifest(text);
  if (!manifest.ok) throw new Error(manifestSentence(from, manifest.error));
  const { schema, database, version } = manifest.value;
  const known = migrationsFor(database === "embedded" ? "sqlite" : "postgresql");
  if (!Object.hasOwn(known, schema))
    throw new Error(
      `The backup ${from} was made by a newer version of Chorus (${version}, ${schema}). Restore it with that version.`,
    );
  return manifest.value;
}

function manifestSentence(from: string, { type, reason }: ManifestRefusal): string {
  return type === "newer-format"
    ? `The backup ${from} was made by a newer version of Chorus (${reason}). Restore it with that version.`
    : `The backup ${from} is damaged: its ${MANIFEST_NAME} cannot be read (${reason}). Use another backup.`;
}

async function checkDatabaseUrl({ database }: Manifest, databaseUrl: string | undefined): Promise<void> {
  if (database === "embedded") {
    if (databaseUrl === undefined) return;
    throw new Error(
      "This backup has its database in its folder (SQLite). Restore it without --database-url and DATABASE_URL.",
    );
  }
  if (databaseUrl === undefined)
    throw new Error(
      "This backup is of a PostgreSQL database. Create an empty one and name it with --database-url.",
    );
  const { isEmptyPostgres } = await import("../../adapters/database/postgres-tools.ts");
  if (!(await isEmptyPostgres(databaseUrl)))
    throw new Error(
      "The database of --database-url has tables, and a restore never overwrites a database. Create an empty one (createdb --encoding=UTF8 --template=template0 NAME) and name that.",
    );
}

/** Whether there is anything in the folder. @throws Error that says what to do if it is no folder. */
async function isUsed(dataDir: string): Promise<boolean> {
  try {
    return (await readdir(dataDir)).length > 0;
  } catch (error) {
    if (isErrorCode(error, "ENOENT")) return false;
    if (isErrorCode(error, "ENOTDIR")) throw new Error(`${dataDir} is a file. Name a folder with --data.`);
    throw error;
  }
}

/**
 * Keeps coordinators out of the folder until the restore has ended. Null if none ever used it.
 *
 * @throws Error that says what to do if one has it.
 */
function lockTarget(dataDir: string): FolderLock | null {
  if (!LOCK_FILES.some((name) => existsSync(join(dataDir, name)))) return null;
  return refuseHeld(dataDir, lockFolder(dataDir));
}

/** @throws Error that says what to do about a refusal. */
function refuseHeld<Lock>(dataDir: string, lock: Result<Lock, LockRefusal>): Lock {
  if (lock.ok) return lock.value;
  if (lock.error.type === "unusable") throw new Error(unusableSentence(dataDir, lock.error));
  const holder = lock.error.holder === null ? "" : ` (${lock.error.holder})`;
  throw new Error(
    `A coordinator has the data folder ${dataDir}${holder}. Nothing was changed. Stop it first, then restore.`,
  );
}

/** What a target folder, which no coordinator has, tells about its state. */
async function lookAt(dataDir: string): Promise<RestoreTarget> {
  if (!(await isUsed(dataDir))) return { kind: "free" };
  const facts = await folderFacts(dataDir).catch(() => null);
  const path = databasePath(dataDir);
  const mark = readMark(markPath(dataDir));
  if (!existsSync(path)) {
    const wasUsed = facts === null || facts.file !== null || facts.isUsed || mark > 0;
    return { kind: "used", instance: facts?.file?.instance ?? null, position: wasUsed ? null : 0 };
  }
  const report = await readSqlite(path, false).then(
    (read) => read.report,
    () => null,
  );
  // A log that was lost leaves a mark that is ahead of the database.
  const position = report === null ? null : Math.max(report.position, mark);
  return { kind: "used", instance: facts?.file?.instance ?? report?.instanceId ?? null, position };
}

/** @throws Error that names every missing or damaged file, up to a few. */
async function checkFiles(from: string, files: readonly ManifestFile[]): Promise<void> {
  const wrong: string[] = [];
  for (const file of files) {
    const found = await stat(join(from, file.path)).catch(() => null);
    if (found === null) wrong.push(`${file.path} is missing`);
    else if (
      !found.isFile() ||
      found.size !== file.byteCount ||
      (await digestFile(join(from, file.path))).sha256 !== file.sha256
    )
      wrong.push(`${file.path} is damaged`);
  }
  if (wrong.length === 0) return;
  const named = wrong.slice(0, NAMED_MAX).join(", ");
  const more = wrong.length > NAMED_MAX ? `, and ${wrong.length - NAMED_MAX} more` : "";
  throw new Error(
    `The backup ${from} is not whole: ${named}${more}. Nothing was changed. Use another backup.`,
  );
}

const NAMED_MAX = 5;

async function copyFiles(from: string, staging: string, files: readonly ManifestFile[]): Promise<void> {
  await mkdir(dirname(staging), { recursive: true });
  await mkdir(staging, { mode: 0o700 });
  const folders = new Set([staging]);
  for (const file of files) {
    if (file.path === DUMP_NAME) continue;
    const to = join(staging, file.path.slice(DATA_NAME.length + 1));
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    folders.add(dirname(to));
    const { sha256 } = await copyDurably(join(from, file.path), to);
    if (sha256 !== file.sha256)
      throw new Error(`${file.path} changed while it was copied. Nothing was changed. Try again.`);
  }
  for (const folder of folders) await syncFolder(folder);
}

/**
 * Gives the restored folder its name.
 *
 * @param target  What was decided about. If it was free and no longer is, it stays as it is.
 * @returns Where the old folder is now; null if there was none.
 */
async function exchange(
  { dataDir, nowUnixMs }: RestoreRequest,
  staging: string,
  target: RestoreTarget,
): Promise<string | null> {
  const aside = target.kind === "used" ? freeName(`${dataDir}.replaced-${timeInName(nowUnixMs)}`) : null;
  try {
    // Both in one turn, so that no signal is handled in between.
    if (aside !== null) renameSync(dataDir, aside);
    // An empty folder is replaced.
    renameSync(staging, dataDir);
  } catch (error) {
    if (aside !== null && !existsSync(dataDir)) renameSync(aside, dataDir);
    if (isErrorCode(error, "ENOTEMPTY", "EEXIST"))
      throw new Error(
        `Something was put into ${dataDir} during the restore, perhaps by a coordinator that was started. It is unchanged. Stop the coordinator, then restore again.`,
        { cause: error },
      );
    if (!isErrorCode(error, "EBUSY", "EXDEV")) throw error;
    throw new Error(
      `${dataDir} is a mount point, which cannot be renamed. Restore into a folder inside it, such as ${join(dataDir, basename(dataDir))}.`,
      { cause: error },
    );
  }
  await syncFolder(dirname(dataDir));
  return aside;
}

/** The clock may have stepped back to a second that was used. */
function freeName(name: string): string {
  let free = name;
  for (let count = 2; existsSync(free); count++) free = `${name}-${count}`;
  return free;
}
