import type { Statement } from "./statement.ts";

/** Settings per task slug. A slug without a row has none. Frozen, as 0001. */
export const taskSettings: readonly Statement[] = [
  `create table task_settings (
    project_id text not null,
    slug text not null,
    body json not null,
    primary key (project_id, slug)
  )`,
];
