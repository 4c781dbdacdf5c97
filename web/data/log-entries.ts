import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { ProvedEntry } from "#shared/audit/evidence.ts";
import { entryOf } from "#shared/audit/read-entries.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { listSchema } from "#shared/protocol/api.ts";
import { type LogEntryView, logEntrySchema } from "#shared/protocol/log-api.ts";
import { type Listed, read } from "./api.ts";
import { lookHere, Meter, type OwnLook } from "./log.ts";

/* Entries of the log that fit a filter: the coordinator says which, and this browser checks each against the signed root. */

/** What a search asks for. Empty fields ask for nothing. */
export interface LogFilter {
  readonly text?: string;
  readonly kind?: string;
  readonly run?: string;
  readonly round?: string;
  readonly model?: string;
  readonly actor?: string;
  /** ISO 8601. */
  readonly from?: string;
  readonly to?: string;
}

/** An entry that was found, and what this browser makes of it. */
export interface FoundEntry {
  readonly view: LogEntryView;
  /** Null if it is not under the signed root yet, or if what is served is not what the root commits to. */
  readonly entry: ProvedEntry | null;
  readonly check: "checked" | "waiting" | "contradicted";
}

export interface FoundEntries extends Listed<FoundEntry> {
  readonly look: OwnLook;
}

/** Looks at the log, and checks the entries that fit. @throws ApiFailure */
export async function findEntries(
  filter: LogFilter,
  cursor: string | null,
  limit: number,
): Promise<FoundEntries> {
  const meter = new Meter();
  const primitives = await selectPrimitives(globalThis.crypto?.subtle);
  const asked = new URLSearchParams({ limit: String(limit) });
  for (const [name, value] of Object.entries(filter)) if (value !== "") asked.set(name, value);
  if (cursor !== null) asked.set("cursor", cursor);
  const [found, look] = await Promise.all([
    read(listSchema(logEntrySchema), `/log/entries?${asked}`),
    lookHere(primitives, meter),
  ]);
  const items: FoundEntry[] = [];
  for (const view of found.items) items.push(await checkedEntry(look, view));
  return { items, next: found.next, look };
}

async function checkedEntry({ log }: OwnLook, view: LogEntryView): Promise<FoundEntry> {
  if (log === null) return { view, entry: null, check: "contradicted" };
  if (view.index >= log.tree.head.size) return { view, entry: null, check: "waiting" };
  const leaves = await log.tree.leaves(view.index, view.index + 1);
  const leaf = leaves.ok ? leaves.value[0] : undefined;
  if (leaf === undefined) return { view, entry: null, check: "contradicted" };
  const entry = entryOf(view.index, leaf);
  return { view, entry, check: entry.kind === view.kind ? "checked" : "contradicted" };
}

const PAGE = 50;

/** The newest entries that fit, at least `count` of them if there are as many. */
export const useLogEntries = (filter: LogFilter, count: number) =>
  useQuery({
    queryKey: ["log-entries", filter, count],
    queryFn: async (): Promise<FoundEntries> => {
      let page = await findEntries(filter, null, PAGE);
      const items = [...page.items];
      while (page.next !== null && items.length < count) {
        page = await findEntries(filter, page.next, PAGE);
        items.push(...page.items);
      }
      return { ...page, items };
    },
    placeholderData: keepPreviousData,
    retry: false,
  });
