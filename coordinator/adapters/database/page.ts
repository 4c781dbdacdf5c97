import type { Listed, Page } from "#coordinator/core/ports/ports.ts";
import { assert } from "#shared/kernel/assert.ts";
import { LIMITS } from "#shared/protocol/limits.ts";

/**
 * One page from `limit + 1` rows. The extra row tells that there are more. The page ends before the row whose
 * document would take it above `LIMITS.pageByteCountMax`, but never before the first (D2).
 *
 * @param documentOf  The row's document column, which is what makes it large.
 * @param cursorOf    Names the last item of a page. The next page starts after it.
 */
export function listed<Row, Item>(
  rows: readonly Row[],
  page: Page,
  { itemOf, documentOf, cursorOf }: ListedRow<Row, Item>,
): Listed<Item> {
  assert(Number.isInteger(page.limit) && page.limit >= 1, `page of ${page.limit}`);
  const shown = rows.slice(0, Math.min(page.limit, fittingCount(rows.map(documentOf))));
  const last = shown.at(-1);
  return {
    items: shown.map(itemOf),
    next: rows.length > shown.length && last !== undefined ? cursorOf(last) : null,
  };
}

interface ListedRow<Row, Item> {
  readonly itemOf: (row: Row) => Item;
  readonly documentOf: (row: Row) => string;
  readonly cursorOf: (row: Row) => string;
}

/** How many fit a page, the first always. */
export function fittingCount(documents: readonly string[]): number {
  let byteCount = 0;
  const over = documents.findIndex((document, index) => {
    byteCount += Buffer.byteLength(document);
    return index > 0 && byteCount > LIMITS.pageByteCountMax;
  });
  return over === -1 ? documents.length : over;
}

/** The list after the last page, and the answer to an unknown cursor. */
export const EMPTY_LIST = { items: [], next: null } as const;

/** The number in a cursor, or null if it is malformed. */
export function cursorNumber(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** A statement takes 32,766 values in SQLite and 65,535 in PostgreSQL. Our rows have a few values each. */
const BATCH_ROWS = 500;

/** Splits `rows` into batches that fit one statement. */
export function inBatches<Row>(rows: readonly Row[]): readonly (readonly Row[])[] {
  const count = Math.ceil(rows.length / BATCH_ROWS);
  return Array.from({ length: count }, (_, index) =>
    rows.slice(index * BATCH_ROWS, (index + 1) * BATCH_ROWS),
  );
}

/**
 * Document columns are text in both databases: SQLite has no JSON type, and PostgreSQL's `json` returns the
 * text as written.
 */
export function toJson(value: unknown): string {
  return JSON.stringify(value ?? null);
}

export function fromJson(text: string): unknown {
  return JSON.parse(text);
}
