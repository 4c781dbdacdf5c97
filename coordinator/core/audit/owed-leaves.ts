import { assert } from "#shared/kernel/assert.ts";
import type { StoreRecord } from "../ports/store.ts";

/*
 * What may not change without an entry of the public log that says so, written in the same transaction. The store asks before
 * it writes, so that no desk can forget it (A103).
 *
 * | record         | its entry                                                                                       |
 * | -------------- | ----------------------------------------------------------------------------------------------- |
 * | model-version  | if a round has made it: `model.published` of this run, round and model                          |
 * | model-alias    | the move of this alias of this task to this version                                             |
 * | task-row       | `task.published` of this version and its hash                                                   |
 * | task-settings  | each by its own: `config.changed` with its name, archiving, taking up, held-out rows            |
 * | access-row     | one that changes rows of its kind; what it changes in the row is the act's business             |
 *
 * A version without a number, which a run begins with or a void step makes, is in the `round.opened` of its first round. Figures
 * that come later (`figure-records.ts`) change no version. What deletes a project's data goes around events and says so in
 * `deletion.performed`; when a site was last seen is no decision.
 */

type Leaf = Extract<StoreRecord, { type: "audit-leaf" }>;
type Owing = Extract<
  StoreRecord,
  { type: "model-version" | "model-alias" | "task-row" | "task-settings" | "access-row" }
>;
type Says = Readonly<Record<string, unknown>>;

/** @throws AssertionFault if something changes without its entry: a fault of the desk that wrote it. */
export function assertLeaves(records: readonly StoreRecord[]): void {
  const leaves = records.filter((record) => record.type === "audit-leaf");
  for (const record of records)
    if (isOwing(record))
      assert(isTold(record, leaves), `a ${record.type} without its entry of the public log`);
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

function isTold(record: Owing, leaves: readonly Leaf[]): boolean {
  const by = (tells: (kind: string, says: Says) => boolean) =>
    leaves.some(({ kind, body }) => tells(kind, body as Says));
  switch (record.type) {
    case "model-version": {
      const { modelHash, runId, round } = record.version;
      return by((kind, says) => kind === "model.published" && has(says, { modelHash, runId, round }));
    }
    case "model-alias":
      return by((kind, says) => says["slug"] === record.task && tellsMove(record, kind, says));
    case "task-row": {
      const { task, taskHash } = record.row;
      const facts = { slug: task.slug, taskVersion: task.version, taskHash };
      return by((kind, says) => kind === "task.published" && has(says, facts));
    }
    case "task-settings":
      return Object.entries(record.changes).every(([name, value]) =>
        by((kind, says) => says["slug"] === record.slug && tellsSetting(name, value, kind, says)),
      );
    case "access-row":
      return by((kind, says) => rowsOf(kind, says).includes(record.kind));
  }
}

function has(says: Says, facts: Says): boolean {
  return Object.entries(facts).every(([name, value]) => says[name] === value);
}

/** A promotion moves `previous` to where the champion was; going back empties it. */
function tellsMove(
  { alias, row }: Extract<Owing, { type: "model-alias" }>,
  kind: string,
  says: Says,
): boolean {
  const number = row?.number ?? null;
  switch (kind) {
    case "model.aliasMoved":
      return has(says, { alias, to: number });
    case "model.promoted":
    case "model.promotedDespiteGates":
      return alias === "previous" ? says["from"] === number : alias === "champion" && says["to"] === number;
    case "model.rolledBack":
      return alias === "previous" ? number === null : alias === "champion" && says["to"] === number;
    default:
      return false;
  }
}

/** Publishing a version may take its task up again, and keep or drop the held-out rows. */
function tellsSetting(name: string, value: unknown, kind: string, { names, rowCount }: Says): boolean {
  switch (name) {
    case "archived":
      return kind === (value === null ? "task.published" : "task.archived");
    case "heldOut":
      if (kind === "task.published") return true;
      if (value === null) return kind === "task.heldOutRemoved";
      return kind === "task.heldOutSet" && (value as { readonly rowCount?: unknown }).rowCount === rowCount;
    default:
      return kind === "config.changed" && Array.isArray(names) && names.includes(name);
  }
}

type RowKind = Extract<Owing, { type: "access-row" }>["kind"];

/** The kinds of rows of access that change with an entry. */
function rowsOf(kind: string, { of, what }: Says): readonly RowKind[] {
  if (kind === "deletion.performed") return DELETED[String(what)] ?? [];
  if (kind === "token.made" || kind === "token.revoked") return of === "api" ? ["api-token"] : ["join-token"];
  return ROWS[kind] ?? [];
}

const ROWS: Readonly<Record<string, readonly RowKind[]>> = {
  "role.given": ["person", "project", "invitation"],
  "role.taken": ["person", "api-token"],
  "project.made": ["project"],
  "invitation.made": ["invitation"],
  "invitation.withdrawn": ["invitation"],
  "session.newPlace": ["person"],
  "session.changed": ["person"],
  "session.removed": ["person"],
  "devices.removed": ["join-token"],
  "site.named": ["site"],
  "site.enrolled": ["site"],
  "site.revoked": ["site", "join-token"],
  "proposal.made": ["proposal"],
  "proposal.agreed": ["proposal", "person", "api-token"],
  "proposal.refused": ["proposal"],
  "proposal.withdrawn": ["proposal"],
  "proposal.ranOut": ["proposal"],
};

/** By what was deleted. */
const DELETED: Readonly<Record<string, readonly RowKind[]>> = {
  project: ["proposal", "join-token", "site"],
  person: ["person", "api-token"],
  site: ["site", "join-token"],
  invitation: ["invitation"],
  "api-token": ["api-token"],
  proposal: ["proposal"],
};
