import type { Statement } from "./statement.ts";

const onSqlite = (sqlite: string): Statement => ({ sqlite, postgresql: null });
const onPostgresql = (postgresql: string): Statement => ({ sqlite: null, postgresql });

const KIND = "check (stream_kind in ('run', 'round', 'project', 'registry', 'access'))";

/**
 * Streams of other kinds than runs and rounds. Tasks that exist have no event: nobody logged how they were made, and one
 * that is made up would carry a leaf for it. SQLite changes no constraint, so its table is made anew. Frozen, as 0001.
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
