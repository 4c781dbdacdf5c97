import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Kysely, PGliteDialect } from "kysely";
import type { Log } from "#coordinator/core/ports.ts";
import { syncFolder } from "#shared/node/durable-files.ts";
import { messageOf } from "../../system-errors.ts";
import { migrate, pendingMigrations } from "../migrate.ts";
import { MIGRATIONS } from "../migrations/index.ts";
import type { Database } from "../schema.ts";
import type { OpenDatabase } from "../store.ts";
import { takeLock } from "./lock.ts";
import { RemotePglite } from "./remote.ts";
import { newestSnapshot, type Snapshots, snapshotsIn } from "./snapshots.ts";

export interface EmbeddedOptions {
  /** Holds `database/`, `database.lock` and `snapshots/`; made where it is missing. */
  readonly dataDir: string;
  /** A snapshot after this time where something was written, and one at the close; null for none. */
  readonly snapshotEveryMs: number | null;
  readonly log: Log | undefined;
  /** The database's thread ended on its own: stop, and start again from the disk. */
  readonly onLost: (error: Error) => void;
}

/**
 * Opens the embedded database, made and brought to the newest schema as needed.
 *
 * It survives a kill of the process, not a power cut.
 * @throws Error with what to do, where another process has the folder or it does not open.
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<OpenDatabase> {
  await mkdir(options.dataDir, { recursive: true });
  const giveLockBack = await takeLock(join(options.dataDir, "database.lock"));
  try {
    return await openLocked(options, giveLockBack);
  } catch (error) {
    await giveLockBack();
    throw error;
  }
}

async function openLocked(
  options: EmbeddedOptions,
  giveLockBack: () => Promise<void>,
): Promise<OpenDatabase> {
  const folder = join(options.dataDir, "database");
  const snapshotFolder = join(options.dataDir, "snapshots");
  const isNew = !existsSync(folder);
  if (isNew) await makeDatabase(folder);

  let isOpen = false;
  const remote = new RemotePglite(folder, null, (error) => {
    if (isOpen) options.onLost(error);
  });
  try {
    await remote.waitReady;
    isOpen = true;
  } catch (error) {
    await remote.close().catch(() => undefined);
    throw new Error(await doesNotOpen(folder, snapshotFolder, error), { cause: error });
  }
  const db = new Kysely<Database>({ dialect: new PGliteDialect({ pglite: remote }) });
  const snapshots = snapshotsIn(snapshotFolder, remote, options.log);
  try {
    const isOld = (await pendingMigrations(db)).length > 0;
    if (isOld && options.snapshotEveryMs !== null) await snapshots.take({ evenUnchanged: true });
    // Also where nothing is pending: it refuses a database that is newer than this program.
    await migrate(db);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  const stopTimer = takeRegularly(snapshots, options.snapshotEveryMs);
  return {
    kind: "embedded",
    db,
    close: async () => {
      stopTimer();
      if (options.snapshotEveryMs !== null) await snapshots.take();
      await db.destroy();
      await giveLockBack();
    },
  };
}

function takeRegularly(snapshots: Snapshots, everyMs: number | null): () => void {
  if (everyMs === null) return () => undefined;
  const timer = setInterval(() => void snapshots.take(), everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

async function doesNotOpen(folder: string, snapshotFolder: string, error: unknown): Promise<string> {
  const snapshot = await newestSnapshot(snapshotFolder);
  const advice =
    snapshot === null
      ? `There is no snapshot to go back to. Move ${folder} away to start from nothing.`
      : `To go back to the newest snapshot: mv '${folder}' '${folder}.broken' && mkdir '${folder}' && tar xzf '${snapshot}' -C '${folder}'`;
  return `The embedded database in ${folder} does not open (${messageOf(error)}). A power cut can do this. ${advice}`;
}

/**
 * Makes an empty, migrated database beside `folder` and moves it there whole: a kill on the way leaves nothing that
 * looks like a database. The first one of an installation takes initdb 3 to 6 s; the next start from its dump.
 */
async function makeDatabase(folder: string): Promise<void> {
  const draft = `${folder}.new`;
  await rm(draft, { recursive: true, force: true });
  const cached = await cachePath();
  const hit = existsSync(cached);
  const ignoreLoss = () => undefined;
  let remote = new RemotePglite(draft, hit ? cached : null, ignoreLoss);
  if (hit) {
    const loaded = await remote.waitReady.then(
      () => true,
      () => false,
    );
    if (!loaded) {
      // A dump that does not load is of no use to the next start either.
      await remote.close().catch(() => undefined);
      await rm(cached, { force: true });
      await rm(draft, { recursive: true, force: true });
      remote = new RemotePglite(draft, null, ignoreLoss);
    }
  }
  const db = new Kysely<Database>({ dialect: new PGliteDialect({ pglite: remote }) });
  try {
    await migrate(db);
    // An installation that cannot be written to does without the cache.
    if (!hit) await remote.dump(cached).catch(() => undefined);
  } finally {
    await db.destroy();
  }
  await rename(draft, folder);
  await syncFolder(join(folder, ".."));
}

/** Beside the packages: the dump depends on PGlite's version and on the migrations, and on nothing else. */
async function cachePath(): Promise<string> {
  const entry = fileURLToPath(import.meta.resolve("@electric-sql/pglite"));
  const packageJson = await readFile(join(entry, "../../package.json"), "utf8");
  const { version } = JSON.parse(packageJson) as { version: string };
  const hash = createHash("sha256").update(version);
  for (const [name, migration] of Object.entries(MIGRATIONS)) {
    // oxlint-disable-next-line typescript/unbound-method -- only its text is read, not called
    hash.update(`\n${name}\n${String(migration.up)}`);
  }
  const folder = fileURLToPath(new URL("../../../../node_modules/.cache/chorus", import.meta.url));
  return join(folder, `database-${hash.digest("hex").slice(0, 16)}.tar.gz`);
}
