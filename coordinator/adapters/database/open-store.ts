import { mkdir } from "node:fs/promises";
import type { Store } from "#coordinator/core/ports/store.ts";
import { messageOf } from "../system-errors.ts";
import { agreeOnInstance, type FolderFacts, folderFacts } from "./instance.ts";
import type { OpenedStore, StoreOptions } from "./opened-store.ts";
import { checkFolder, databasePath, doesNotOpen, isBehind, refuseNetwork } from "./sqlite/folder.ts";
import { openSqlite } from "./sqlite/open-sqlite.ts";
import { markPath, readMark } from "./sqlite/position-mark.ts";

const DEFAULT_PROJECT = "default";

/** Events about the lock of a PostgreSQL database's only coordinator. */
export type { InstanceEvents } from "./postgres-lock.ts";

/**
 * Opens the store on the database that `options` name, at the newest schema.
 *
 * @throws Error that says what to do if the folder cannot be used, the database cannot be opened, or the two
 *   belong to different installations.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { dataDir, databaseUrl } = options;
  await makeDataFolder(options);
  const folder = await folderFacts(dataDir);
  const opened =
    databaseUrl === undefined ? await openHere(folder, options) : await openThere(databaseUrl, options);
  try {
    const { instanceId, wasMade, mark } = opened;
    const name = databaseUrl === undefined ? databasePath(dataDir) : "at DATABASE_URL";
    await agreeOnInstance(folder, { instanceId, wasMade, name }, mark);
  } catch (error) {
    await opened.store.close();
    throw error;
  }
  return opened.store;
}

/**
 * Creates the data folder if missing, readable by this user alone. Comes before any lock in it, because locks do not work on
 * a network.
 *
 * @throws Error that says what to do if the folder cannot be created or SQLite may not be used in it.
 */
export async function makeDataFolder({
  dataDir,
  databaseUrl,
}: Pick<StoreOptions, "dataDir" | "databaseUrl">): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Error(
      `The data folder ${dataDir} cannot be created (${messageOf(error)}). Choose another with --data, or fix its permissions.`,
      { cause: error },
    );
  }
  if (databaseUrl === undefined) await refuseNetwork(dataDir);
}

async function openHere(folder: FolderFacts, { projectId, log, onLost }: StoreOptions): Promise<OpenedStore> {
  const wasMade = await checkFolder(folder);
  const path = databasePath(folder.dataDir);
  const mark = markPath(folder.dataDir);
  // Read before the database is opened, which rewrites the mark.
  const known = readMark(mark);
  const opened = await openSqlite({
    path,
    log,
    markPath: mark,
    projectId: projectId ?? DEFAULT_PROJECT,
    onLost: onLost ?? raise,
  }).catch((error: unknown) => {
    throw doesNotOpen(path, error);
  });
  const { instanceId, position, pragmas } = opened;
  // A database without an instance id is left to `agreeOnInstance`, which has its own error.
  if (instanceId !== null && position < known) {
    await opened.store.close();
    throw isBehind(path, mark, known - position);
  }
  log?.info({ path, position, ...pragmas }, "SQLite is open");
  return { ...opened, wasMade };
}

async function openThere(databaseUrl: string, options: StoreOptions): Promise<OpenedStore> {
  const { openPostgresStore } = await import("./postgres-store.ts");
  return openPostgresStore(databaseUrl, options, options.projectId ?? DEFAULT_PROJECT);
}

function raise(error: Error): never {
  throw error;
}
