import type { ProvedEntry } from "#shared/audit/evidence.ts";
import type { Statement, Verdict } from "#shared/audit/statement.ts";
import { formatEntries } from "./audit-path.ts";
import { capitalise, countInWords, formatBytes, formatCount, formatSeconds, plural } from "./format.ts";

/* Words of the audit of a round, and of the log. */

/** "Nine statements about this round. Seven were checked in this browser just now, one waits, and one nobody can check." */
export function auditLead(statements: readonly Statement[]): string {
  const count = (verdict: Verdict) => statements.filter((one) => one.verdict === verdict).length;
  const [checked, waits, uncheckable, contradicted] = [
    count("checked"),
    count("waiting"),
    count("uncheckable"),
    count("contradicted"),
  ];
  const parts = [
    ...(contradicted === 0
      ? []
      : [`${countInWords(contradicted)} ${contradicted === 1 ? "is" : "are"} contradicted`]),
    `${checked === 0 ? "none" : countInWords(checked)} ${checked === 1 || checked === 0 ? "was" : "were"} checked in this browser just now`,
    ...(waits === 0 ? [] : [`${countInWords(waits)} ${waits === 1 ? "waits" : "wait"}`]),
    ...(uncheckable === 0 ? [] : [`${countInWords(uncheckable)} nobody can check`]),
  ];
  const [first = "", ...rest] = parts;
  const last = rest.pop();
  const listed =
    last === undefined ? first : `${[first, ...rest].join(", ")}${rest.length > 0 ? "," : ""} and ${last}`;
  const all = statements.length;
  return `${capitalise(countInWords(all))} ${all === 1 ? "statement" : "statements"} about this round. ${capitalise(listed)}.`;
}

interface VerdictWords {
  readonly mark: "done" | "waiting" | "unknown" | "refused";
  /** At the head of a statement's proof. */
  readonly said: string;
  readonly name: string;
  readonly means: string;
}

/** The four marks, each with its words. */
export const VERDICT_WORDS: Readonly<Record<Verdict, VerdictWords>> = {
  checked: {
    mark: "done",
    said: "Checked here.",
    name: "Checked here",
    means:
      "This browser fetched the entries and computed it again. You need not trust the coordinator for it.",
  },
  waiting: {
    mark: "waiting",
    said: "Waiting.",
    name: "Waiting",
    means: "Not wrong, not yet complete. Says for whom or what it waits.",
  },
  uncheckable: {
    mark: "unknown",
    said: "Nobody can check this.",
    name: "Nobody can check",
    means: "True or not, no log could show it, or not any more. Says what limits the damage.",
  },
  contradicted: {
    mark: "refused",
    said: "Contradicted.",
    name: "Contradicted",
    means:
      "Says what was seen, and when. For instance: “On 29 November 4,171 entries were seen here; now the log has 4,166. The log was rolled back.”",
  },
};

/** "checked in 0.6 s, 31.0 kB fetched". */
export function costWords(tookMs: number, byteCount: number): string {
  return `checked in ${(tookMs / 1_000).toFixed(tookMs < 95 ? 2 : 1)}\u00a0s, ${formatBytes(byteCount)} fetched`;
}

/** While an audit reads the log: "Read 8,192 of 12,204 entries." */
export function readingWords(progress: { readonly done: number; readonly total: number } | null): string {
  if (progress === null) return "Fetching the round and the log.";
  return `Read and checked ${formatCount(progress.done)} of ${plural(progress.total, "entry", "entries")} of the log.`;
}

/** If a reading was stopped: which entries the audit rests on. Null if it was not. */
export function partlyReadWords(
  read: { readonly from: number; readonly to: number },
  size: number,
): string | null {
  if (read.from === 0 && read.to >= size) return null;
  return `Reading was stopped: entries ${formatCount(read.from)} to ${formatCount(Math.max(read.from, read.to - 1))} of ${formatCount(size)} were read.`;
}

