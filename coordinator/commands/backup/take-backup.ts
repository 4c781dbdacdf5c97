import { existsSync, type Stats } from "node:fs";
import { chmod, mkdir, readdir, readlink, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { copyDurably, digestFile, syncFolder, writeDurably } from "#shared/node/durable-files.ts";
import { VERSION } from "#shared/node/version.ts";
import { folderFacts, instanceMismatch } from "../../adapters/database/instance.ts";
import type { DatabaseCopy, DatabaseReport } from "../../adapters/database/report.ts";
import { checkFolder, databasePath } from "../../adapters/database/sqlite/folder.ts";
import { markPath, markText } from "../../adapters/database/sqlite/position-mark.ts";
import { copySqlite, filesNamedBySqlite } from "../../adapters/database/sqlite/read-sqlite.ts";
import { noteBackup } from "../../adapters/last-backup.ts";
import { LOG_CHECKPOINT, LOG_TILES } from "../../adapters/log-files.ts";
import { isErrorCode } from "../../adapters/system-errors.ts";
import { blobHashOf, isPartOfBackup } from "./contents.ts";
import { DATA_NAME, DUMP_NAME, FORMAT, MANIFEST_NAME, type Manifest, type ManifestFile } from "./manifest.ts";

/** Copies of a state from which files are deleted meanwhile. */
const ATTEMPTS_MAX = 3;
/** A deletion that has begun usually ends in this time. */
const DELETION_MS = 1_000;

export interface BackupRequest {
  readonly dataDir: string;
  /** PostgreSQL; SQLite in `dataDir` if undefined. */
  readonly databaseUrl: string | undefined;
  /** Final path. Must not exist. */
  readonly target: string;
  readonly nowUnixMs: number;
  /** Gets a line about what is done next. */
  readonly report: (line: string) => void;
}

/**
 * Copies a coordinator's state into a new folder, whether or not the coordinator runs.
 *
 * The database is copied first: a file is durable before the database names it, so those copied afterwards are all that
 * this copy of the database names, unless a project was deleted or held-out rows were replaced meanwhile. Then both are
 * copied again.
 *
 * The folder has its final name only once everything is in it and durable.
 *
 * @param staging  Folder to collect it in. The caller removes it if this rejects or the process is told to stop.
 * @throws Error that says what to do.
 */
export async function takeBackup(request: BackupRequest, staging: string): Promise<Manifest> {
  const { dataDir, databaseUrl, target, nowUnixMs } = request;
  await refuseTarget(dataDir, target);
  const facts = await folderFacts(dataDir);
  if (facts.file === null && !facts.isUsed)
    throw new Error(`There is no coordinator's state in ${dataDir}. Name its folder with --data.`);
  if (databaseUrl === undefined) await checkFolder(facts);
  const { database, copied } = await copyState(request, staging, facts);
  const own = databaseUrl === undefined ? await sqliteFiles(staging, database.position) : [];
  const dump = databaseUrl === undefined ? [] : [await fileOf(staging, DUMP_NAME)];
  const manifest: Manifest = {
    product: "chorus",
    format: FORMAT,
    version: VERSION,
    madeAt: new Date(nowUnixMs).toISOString(),
    database: databaseUrl === undefined ? "embedded" : "postgresql",
    instance: database.instanceId,
    schema: database.schema,
    position: database.position,
    newestEventAt:
      database.newestEventUnixMs === null ? null : new Date(database.newestEventUnixMs).toISOString(),
    files: [...dump, ...own, ...copied.files],
    damaged: [...copied.damaged],
  };
  await writeDurably(join(staging, MANIFEST_NAME), `${JSON.stringify(manifest, null, 1)}\n`, 0o600);
  await syncFolder(join(staging, DATA_NAME));
  await rename(staging, target);
  await syncFolder(dirname(target));
  const byteCount = manifest.files.reduce((sum, file) => sum + file.byteCount, 0);
  await noteBackup(dataDir, { at: manifest.madeAt, byteCount });
  return manifest;
}

/** A backup inside its own folder would be in the next one, and be lost with the folder. */
async function refuseTarget(dataDir: string, target: string): Promise<void> {
  if (existsSync(target)) throw new Error(`There is already something at ${target}. Choose another --to.`);
  const parent = dirname(target);
  const folder = await realpath(parent).catch(() => null);
  if (folder === null)
    throw new Error(`The folder ${parent} does not exist. Create it, or choose another --to.`);
  const inside = await realpath(dataDir).catch(() => resolve(dataDir));
  if (`${folder}/`.startsWith(`${inside}/`))
    throw new Error(`${target} lies inside the data folder. Choose a --to outside, best on another disk.`);
}

interface CopiedState {
  readonly database: DatabaseReport & { readonly instanceId: string; readonly schema: string };
  readonly copied: Copied;
}

/** Copies database and files, again if files that the copy names were deleted meanwhile. */
async function copyState(
  request: BackupRequest,
  staging: string,
  facts: Awaited<ReturnType<typeof folderFacts>>,
): Promise<CopiedState> {
  const { dataDir, databaseUrl, report } = request;
  const data = join(staging, DATA_NAME);
  for (let attempt = 1; ; attempt++) {
    await mkdir(data, { recursive: true, mode: 0o700 });
    report("Copying the database ...");
    const copy = await copyDatabase(request, staging);
    const instanceId = copy?.report.instanceId ?? null;
    const name = databaseUrl === undefined ? databasePath(dataDir) : "at DATABASE_URL";
    const mismatch = instanceMismatch(facts, { instanceId, wasMade: copy !== null, name });
    if (mismatch !== null) throw new Error(mismatch);
    const schema = copy?.report.schema ?? null;
    if (copy === null || instanceId === null || schema === null || facts.file?.pending === true)
      throw new Error(
        `The coordinator of ${dataDir} has not completed its first start. Start it once, then back it up.`,
      );
    const copied = await copyFolder(dataDir, data, report);
    const lacking = lackingFiles(copy.named ?? new Set(), copied);
    const lost = lacking.length === 0 ? [] : await lostFiles(request, lacking);
    if (lost.length === lacking.length || attempt === ATTEMPTS_MAX) {
      const database = { ...copy.report, instanceId, schema };
      return { database, copied: { files: copied.files, damaged: [...copied.damaged, ...lacking] } };
    }
    report("Files were deleted meanwhile, so everything is copied again.");
    for (const part of [data, join(staging, DUMP_NAME)]) await rm(part, { recursive: true, force: true });
  }
}

function lackingFiles(named: ReadonlySet<string>, { files, damaged }: Copied): readonly string[] {
  const known = new Set([...files.map(({ path }) => path.slice(DATA_NAME.length + 1)), ...damaged]);
  return [...named].filter((path) => !known.has(path)).sort();
}

/** Those of `paths` that the database still names although the folder does not have them. */
async function lostFiles(
  { dataDir, databaseUrl }: BackupRequest,
  paths: readonly string[],
): Promise<readonly string[]> {
  // A project's files are deleted before the rows that name them.
  await sleep(DELETION_MS);
  const named = await filesNamedNow(dataDir, databaseUrl);
  return paths.filter((path) => (named?.has(path) ?? true) && !existsSync(join(dataDir, path)));
}

async function filesNamedNow(
  dataDir: string,
  databaseUrl: string | undefined,
): Promise<DatabaseCopy["named"]> {
  if (databaseUrl === undefined) return filesNamedBySqlite(databasePath(dataDir), true);
  const { filesNamedByPostgres } = await import("../../adapters/database/postgres-tools.ts");
  return filesNamedByPostgres(databaseUrl);
}

async function copyDatabase(
  { dataDir, databaseUrl, report }: BackupRequest,
  staging: string,
): Promise<DatabaseCopy | null> {
  if (databaseUrl !== undefined) {
    const { dumpPostgres } = await import("../../adapters/database/postgres-tools.ts");
    return dumpPostgres(databaseUrl, join(staging, DUMP_NAME));
  }
  const tenths = new Set<number>();
  return copySqlite(databasePath(dataDir), databasePath(join(staging, DATA_NAME)), (fraction) => {
    const tenth = Math.floor(fraction * 10);
    if (tenth > 0 && tenth < 10 && !tenths.has(tenth)) report(`  ${tenth * 10} %`);
    tenths.add(tenth);
  });
}

/** The mark belongs to the copy: the folder's may already be ahead of it. */
async function sqliteFiles(staging: string, position: number): Promise<readonly ManifestFile[]> {
  const data = join(staging, DATA_NAME);
  await writeFile(markPath(data), markText(position), { mode: 0o600, flush: true });
  const names = [databasePath(data), markPath(data)].map((path) => `${DATA_NAME}/${basename(path)}`);
  return Promise.all(names.map((path) => fileOf(staging, path)));
}

async function fileOf(staging: string, path: string): Promise<ManifestFile> {
  const full = join(staging, path);
  await chmod(full, 0o600);
  return { path, ...(await digestFile(full)) };
}

interface Copied {
  readonly files: readonly ManifestFile[];
  readonly damaged: readonly string[];
}

async function copyFolder(from: string, to: string, report: (line: string) => void): Promise<Copied> {
  const files: ManifestFile[] = [];
  const damaged: string[] = [];
  const copy = async (path: string) => {
    const target = join(to, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    try {
      const digest = await copyDurably(join(from, path), target);
      const hash = blobHashOf(path);
      if (hash === null || hash === digest.sha256) {
        files.push({ path: `${DATA_NAME}/${path}`, ...digest });
        return;
      }
      damaged.push(path);
    } catch (error) {
      // Replaced or removed since the folder was listed.
      if (!isErrorCode(error, "ENOENT")) throw error;
    }
    await rm(target, { force: true });
  };
  // After the database and before the log's tiles, so that the copied tiles reach as far as both.
  await copy(LOG_CHECKPOINT);
  const paths = (await filesBelow(from)).filter((path) => path !== LOG_CHECKPOINT);
  report(`Copying ${paths.length} files ...`);
  for (const path of paths) await copy(path);
  // A growing tile may have been replaced by the full one since the folder was listed.
  const listed = new Set(paths);
  const fresh = (await filesBelow(from)).filter((path) => path.startsWith(LOG_TILES) && !listed.has(path));
  for (const path of fresh) await copy(path);
  return { files, damaged };
}

/**
 * Files that a backup has, in order, with slashes. Links are followed, because held-out rows may lie elsewhere.
 */
async function filesBelow(root: string): Promise<readonly string[]> {
  const found: string[] = [];
  const visit = async (folder: string, above: readonly string[]): Promise<void> => {
    const real = await realpath(join(root, folder));
    // A link to a folder above would never end.
    if (above.includes(real)) return;
    for (const name of (await readdir(join(root, folder))).sort()) {
      const path = folder === "" ? name : `${folder}/${name}`;
      if (!isPartOfBackup(path)) continue;
      const entry = await followed(join(root, path));
      if (entry?.isDirectory() === true) await visit(path, [...above, real]);
      else if (entry?.isFile() === true) found.push(path);
    }
  };
  await visit("", []);
  return found;
}

/**
 * What is at a path, or where its link leads. Null if it was removed since the folder was listed.
 *
 * @throws Error that says what to do if it is a link to nothing: a disk that is not mounted would be missing from the
 *   backup without a word.
 */
async function followed(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    if (!isErrorCode(error, "ENOENT")) throw error;
    const link = await readlink(path).catch(() => null);
    if (link === null) return null;
    throw new Error(
      `${path} is a link to ${link}, which is not there. Mount or restore that, or remove the link.`,
    );
  }
}
