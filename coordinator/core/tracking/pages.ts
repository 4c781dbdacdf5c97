import { ok, type Result } from "#shared/kernel/result.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import type { Condition, Ordering } from "#shared/tracking/condition.ts";
import { compareBy, matches, type Searchable } from "#shared/tracking/match.ts";
import { parseFilter, parseOrdering, type SearchError, type Subject } from "#shared/tracking/search-text.ts";
import { refused } from "./refusals.ts";

/** A search as it is asked for. */
export interface SearchText {
  readonly filter: string;
  readonly orderBy: readonly string[];
  readonly maxResults: number;
  /** From the former page; empty for the first. */
  readonly pageToken: string;
}

/** A search whose text has been read. */
export interface ParsedSearch {
  readonly conditions: readonly Condition[];
  readonly orderings: readonly Ordering[];
  readonly limit: number;
  readonly offset: number;
}

export interface FoundPage<Item> {
  readonly items: readonly Item[];
  /** Null with the last page. */
  readonly nextPageToken: string | null;
}

/** Errors: BAD_REQUEST with the place in the filter or order that does not read. */
export function readSearch(text: SearchText, subject: Subject): Result<ParsedSearch, WireError> {
  const conditions = parseFilter(text.filter, subject);
  if (!conditions.ok) return badSearch("filter", text.filter, conditions.error);
  const orderings: Ordering[] = [];
  for (const entry of text.orderBy) {
    const ordering = parseOrdering(entry, subject);
    if (!ordering.ok) return badSearch("order_by", entry, ordering.error);
    orderings.push(ordering.value);
  }
  const offset = readPageToken(text.pageToken);
  if (offset === null)
    return refused("BAD_REQUEST", "This page_token comes from no search. Begin without one.");
  return ok({ conditions: conditions.value, orderings, limit: text.maxResults, offset });
}

function badSearch(
  name: string,
  text: string,
  { position, sentence }: SearchError,
): Result<never, WireError> {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return refused("BAD_REQUEST", `Invalid ${name} "${shown}", at character ${position + 1}: ${sentence}`);
}

/** Null if it is no token. */
export function readPageToken(token: string): number | null {
  if (token === "") return 0;
  const [, digits] = /^o(\d{1,9})$/.exec(token) ?? [];
  return digits === undefined ? null : Number(digits);
}

/** The page from one item more than it has. @param isCut  Whether the store has left more out. */
export function pageOf<Item>(
  found: readonly Item[],
  { limit, offset }: Pick<ParsedSearch, "limit" | "offset">,
  isCut = false,
): FoundPage<Item> {
  const items = found.slice(0, limit);
  return { items, nextPageToken: isCut || found.length > limit ? `o${offset + items.length}` : null };
}

/** The page of things that are all in memory. */
export function searchIn<Item>(
  things: readonly Item[],
  search: ParsedSearch,
  searchableOf: (thing: Item) => Searchable,
): FoundPage<Item> {
  const { conditions, orderings, limit, offset } = search;
  const compare = compareBy(orderings);
  const found = things
    .map((thing) => ({ thing, seen: searchableOf(thing) }))
    .filter(({ seen }) => matches(seen, conditions))
    .sort((left, right) => compare(left.seen, right.seen))
    .map(({ thing }) => thing);
  return pageOf(found.slice(offset, offset + limit + 1), search);
}
