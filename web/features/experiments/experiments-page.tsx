"use client";
import { ApiFailure } from "../../data/api.ts";
import { RUNS_PER_PAGE, type SearchText, useRunNames, useRunSearch } from "../../data/experiments.ts";
import { useWatch } from "../../data/live.tsx";
import { useAllTasks } from "../../data/queries.ts";
import { EmptyNote } from "../../ui/states.tsx";
import { useAddress } from "../../ui/use-address.ts";
import { experimentColumns, orderText } from "../../words/experiment-columns.ts";
import { pageNamed, wrongFilterWords } from "../../words/experiment-filters.ts";
import { experimentRow, experimentsLead } from "../../words/experiments.ts";
import { QueryGate } from "../shell/query-gate.tsx";
import { Downloads } from "./downloads.tsx";
import { FilterLine } from "./filter-line.tsx";
import { PairSection } from "./pair-section.tsx";
import { RunsTable } from "./runs-table.tsx";
import { ScatterSection } from "./scatter-section.tsx";
import { useLastGood } from "./use-last-good.ts";

const WATCH_ALL = { all: true } as const;
const ORDER = "-when";

/**
 * `/experiments`: runs of all tasks side by side, as the coordinator finds and orders them. Filter, columns, order, page
 * and choice stand in the address.
 */
export function ExperimentsPage() {
  useWatch(WATCH_ALL);
  const tasks = useAllTasks(true);
  const names = useRunNames();
  const [asked] = useAddress("filter");
  const [sort, setSort] = useAddress("sort");
  const [pageText, setPage] = useAddress("page");
  const page = pageNamed(pageText);
  const columns = experimentColumns(names.data ?? NO_NAMES);
  const order = sort ?? ORDER;
  const textOf = (filter: string): SearchText => ({
    filter,
    order: orderText(columns, names.data ?? NO_NAMES, order),
  });
  // An order by a figure follows from the names.
  const isReady = names.data !== undefined;
  const search = useRunSearch(isReady ? textOf(asked ?? "") : null, page);
  const wrong =
    search.error instanceof ApiFailure && search.error.code === "BAD_REQUEST" ? search.error : null;
  // While a filter is wrong, the table shows what the last good one found.
  const good = useLastGood(search.isSuccess && !search.isPlaceholderData ? (asked ?? "") : null);
  const filter = wrong === null ? (asked ?? "") : (good ?? "");
  const shown = useRunSearch(isReady ? textOf(filter) : null, page);
  const viewOf = (slug: string) => tasks.data?.find(({ task }) => task.slug === slug) ?? null;
  const found = shown.data;
  const rows = (found?.items ?? []).map((item) => experimentRow(item.run, viewOf(item.run.task), item));
  return (
    <>
      <div className="head">
        <h1>Experiments</h1>
        {found !== undefined && found.foundCount > 0 && (
          <Downloads search={textOf(filter)} foundCount={found.foundCount} />
        )}
        <div className="state">
          <p className="lead min-h-[1.3em]">
            {found === undefined || tasks.data === undefined ? "" : experimentsLead(found, filter)}
          </p>
          <p className="line-facts">
            <span>
              Filter, columns, order, page and choice stand in the address: a link shows the same page.
            </span>
            <span>Times are UTC.</span>
          </p>
        </div>
      </div>
      <QueryGate query={shown} what="runs" waits={tasks.isPending || names.isPending}>
        {({ allCount, foundCount }) =>
          allCount === 0 ? (
            <EmptyNote>No runs yet. Launch one, or try the digits demo: about a minute.</EmptyNote>
          ) : (
            <>
              <FilterLine
                wrong={wrong === null ? null : wrongFilterWords(wrong.message, good)}
                columns={columns}
                tasks={tasks.data ?? []}
                {...{ foundCount, allCount }}
              />
              <RunsTable
                {...{ rows, columns, order, page, foundCount }}
                perPage={RUNS_PER_PAGE}
                onOrder={(next) => {
                  setSort(next === ORDER ? null : next);
                  setPage(null);
                }}
                onPage={(next) => setPage(next === 1 ? null : String(next))}
              />
              <PairSection rows={rows} viewOf={viewOf} />
              <ScatterSection filter={filter} tasks={tasks.data ?? []} />
            </>
          )
        }
      </QueryGate>
    </>
  );
}

const NO_NAMES = { params: [], metrics: [], tags: [] };
