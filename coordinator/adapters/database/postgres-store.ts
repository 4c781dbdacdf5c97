import { readInstance, writeInstance } from "./instance-row.ts";
import type { OpenedStore, StoreOptions } from "./opened-store.ts";
import { openPostgres } from "./postgres.ts";
import { createStore } from "./store.ts";

/**
 * Opens the store on PostgreSQL at the newest schema. A separate file, so that SQLite installations never
 * load the driver.
 */
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
