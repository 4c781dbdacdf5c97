import type { Listed, Page } from "#coordinator/core/ports/store.ts";
import { LIMITS } from "#shared/protocol/limits.ts";

/** The cursor names the last item of the previous page; an unknown one means the end. */
export function paged<Item>(
  items: readonly Item[],
  page: Page,
  nameOf: (item: Item) => string,
): Listed<Item> {
  const { cursor, limit } = page;
  const from = cursor === undefined ? 0 : items.findIndex((item) => nameOf(item) === cursor) + 1;
  if (cursor !== undefined && from === 0) return { items: [], next: null };
  const following = items.slice(from, from + limit);
  let byteCount = 0;
  const shown = following.filter((item, index) => {
    byteCount += Buffer.byteLength(JSON.stringify(item));
    return index === 0 || byteCount <= LIMITS.pageByteCountMax;
  });
  const last = shown.at(-1);
  const hasMore = items.length > from + shown.length;
  return { items: shown, next: hasMore && last !== undefined ? nameOf(last) : null };
}
