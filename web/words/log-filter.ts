import type { TableData } from "#shared/export/table/table-data.ts";
import type { LogEntryView } from "#shared/protocol/log-api.ts";
import { formatCount, plural } from "./format.ts";

/* What a search of the log says, and its answers as files. */

/** "today 14:00" is typed as the browser's own input for a time gives it: "2026-11-30T14:00", in UTC. Null if it is none. */
export function instantOf(typed: string): string | null {
  if (typed === "") return null;
  const instant = new Date(`${typed}Z`);
  return Number.isNaN(instant.getTime()) ? null : instant.toISOString();
}

/** How a search stands: "12 entries.", "The newest 50 entries that fit; there are more.", or how far it has looked. */
export function searchWords({ state, found, lookedAt, size }: SearchState): string {
  const entries = `${formatCount(found)} ${found === 1 ? "entry" : "entries"}`;
  const looked = `${formatCount(lookedAt)} of ${plural(size, "entry", "entries")} looked at, newest first; ${formatCount(found)} fit.`;
  switch (state) {
    case "searching":
      return size === 0 ? "Looking." : `Looking: ${looked}`;
    case "stopped":
      return `Stopped: ${looked}`;
    case "failed":
      return `The search did not end. ${looked}`;
    case "paused":
      return `The newest ${entries} that fit; there are more.`;
    case "ended":
      return found === 0 ? `None of ${plural(size, "entry", "entries")} fits.` : `${entries}.`;
  }
}

export interface SearchState {
  readonly state: "searching" | "paused" | "stopped" | "ended" | "failed";
  readonly found: number;
  readonly lookedAt: number;
  readonly size: number;
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
