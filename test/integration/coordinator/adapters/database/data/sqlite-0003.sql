-- A SQLite database as migration 0003-reading leaves it, with one row or more in each older table. Made once from
-- database-0001.sql; frozen: it stands for the databases that people have.
CREATE TABLE "kysely_migration" ("name" varchar(255) not null primary key, "timestamp" varchar(255) not null);
CREATE TABLE "kysely_migration_lock" ("id" varchar(255) not null primary key, "is_locked" integer default 0 not null);
CREATE TABLE counter (name text primary key, value integer not null) strict;
CREATE TABLE event (
    position integer primary key,
    project_id text not null,
    stream_kind text not null check (stream_kind in ('run', 'round')),
    stream_id text not null,
    sequence integer not null check (sequence >= 1),
    run_id text,
    at integer not null,
    body text not null, shown integer not null default true,
    unique (stream_kind, stream_id, sequence)
  ) strict;
CREATE TABLE run (
    run_id text primary key,
    project_id text not null,
    task text not null,
    task_version integer not null,
    number integer not null,
    state text not null,
    actor text not null,
    created_at integer not null,
    view text not null, newest text,
    unique (project_id, task, number)
  ) strict;
CREATE TABLE round (
    round_id text primary key,
    project_id text not null,
    run_id text not null,
    round integer not null,
    phase text not null,
    view text not null,
    unique (run_id, round)
  ) strict;
CREATE TABLE task (
    project_id text not null,
    slug text not null,
    version integer not null,
    task_hash text not null,
    body text not null,
    actor text not null,
    created_at integer not null,
    primary key (project_id, slug, version)
  ) strict;
CREATE TABLE audit_leaf (
    sequence integer primary key,
    project_id text not null,
    kind text not null,
    body text not null
  ) strict;
CREATE TABLE model_offer (
    model_hash text primary key,
    project_id text not null,
    run_id text not null,
    opened_sid text
  ) strict;
CREATE TABLE model_version (
    run_id text not null,
    round integer not null,
    project_id text not null,
    model_hash text not null,
    parent_hash text,
    strategy_state_hash text,
    metrics text not null,
    primary key (run_id, round)
  ) strict;
CREATE TABLE upload_session (
    sid text primary key,
    project_id text not null,
    byte_count integer not null,
    open integer not null
  ) strict;
CREATE TABLE upload_slot (
    sid text not null references upload_session (sid),
    position integer not null,
    slot_hash text not null,
    primary key (sid, position)
  ) strict;
CREATE TABLE input (
    sid text not null,
    position integer not null,
    project_id text not null,
    sha256 text not null,
    root text not null,
    signature text not null,
    byte_count integer not null,
    primary key (sid, position),
    foreign key (sid, position) references upload_slot (sid, position)
  ) strict;
CREATE TABLE material (
    sid text not null,
    step text not null check (step in ('share', 'unmask')),
    position integer not null,
    project_id text not null,
    bytes blob not null,
    primary key (sid, step, position)
  ) strict;
CREATE TABLE join_token (
    token_hash text primary key,
    project_id text not null,
    uses_left integer not null check (uses_left >= 0),
    expires_at integer not null
  ) strict;
CREATE TABLE device (
    identity text primary key,
    project_id text not null,
    first_seen_at integer not null
  ) strict;
CREATE TABLE setting (
    project_id text not null,
    name text not null,
    value text not null,
    primary key (project_id, name)
  ) strict;
CREATE TABLE transcript (
    sid text primary key,
    project_id text not null,
    sequence integer not null unique,
    round_id text not null,
    task text not null,
    shard integer not null,
    bytes blob not null,
    unique (round_id, shard)
  ) strict;
CREATE TABLE sealed_opening (
    sid text not null references transcript (sid) on delete cascade,
    position integer not null,
    bytes blob not null,
    primary key (sid, position)
  ) strict;
insert into upload_session values ('0303030303030303030303030303030303030303030303030303030303030303', 'default', 400, 1);
insert into upload_slot values ('0303030303030303030303030303030303030303030303030303030303030303', 1, '0606060606060606060606060606060606060606060606060606060606060606');
insert into upload_slot values ('0303030303030303030303030303030303030303030303030303030303030303', 2, '0707070707070707070707070707070707070707070707070707070707070707');
insert into kysely_migration values ('0001-spine', '2025-01-01T00:00:00.000Z');
insert into kysely_migration values ('0002-transcripts', '2025-01-01T00:00:00.001Z');
insert into kysely_migration values ('0003-reading', '2025-01-01T00:00:00.002Z');
insert into kysely_migration_lock values ('migration_lock', 0);
insert into counter values ('run-number/default/digits', 1);
insert into counter values ('event', 2);
insert into counter values ('audit-leaf', 1);
insert into counter values ('transcript', 0);
insert into event values (1, 'default', 'run', '01010101010101010101010101010101', 1, '01010101010101010101010101010101', 1700000000001, '{"kind":"launched"}', 1);
insert into event values (2, 'default', 'round', '02020202020202020202020202020202', 1, '01010101010101010101010101010101', 1700000000002, '{"kind":"opened","list":[1,2,3]}', 1);
insert into run values ('01010101010101010101010101010101', 'default', 'digits', 1, 1, 'running', 'ada', 1700000000001, '{"state":"running"}', NULL);
insert into round values ('02020202020202020202020202020202', 'default', '01010101010101010101010101010101', 1, 'collecting', '{"round":1}');
insert into task values ('default', 'digits', 1, '0505050505050505050505050505050505050505050505050505050505050505', '{"slug":"digits","version":1,"learns":"which digit is drawn"}', 'ada', 1700000000000);
insert into audit_leaf values (1, 'default', 'round.opened', '{"b":1,"a":2}');
insert into model_offer values ('0404040404040404040404040404040404040404040404040404040404040404', 'default', '01010101010101010101010101010101', NULL);
insert into model_version values ('01010101010101010101010101010101', 0, 'default', '0404040404040404040404040404040404040404040404040404040404040404', NULL, NULL, '{"accuracy":0.1}');
insert into input values ('0303030303030303030303030303030303030303030303030303030303030303', 1, 'default', '0808080808080808080808080808080808080808080808080808080808080808', '0909090909090909090909090909090909090909090909090909090909090909', '0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a', 400);
insert into material values ('0303030303030303030303030303030303030303030303030303030303030303', 'share', 1, 'default', X'0001feff');
insert into join_token values ('0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b', 'default', 2, 1800000000000);
insert into device values ('0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c', 'default', 1700000000003);
insert into setting values ('default', 'issuer-key', 'not a real key');
CREATE INDEX event_by_run on event (run_id, position desc);
CREATE INDEX run_newest on run (project_id, created_at desc, run_id desc);
CREATE INDEX run_of_task on run (project_id, task, created_at desc, run_id desc);
CREATE INDEX run_with_model on run (project_id, task, created_at desc, run_id desc) where newest is not null;
CREATE INDEX event_shown on event (run_id, position desc) where shown;
