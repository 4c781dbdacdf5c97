import type { Statement } from "./statement.ts";

/** The first tables. Frozen, because databases made by it exist: every change is a new migration. */
export const spine: readonly Statement[] = [
  `create table counter (name text primary key, value bigint not null)`,
  `insert into counter (name, value) values ('event', 0), ('audit-leaf', 0)`,
  `create table event (
    position bigint primary key,
    project_id text not null,
    stream_kind text not null check (stream_kind in ('run', 'round')),
    stream_id text not null,
    sequence integer not null check (sequence >= 1),
    run_id text,
    at bigint not null,
    body json not null,
    unique (stream_kind, stream_id, sequence)
  )`,
  `create index event_by_run on event (run_id, position desc)`,
  `create table run (
    run_id text collate "C" primary key,
    project_id text not null,
    task text not null,
    task_version integer not null,
    number integer not null,
    state text not null,
    actor text not null,
    created_at bigint not null,
    view json not null,
    unique (project_id, task, number)
  )`,
  `create index run_newest on run (project_id, created_at desc, run_id desc)`,
  `create table round (
    round_id text primary key,
    project_id text not null,
    run_id text not null,
    round integer not null,
    phase text not null,
    view json not null,
    unique (run_id, round)
  )`,
  `create table task (
    project_id text not null,
    slug text collate "C" not null,
    version integer not null,
    task_hash text not null,
    body json not null,
    actor text not null,
    created_at bigint not null,
    primary key (project_id, slug, version)
  )`,
  `create table audit_leaf (
    sequence bigint primary key,
    project_id text not null,
    kind text not null,
    body json not null
  )`,
  `create table model_offer (
    model_hash text primary key,
    project_id text not null,
    run_id text not null,
    opened_sid text
  )`,
  `create table model_version (
    run_id text not null,
    round integer not null,
    project_id text not null,
    model_hash text not null,
    parent_hash text,
    strategy_state_hash text,
    metrics json not null,
    primary key (run_id, round)
  )`,
  `create table upload_session (
    sid text primary key,
    project_id text not null,
    byte_count bigint not null,
    open boolean not null
  )`,
  `create table upload_slot (
    sid text not null references upload_session (sid),
    position integer not null,
    slot_hash text not null,
    primary key (sid, position)
  )`,
  `create table input (
    sid text not null,
    position integer not null,
    project_id text not null,
    sha256 text not null,
    root text not null,
    signature text not null,
    byte_count bigint not null,
    primary key (sid, position),
    foreign key (sid, position) references upload_slot (sid, position)
  )`,
  `create table material (
    sid text not null,
    step text not null check (step in ('share', 'unmask')),
    position integer not null,
    project_id text not null,
    bytes bytea not null,
    primary key (sid, step, position)
  )`,
  `create table join_token (
    token_hash text primary key,
    project_id text not null,
    uses_left integer not null check (uses_left >= 0),
    expires_at bigint not null
  )`,
  `create table device (
    identity text primary key,
    project_id text not null,
    first_seen_at bigint not null
  )`,
  `create table setting (
    project_id text not null,
    name text not null,
    value text not null,
    primary key (project_id, name)
  )`,
];
