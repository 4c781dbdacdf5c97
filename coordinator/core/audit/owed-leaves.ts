import { assert } from "#shared/kernel/assert.ts";
import type { StoreRecord } from "../ports/store.ts";

/*
 * What may not change without an entry of the public log that says so, written in the same transaction. The store asks before
 * it writes, so that no desk can forget it (A103).
 *
 * | record         | its entry                                                                  |
 * | -------------- | -------------------------------------------------------------------------- |
 * | model-version  | if a round has made it: `model.published` of this model                     |
 * | model-alias    | a move of this task's registry                                             |
 * | task-row       | `task.published` of this version                                           |
 * | task-settings  | `config.changed` with every name, or what archives, takes up or sets rows   |
 * | access-row     | what became of people, roles, tokens, sites or proposals                    |
 *
 * A version without a number, which a run begins with or a void step makes, is in the `round.opened` of its first round.
 */

type Leaf = Extract<StoreRecord, { type: "audit-leaf" }>;
type Owing = Extract<
  StoreRecord,
  { type: "model-version" | "model-alias" | "task-row" | "task-settings" | "access-row" }
>;

const MOVES = new Set([
  "model.aliasMoved",
  "model.promoted",
  "model.promotedDespiteGates",
  "model.rolledBack",
]);

const ACCESS = /^(role|project|invitation|session|token|devices|site|proposal)\.|^deletion\.performed$/;

/** @throws AssertionFault if something changes without its entry: a fault of the desk that wrote it. */
export function assertLeaves(records: readonly StoreRecord[]): void {
  const leaves = records.filter((record) => record.type === "audit-leaf");
  for (const record of records)
    if (isOwing(record))
      assert(
        leaves.some((leaf) => tells(record, leaf)),
        `a ${record.type} without its entry of the public log`,
      );
}

function isOwing(record: StoreRecord): record is Owing {
  switch (record.type) {
    case "model-alias":
    case "task-row":
    case "task-settings":
    case "access-row":
      return true;
    case "model-version":
      return record.numberedIn !== undefined;
    default:
      return false;
  }
}

function tells(record: Owing, { kind, body }: Leaf): boolean {
  const says = body as Readonly<Record<string, unknown>>;
  switch (record.type) {
    case "model-version":
      return kind === "model.published" && says["modelHash"] === record.version.modelHash;
    case "model-alias":
      return MOVES.has(kind) && says["slug"] === record.task;
    case "task-row":
      return (
        kind === "task.published" &&
        says["slug"] === record.row.task.slug &&
        says["taskVersion"] === record.row.task.version
      );
    case "task-settings":
      return says["slug"] === record.slug && tellsSettings(record.changes, kind, says);
    case "access-row":
      return ACCESS.test(kind);
  }
}

/** Publishing a version may take its task up again and keep or drop the held-out rows. */
function tellsSettings(
  { archived, heldOut, ...named }: Extract<Owing, { type: "task-settings" }>["changes"],
  kind: string,
  { names }: Readonly<Record<string, unknown>>,
): boolean {
  const changed = Object.keys(named);
  if (changed.length > 0)
    return kind === "config.changed" && changed.every((name) => Array.isArray(names) && names.includes(name));
  if (kind === "task.published") return true;
  if (archived !== undefined) return kind === "task.archived";
  return heldOut === undefined || kind === (heldOut === null ? "task.heldOutRemoved" : "task.heldOutSet");
}
