import type { Statement } from "./statement.ts";

/** What is kept of a round for an auditor. Frozen, as 0001. */
export const transcripts: readonly Statement[] = [
  `insert into counter (name, value) values ('transcript', 0)`,
  `create table transcript (
    sid text primary key,
    project_id text not null,
    sequence bigint not null unique,
    round_id text not null,
    task text not null,
    shard integer not null,
    bytes bytea not null,
    unique (round_id, shard)
  )`,
  `create table sealed_opening (
    sid text not null references transcript (sid) on delete cascade,
    position integer not null,
    bytes bytea not null,
    primary key (sid, position)
  )`,
];
