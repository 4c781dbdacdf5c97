import { onPostgresql, onSqlite, type Statement } from "./statement.ts";

const KIND = "check (stream_kind in ('run', 'round', 'project', 'registry', 'access'))";

/**
 * Adds further kinds of streams. Existing tasks get no event: their creation was never logged, and an
 * invented event would carry a leaf. SQLite cannot alter a constraint, so its table is rebuilt. Frozen, as
 * 0001.
 */
export const streams: readonly Statement[] = [
  onPostgresql("alter table event drop constraint event_stream_kind_check"),
  onPostgresql(`alter table event add constraint event_stream_kind_check ${KIND}`),
  onSqlite(`create table event_of_any_stream (
    position integer primary key,
    project_id text not null,
    stream_kind text not null ${KIND},
    stream_id text not null,
    sequence integer not null check (sequence >= 1),
    run_id text,
    at integer not null,
    body text not null,
    shown integer not null default true,
    unique (stream_kind, stream_id, sequence)
  ) strict`),
  onSqlite(`insert into event_of_any_stream
    (position, project_id, stream_kind, stream_id, sequence, run_id, at, body, shown)
    select position, project_id, stream_kind, stream_id, sequence, run_id, at, body, shown from event`),
  onSqlite("drop table event"),
  onSqlite("alter table event_of_any_stream rename to event"),
  onSqlite("create index event_by_run on event (run_id, position desc)"),
  onSqlite("create index event_shown on event (run_id, position desc) where shown"),
];
