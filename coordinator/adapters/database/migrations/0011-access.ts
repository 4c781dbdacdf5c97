import type { Statement } from "./statement.ts";

/**
 * People, tokens and projects. Join tokens of earlier versions, which only demos made, are dropped. Earlier rows all belong
 * to one project. Frozen, as 0001.
 */
export const access: readonly Statement[] = [
  `drop table join_token`,
  `create table access_row (
    kind text not null,
    id text not null,
    body json not null,
    primary key (kind, id)
  )`,
  `create table enrolment (
    token_id text not null,
    identity text not null,
    project_id text not null,
    task text,
    site_id text,
    enrolled_at bigint not null,
    primary key (token_id, identity)
  )`,
  `create index enrolment_of_identity on enrolment (identity)`,
  `create index enrolment_of_site on enrolment (site_id) where site_id is not null`,
  // A column of its own, because lists filter by it and PostgreSQL cannot look into every document.
  `alter table task_settings add column joining text not null default 'public'`,
  `create unique index task_version on task (slug, version)`,
  `create index run_by_age on run (created_at desc, run_id desc)`,
  `drop index run_of_task`,
  `create index run_of_task on run (task, created_at desc, run_id desc)`,
  `create index model_version_of_model on model_version (model_hash)`,
  `create index model_version_of_state on model_version (strategy_state_hash) where strategy_state_hash is not null`,
  // Every run that has offered a model, while `model_offer` has the first one.
  `create table model_use (
    model_hash text not null,
    run_id text not null,
    project_id text not null,
    primary key (model_hash, run_id)
  )`,
  `insert into model_use (model_hash, run_id, project_id) select model_hash, run_id, project_id from model_offer`,
  `alter table round add column sum_hash text`,
  {
    sqlite: `update round set sum_hash = json_extract(view, '$.detail.sumHash')`,
    postgresql: `update round set sum_hash = view->'detail'->>'sumHash'`,
  },
  `create index round_of_sum on round (sum_hash) where sum_hash is not null`,
  `create table auth_user (
    id text primary key,
    name text not null,
    email text not null unique,
    email_verified boolean not null,
    image text,
    created_at bigint not null,
    updated_at bigint not null
  )`,
  `create table auth_session (
    id text primary key,
    token text not null unique,
    user_id text not null,
    expires_at bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    ip_address text,
    user_agent text,
    proved_at bigint
  )`,
  `create index auth_session_of_user on auth_session (user_id)`,
  `create table auth_account (
    id text primary key,
    account_id text not null,
    provider_id text not null,
    user_id text not null,
    access_token text,
    refresh_token text,
    id_token text,
    access_token_expires_at bigint,
    refresh_token_expires_at bigint,
    scope text,
    password text,
    created_at bigint not null,
    updated_at bigint not null,
    unique (provider_id, account_id)
  )`,
  `create index auth_account_of_user on auth_account (user_id)`,
  `create table auth_verification (
    id text primary key,
    identifier text not null,
    value text not null,
    expires_at bigint not null,
    created_at bigint not null,
    updated_at bigint not null
  )`,
  `create index auth_verification_of on auth_verification (identifier)`,
  `create table passkey (
    credential_id text primary key,
    person_id text not null,
    public_key bytea not null,
    counter bigint not null,
    transports text not null,
    made_at bigint not null
  )`,
  `create index passkey_of_person on passkey (person_id)`,
];
