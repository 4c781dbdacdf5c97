import type { Log, Store } from "#coordinator/core/ports.ts";
import { openEmbedded } from "./pglite/embedded.ts";
import { openPostgres } from "./postgres.ts";
import type { InstanceEvents } from "./postgres-lock.ts";
import { createStore } from "./store.ts";

const HOUR_MS = 3_600_000;

/** What becomes of the lock of the one coordinator on this database. */
export type { InstanceEvents } from "./postgres-lock.ts";

interface Common {
  readonly projectId?: string;
  readonly log?: Log;
}
export type StoreOptions = Common &
  (
    | {
        /** The coordinator's state folder: the embedded database. */
        readonly dataDir: string;
        /** Default: every hour where something was written, and at the close. Null: no snapshots. */
        readonly snapshotEveryMs?: number | null;
        /** Told when the database's thread ends on its own; by default this is an uncaught error, the end of the process. */
        readonly onLost?: (error: Error) => void;
      }
    | {
        /** postgres://..., version 15 or later. */
        readonly databaseUrl: string;
        /** Holds the lock of the one coordinator of this database. Absent: several may write. */
        readonly alone?: InstanceEvents;
      }
  );

/**
 * The store on the database that `options` name, at the newest schema.
 *
 * @throws Error that says what to do, where it cannot be opened.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const database =
    "databaseUrl" in options
      ? await openPostgres(options.databaseUrl, options.log, options.alone)
      : await openEmbedded({
          dataDir: options.dataDir,
          snapshotEveryMs: options.snapshotEveryMs === undefined ? HOUR_MS : options.snapshotEveryMs,
          log: options.log,
          onLost: options.onLost ?? raise,
        });
  return createStore(database, options.projectId ?? "default");
}

function raise(error: Error): never {
  throw error;
}
