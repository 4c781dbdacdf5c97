import type { Statement } from "./statement.ts";

/**
 * Experiments, runs and models as MLflow's clients keep them. Runs of earlier versions are entered when the store opens, by
 * the same code as new ones. Frozen, as 0001.
 */
export const tracking: readonly Statement[] = [
  `create table tracking_document (
    project_id text not null,
    kind text not null,
    id text collate "C" not null,
    name text collate "C" not null,
    body json not null,
    primary key (project_id, kind, id)
  )`,
  `create index tracking_document_by_name on tracking_document (project_id, kind, name)`,
  `create table tracking_run (
    run_id text primary key,
    project_id text not null,
    experiment_id text not null,
    name text collate "C" not null,
    user_id text collate "C" not null,
    status text collate "C" not null,
    start_time bigint not null,
    end_time bigint,
    artifact_uri text collate "C" not null,
    is_deleted boolean not null,
    is_own boolean not null
  )`,
  `create index tracking_run_by_age on tracking_run (project_id, experiment_id, start_time desc, run_id)`,
  {
    sqlite: `create table tracking_metric (
      run_id text not null,
      key text not null,
      step integer not null,
      timestamp integer not null,
      value real not null,
      is_nan integer not null,
      primary key (run_id, key, step, timestamp, value, is_nan)
    ) strict, without rowid`,
    postgresql: `create table tracking_metric (
      run_id text not null,
      key text collate "C" not null,
      step bigint not null,
      timestamp bigint not null,
      value double precision not null,
      is_nan boolean not null,
      primary key (run_id, key, step, timestamp, value, is_nan)
    )`,
  },
  // The newest value of each metric, by which runs are searched.
  {
    sqlite: `create table tracking_newest_metric (
      run_id text not null,
      key text not null,
      step integer not null,
      timestamp integer not null,
      value real not null,
      is_nan integer not null,
      primary key (run_id, key)
    ) strict, without rowid`,
    postgresql: `create table tracking_newest_metric (
      run_id text not null,
      key text collate "C" not null,
      step bigint not null,
      timestamp bigint not null,
      value double precision not null,
      is_nan boolean not null,
      primary key (run_id, key)
    )`,
  },
  ...["param", "tag"].map(
    (name): Statement => ({
      sqlite: `create table tracking_${name} (
        run_id text not null,
        key text not null,
        value text not null,
        primary key (run_id, key)
      ) strict, without rowid`,
      postgresql: `create table tracking_${name} (
        run_id text not null,
        key text collate "C" not null,
        value text collate "C" not null,
        primary key (run_id, key)
      )`,
    }),
  ),
  `create table tracking_link (
    run_id text not null,
    kind text not null,
    id text collate "C" not null,
    name text collate "C" not null,
    digest text collate "C" not null,
    context text collate "C" not null,
    body json not null,
    primary key (run_id, kind, id)
  )`,
  `create table tracking_artifact (
    project_id text not null,
    path text collate "C" not null,
    blob_hash text not null,
    byte_count bigint not null,
    primary key (project_id, path)
  )`,
  `create index tracking_artifact_of_blob on tracking_artifact (blob_hash)`,
];
