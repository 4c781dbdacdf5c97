import type { Listed, Page } from "./store.ts";

const PAGE = 200;

/**
 * All items of a list that is read in pages, in its order.
 *
 * @param isWanted  Other items are not kept. Default: all are.
 */
export async function everyItem<Item>(
  list: (page: Page) => Promise<Listed<Item>>,
  isWanted: (item: Item) => boolean = () => true,
): Promise<readonly Item[]> {
  const all: Item[] = [];
  let cursor: string | undefined;
  do {
    const { items, next } = await list({ limit: PAGE, cursor });
    all.push(...items.filter(isWanted));
    cursor = next ?? undefined;
  } while (cursor !== undefined);
  return all;
}
