import type { Statement } from "./statement.ts";

/** What is not published of a sum, and the salt of its commitment. Frozen, as 0001. */
export const evidence: readonly Statement[] = [
  `create table evidence (
    sid text primary key,
    project_id text not null,
    salt bytea not null,
    words bytea not null,
    sealed bytea
  )`,
];
