import { onPostgresql, onSqlite, type Statement } from "./statement.ts";

/** Kinds of leaves that someone's act wrote, when this was written. A site that enrols is no person. */
const ACTS = [
  "run.launched",
  "run.pauseAsked",
  "run.resumeAsked",
  "run.stopAsked",
  "run.archiveAsked",
  "task.published",
  "task.archived",
  "task.settings-changed",
  "task.heldOutSet",
  "task.heldOutRemoved",
  "model.aliasMoved",
  "model.promoted",
  "model.notPromoted",
  "model.promotedDespiteGates",
  "model.rolledBack",
  "role.given",
  "role.taken",
  "project.made",
  "invitation.made",
  "invitation.withdrawn",
  "session.newPlace",
  "session.changed",
  "session.removed",
  "token.made",
  "token.revoked",
  "devices.removed",
  "site.named",
  "site.revoked",
  "proposal.made",
  "proposal.agreed",
  "proposal.refused",
  "proposal.withdrawn",
  "proposal.ranOut",
  "deletion.performed",
]
  .map((kind) => `'${kind}'`)
  .join(", ");

/**
 * Leaves of before get the name in the event of the same millisecond, if all events of it name the same person, and nobody has
 * erased them since.
 *
 * @param actor   The name in an event's document; null if it cannot be read.
 * @param erased  Names of people who were erased.
 */
const backfill = (actor: string, erased: string) =>
  `update audit_leaf set actor = acts.actor
   from (
     select at, min(actor) as actor
     from (
       select event.at as at, ${actor} as actor
       from event where stream_kind in ('run', 'project', 'registry', 'access')
     ) as named
     where actor is not null
     group by at having count(distinct actor) = 1
   ) as acts
   where audit_leaf.at = acts.at and audit_leaf.kind in (${ACTS}) and length(acts.actor) <= 80
     and acts.actor not in (${erased})`;

/**
 * Beside each leaf, and never in it, who decided what it says. Names in events of earlier versions may hold escapes that
 * PostgreSQL refuses to read, so those stay out. Frozen, as 0001.
 */
export const leafActors: readonly Statement[] = [
  'alter table audit_leaf add column actor text collate "C"',
  "create index audit_leaf_by_actor on audit_leaf (actor, sequence)",
  onPostgresql(
    backfill(
      "case when position('\\u' in event.body::text) > 0 then null else event.body #>> '{fact,actor}' end",
      "select body ->> 'name' from access_row where kind = 'person' and body ->> 'erasedAt' is not null",
    ),
  ),
  onSqlite(
    backfill(
      "case when json_type(event.body, '$.fact.actor') = 'text' then json_extract(event.body, '$.fact.actor') end",
      "select json_extract(body, '$.name') from access_row where kind = 'person' and json_extract(body, '$.erasedAt') is not null",
    ),
  ),
];
