import { mkdir } from "node:fs/promises";
import type { Log } from "#coordinator/core/ports.ts";
import type { Store } from "#coordinator/core/store.ts";
import { messageOf } from "../system-errors.ts";
import { agreeOnInstance, type FolderFacts, folderFacts } from "./instance.ts";
import type { InstanceEvents } from "./postgres-lock.ts";
import { checkFolder, databasePath, doesNotOpen, isBehind, refuseNetwork } from "./sqlite/folder.ts";
import { openSqlite } from "./sqlite/open-sqlite.ts";
import { markPath, readMark } from "./sqlite/position-mark.ts";

const DEFAULT_PROJECT = "default";

/** What becomes of the lock of the one coordinator on a PostgreSQL database. */
export type { InstanceEvents } from "./postgres-lock.ts";

export interface StoreOptions {
  /** The coordinator's state folder. */
  readonly dataDir: string;
  /** postgres://..., version 15 or later; absent: SQLite in `dataDir`. */
  readonly databaseUrl?: string | undefined;
  /** PostgreSQL: holds the lock of the one coordinator of this database. Absent: several may write. */
  readonly alone?: InstanceEvents;
  readonly projectId?: string;
  readonly log?: Log;
  /** Told if SQLite's writing thread ends on its own; by default this is an uncaught error, the end of the process. */
  readonly onLost?: (error: Error) => void;
}

/** An open database, before it is known to belong to the folder. */
export interface OpenedStore {
  readonly store: Store;
  readonly instanceId: string | null;
  /** Whether it had tables before it was opened. */
  readonly wasMade: boolean;
  /** Writes the instance id; the first one stands. */
  readonly mark: (instanceId: string) => Promise<void>;
}

/**
 * The store on the database that `options` name, at the newest schema.
 *
 * @throws Error that says what to do: a folder that cannot be used, a database that cannot be opened, or the two of
 *         different installations.
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
 * Makes the data folder if it is missing. Comes before anything is locked in it: on a network the lock would not hold.
 *
 * @throws Error with what to do, if it cannot be made, or SQLite may not be used in it.
 */
export async function makeDataFolder({
  dataDir,
  databaseUrl,
}: Pick<StoreOptions, "dataDir" | "databaseUrl">): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true });
  } catch (error) {
    throw new Error(
      `The data folder ${dataDir} cannot be made (${messageOf(error)}). Choose another with --data, or mend its rights.`,
      { cause: error },
    );
  }
  if (databaseUrl === undefined) await refuseNetwork(dataDir);
}

async function openHere(folder: FolderFacts, { projectId, log, onLost }: StoreOptions): Promise<OpenedStore> {
  const wasMade = await checkFolder(folder);
  const path = databasePath(folder.dataDir);
  const mark = markPath(folder.dataDir);
  // Before it is opened, which writes it.
  const known = readMark(mark);
  const opened = await openSqlite({
    ...{ path, log, markPath: mark },
    projectId: projectId ?? DEFAULT_PROJECT,
    onLost: onLost ?? raise,
  }).catch((error: unknown) => {
    throw doesNotOpen(path, error);
  });
  const { instanceId, position, pragmas } = opened;
  // `agreeOnInstance` refuses a database without an instance id, with a sentence of its own.
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
