import { useEffect, useMemo, useSyncExternalStore } from "react";
import { ApiFailure } from "./api.ts";
import type { FoundPage, LogFilter } from "./log-messages.ts";
import { LogSearch } from "./log-search.ts";
import { lastSeen, logThread } from "./log-thread.ts";

/* Entries of the log that fit a filter: the coordinator says which, and the worker checks each against the signed root. */

/** A long search asks more often than a coordinator answers in a minute; then it waits. */
const WAIT_MS = 5_000;

async function findPage(filter: LogFilter, cursor: string | null, limit: number): Promise<FoundPage> {
  for (;;) {
    try {
      return await logThread.ask("search", { filter, cursor, limit, seen: lastSeen() });
    } catch (error) {
      if (!(error instanceof ApiFailure && error.code === "RATE_LIMITED")) throw error;
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    }
  }
}

/** A search that begins by itself and rests once `count` entries are found. Another filter is another search. */
export function useLogSearch(filter: LogFilter, count: number) {
  const key = JSON.stringify(filter);
  const search = useMemo(() => new LogSearch(findPage, JSON.parse(key) as LogFilter), [key]);
  const view = useSyncExternalStore(search.subscribe, search.view, search.view);
  useEffect(() => {
    void search.find(count);
  }, [search, count]);
  useEffect(() => () => search.stop(), [search]);
  return { search, view };
}
