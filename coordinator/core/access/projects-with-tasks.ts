import { ALL_READABLE, type Store } from "../ports/store.ts";

const PAGE_SIZE = 100;

/** Projects that tasks belong to, each once. A task may be older than its project: one was made before there was an admin. */
export async function projectsWithTasks(store: Pick<Store, "listTasks">): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  let cursor: string | undefined;
  do {
    const { items, next } = await store.listTasks(ALL_READABLE, { limit: PAGE_SIZE, cursor });
    for (const { projectId } of items) found.add(projectId);
    cursor = next ?? undefined;
  } while (cursor !== undefined);
  return found;
}
