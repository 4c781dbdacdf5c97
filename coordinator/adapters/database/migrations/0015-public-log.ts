import type { Statement } from "./statement.ts";

/**
 * Leaves have a time and are found by what they are about; those of earlier versions have neither. The head is what was signed
 * last, in one row at most. Frozen, as 0001.
 */
export const publicLog: readonly Statement[] = [
  "alter table audit_leaf add column at bigint",
  'alter table audit_leaf add column subject text collate "C"',
  "create index audit_leaf_by_subject on audit_leaf (kind, subject)",
  `create table log_head (
    id integer primary key,
    size bigint not null,
    root text not null,
    note text not null
  )`,
];
