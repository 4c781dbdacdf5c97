import type { Primitives } from "../kernel/ports.ts";
import { isEndPhase } from "../round/phases.ts";
import type { ProvedEntry, RoundEvidence } from "./evidence.ts";
import { sidsOf } from "./record.ts";
import { type Replayed, replayed } from "./replayed.ts";
import { type Statement, waiting } from "./statement.ts";
import { grouped } from "./words.ts";

/** The evidence about a round, made ready for its statements. */
export interface Subject extends RoundEvidence {
  readonly primitives: Primitives;
  readonly hasEnded: boolean;
  /** Sessions of the newest attempt. */
  readonly sids: readonly string[];
  /** Ids of the run's rounds up to this one. */
  readonly runRoundIds: ReadonlySet<string>;
  /** Null if the log is not served; a sentence if it does not replay. */
  readonly replay: Replayed | string | null;
  /** Entries of this kind about the round; about its run, for what a run has. */
  of(kind: string): readonly ProvedEntry[];
  /** The entry of this kind about one session of the newest attempt. */
  ofSession(kind: string, sid: string): ProvedEntry | undefined;
}

export function subjectOf(
  primitives: Primitives,
  evidence: RoundEvidence,
  runRoundIds: ReadonlySet<string>,
): Subject {
  const { record, entries, log } = evidence;
  const isAbout = ({ body }: ProvedEntry) =>
    body["roundId"] === record.roundId ||
    (body["runId"] === record.runId && (body["round"] === undefined || body["round"] === record.round));
  const of = (kind: string) => entries.filter((entry) => entry.kind === kind && isAbout(entry));
  const replay = log === null ? null : replayed(log);
  return {
    ...evidence,
    primitives,
    runRoundIds,
    hasEnded: isEndPhase(record.phase),
    sids: sidsOf(record),
    replay: replay === null ? null : replay.ok ? replay.value : replay.error,
    of,
    ofSession: (kind, sid) => of(kind).find(({ body }) => body["sid"] === sid),
  };
}

/** What to say if the log has no entry of something. @param what  "no entry of the round's opening" */
export function missing(
  { hasEnded, read, sight }: Subject,
  what: string,
): Pick<Statement, "verdict" | "because"> {
  if (sight.contradiction !== null && read.to === 0)
    return waiting("Nothing was read of a log that contradicts itself.");
  if (!hasEnded) return waiting("The round goes on, and its entries with it.");
  if (read.from > 0)
    return waiting(`Entries before ${grouped(read.from)} were not read here, and those after have ${what}.`);
  if (read.to < sight.size)
    return waiting(`Entries from ${grouped(read.to)} on were not read here, and those before have ${what}.`);
  return { verdict: "contradicted", because: `The log has ${what}, although the round has ended.` };
}

/** A field of an entry that is text; an empty text if it is not. */
export function textOf(entry: ProvedEntry | undefined, field: string): string {
  const value = entry?.body[field];
  return typeof value === "string" ? value : "";
}

/** A field of an entry that is a whole number; NaN if it is not. */
export function numberOf(entry: ProvedEntry | undefined, field: string): number {
  const value = entry?.body[field];
  return typeof value === "number" ? value : Number.NaN;
}
