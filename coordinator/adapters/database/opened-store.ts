import type { Log } from "#coordinator/core/ports/ports.ts";
import type { Store } from "#coordinator/core/ports/store.ts";
import type { InstanceEvents } from "./postgres-lock.ts";

export interface StoreOptions {
  /** The coordinator's state folder. */
  readonly dataDir: string;
  /** postgres://..., version 15 or later. SQLite in `dataDir` if absent. */
  readonly databaseUrl?: string | undefined;
  /**
   * PostgreSQL only: takes the lock of the database's only coordinator. If absent, several processes may
   * write.
   */
  readonly alone?: InstanceEvents;
  readonly projectId?: string;
  readonly log?: Log;
  /**
   * Called if SQLite's writing thread ends by itself. By default that is an uncaught error, which ends the
   * process.
   */
  readonly onLost?: (error: Error) => void;
}

/** An open database that is not yet known to belong to the folder. */
export interface OpenedStore {
  readonly store: Store;
  readonly instanceId: string | null;
  /** Whether it had tables before it was opened. */
  readonly wasMade: boolean;
  /** Writes the instance id, but keeps an existing one. */
  readonly mark: (instanceId: string) => Promise<void>;
}
