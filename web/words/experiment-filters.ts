import type { TaskView } from "#shared/protocol/api.ts";

/* Filters of `/experiments` that people often want. Pure. */

export interface ReadyFilter {
  readonly label: string;
  readonly filter: string;
}

/**
 * @param me        As runs name who launched them; null for a reader without an account.
 * @param allCount  How many runs there are; null until it is known.
 */
export function readyFilters(
  tasks: readonly Pick<TaskView, "heldOut">[],
  me: string | null,
  allCount: number | null,
): readonly ReadyFilter[] {
  const sets = tasks.flatMap(({ heldOut }) => (heldOut?.isUsed === true ? [heldOut.hash] : []));
  return [
    { label: "finished", filter: "state = 'completed'" },
    { label: "waiting or running", filter: "state IN ('waiting', 'running', 'queued', 'paused')" },
    { label: "ended early", filter: "state = 'failed'" },
    ...(sets.length === 0
      ? []
      : [
          { label: "on the held-out rows in use", filter: `measured_on IN (${sets.map(quoted).join(", ")})` },
        ]),
    ...(me === null ? [] : [{ label: "mine", filter: `by = ${quoted(me)}` }]),
    { label: allCount === null ? "all" : `all ${allCount}`, filter: "" },
  ];
}

/** MLflow's language knows no escapes, but two kinds of quotes. */
function quoted(text: string): string {
  return text.includes("'") ? `"${text}"` : `'${text}'`;
}

/** Runs of one task that a filter finds. */
export function withinTask(filter: string, task: string): string {
  const of = `task = ${quoted(task)}`;
  return filter.trim() === "" ? of : `${filter} AND ${of}`;
}

/** These runs alone. */
export function ofRuns(runIds: readonly string[]): string {
  return `run_id IN (${runIds.map(quoted).join(", ")})`;
}

/** "26 to 50 of 812" */
export function pageWords(page: number, perPage: number, shown: number, found: number): string {
  if (shown === 0) return `none of ${found}`;
  const from = perPage * (page - 1) + 1;
  return `${from} to ${from + shown - 1} of ${found}`;
}

/** A page's number in the address, from 1. */
export function pageNamed(text: string | null): number {
  const page = Number(text ?? 1);
  return Number.isInteger(page) && page >= 1 && page < 1_000_000 ? page : 1;
}

/** What is wrong with a filter, and what the table shows instead. @param good  The last that worked; null if none did. */
export function wrongFilterWords(sentence: string, good: string | null): string {
  return `${sentence} The table shows ${good === null ? "all runs" : "the last filter that worked"}.`;
}
