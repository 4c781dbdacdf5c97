import { onPostgresql, type Statement } from "./statement.ts";

const TABLES = [
  "model_offer",
  "model_use",
  "model_version",
  "note",
  "round",
  "tracking_link",
  "tracking_metric",
  "tracking_newest_metric",
  "tracking_param",
  "tracking_run",
  "tracking_tag",
];

/**
 * Run IDs compare byte by byte in every table, as in `run`. PostgreSQL uses no index of a column that it is to compare in
 * another collation, so what it looked up for each run was a scan of a whole table. Frozen, as 0001.
 */
export const runIds: readonly Statement[] = TABLES.map((table) =>
  onPostgresql(`alter table ${table} alter column run_id type text collate "C"`),
);
