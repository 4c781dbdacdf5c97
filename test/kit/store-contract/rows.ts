import { expect } from "vitest";
import type { Note } from "#coordinator/core/ports/note.ts";
import type {
  EventLog,
  Page,
  RunRow,
  StoredEvent,
  StoreRecord,
  StreamId,
} from "#coordinator/core/ports/store.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Task } from "#shared/task/task.ts";
import { positionNo } from "../places.ts";

/* Ids and rows for the contract suites. Every test uses its own ids, so that one store serves them all. */

/** The store under test, available from the suite's `beforeAll` on. */
export interface Opened<Role> {
  readonly store: Role;
}

let ids = 0;
const hex = (digits: number) => (++ids).toString(16).padStart(digits, "0");
export const newRunId = () => hex(32);
export const newRoundId = () => `f${hex(31)}`;
export const newHash = () => hex(64);
export const newSlug = () => `task-${hex(6)}`;

export function event(sequence: number, body: unknown = { kind: "tick" }): StoredEvent {
  return { sequence, at: 1_700_000_000_000 + sequence, event: body };
}

/** The store never looks inside a view: any JSON will do. */
export const viewLike = (view: unknown) => view as never;

export function runRow(change: Partial<RunRow> = {}): RunRow {
  return {
    projectId: "default",
    task: "digits",
    taskVersion: 1,
    number: ++ids,
    state: "running",
    actor: "ada",
    createdAt: 1_700_000_000_000,
    view: viewLike({ shown: true }),
    newest: null,
    ...change,
  };
}

export const runRecord = (runId: string, change: Partial<RunRow> = {}): StoreRecord => ({
  type: "run-row",
  runId,
  row: runRow(change),
});
/** A store keeps any kind: the core alone knows what they say. */
export const noteRecord = (kind: string): StoreRecord => ({
  type: "note",
  note: { kind, details: {} } as unknown as Note,
});
export const roundRecord = (
  roundId: string,
  runId: string,
  round: number,
  phase = "recruiting",
): StoreRecord => ({
  type: "round-row",
  roundId,
  row: { runId, round, phase, view: viewLike({ round }) },
});

export function task(slug: string, version: number): Task {
  // The store never looks inside a task; its schema is tested elsewhere.
  return { slug, version, learns: "which digit is drawn", training: { epochs: 1 } } as unknown as Task;
}

/** All items of a list, page by page. */
export async function collect<Item>(
  read: (page: Page) => Promise<{ readonly items: readonly Item[]; readonly next: string | null }>,
  limit: number,
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await read({ limit, cursor });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    items.push(...page.items);
    if (page.next === null) return items;
    cursor = page.next;
  }
}

/** Appends what creating a task appends, to a project's stream. */
export function createTask(
  store: EventLog,
  made: Task,
  { actor = "ada", at = 1000, project = "default" } = {},
): ReturnType<EventLog["appendNext"]> {
  const row = { projectId: project, task: made, taskHash: newHash(), actor, createdAt: at };
  const body = { slug: made.slug, taskVersion: made.version, taskHash: row.taskHash };
  return store.appendNext({ kind: "project", id: project }, { at, event: { body } }, [
    { type: "task-row", row },
    { type: "audit-leaf", kind: "task.published", body },
  ]);
}

export const runStream = (id = newRunId()): StreamId => ({ kind: "run", id });

/** Writes what a device sent, like a round. */
export async function saveMaterial(
  store: EventLog,
  sid: string,
  step: "share" | "unmask",
  position: number,
  bytes: Bytes,
): Promise<void> {
  const material: StoreRecord = { type: "material", sid, step, position: positionNo(position), bytes };
  expect((await store.append(runStream(), [{ event: event(1), records: [material] }])).ok).toBe(true);
}

/** Records with the entries of the public log that they owe (A103), for tests of something else. */
export function withLeaves(records: readonly StoreRecord[]): StoreRecord[] {
  const leaf = (kind: string, body: object): StoreRecord => ({ type: "audit-leaf", kind, body });
  return records.flatMap((record) => {
    switch (record.type) {
      case "model-version": {
        const { modelHash, runId, round } = record.version;
        if (record.numberedIn === undefined) return [record];
        return [record, leaf("model.published", { modelHash, runId, round })];
      }
      case "model-alias": {
        const { task: slug, alias, row } = record;
        return [record, leaf("model.aliasMoved", { slug, alias, to: row?.number ?? null })];
      }
      case "access-row":
        return [record, leaf(...leafOfRow(record.kind))];
      case "task-settings":
        return [record, ...leavesOfSettings(record).map(([kind, body]) => leaf(kind, body))];
      default:
        return [record];
    }
  });
}

function leafOfRow(kind: Extract<StoreRecord, { type: "access-row" }>["kind"]): readonly [string, object] {
  switch (kind) {
    case "person":
      return ["role.given", {}];
    case "api-token":
      return ["token.made", { of: "api" }];
    case "join-token":
      return ["token.made", { of: "join" }];
    case "site":
      return ["site.named", {}];
    default:
      return [`${kind}.made`, {}];
  }
}

function leavesOfSettings({
  slug,
  changes: { archived, heldOut, ...named },
}: Extract<StoreRecord, { type: "task-settings" }>): (readonly [string, object])[] {
  const leaves: (readonly [string, object])[] = [];
  const names = Object.keys(named);
  if (names.length > 0) leaves.push(["config.changed", { slug, names }]);
  if (archived !== undefined) leaves.push([archived === null ? "task.published" : "task.archived", { slug }]);
  if (heldOut === null) leaves.push(["task.heldOutRemoved", { slug }]);
  if (heldOut) leaves.push(["task.heldOutSet", { slug, rowCount: heldOut.rowCount }]);
  return leaves;
}

/** Appends an event that must be accepted, with the entries that it owes. */
export function appendTo(opened: Opened<EventLog>) {
  return async (stream: StreamId, sequence: number, given: readonly StoreRecord[] = []): Promise<void> => {
    const records = withLeaves(given);
    const appended = await opened.store.append(stream, [{ event: event(sequence), records }]);
    expect(appended).toEqual({ ok: true, value: undefined });
  };
}
