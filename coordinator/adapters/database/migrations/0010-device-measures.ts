import type { Statement } from "./statement.ts";

/**
 * Keeps what devices measured under `deviceMeasures`. Earlier rows have their accuracy, or null, as separate fields.
 * Frozen, as 0001.
 */
export const deviceMeasures: readonly Statement[] = [
  {
    sqlite: `update run set view = ${sqliteSet("view", "$.currentRound")}
      where json_type(view, '$.currentRound.deviceAccuracyBefore') is not null`,
    postgresql: `update run set view = jsonb_set(view::jsonb, '{currentRound}', ${postgresSet("view::jsonb->'currentRound'")})::json
      where json_typeof(view->'currentRound'->'deviceAccuracyBefore') is not null`,
  },
  {
    sqlite: `update round set view = ${sqliteSet("view", "$.view")}
      where json_type(view, '$.view.deviceAccuracyBefore') is not null`,
    postgresql: `update round set view = jsonb_set(view::jsonb, '{view}', ${postgresSet("view::jsonb->'view'")})::json
      where json_typeof(view->'view'->'deviceAccuracyBefore') is not null`,
  },
  {
    sqlite: `update model_version set metrics = ${sqliteSet("metrics", "$")}
      where json_type(metrics, '$.deviceAccuracyBefore') is not null`,
    postgresql: `update model_version set metrics = (${postgresSet("metrics::jsonb")})::json
      where json_typeof(metrics->'deviceAccuracyBefore') is not null`,
  },
];

function sqliteSet(column: string, path: string): string {
  // A patch drops null values.
  const named = (field: string) =>
    `json_patch('{}', json_object('accuracy', json_extract(${column}, '${path}.${field}')))`;
  const both = `json_object('before', ${named("deviceAccuracyBefore")}, 'after', ${named("deviceAccuracyAfter")})`;
  const set = `json_set(${column}, '${path}.deviceMeasures', ${both})`;
  return `json_remove(${set}, '${path}.deviceAccuracyBefore', '${path}.deviceAccuracyAfter')`;
}

function postgresSet(object: string): string {
  const named = (field: string) =>
    `jsonb_strip_nulls(jsonb_build_object('accuracy', (${object})->'${field}'))`;
  const both = `jsonb_build_object('before', ${named("deviceAccuracyBefore")}, 'after', ${named("deviceAccuracyAfter")})`;
  return `((${object}) || jsonb_build_object('deviceMeasures', ${both})) - 'deviceAccuracyBefore' - 'deviceAccuracyAfter'`;
}
