import type { Statement } from "./statement.ts";

/**
 * Archived tasks, which lists leave out. A column of its own, because PostgreSQL cannot look into every document. Frozen,
 * as 0001.
 */
export const archive: readonly Statement[] = [
  "alter table task_settings add column archived boolean not null default false",
];
