import type { Task } from "#shared/task/task.ts";

/** What this browser keeps of its part in a task, for a page that only reads. */
export interface StoredTerms {
  readonly joinToken: string | null;
  /** As it was agreed to. */
  readonly task: Task | null;
}

const NOTHING: StoredTerms = { joinToken: null, task: null };

/**
 * Reads the tables of browser-store.ts without the participant's worker. Makes no database, and reads nothing if the
 * browser has no storage.
 */
export async function storedTerms(coordinatorUrl: string, slug: string): Promise<StoredTerms> {
  const database = await openExisting(`chorus ${new URL(coordinatorUrl).host}`);
  if (database === null) return NOTHING;
  try {
    const tables = database.transaction(["cells", "consents"]);
    const [cell, consent] = await Promise.all([
      answerOf<{ readonly value: string }>(tables.objectStore("cells").get(`token/${slug}`)),
      answerOf<{ readonly task: Task }>(tables.objectStore("consents").get(slug)),
    ]);
    return { joinToken: cell?.value ?? null, task: consent?.task ?? null };
  } catch {
    return NOTHING;
  } finally {
    database.close();
  }
}

function openExisting(name: string): Promise<IDBDatabase | null> {
  return new Promise((resolve) => {
    if (globalThis.indexedDB === undefined) return resolve(null);
    const request = indexedDB.open(name);
    // There is none yet: undo its making.
    request.onupgradeneeded = () => request.transaction?.abort();
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(null);
    request.onblocked = () => resolve(null);
  });
}

function answerOf<Row>(request: IDBRequest): Promise<Row | undefined> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result as Row | undefined);
    request.onerror = () => reject(request.error);
  });
}
