import type { TableData } from "#shared/export/table/table-data.ts";
import type { LogEntryView } from "#shared/protocol/log-api.ts";
import { formatCount } from "./format.ts";

/* What a search of the log says, and its answers as files. */

/** "today 14:00" is typed as the browser's own input for a time gives it: "2026-11-30T14:00", in UTC. Null if it is none. */
export function instantOf(typed: string): string | null {
  if (typed === "") return null;
  const instant = new Date(`${typed}Z`);
  return Number.isNaN(instant.getTime()) ? null : instant.toISOString();
}

/** "12 entries." or "The newest 50 entries; there are more." */
export function foundWords(count: number, hasMore: boolean): string {
  if (count === 0) return hasMore ? "None among the newest; look further." : "No entry fits.";
  const entries = count === 1 ? "entry" : "entries";
  return hasMore
    ? `The newest ${formatCount(count)} ${entries} that fit; there are more.`
    : `${formatCount(count)} ${entries}.`;
}

/** What an entry is about, as far as the coordinator says: "digits, run 3, round 14". */
export function placeWords(place: LogEntryView["place"]): string {
  if (place === null) return "";
  const { task, runNumber, round } = place;
  return `${task}, run ${formatCount(runNumber)}${round === null ? "" : `, round ${formatCount(round)}`}`;
}

export interface EntryRow {
  readonly index: number;
  readonly at: string;
  readonly kind: string;
  readonly what: string;
  readonly about: string;
  readonly who: string;
  readonly check: string;
}

/** Rows as a table for a file. */
export function entriesTable(rows: readonly EntryRow[]): TableData {
  return {
    columns: ["entry", "at", "kind", "what", "about", "who", "check"],
    rows: rows.map(({ index, at, kind, what, about, who, check }) => [
      index,
      at,
      kind,
      what,
      about,
      who,
      check,
    ]),
  };
}
