import { TABLE_MEDIA_TYPES, type TableFormat } from "#shared/export/table/formats.ts";
import { ok, type Result } from "#shared/kernel/result.ts";
import type { RunView } from "#shared/protocol/api.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import { FILE_RUNS_MAX } from "#shared/protocol/run-search.ts";
import type { Condition, Ordering } from "#shared/tracking/condition.ts";
import { OWN_RUNS, orderEntries, stored, withinSets } from "#shared/tracking/own-runs.ts";
import { hint, parseFilter, parseOrdering, type SearchError } from "#shared/tracking/search-text.ts";
import type { FoundRuns, FoundRunView, RunSearch, RunSearchText } from "../coordinator.ts";
import type { ExportedFile } from "../models/exports.ts";
import type { FoundRun, OwnRunQuery, OwnRunSearch, RunNames } from "../ports/own-run-search.ts";
import type { Page, Readable } from "../ports/store.ts";
import { readPageToken } from "../tracking/pages.ts";
import { refused } from "../tracking/refusals.ts";
import { columnsOf, type FoundRunRow, foundRunRow } from "../views/found-runs-table.ts";
import { tableFile } from "../views/table-file.ts";

/** Runs that are read at once for a file. */
const FILE_PAGE = 200;
const ORDERINGS_MAX = 8;

/** Searches Chorus's own runs, over all that a reader may read. Rule L15. */
export class RunSearchDesk implements RunSearch {
  readonly #store: OwnRunSearch;
  /** The view of a run that goes on; null otherwise. */
  readonly #living: (runId: string) => RunView | null;

  constructor(store: OwnRunSearch, living: (runId: string) => RunView | null) {
    this.#store = store;
    this.#living = living;
  }

  names(readable: Readable): Promise<RunNames> {
    return this.#store.listRunNames(readable);
  }

  async search(readable: Readable, text: RunSearchText, page: Page): Promise<Result<FoundRuns, WireError>> {
    const offset = readPageToken(page.cursor ?? "");
    if (offset === null)
      return refused("BAD_REQUEST", "This cursor comes from no search. Begin without one.");
    const query = queryOf(readable, text);
    if (!query.ok) return query;
    const { limit } = page;
    const runIds = await this.#store.findOwnRuns(query.value, { limit: limit + 1, offset });
    const counts = await this.#counts(query.value, { offset, count: runIds.length, limit });
    const unknown = await this.#unknownName(query.value, counts.foundCount);
    if (unknown !== null) return refused("BAD_REQUEST", unknown);
    const { runs, readCount } = await this.#store.readOwnRuns(runIds.slice(0, limit));
    return ok({
      items: runs.map((run) => this.#view(run)),
      next: readCount < runIds.length ? `o${offset + readCount}` : null,
      ...counts,
    });
  }

  async file(
    readable: Readable,
    text: RunSearchText,
    format: TableFormat,
  ): Promise<Result<ExportedFile, WireError>> {
    const query = queryOf(readable, text);
    if (!query.ok) return query;
    // All ids at once: runs that are launched while the file is made would shift its pages.
    const runIds = await this.#store.findOwnRuns(query.value, { limit: FILE_RUNS_MAX, offset: 0 });
    const unknown = await this.#unknownName(query.value, runIds.length);
    if (unknown !== null) return refused("BAD_REQUEST", unknown);
    const rows: FoundRunRow[] = [];
    for (let done = 0; done < runIds.length; ) {
      const { runs, readCount } = await this.#store.readOwnRuns(runIds.slice(done, done + FILE_PAGE));
      rows.push(...runs.map((run) => foundRunRow(this.#view(run))));
      done += readCount;
    }
    return ok({
      fileName: `runs.${format}`,
      mediaType: TABLE_MEDIA_TYPES[format],
      bytes: tableFile(columnsOf(rows), rows, format),
    });
  }

  /** A count reads as many rows as the search, so none is made of what the page itself says. */
  async #counts(
    { readable, conditions }: OwnRunQuery,
    { offset, count, limit }: { readonly offset: number; readonly count: number; readonly limit: number },
  ): Promise<Pick<FoundRuns, "foundCount" | "allCount">> {
    const allCount = await this.#store.countOwnRuns({ readable, conditions: [] });
    if (conditions.length === 0) return { foundCount: allCount, allCount };
    const isLast = count <= limit && (count > 0 || offset === 0);
    const foundCount = isLast ? offset + count : await this.#store.countOwnRuns({ readable, conditions });
    return { foundCount, allCount };
  }

  #view({ runId, view, params, tags, metrics }: FoundRun): FoundRunView {
    return {
      run: this.#living(runId) ?? view,
      params,
      tags,
      metrics: metrics.map(({ key, value, step }) => ({
        key,
        value: Number.isFinite(value) ? value : null,
        step,
      })),
    };
  }

  /** What a condition names that no run has; null if there is none. Only what is never there finds nothing, or is null. */
  async #unknownName({ readable, conditions }: OwnRunQuery, foundCount: number): Promise<string | null> {
    const doubtful = conditions.filter(
      ({ entity, comparator }) =>
        (entity === "metric" || entity === "param") && (foundCount === 0 || comparator === "IS NULL"),
    );
    const unknown: Condition[] = [];
    // The names of all runs are many; a key that some run has is found at once.
    for (const condition of doubtful) {
      const entity = condition.entity === "metric" ? "metric" : "param";
      if (!(await this.#store.hasRunName(readable, entity, condition.key))) unknown.push(condition);
    }
    return unknown.length === 0 ? null : unknownName(unknown, await this.#store.listRunNames(readable));
  }
}

function queryOf(readable: Readable, { filter, order }: RunSearchText): Result<OwnRunQuery, WireError> {
  const conditions = parseFilter(filter, OWN_RUNS);
  if (!conditions.ok) return badText(conditions.error);
  const entries = orderEntries(order);
  if (entries.length > ORDERINGS_MAX)
    return refused("BAD_REQUEST", `An order has at most ${ORDERINGS_MAX} entries.`);
  const orderings: Ordering[] = [];
  for (const entry of entries) {
    const ordering = parseOrdering(entry, OWN_RUNS);
    if (!ordering.ok) return badText(ordering.error);
    orderings.push(stored(ordering.value));
  }
  return ok({ readable, conditions: conditions.value.map(stored), orderings: withinSets(orderings) });
}

function badText({ sentence, position }: SearchError): Result<never, WireError> {
  return refused("BAD_REQUEST", `${sentence} (character ${position + 1})`);
}

/** Names a measure or param that no run has; null if there is none, or no run has any. */
function unknownName(conditions: readonly Condition[], { params, metrics }: RunNames): string | null {
  for (const { entity, key } of conditions) {
    const known = entity === "metric" ? metrics : params;
    if (known.length === 0 || known.includes(key)) continue;
    return `There is no ${entity === "metric" ? "measure" : "param"} ‘${key}’.${hint(key, known)}`;
  }
  return null;
}
