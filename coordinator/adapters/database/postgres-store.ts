import { readInstance, writeInstance } from "./instance-row.ts";
import type { OpenedStore, StoreOptions } from "./open-store.ts";
import { openPostgres } from "./postgres.ts";
import { createStore } from "./store.ts";

/** The store on PostgreSQL, at the newest schema. In a file of its own: on SQLite the driver is never loaded. */
export async function openPostgresStore(
  databaseUrl: string,
  { log, alone }: StoreOptions,
  projectId: string,
): Promise<OpenedStore> {
  const database = await openPostgres(databaseUrl, log, alone);
  const { db, wasMade } = database;
  const store = createStore(database, projectId);
  try {
    const instanceId = await readInstance(db);
    return { store, instanceId, wasMade, mark: (id) => writeInstance(db, id) };
  } catch (error) {
    await store.close();
    throw error;
  }
}
