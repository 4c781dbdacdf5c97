import { onPostgresql, onSqlite, type Statement } from "./statement.ts";

const COLUMNS = "position, project_id, stream_kind, stream_id, sequence, run_id, at";

/**
 * PostgreSQL cannot read a document with an escaped U+0000 or lone surrogate, the only such escapes that
 * JSON.stringify makes. Those characters become U+FFFD in notes. Events keep them.
 */
const READABLE = String.raw`regexp_replace(body::text, '\\u(0000|d[89a-f][0-9a-f]{2})', '\\ufffd', 'g')::json`;

/**
 * Moves notes to their own table, so that a page of notes reads nothing else. Earlier events also keep theirs
 * in their bodies, because a log is not rewritten. Frozen, as 0001.
 */
export const notes: readonly Statement[] = [
  `create table note (
    position bigint primary key,
    project_id text not null,
    stream_kind text not null,
    stream_id text not null,
    sequence integer not null,
    run_id text,
    at bigint not null,
    body json not null,
    unique (stream_kind, stream_id, sequence)
  )`,
  onPostgresql(`insert into note (${COLUMNS}, body)
    select ${COLUMNS}, ${READABLE}->'note' from event
    where shown and json_typeof(${READABLE}->'note') = 'object'`),
  onSqlite(`insert into note (${COLUMNS}, body)
    select ${COLUMNS}, json_extract(body, '$.note') from event
    where shown and json_type(body, '$.note') = 'object'`),
  `create index note_of_run on note (run_id, position desc)`,
  `drop index event_shown`,
  `drop index event_by_run`,
  `alter table event drop column shown`,
  `alter table event drop column run_id`,
];
