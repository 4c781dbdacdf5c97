import type { Task } from "../task/task.ts";
import type { Draft, DraftAbout, DraftColumn } from "./draft.ts";
import { draftOfTask } from "./draft-of-task.ts";

/**
 * A draft that began with an earlier version, as if it had begun with `newest`: what the person changed stays, everything else
 * is as in the newest version.
 */
export function rebased(draft: Draft, newest: Task): Draft {
  if (draft.base === null) return { ...draft, base: newest, isNext: true, rules: draft.rules };
  const before = draftOfTask(draft.base);
  const after = draftOfTask(newest);
  return {
    ...draft,
    base: newest,
    isNext: true,
    data: isSame(draft.data, before.data) ? after.data : draft.data,
    columns: rebasedColumns(draft.columns, before.columns, after.columns),
    about: rebasedAbout(draft.about, before.about, after.about),
  };
}

function rebasedColumns(
  mine: readonly DraftColumn[],
  before: readonly DraftColumn[],
  after: readonly DraftColumn[],
): DraftColumn[] {
  const known = new Set(before.map(({ name }) => name));
  const newest = new Set(after.map(({ name }) => name));
  const editedByName = new Map(mine.map(({ name, edited }) => [name, edited]));
  const added = mine.filter(({ name }) => !known.has(name) && !newest.has(name));
  return [...after.map((column) => ({ ...column, edited: editedByName.get(column.name) ?? {} })), ...added];
}

function rebasedAbout(mine: DraftAbout, before: DraftAbout, after: DraftAbout): DraftAbout {
  const kept = (Object.keys(mine) as (keyof DraftAbout)[]).filter((name) => mine[name] !== before[name]);
  return { ...after, ...Object.fromEntries(kept.map((name) => [name, mine[name]])) };
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
