import type { Statement } from "./statement.ts";

/**
 * Keeps the figures of views and model versions only under `measures`. Earlier rows have accuracy and loss as
 * separate fields, beside the measures or instead of them. Frozen, as 0001.
 */
export const measures: readonly Statement[] = [
  {
    sqlite: `update run set view = json_set(view, '$.history', json((
        select json_group_array(json_object(
          'round', json_extract(value, '$.round'),
          'measures', json(${inSqlite("value", "$")})
        )) from json_each(run.view, '$.history')
      ))) where json_type(view, '$.history') = 'array'`,
    postgresql: `update run set view = jsonb_set(view::jsonb, '{history}', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'round', entry->'round',
          'measures', ${inPostgres("entry")}
        ) order by place), '[]') from jsonb_array_elements(view::jsonb->'history') with ordinality as old(entry, place)
      ))::json where json_typeof(view->'history') = 'array'`,
  },
  {
    sqlite: `update run set view = ${sqliteSet("view", "$.currentRound")}
      where json_type(view, '$.currentRound') = 'object'`,
    postgresql: `update run set view = jsonb_set(view::jsonb, '{currentRound}', ${postgresSet("view::jsonb->'currentRound'")})::json
      where json_typeof(view->'currentRound') = 'object'`,
  },
  {
    sqlite: `update run set newest = json_object(
        'modelHash', json_extract(newest, '$.modelHash'),
        'measures', json(case when json_type(newest, '$.accuracy') = 'object'
          then json_extract(view, '$.history[#-1].measures') else 'null' end)
      ) where newest is not null`,
    postgresql: `update run set newest = json_build_object(
        'modelHash', newest->'modelHash',
        'measures', case when json_typeof(newest->'accuracy') = 'object'
          then view->'history'->-1->'measures' else 'null'::json end
      ) where newest is not null`,
  },
  {
    sqlite: `update round set view = ${sqliteSet("view", "$.view")} where json_type(view, '$.view') = 'object'`,
    postgresql: `update round set view = jsonb_set(view::jsonb, '{view}', ${postgresSet("view::jsonb->'view'")})::json
      where json_typeof(view->'view') = 'object'`,
  },
  {
    sqlite: `update model_version set metrics = ${sqliteSet("metrics", "$")} where json_type(metrics) = 'object'`,
    postgresql: `update model_version set metrics = (${postgresSet("metrics::jsonb")})::json
      where json_typeof(metrics) = 'object'`,
  },
];

/** Measures of the object at `path`, as JSON text: its own, or built from the earlier fields. */
function inSqlite(column: string, path: string): string {
  const at = (name: string) => `json_extract(${column}, '${path}.${name}')`;
  // A patch drops null values.
  return `case
    when json_type(${column}, '${path}.measures') = 'object' then ${at("measures")}
    when json_type(${column}, '${path}.accuracy') <> 'null'
      then json_patch('{}', json_object('accuracy', ${at("accuracy")}, 'loss', ${at("loss")}))
    else 'null' end`;
}

function sqliteSet(column: string, path: string): string {
  const set = `json_set(${column}, '${path}.measures', json(${inSqlite(column, path)}))`;
  return `json_remove(${set}, '${path}.accuracy', '${path}.loss')`;
}

function inPostgres(object: string): string {
  return `case
    when jsonb_typeof(${object}->'measures') = 'object' then ${object}->'measures'
    when jsonb_typeof(${object}->'accuracy') <> 'null' then jsonb_strip_nulls(
      jsonb_build_object('accuracy', ${object}->'accuracy', 'loss', ${object}->'loss'))
    else 'null'::jsonb end`;
}

function postgresSet(object: string): string {
  return `((${object}) || jsonb_build_object('measures', ${inPostgres(`(${object})`)})) - 'accuracy' - 'loss'`;
}
