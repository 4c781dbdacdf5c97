import { roundIdOf } from "../../secagg/attempt.ts";
import { taskHashOf } from "../../task/agreed-config.ts";
import type { ProvedEntry } from "../evidence.ts";
import { type Check, judge, type Statement, waiting } from "../statement.ts";
import { missing, type Subject, textOf } from "../subject.ts";
import { counted, entriesInWords, grouped, shortHash, timeOf } from "../words.ts";

/** Who launched the run, and that no later entry changed its rules. */
export function launched(subject: Subject): Statement {
  const { record, launchedBy, read, sight } = subject;
  const [entry, ...others] = subject.of("run.launched");
  const at = entry?.at == null ? "" : ` at ${timeOf(entry.at)} UTC`;
  const by = launchedBy === null ? "" : ` by ${launchedBy}`;
  const says = `The run was launched${at}${by}. Nobody has changed its rules since.`;
  const statement = { id: "launched" as const, says };
  if (entry === undefined)
    return { ...statement, entries: [], ...missing(subject, "no entry of the run's launch") };
  const rules = textOf(entry, "configHash");
  const changed = subject.entries.find(
    ({ kind, body }) => kind === "round.opened" && body["configHash"] !== rules && isOfRun(subject, body),
  );
  const checks: readonly Check[] = [
    [others.length === 0, `The log launches this run again in entry ${grouped(others[0]?.index ?? 0)}.`],
    [
      changed === undefined,
      `Entry ${grouped(changed?.index ?? 0)} opens a round of the run under other rules.`,
    ],
    [
      rules === record.configHash,
      `The run was launched under the rules ${shortHash(rules)}; the round's record says ${shortHash(record.configHash)}.`,
    ],
    [
      entry.body["task"] === record.task && entry.body["taskVersion"] === record.taskVersion,
      "The run was launched for another version of the task than the round's record says.",
    ],
  ];
  const later = read.to - entry.index - 1;
  const who = launchedBy === null ? "" : " Entries name nobody: who it was is the coordinator's word.";
  const rest =
    read.to < sight.size
      ? ` ${counted(sight.size - read.to, "newer entry", "newer entries")} were not read.`
      : "";
  const because = `${entriesInWords([entry.index])}; none of ${counted(later, "later entry", "later entries")} changes it.${who}${rest}`;
  return { ...statement, entries: [entry.index], ...judge(checks, because) };
}

/** `runRoundIds` has the ids of the rounds up to this one. */
function isOfRun({ runRoundIds }: Subject, body: ProvedEntry["body"]): boolean {
  const { roundId } = body;
  return typeof roundId === "string" && runRoundIds.has(roundId);
}

/** That the round was opened under the rules of its task version. */
export async function opened(subject: Subject): Promise<Statement> {
  const { primitives, record, task } = subject;
  const [entry, ...others] = subject.of("round.opened");
  const time = record.openedAt.slice(11, 19);
  const says = `Round ${record.round} was opened at ${time} UTC under the rules that every device had checked.`;
  const statement = { id: "opened" as const, says };
  if (entry === undefined)
    return { ...statement, entries: [], ...missing(subject, "no entry of the round's opening") };
  const published = subject.entries.find(
    ({ kind, body }) =>
      kind === "task.published" &&
      body["slug"] === record.task &&
      body["taskVersion"] === record.taskVersion &&
      body["configHash"] === record.configHash,
  );
  const entries = [entry.index, ...(published === undefined ? [] : [published.index])];
  const rules = textOf(entry, "configHash");
  const taskHash = task === null ? null : await taskHashOf(primitives, task);
  const checks: readonly Check[] = [
    [
      (await roundIdOf(primitives, record.runId, record.round)) === record.roundId,
      "The round's id is not that of its run and number.",
    ],
    [others.length === 0, `The log opens this round again in entry ${grouped(others[0]?.index ?? 0)}.`],
    [
      rules === record.configHash,
      `The log opens the round under the rules ${shortHash(rules)}; its record says ${shortHash(record.configHash)}.`,
    ],
    [
      textOf(entry, "modelHash") === record.parentModelHash,
      "The log opens the round with another model than its record says.",
    ],
    [
      published === undefined || taskHash === null || textOf(published, "taskHash") === taskHash,
      `The task that is served is not the one that entry ${grouped(published?.index ?? 0)} published.`,
    ],
  ];
  const judged = judge(
    checks,
    `${entriesInWords([...entries].sort((one, other) => one - other))}; rules fingerprint ${shortHash(rules)}. A device refuses a round with another one.`,
  );
  if (judged.verdict === "checked" && task === null)
    return {
      ...statement,
      entries,
      ...waiting("The task is not served, so its fingerprint was not computed again."),
    };
  return { ...statement, entries, ...judged };
}
