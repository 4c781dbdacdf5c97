import type { Statement } from "./statement.ts";

/** The unpublished part of sums and the salts of their commitments. Frozen, as 0001. */
export const evidence: readonly Statement[] = [
  `create table evidence (
    sid text primary key,
    project_id text not null,
    salt bytea not null,
    words bytea not null,
    sealed bytea
  )`,
];
