-- A database as migration 0001-spine leaves it, with one row or more in each table. Made once with pg_dump --inserts;
-- frozen: it stands for the databases that people have.
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.audit_leaf (
    sequence bigint NOT NULL,
    project_id text NOT NULL,
    kind text NOT NULL,
    body json NOT NULL
);
CREATE TABLE public.counter (
    name text NOT NULL,
    value bigint NOT NULL
);
CREATE TABLE public.device (
    identity text NOT NULL,
    project_id text NOT NULL,
    first_seen_at bigint NOT NULL
);
CREATE TABLE public.event (
    "position" bigint NOT NULL,
    project_id text NOT NULL,
    stream_kind text NOT NULL,
    stream_id text NOT NULL,
    sequence integer NOT NULL,
    run_id text,
    at bigint NOT NULL,
    body json NOT NULL,
    CONSTRAINT event_sequence_check CHECK ((sequence >= 1)),
    CONSTRAINT event_stream_kind_check CHECK ((stream_kind = ANY (ARRAY['run'::text, 'round'::text])))
);
CREATE TABLE public.input (
    sid text NOT NULL,
    "position" integer NOT NULL,
    project_id text NOT NULL,
    sha256 text NOT NULL,
    root text NOT NULL,
    signature text NOT NULL,
    byte_count bigint NOT NULL
);
CREATE TABLE public.join_token (
    token_hash text NOT NULL,
    project_id text NOT NULL,
    uses_left integer NOT NULL,
    expires_at bigint NOT NULL,
    CONSTRAINT join_token_uses_left_check CHECK ((uses_left >= 0))
);
CREATE TABLE public.kysely_migration (
    name character varying(255) NOT NULL,
    "timestamp" character varying(255) NOT NULL
);
CREATE TABLE public.kysely_migration_lock (
    id character varying(255) NOT NULL,
    is_locked integer DEFAULT 0 NOT NULL
);
CREATE TABLE public.material (
    sid text NOT NULL,
    step text NOT NULL,
    "position" integer NOT NULL,
    project_id text NOT NULL,
    bytes bytea NOT NULL,
    CONSTRAINT material_step_check CHECK ((step = ANY (ARRAY['share'::text, 'unmask'::text])))
);
CREATE TABLE public.model_offer (
    model_hash text NOT NULL,
    project_id text NOT NULL,
    run_id text NOT NULL,
    opened_sid text
);
CREATE TABLE public.model_version (
    run_id text NOT NULL,
    round integer NOT NULL,
    project_id text NOT NULL,
    model_hash text NOT NULL,
    parent_hash text,
    strategy_state_hash text,
    metrics json NOT NULL
);
CREATE TABLE public.round (
    round_id text NOT NULL,
    project_id text NOT NULL,
    run_id text NOT NULL,
    round integer NOT NULL,
    phase text NOT NULL,
    view json NOT NULL
);
CREATE TABLE public.run (
    run_id text NOT NULL COLLATE pg_catalog."C",
    project_id text NOT NULL,
    task text NOT NULL,
    task_version integer NOT NULL,
    number integer NOT NULL,
    state text NOT NULL,
    actor text NOT NULL,
    created_at bigint NOT NULL,
    view json NOT NULL
);
CREATE TABLE public.setting (
    project_id text NOT NULL,
    name text NOT NULL,
    value text NOT NULL
);
CREATE TABLE public.task (
    project_id text NOT NULL,
    slug text NOT NULL COLLATE pg_catalog."C",
    version integer NOT NULL,
    task_hash text NOT NULL,
    body json NOT NULL,
    actor text NOT NULL,
    created_at bigint NOT NULL
);
CREATE TABLE public.upload_session (
    sid text NOT NULL,
    project_id text NOT NULL,
    byte_count bigint NOT NULL,
    open boolean NOT NULL
);
CREATE TABLE public.upload_slot (
    sid text NOT NULL,
    "position" integer NOT NULL,
    slot_hash text NOT NULL
);
INSERT INTO public.audit_leaf VALUES (1, 'default', 'round.opened', '{"b":1,"a":2}');
INSERT INTO public.counter VALUES ('run-number/default/digits', 1);
INSERT INTO public.counter VALUES ('event', 2);
INSERT INTO public.counter VALUES ('audit-leaf', 1);
INSERT INTO public.device VALUES ('0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c', 'default', 1700000000003);
INSERT INTO public.event VALUES (1, 'default', 'run', '01010101010101010101010101010101', 1, '01010101010101010101010101010101', 1700000000001, '{"kind":"launched"}');
INSERT INTO public.event VALUES (2, 'default', 'round', '02020202020202020202020202020202', 1, '01010101010101010101010101010101', 1700000000002, '{"kind":"opened","list":[1,2,3]}');
INSERT INTO public.input VALUES ('0303030303030303030303030303030303030303030303030303030303030303', 1, 'default', '0808080808080808080808080808080808080808080808080808080808080808', '0909090909090909090909090909090909090909090909090909090909090909', '0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a', 400);
INSERT INTO public.join_token VALUES ('0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b', 'default', 2, 1800000000000);
INSERT INTO public.kysely_migration VALUES ('0001-spine', '2025-01-01T00:00:00.000Z');
INSERT INTO public.kysely_migration_lock VALUES ('migration_lock', 0);
INSERT INTO public.material VALUES ('0303030303030303030303030303030303030303030303030303030303030303', 'share', 1, 'default', '\x0001feff');
INSERT INTO public.model_offer VALUES ('0404040404040404040404040404040404040404040404040404040404040404', 'default', '01010101010101010101010101010101', NULL);
INSERT INTO public.model_version VALUES ('01010101010101010101010101010101', 0, 'default', '0404040404040404040404040404040404040404040404040404040404040404', NULL, NULL, '{"accuracy":0.1}');
INSERT INTO public.round VALUES ('02020202020202020202020202020202', 'default', '01010101010101010101010101010101', 1, 'collecting', '{"round":1}');
INSERT INTO public.run VALUES ('01010101010101010101010101010101', 'default', 'digits', 1, 1, 'running', 'ada', 1700000000001, '{"state":"running"}');
INSERT INTO public.setting VALUES ('default', 'issuer-key', 'not a real key');
INSERT INTO public.task VALUES ('default', 'digits', 1, '0505050505050505050505050505050505050505050505050505050505050505', '{"slug":"digits","version":1,"learns":"which digit is drawn"}', 'ada', 1700000000000);
INSERT INTO public.upload_session VALUES ('0303030303030303030303030303030303030303030303030303030303030303', 'default', 400, true);
INSERT INTO public.upload_slot VALUES ('0303030303030303030303030303030303030303030303030303030303030303', 1, '0606060606060606060606060606060606060606060606060606060606060606');
INSERT INTO public.upload_slot VALUES ('0303030303030303030303030303030303030303030303030303030303030303', 2, '0707070707070707070707070707070707070707070707070707070707070707');
ALTER TABLE ONLY public.audit_leaf
    ADD CONSTRAINT audit_leaf_pkey PRIMARY KEY (sequence);
