import type { Statement } from "./statement.ts";

/** Events of a round's stream end with the one that committed it. */
const COMMITTED = `select v.run_id, v.round, run.task, committed.at, r.view,
    row_number() over (partition by run.task order by committed.position) as number
  from model_version v
  join run on run.run_id = v.run_id
  join round r on r.run_id = v.run_id and r.round = v.round and r.phase = 'committed'
  join event committed on committed.stream_kind = 'round' and committed.stream_id = r.round_id
    and committed.sequence = (
      select max(last.sequence) from event last where last.stream_kind = 'round' and last.stream_id = r.round_id
    )`;
const IS_IT = "model_version.run_id = made.run_id and model_version.round = made.round";

/**
 * Numbers the models of each task in the order in which their rounds committed, and names some of them. Initial models and
 * those of void steps have no number. Frozen, as 0001.
 */
export const registry: readonly Statement[] = [
  "alter table model_version add column task text",
  "alter table model_version add column number integer",
  "alter table model_version add column made_at bigint",
  `update model_version set task = made.task, number = made.number, made_at = made.at
    from (${COMMITTED}) as made where ${IS_IT}`,
  "create unique index model_version_number on model_version (task, number) where number is not null",
  `insert into counter (name, value)
    select 'model-number/' || task, max(number) from model_version where number is not null group by task`,
  // What a version shows of its round, so that a list of versions reads no rounds.
  {
    sqlite: `update model_version
      set metrics = json_set(metrics, '$.survivors', json_extract(made.view, '$.view.survivors'))
      from (${COMMITTED}) as made
      where ${IS_IT} and json_type(metrics) = 'object' and json_type(made.view, '$.view.survivors') = 'integer'`,
    postgresql: `update model_version
      set metrics = jsonb_set(metrics::jsonb, '{survivors}', (made.view->'view'->'survivors')::jsonb)::json
      from (${COMMITTED}) as made
      where ${IS_IT} and json_typeof(metrics) = 'object' and json_typeof(made.view->'view'->'survivors') = 'number'`,
  },
  {
    sqlite: `update model_version
      set metrics = json_set(metrics, '$.measuredOn', json_extract(made.view, '$.view.measuredOn'))
      from (${COMMITTED}) as made
      where ${IS_IT} and json_type(metrics) = 'object' and json_type(made.view, '$.view.measuredOn') = 'text'`,
    postgresql: `update model_version
      set metrics = jsonb_set(metrics::jsonb, '{measuredOn}', (made.view->'view'->'measuredOn')::jsonb)::json
      from (${COMMITTED}) as made
      where ${IS_IT} and json_typeof(metrics) = 'object' and json_typeof(made.view->'view'->'measuredOn') = 'string'`,
  },
  {
    sqlite: `update round set view = json_set(round.view, '$.view.version', made.number)
      from (${COMMITTED}) as made
      where made.run_id = round.run_id and made.round = round.round and json_type(round.view, '$.view') = 'object'`,
    postgresql: `update round set view = jsonb_set(round.view::jsonb, '{view,version}', to_jsonb(made.number))::json
      from (${COMMITTED}) as made
      where made.run_id = round.run_id and made.round = round.round and json_typeof(round.view->'view') = 'object'`,
  },
  {
    sqlite: `update run set view = json_set(view, '$.candidate', made.number)
      from (select run_id, max(number) as number from model_version where number is not null group by run_id) as made
      where made.run_id = run.run_id and json_type(view) = 'object'`,
    postgresql: `update run set view = jsonb_set(view::jsonb, '{candidate}', to_jsonb(made.number))::json
      from (select run_id, max(number) as number from model_version where number is not null group by run_id) as made
      where made.run_id = run.run_id and json_typeof(view) = 'object'`,
  },
  `create table model_alias (
    project_id text not null,
    task text not null,
    alias text not null,
    number integer not null,
    moved_at bigint not null,
    moved_by text not null,
    primary key (task, alias)
  )`,
];