/** "log entries 4,158 to 4,165" that statements rest on; null if none does. */
export function entriesOfStatements(statements: readonly Statement[]): string | null {
  const indexes = statements.flatMap(({ entries }) => entries);
  if (indexes.length === 0) return null;
  const [first, last] = [Math.min(...indexes), Math.max(...indexes)];
  return first === last
    ? `log entry ${formatCount(first)}`
    : `log entries ${formatCount(first)} to ${formatCount(last)}`;
}

/** The file of a round's audit: "digits-run3-round14.bundle". */
export function bundleName(record: {
  readonly task: string;
  readonly runNumber: number;
  readonly round: number;
}): string {
  return `${record.task}-run${record.runNumber}-round${record.round}.bundle`;
}

/** What checks the file without this page. */
export const bundleCommand = (name: string): string => `npm run log -- verify ${name}`;

/** Below the replay. */
export function replayWords(eventCount: number | null): string {
  return eventCount === null
    ? "The round's own log is not shown to this reader, so the picture follows the counts that the coordinator shows."
    : `Replayed from the round's own log: the same ${plural(eventCount, "event")} give the same picture and the same outcome on any machine.`;
}

/** Beside the replay's slider: "14 s", "opened", "given up". */
export function replayPlace({ phase }: { readonly phase: string }, atS: number, endS: number): string {
  if (atS < endS) return formatSeconds(atS);
  if (phase === "committed") return "opened";
  return phase === "voided" || phase === "failed" ? "given up" : "now";
}

export interface LogState {
  readonly size: number;
  readonly witnesses: number;
  readonly witnessCount: number;
  readonly contradiction: string | null;
}

/** The sentence that opens the page of the log. */
export function logLead({ size, witnesses, witnessCount, contradiction }: LogState): string {
  if (contradiction !== null) return "The log contradicts itself.";
  const has = `The log has ${formatEntries(size)}. This browser checked that they are under one signed root.`;
  if (witnessCount === 0)
    return `${has} No witness signs it, because this coordinator asks none, so others could be shown another log.`;
  return `${has} ${capitalise(countInWords(witnesses))} of ${plural(witnessCount, "witness", "witnesses")} signed the same.`;
}

/** What an entry says, in words; `place` is what the coordinator adds to it. */
export function entryWords({ kind, body }: Pick<ProvedEntry, "kind" | "body">, round: number | null): string {
  const text = (field: string) => {
    const value = body[field];
    return typeof value === "string" || typeof value === "number" ? String(value) : "";
  };
  const count = (field: string) => formatCount(Number(body[field] ?? 0));
  const named = round === null ? "A round" : `Round ${formatCount(round)}`;
  const ofRound = round === null ? "a round" : `round ${formatCount(round)}`;
  const written = Object.hasOwn(ENTRY_WORDS, kind) ? ENTRY_WORDS[kind] : undefined;
  return written === undefined ? `An entry of the kind ${kind}` : written({ text, count, named, ofRound });
}

interface EntryFacts {
  readonly text: (field: string) => string;
  readonly count: (field: string) => string;
  readonly named: string;
  readonly ofRound: string;
}

/** What is deleted as one thing, by its word in the log. */
const DELETED_ONES: Readonly<Record<string, string>> = {
  person: "A person was erased",
  site: "A site was erased",
  project: "A project's data were deleted",
};
/** What is deleted by number. */
const DELETED_MANY: Readonly<Record<string, readonly [one: string, many: string]>> = {
  transcripts: ["kept transcript was deleted", "kept transcripts were deleted"],
  "held-out-rows": ["held-out row was deleted", "held-out rows were deleted"],
  invitation: ["invitation that had ended was deleted", "invitations that had ended were deleted"],
  "api-token": ["API token that had ended was deleted", "API tokens that had ended were deleted"],
  proposal: ["proposal that had ended was deleted", "proposals that had ended were deleted"],
};

function deletionWords({ text, count }: EntryFacts): string {
  const what = text("what");
  if (Object.hasOwn(DELETED_ONES, what)) return DELETED_ONES[what] ?? "";
  const [one, many] = (Object.hasOwn(DELETED_MANY, what) ? DELETED_MANY[what] : undefined) ?? [];
  if (one === undefined || many === undefined) return "Something was deleted";
  const ofTask = text("slug") === "" ? "" : `, of ${text("slug")}`;
  return `${count("count")} ${count("count") === "1" ? one : many}${ofTask}`;
}

