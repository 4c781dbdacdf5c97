import type { ProvedEntry } from "#shared/audit/evidence.ts";
import type { SeenLog } from "#shared/audit/look.ts";
import type { EntryPath } from "#shared/audit/path.ts";
import type { Statement } from "#shared/audit/statement.ts";
import type { Answer, Call } from "#shared/kernel/calls.ts";
import type { RoundDetail } from "#shared/protocol/api.ts";
import type { LogEntryView } from "#shared/protocol/log-api.ts";

/*
 * What the page and the audit's worker say to each other. Everything is a copy that is small enough for a page to take in at
 * once: trees, entries of a whole log and a round's own log stay in the worker.
 */

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

/** A look at the log, as the page shows it. */
export interface LookView {
  readonly origin: string;
  readonly verifierKey: string;
  readonly size: number;
  /** Names of the witnesses that signed it. */
  readonly witnesses: readonly string[];
  readonly witnessCount: number;
  readonly contradiction: string | null;
  /** False if nothing of the log can be read. */
  readonly isReadable: boolean;
  /** What was seen before. */
  readonly seen: SeenLog | null;
  /** What to hold the next look against; null if something contradicts this one. */
  readonly remember: SeenLog | null;
  /** What was shown now, in the form in which a look is remembered: evidence beside `seen`. */
  readonly now: { readonly origin: string; readonly key: string; readonly note: string; readonly at: string };
  readonly tookMs: number;
  readonly byteCount: number;
}

/** An entry that was found, and what this browser makes of it. */
export interface FoundEntry {
  readonly view: LogEntryView;
  /** Null if it is not under the signed root yet, or if what is served is not what the root commits to. */
  readonly entry: ProvedEntry | null;
  readonly check: "checked" | "waiting" | "contradicted";
}

/** One answer to a search. */
export interface FoundPage {
  readonly items: readonly FoundEntry[];
  /** Index before which the search goes on, as a text; null at the end. */
  readonly next: string | null;
  /** Entries of the log. */
  readonly size: number;
}

/** Whatever of a round's replay the picture needs. */
export interface ReplayedRound {
  readonly counts: RoundDetail["counts"];
  readonly phaseEndsS: RoundDetail["phaseEndsS"];
  readonly eventCount: number;
}

/** An audit that this browser made, and what it took. */
export interface OwnAudit {
  readonly record: RoundDetail;
  readonly statements: readonly Statement[];
  readonly look: LookView;
  /** Of the look, or of what the audit read afterwards. */
  readonly contradiction: string | null;
  /** Null if the round's own log is not shown to this reader, or does not replay. */
  readonly replay: ReplayedRound | null;
  /** Entries that were read, the end not included. */
  readonly read: { readonly from: number; readonly to: number };
}

interface OfRound {
  readonly roundId: string;
  readonly showsTranscripts: boolean;
  readonly seen: SeenLog | null;
}

/** By name: what is asked, and what is answered. */
export interface LogCalls {
  look: [ask: { readonly seen: SeenLog | null }, answer: LookView];
  /** Without a cursor the log is looked at anew. */
  search: [
    ask: {
      readonly filter: LogFilter;
      readonly cursor: string | null;
      readonly limit: number;
      readonly seen: SeenLog | null;
    },
    answer: FoundPage,
  ];
  audit: [ask: OfRound, answer: OwnAudit];
  /** The path of an entry in the log that was looked at last. */
  path: [ask: { readonly index: number; readonly seen: SeenLog | null }, answer: EntryPath | null];
  /** The file of a round's audit. */
  bundle: [ask: OfRound, answer: Blob];
}
export type LogCallName = keyof LogCalls;
export type LogAsk = {
  [Name in LogCallName]: { readonly name: Name; readonly ask: LogCalls[Name][0] };
}[LogCallName];

/** How far a reading of the log is. */
export interface ReadProgress {
  readonly done: number;
  readonly total: number;
}

export type ToLogWorker =
  | Call<LogAsk>
  /** Ends the reading of entries; the audit goes on with those that were read. */
  | { readonly kind: "enough" };
export type FromLogWorker = Answer<unknown> | { readonly kind: "progress"; readonly progress: ReadProgress };