ALTER TABLE ONLY public.counter
    ADD CONSTRAINT counter_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_pkey PRIMARY KEY (identity);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_pkey PRIMARY KEY ("position");
ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_stream_kind_stream_id_sequence_key UNIQUE (stream_kind, stream_id, sequence);
ALTER TABLE ONLY public.input
    ADD CONSTRAINT input_pkey PRIMARY KEY (sid, "position");
ALTER TABLE ONLY public.join_token
    ADD CONSTRAINT join_token_pkey PRIMARY KEY (token_hash);
ALTER TABLE ONLY public.kysely_migration_lock
    ADD CONSTRAINT kysely_migration_lock_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.kysely_migration
    ADD CONSTRAINT kysely_migration_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.material
    ADD CONSTRAINT material_pkey PRIMARY KEY (sid, step, "position");
ALTER TABLE ONLY public.model_offer
    ADD CONSTRAINT model_offer_pkey PRIMARY KEY (model_hash);
ALTER TABLE ONLY public.model_version
    ADD CONSTRAINT model_version_pkey PRIMARY KEY (run_id, round);
ALTER TABLE ONLY public.round
    ADD CONSTRAINT round_pkey PRIMARY KEY (round_id);
ALTER TABLE ONLY public.round
    ADD CONSTRAINT round_run_id_round_key UNIQUE (run_id, round);
ALTER TABLE ONLY public.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (run_id);
ALTER TABLE ONLY public.run
    ADD CONSTRAINT run_project_id_task_number_key UNIQUE (project_id, task, number);
ALTER TABLE ONLY public.setting
    ADD CONSTRAINT setting_pkey PRIMARY KEY (project_id, name);
ALTER TABLE ONLY public.task
    ADD CONSTRAINT task_pkey PRIMARY KEY (project_id, slug, version);
ALTER TABLE ONLY public.upload_session
    ADD CONSTRAINT upload_session_pkey PRIMARY KEY (sid);
ALTER TABLE ONLY public.upload_slot
    ADD CONSTRAINT upload_slot_pkey PRIMARY KEY (sid, "position");
CREATE INDEX event_by_run ON public.event USING btree (run_id, "position" DESC);
CREATE INDEX run_newest ON public.run USING btree (project_id, created_at DESC, run_id DESC);
ALTER TABLE ONLY public.input
    ADD CONSTRAINT input_sid_position_fkey FOREIGN KEY (sid, "position") REFERENCES public.upload_slot(sid, "position");
ALTER TABLE ONLY public.upload_slot
    ADD CONSTRAINT upload_slot_sid_fkey FOREIGN KEY (sid) REFERENCES public.upload_session(sid);
