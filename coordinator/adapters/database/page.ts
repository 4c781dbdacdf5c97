import type { Listed, Page } from "#coordinator/core/ports.ts";
import { assert } from "#shared/kernel/assert.ts";

/**
 * One page from `limit + 1` rows: the row too many says that there is more.
 *
 * @param cursorOf  Names the last item of a page; the next page starts behind it.
 */
export function listed<Row, Item>(
  rows: readonly Row[],
  page: Page,
  itemOf: (row: Row) => Item,
  cursorOf: (row: Row) => string,
): Listed<Item> {
  assert(Number.isInteger(page.limit) && page.limit >= 1, `page of ${page.limit}`);
  const shown = rows.slice(0, page.limit);
  const last = shown.at(-1);
  return {
    items: shown.map(itemOf),
    next: rows.length > page.limit && last !== undefined ? cursorOf(last) : null,
  };
}

/** Nothing, as after the last page; also the answer to a cursor that no page ever gave. */
export const EMPTY_LIST = { items: [], next: null } as const;

/** A whole number of a cursor, or null. */
export function cursorNumber(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** A statement takes 32,766 values in SQLite and 65,535 in PostgreSQL; rows of ours have a few each. */
const BATCH_ROWS = 500;

/** `rows` in parts that one statement takes; none for no rows. */
export function inBatches<Row>(rows: readonly Row[]): readonly (readonly Row[])[] {
  const count = Math.ceil(rows.length / BATCH_ROWS);
  return Array.from({ length: count }, (_, index) =>
    rows.slice(index * BATCH_ROWS, (index + 1) * BATCH_ROWS),
  );
}

/** Document columns are text on both sides: SQLite has no other, and PostgreSQL gives back what was written. */
export function toJson(value: unknown): string {
  return JSON.stringify(value ?? null);
}

export function fromJson(text: string): unknown {
  return JSON.parse(text);
}