const ENTRY_WORDS: Readonly<Record<string, (facts: EntryFacts) => string>> = {
  "round.opened": ({ named }) => `${named} was opened`,
  "cohort.sealed": ({ ofRound, count }) => `A cohort of ${count("n")} was fixed for ${ofRound}`,
  "inputs.sealed": ({ ofRound, count }) => `${count("survivors")} inputs of ${ofRound} were sealed`,
  "survivors.signed": ({ ofRound }) => `The list of ${ofRound} was signed`,
  "round.unmasked": ({ ofRound }) => `The sum of ${ofRound} was opened`,
  "round.aborted": ({ named, text }) => `${named} was given up (${text("code")})`,
  "model.published": ({ ofRound }) => `The model of ${ofRound} was published`,
  "model.void-stepped": ({ ofRound }) => `A void step was made before ${ofRound}`,
  "model.aliasMoved": ({ text }) =>
    `${capitalise(text("alias"))} of ${text("slug")} now means version ${text("to")}`,
  "model.promoted": ({ text }) => `Version ${text("to")} of ${text("slug")} was put in use`,
  "model.notPromoted": ({ text }) => `Version ${text("to")} of ${text("slug")} was not put in use`,
  "model.promotedDespiteGates": ({ text }) =>
    `Version ${text("to")} of ${text("slug")} was put in use despite its gates`,
  "model.rolledBack": ({ text }) => `${text("slug")} went back to version ${text("to")}`,
  "run.launched": ({ text }) => `A run of ${text("task")}, version ${text("taskVersion")}, was launched`,
  "run.pauseAsked": () => "A run was paused",
  "run.resumeAsked": () => "A run was resumed",
  "run.stopAsked": () => "A run was stopped",
  "run.archiveAsked": () => "A run ended because its task was archived",
  "task.published": ({ text }) => `Task ${text("slug")}, version ${text("taskVersion")}, was published`,
  "task.archived": ({ text }) => `Task ${text("slug")} was archived`,
  "task.settings-changed": ({ text }) => `Settings of ${text("slug")} were changed`,
  "task.heldOutSet": ({ text }) => `Held-out rows of ${text("slug")} were set`,
  "task.heldOutRemoved": ({ text }) => `Held-out rows of ${text("slug")} were removed`,
  "task.held-out-set": ({ text }) => `Held-out rows of ${text("slug")} were set`,
  "task.held-out-removed": ({ text }) => `Held-out rows of ${text("slug")} were removed`,
  "role.given": () => "A role was given",
  "role.taken": () => "A role was taken",
  "project.made": () => "A project was made",
  "invitation.made": () => "Someone was invited",
  "invitation.withdrawn": () => "An invitation was withdrawn",
  "session.newPlace": () => "Someone signed in from a new place",
  "session.changed": () => "Someone changed how they sign in",
  "session.removed": () => "Someone removed a way to sign in",
  "token.made": ({ text }) => `${text("of") === "api" ? "An API token" : "A join token"} was made`,
  "token.revoked": ({ text }) => `${text("of") === "api" ? "An API token" : "A join token"} was revoked`,
  "devices.removed": () => "Devices of a join token were removed",
  "site.named": () => "A site was named",
  "site.enrolled": () => "A site enrolled",
  "site.revoked": () => "A site was revoked",
  "proposal.made": () => "Something that takes two people was proposed",
  "proposal.agreed": () => "A second person agreed",
  "proposal.refused": () => "A proposal was refused",
  "proposal.withdrawn": () => "A proposal was withdrawn",
  "proposal.ranOut": () => "A proposal ran out",
  "deletion.performed": deletionWords,
  "log.keyRotated": () => "The log's key was replaced",
  "shell.published": () => "A participant's page was published",
  "gate.overridden": ({ text }) =>
    `Two people overrode the gates of ${text("slug")} for version ${text("to")}`,
  "config.changed": ({ text }) => `Settings of ${text("slug")} were changed`,
};
