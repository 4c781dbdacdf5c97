-- A PostgreSQL database as migration 0012-archive leaves it, with people, credentials, tokens, a site, enrolments, a proposal and
-- a task's settings, as the product wrote them. Made once with pg_dump --inserts; frozen: it stands for the databases that people have.
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
CREATE TABLE public.access_row (
    kind text NOT NULL,
    id text NOT NULL,
    body json NOT NULL
);
CREATE TABLE public.audit_leaf (
    sequence bigint NOT NULL,
    project_id text NOT NULL,
    kind text NOT NULL,
    body json NOT NULL
);
CREATE TABLE public.auth_account (
    id text NOT NULL,
    account_id text NOT NULL,
    provider_id text NOT NULL,
    user_id text NOT NULL,
    access_token text,
    refresh_token text,
    id_token text,
    access_token_expires_at bigint,
    refresh_token_expires_at bigint,
    scope text,
    password text,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);
CREATE TABLE public.auth_session (
    id text NOT NULL,
    token text NOT NULL,
    user_id text NOT NULL,
    expires_at bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    ip_address text,
    user_agent text,
    proved_at bigint
);
CREATE TABLE public.auth_user (
    id text NOT NULL,
    name text NOT NULL,
    email text NOT NULL,
    email_verified boolean NOT NULL,
    image text,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);
CREATE TABLE public.auth_verification (
    id text NOT NULL,
    identifier text NOT NULL,
    value text NOT NULL,
    expires_at bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
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
CREATE TABLE public.enrolment (
    token_id text NOT NULL,
    identity text NOT NULL,
    project_id text NOT NULL,
    task text,
    site_id text,
    enrolled_at bigint NOT NULL
);
CREATE TABLE public.event (
    "position" bigint NOT NULL,
    project_id text NOT NULL,
    stream_kind text NOT NULL,
    stream_id text NOT NULL,
    sequence integer NOT NULL,
    at bigint NOT NULL,
    body json NOT NULL,
    CONSTRAINT event_sequence_check CHECK ((sequence >= 1)),
    CONSTRAINT event_stream_kind_check CHECK ((stream_kind = ANY (ARRAY['run'::text, 'round'::text, 'project'::text, 'registry'::text, 'access'::text])))
);
CREATE TABLE public.evidence (
    sid text NOT NULL,
    project_id text NOT NULL,
    salt bytea NOT NULL,
    words bytea NOT NULL,
    sealed bytea
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
CREATE TABLE public.model_use (
    model_hash text NOT NULL,
    run_id text NOT NULL,
    project_id text NOT NULL
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
CREATE TABLE public.note (
    "position" bigint NOT NULL,
    project_id text NOT NULL,
    stream_kind text NOT NULL,
    stream_id text NOT NULL,
    sequence integer NOT NULL,
    run_id text,
    at bigint NOT NULL,
    body json NOT NULL
);
CREATE TABLE public.passkey (
    credential_id text NOT NULL,
    person_id text NOT NULL,
    public_key bytea NOT NULL,
    counter bigint NOT NULL,
    transports text NOT NULL,
    made_at bigint NOT NULL
);
CREATE TABLE public.round (
    round_id text NOT NULL,
    project_id text NOT NULL,
    run_id text NOT NULL,
    round integer NOT NULL,
    phase text NOT NULL,
    view json NOT NULL,
    sum_hash text
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
    view json NOT NULL,
    newest json
);
CREATE TABLE public.sealed_opening (
    sid text NOT NULL,
    "position" integer NOT NULL,
    bytes bytea NOT NULL
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
CREATE TABLE public.task_settings (
    project_id text NOT NULL,
    slug text NOT NULL,
    body json NOT NULL,
    joining text DEFAULT 'public'::text NOT NULL,
    archived boolean DEFAULT false NOT NULL
);
CREATE TABLE public.transcript (
    sid text NOT NULL,
    project_id text NOT NULL,
    sequence bigint NOT NULL,
    round_id text NOT NULL,
    task text NOT NULL,
    shard integer NOT NULL,
    bytes bytea NOT NULL
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
INSERT INTO public.access_row VALUES ('person', 'f9244996aa3becbf34466658b281e2c2', '{"personId":"f9244996aa3becbf34466658b281e2c2","name":"ada","isAdmin":true,"roles":[],"madeAt":1767225600000,"salt":"7b3da9c04901c3560de3ba86bbcb8a03e00c19c1c710c4cba6770fbc196f2a31","signsInWith":["password"],"rolesTaken":null,"places":["e1e2ef0a16a739258ea885b9ab820ffedbd84301a196ab29d0128eed46e55163"]}');
INSERT INTO public.access_row VALUES ('project', 'ward', '{"projectId":"ward","madeAt":1767225600000,"madeBy":"ada"}');
INSERT INTO public.access_row VALUES ('project', 'lab', '{"projectId":"lab","madeAt":1767225600000,"madeBy":"ada"}');
INSERT INTO public.access_row VALUES ('invitation', 'b92a71f6eb76b09538964eb1a810de26', '{"invitationId":"b92a71f6eb76b09538964eb1a810de26","tokenHash":"824247b8b183ce0f59725b43707fea087bf94e195e90a7ff82e5dbfba4c66636","role":{"role":"researcher","projectId":"ward"},"note":"from the clinic","madeAt":1767225600000,"madeBy":"ada","endsAt":1767484800000,"usedBy":"kim","withdrawnAt":null}');
INSERT INTO public.access_row VALUES ('invitation', '41a8dca6de9331d51ecb456030236f0c', '{"invitationId":"41a8dca6de9331d51ecb456030236f0c","tokenHash":"c4152f146b08ac19aad02c956741d73c557836e4602dcb4bca94412e4b179483","role":{"role":"auditor","projectId":"ward"},"note":"","madeAt":1767225600000,"madeBy":"ada","endsAt":1767484800000,"usedBy":null,"withdrawnAt":null}');
INSERT INTO public.access_row VALUES ('invitation', '9c04bc291221bb38e598bf26d9f5b142', '{"invitationId":"9c04bc291221bb38e598bf26d9f5b142","tokenHash":"0281b5dc787e752a5e1dbf550cbcc752dba438f18550f72c01a8ac7cfc811ef5","role":{"role":"auditor","projectId":"ward"},"note":"","madeAt":1767225600000,"madeBy":"ada","endsAt":1767484800000,"usedBy":null,"withdrawnAt":1767225600000}');
INSERT INTO public.access_row VALUES ('invitation', 'acb0f615800e8bf5176c566b9ee49c9a', '{"invitationId":"acb0f615800e8bf5176c566b9ee49c9a","tokenHash":"90e1f46b865990f0ba89ee8f3760433bbd44eb3578c5b1fb3bd01f8ce80e6e2a","role":{"role":"admin"},"note":"","madeAt":1767225600000,"madeBy":"ada","endsAt":1767484800000,"usedBy":"ben","withdrawnAt":null}');
INSERT INTO public.access_row VALUES ('person', '5e2bfdc1577ced4c3cac1f010dd4d8a2', '{"personId":"5e2bfdc1577ced4c3cac1f010dd4d8a2","name":"ben","isAdmin":true,"roles":[],"madeAt":1767225600000,"salt":"9b08bfb67a3ee48ed76300db919f9d1f28d35997bb4654b0fd1d51dc55faa4cf","signsInWith":["password"],"rolesTaken":null,"places":["e1a2e675d7add8345ef06b20e003a8b0af1b2218dd158fc9419a5773c7412635"]}');
INSERT INTO public.access_row VALUES ('person', '5027cf43cfa0f031bb045956280e3902', '{"personId":"5027cf43cfa0f031bb045956280e3902","name":"kim","isAdmin":false,"roles":[{"projectId":"ward","role":"researcher"}],"madeAt":1767225600000,"salt":"aa97b237a55867c3385bace678cc08a7a2e1f73f0d123d3068092218bfb45f6a","signsInWith":["password","passkey"],"rolesTaken":null,"places":["3d54ad9a934e40da9000feccdb6f71715fc54b412a23e91a9afbc99f1a2aac63"]}');
INSERT INTO public.access_row VALUES ('api-token', '9aa7be3103780b2a624d38447f438290', '{"tokenId":"9aa7be3103780b2a624d38447f438290","tokenHash":"5aabf29f7b45d47cd30ab7155d09f00f8c4c0b7c8ffb2767cd2159721ee2a3a2","shown":"cht_upT7","label":"nightly","personId":"5027cf43cfa0f031bb045956280e3902","scopes":["read","runs"],"madeAt":1767225600000,"endsAt":1775001600000,"revokedAt":null}');
INSERT INTO public.access_row VALUES ('api-token', '34233bd1cde6afe5f3ce46c35a787f6c', '{"tokenId":"34233bd1cde6afe5f3ce46c35a787f6c","tokenHash":"2e8babf2e7264940d7f51258e5076382162d9915d8a9dff796bf6ced72de0c2b","shown":"cht_2P-d","label":"old","personId":"5027cf43cfa0f031bb045956280e3902","scopes":["read"],"madeAt":1767225600000,"endsAt":1775001600000,"revokedAt":1767225600000}');
INSERT INTO public.access_row VALUES ('join-token', 'b5cc39bd344f39cf9ba740d886ffb5a4', '{"tokenId":"b5cc39bd344f39cf9ba740d886ffb5a4","tokenHash":"1f363509b56e01da36f92f3cc28d25bb93b478407e3dba1d8ade7cbcc62f7bf2","shown":"chj_TFc5","projectId":"ward","task":"small","siteId":null,"uses":3,"madeAt":1767225600000,"madeBy":"kim","endsAt":1769817600000,"revokedAt":null,"devicesRemovedAt":null}');
INSERT INTO public.access_row VALUES ('join-token', 'a5c5b1c962fd3fd2450110b5952c1d57', '{"tokenId":"a5c5b1c962fd3fd2450110b5952c1d57","tokenHash":"2dfb73de13194b3e31264ec3719a44e4a812f53438dbd4c1282f6346329a3b82","shown":"chj_avBT","projectId":"ward","task":null,"siteId":"ef3d74a5e591f2a3745897924cf66572","uses":1,"madeAt":1767225600000,"madeBy":"ada","endsAt":1769817600000,"revokedAt":null,"devicesRemovedAt":null}');
INSERT INTO public.access_row VALUES ('site', 'ef3d74a5e591f2a3745897924cf66572', '{"siteId":"ef3d74a5e591f2a3745897924cf66572","name":"Clinic North","projectId":"ward","identity":"2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e","madeAt":1767225600000,"madeBy":"ada","revokedAt":null,"lastSeenAt":1767225600000,"version":"0.1.0"}');
INSERT INTO public.access_row VALUES ('proposal', 'd76bda0e501dc4d2918d64273910c841', '{"proposalId":"d76bda0e501dc4d2918d64273910c841","act":{"type":"give-admin-role","personId":"5027cf43cfa0f031bb045956280e3902"},"reason":"she runs the ward","madeAt":1767225600000,"madeBy":"ada","endsAt":1767312000000,"end":null,"owed":null}');
INSERT INTO public.audit_leaf VALUES (1, 'default', 'role.given', '{"version":1,"by":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4","about":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4","role":{"role":"admin"},"projectId":"ward"}');
INSERT INTO public.audit_leaf VALUES (2, 'default', 'project.made', '{"version":1,"by":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4","projectId":"lab"}');
INSERT INTO public.audit_leaf VALUES (3, 'default', 'invitation.made', '{"version":1,"by":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4","role":{"role":"researcher","projectId":"ward"}}');
INSERT INTO public.audit_leaf VALUES (4, 'default', 'role.given', '{"version":1,"by":"0ede9244f73ca2e24982b19b1bff426b2396b808e45069b2814cd7354dfe1c0b","about":"0ede9244f73ca2e24982b19b1bff426b2396b808e45069b2814cd7354dfe1c0b","role":{"role":"researcher","projectId":"ward"}}');
INSERT INTO public.audit_leaf VALUES (5, 'default', 'invitation.made', '{"version":1,"by":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4","role":{"role":"auditor","projectId":"ward"}}');
INSERT INTO public.audit_leaf VALUES (6, 'default', 'invitation.made', '{"version":1,"by":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4","role":{"role":"auditor","projectId":"ward"}}');
INSERT INTO public.audit_leaf VALUES (7, 'default', 'invitation.withdrawn', '{"version":1,"by":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4"}');
INSERT INTO public.audit_leaf VALUES (8, 'default', 'invitation.made', '{"version":1,"by":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4","role":{"role":"admin"}}');
INSERT INTO public.audit_leaf VALUES (9, 'default', 'role.given', '{"version":1,"by":"6ebcbaf261dd0c0b35a9fcc940314c5ca18703c4ca8f2fdb36ea386eac8d3528","about":"6ebcbaf261dd0c0b35a9fcc940314c5ca18703c4ca8f2fdb36ea386eac8d3528","role":{"role":"admin"}}');
INSERT INTO public.audit_leaf VALUES (10, 'default', 'session.changed', '{"version":1,"by":"0ede9244f73ca2e24982b19b1bff426b2396b808e45069b2814cd7354dfe1c0b","what":"passkey"}');
INSERT INTO public.audit_leaf VALUES (11, 'default', 'token.made', '{"version":1,"by":"0ede9244f73ca2e24982b19b1bff426b2396b808e45069b2814cd7354dfe1c0b","of":"api","scopes":["read","runs"],"endsAt":1775001600000}');
INSERT INTO public.audit_leaf VALUES (12, 'default', 'token.made', '{"version":1,"by":"0ede9244f73ca2e24982b19b1bff426b2396b808e45069b2814cd7354dfe1c0b","of":"api","scopes":["read"],"endsAt":1775001600000}');
INSERT INTO public.audit_leaf VALUES (13, 'default', 'token.revoked', '{"version":1,"by":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4","of":"api"}');
INSERT INTO public.audit_leaf VALUES (14, 'ward', 'task.published', '{"slug":"small","taskVersion":1}');
INSERT INTO public.audit_leaf VALUES (15, 'default', 'token.made', '{"version":1,"by":"0ede9244f73ca2e24982b19b1bff426b2396b808e45069b2814cd7354dfe1c0b","of":"join","projectId":"ward","task":"small","uses":3,"endsAt":1769817600000}');
INSERT INTO public.audit_leaf VALUES (16, 'default', 'site.named', '{"version":1,"by":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4","projectId":"ward"}');
INSERT INTO public.audit_leaf VALUES (17, 'default', 'token.made', '{"version":1,"by":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4","of":"join","projectId":"ward","task":null,"uses":1,"endsAt":1769817600000}');
INSERT INTO public.audit_leaf VALUES (18, 'default', 'site.enrolled', '{"version":1,"by":null}');
INSERT INTO public.audit_leaf VALUES (19, 'default', 'proposal.made', '{"version":1,"by":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4","act":"give-admin-role"}');
INSERT INTO public.auth_account VALUES ('16aec0d215947d2c1bf81ca08f710ac1', 'f9244996aa3becbf34466658b281e2c2', 'credential', 'f9244996aa3becbf34466658b281e2c2', NULL, NULL, NULL, NULL, NULL, NULL, 'a0df6ef91097009bdaa3d21b8c2b3a12:5d099b11a6aedd822d3a4737c5b3d97e343f41c688becefc347c64cf95313b8c0c7c77869e491531de713fb04fe3a176b28ad6ca140fc941715e0ace4987c3cc', 1796041719515, 1796041719515);
INSERT INTO public.auth_account VALUES ('4faed4abd021fa97a988be74d02b84bd', '5027cf43cfa0f031bb045956280e3902', 'credential', '5027cf43cfa0f031bb045956280e3902', NULL, NULL, NULL, NULL, NULL, NULL, '6de57c3361b4d9994c7aa2245395ec55:1d52a1a8daeb0dc269cb7e118a1d0ed077a999dc1b6dddd931eeec93169deed9e464d51d49f5eab8bca32ff5725a1da1b5049b2053959173ffa1156ce9392f54', 1796041719949, 1796041719949);
INSERT INTO public.auth_account VALUES ('65784dab93289cdc2b708f54d3021eee', '5e2bfdc1577ced4c3cac1f010dd4d8a2', 'credential', '5e2bfdc1577ced4c3cac1f010dd4d8a2', NULL, NULL, NULL, NULL, NULL, NULL, '96f5abe1612a3c2d43a28a828f525513:1d4d85af818b80692a673a7c1961513a5acfdcd054174a8930fb65e415cff45304b51c56df73eb38c3bac80a6258f499a817d733b2f0b20775972b1af65c01d6', 1796041720376, 1796041720376);
INSERT INTO public.auth_session VALUES ('1488ab09b45c15fccc03d849d59684ec', '78ff7e6cd58ba546e8f51009a424fb21b32a4a62eee952d76c8aa097a1eabc85', 'f9244996aa3becbf34466658b281e2c2', 1767268800000, 1767225600000, 1767225600000, NULL, NULL, 1767225600000);
INSERT INTO public.auth_session VALUES ('d86157c56a3d9acafbefcaecb32f8c43', '5870ed1fdf5a5f716d13fe4a4682658913cdfe92ad8a9dae8dbeac2d29152b8f', '5027cf43cfa0f031bb045956280e3902', 1767268800000, 1767225600000, 1767225600000, NULL, NULL, 1767225600000);
INSERT INTO public.auth_session VALUES ('1f94454fcf918686ebe5169c97739425', '6c34192690c8ed05dc987cfeff0a5205aae8277fda553231f772416465b09375', '5e2bfdc1577ced4c3cac1f010dd4d8a2', 1767268800000, 1767225600000, 1767225600000, NULL, NULL, 1767225600000);
INSERT INTO public.auth_user VALUES ('f9244996aa3becbf34466658b281e2c2', 'ada', 'f9244996aa3becbf34466658b281e2c2@person.invalid', false, NULL, 1796041719217, 1767225600000);
INSERT INTO public.auth_user VALUES ('5027cf43cfa0f031bb045956280e3902', 'kim', '5027cf43cfa0f031bb045956280e3902@person.invalid', false, NULL, 1796041719609, 1767225600000);
INSERT INTO public.auth_user VALUES ('5e2bfdc1577ced4c3cac1f010dd4d8a2', 'ben', '5e2bfdc1577ced4c3cac1f010dd4d8a2@person.invalid', false, NULL, 1796041720073, 1767225600000);
INSERT INTO public.counter VALUES ('transcript', 0);
INSERT INTO public.counter VALUES ('join-token/b5cc39bd344f39cf9ba740d886ffb5a4', 1);
INSERT INTO public.counter VALUES ('join-token/a5c5b1c962fd3fd2450110b5952c1d57', 1);
INSERT INTO public.counter VALUES ('event', 20);
INSERT INTO public.counter VALUES ('audit-leaf', 19);
INSERT INTO public.enrolment VALUES ('b5cc39bd344f39cf9ba740d886ffb5a4', '1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d', 'ward', 'small', NULL, 1767225600000);
INSERT INTO public.enrolment VALUES ('a5c5b1c962fd3fd2450110b5952c1d57', '2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e', 'ward', NULL, 'ef3d74a5e591f2a3745897924cf66572', 1767225600000);
INSERT INTO public.event VALUES (1, 'default', 'access', 'coordinator', 1, 1767225600000, '{"version":1,"fact":{"type":"set-up","personId":"f9244996aa3becbf34466658b281e2c2","actor":"ada","projectId":"ward"}}');
INSERT INTO public.event VALUES (2, 'default', 'access', 'coordinator', 2, 1767225600000, '{"version":1,"fact":{"type":"project-made","projectId":"lab","actor":"ada"}}');
INSERT INTO public.event VALUES (3, 'default', 'access', 'coordinator', 3, 1767225600000, '{"version":1,"fact":{"type":"invited","invitationId":"b92a71f6eb76b09538964eb1a810de26","role":{"role":"researcher","projectId":"ward"},"actor":"ada"}}');
INSERT INTO public.event VALUES (4, 'default', 'access', 'coordinator', 4, 1767225600000, '{"version":1,"fact":{"type":"joined","invitationId":"b92a71f6eb76b09538964eb1a810de26","personId":"5027cf43cfa0f031bb045956280e3902","name":"kim","role":{"role":"researcher","projectId":"ward"},"actor":"kim"}}');
INSERT INTO public.event VALUES (5, 'default', 'access', 'coordinator', 5, 1767225600000, '{"version":1,"fact":{"type":"invited","invitationId":"41a8dca6de9331d51ecb456030236f0c","role":{"role":"auditor","projectId":"ward"},"actor":"ada"}}');
INSERT INTO public.event VALUES (6, 'default', 'access', 'coordinator', 6, 1767225600000, '{"version":1,"fact":{"type":"invited","invitationId":"9c04bc291221bb38e598bf26d9f5b142","role":{"role":"auditor","projectId":"ward"},"actor":"ada"}}');
INSERT INTO public.event VALUES (7, 'default', 'access', 'coordinator', 7, 1767225600000, '{"version":1,"fact":{"type":"invitation-withdrawn","invitationId":"9c04bc291221bb38e598bf26d9f5b142","actor":"ada"}}');
INSERT INTO public.event VALUES (8, 'default', 'access', 'coordinator', 8, 1767225600000, '{"version":1,"fact":{"type":"invited","invitationId":"acb0f615800e8bf5176c566b9ee49c9a","role":{"role":"admin"},"actor":"ada"}}');
INSERT INTO public.event VALUES (9, 'default', 'access', 'coordinator', 9, 1767225600000, '{"version":1,"fact":{"type":"joined","invitationId":"acb0f615800e8bf5176c566b9ee49c9a","personId":"5e2bfdc1577ced4c3cac1f010dd4d8a2","name":"ben","role":{"role":"admin"},"actor":"ben"}}');
INSERT INTO public.event VALUES (10, 'default', 'access', 'coordinator', 10, 1767225600000, '{"version":1,"fact":{"type":"sign-in-changed","personId":"5027cf43cfa0f031bb045956280e3902","what":"passkey","actor":"kim"}}');
INSERT INTO public.event VALUES (11, 'default', 'access', 'coordinator', 11, 1767225600000, '{"version":1,"fact":{"type":"api-token-made","tokenId":"9aa7be3103780b2a624d38447f438290","scopes":["read","runs"],"endsAt":1775001600000,"actor":"kim"}}');
INSERT INTO public.event VALUES (12, 'default', 'access', 'coordinator', 12, 1767225600000, '{"version":1,"fact":{"type":"api-token-made","tokenId":"34233bd1cde6afe5f3ce46c35a787f6c","scopes":["read"],"endsAt":1775001600000,"actor":"kim"}}');
INSERT INTO public.event VALUES (13, 'default', 'access', 'coordinator', 13, 1767225600000, '{"version":1,"fact":{"type":"api-token-revoked","tokenId":"34233bd1cde6afe5f3ce46c35a787f6c","actor":"ada"}}');
INSERT INTO public.event VALUES (14, 'ward', 'project', 'ward', 1, 1767225600000, '{"body":{"slug":"small","taskVersion":1}}');
INSERT INTO public.event VALUES (15, 'ward', 'project', 'ward', 2, 1767225600000, '{"body":{}}');
INSERT INTO public.event VALUES (16, 'default', 'access', 'coordinator', 14, 1767225600000, '{"version":1,"fact":{"type":"join-token-made","tokenId":"b5cc39bd344f39cf9ba740d886ffb5a4","projectId":"ward","task":"small","uses":3,"endsAt":1769817600000,"actor":"kim"}}');
INSERT INTO public.event VALUES (17, 'default', 'access', 'coordinator', 15, 1767225600000, '{"version":1,"fact":{"type":"site-named","siteId":"ef3d74a5e591f2a3745897924cf66572","projectId":"ward","actor":"ada"}}');
INSERT INTO public.event VALUES (18, 'default', 'access', 'coordinator', 16, 1767225600000, '{"version":1,"fact":{"type":"join-token-made","tokenId":"a5c5b1c962fd3fd2450110b5952c1d57","projectId":"ward","task":null,"uses":1,"endsAt":1769817600000,"actor":"ada"}}');
INSERT INTO public.event VALUES (19, 'default', 'access', 'coordinator', 17, 1767225600000, '{"version":1,"fact":{"type":"site-enrolled","siteId":"ef3d74a5e591f2a3745897924cf66572","key":"f89448b202718480b3a78e0e779f2e115a83c9ca9b729466e023e26c2a39b290","actor":"Clinic North"}}');
INSERT INTO public.event VALUES (20, 'default', 'access', 'coordinator', 18, 1767225600000, '{"version":1,"fact":{"type":"proposed","proposalId":"d76bda0e501dc4d2918d64273910c841","act":{"type":"give-admin-role","personId":"5027cf43cfa0f031bb045956280e3902"},"reason":"she runs the ward","actor":"ada"}}');
INSERT INTO public.kysely_migration VALUES ('0001-spine', '2026-11-30T12:28:38.948Z');
INSERT INTO public.kysely_migration VALUES ('0002-transcripts', '2026-11-30T12:28:38.957Z');
INSERT INTO public.kysely_migration VALUES ('0003-reading', '2026-11-30T12:28:38.975Z');
INSERT INTO public.kysely_migration VALUES ('0004-evidence', '2026-11-30T12:28:38.986Z');
INSERT INTO public.kysely_migration VALUES ('0005-open-rounds', '2026-11-30T12:28:38.989Z');
INSERT INTO public.kysely_migration VALUES ('0006-streams', '2026-11-30T12:28:38.993Z');
INSERT INTO public.kysely_migration VALUES ('0007-task-settings', '2026-11-30T12:28:38.998Z');
INSERT INTO public.kysely_migration VALUES ('0008-notes', '2026-11-30T12:28:39.024Z');
INSERT INTO public.kysely_migration VALUES ('0009-measures', '2026-11-30T12:28:39.044Z');
INSERT INTO public.kysely_migration VALUES ('0010-device-measures', '2026-11-30T12:28:39.050Z');
INSERT INTO public.kysely_migration VALUES ('0011-access', '2026-11-30T12:28:39.135Z');
INSERT INTO public.kysely_migration VALUES ('0012-archive', '2026-11-30T12:28:39.136Z');
INSERT INTO public.kysely_migration_lock VALUES ('migration_lock', 0);
INSERT INTO public.passkey VALUES ('AAECAwQFBgc', '5027cf43cfa0f031bb045956280e3902', '\x0102feff', 7, '["internal"]', 1767225600000);
INSERT INTO public.setting VALUES ('', 'instance', '00120012001200120012001200120012');
INSERT INTO public.task VALUES ('ward', 'small', 1, '0000000000000000000000000000000000000000000000000000000000000002', '{"slug":"small","version":1,"invitation":"Help a model tell three things apart","learns":"which of three it is","exampleNoun":{"one":"row","many":"rows"},"dataCard":"Made up.","model":{"format":"tfjs-layers","inputShape":[4],"classCount":3,"layers":[{"className":"Dense","name":"out","units":3,"activation":"softmax"}]},"features":{"kind":"tabular","columns":[{"name":"a","type":"numeric","range":[0,1],"protected":false,"input":true},{"name":"b","type":"numeric","range":[0,1],"protected":false,"input":true},{"name":"c","type":"numeric","range":[0,1],"protected":false,"input":true},{"name":"d","type":"numeric","range":[0,1],"protected":false,"input":true}],"label":{"name":"label"},"classes":["x","y","z"]},"training":{"epochs":1,"batchSize":8,"optimizer":{"kind":"sgd","learningRate":0.1,"momentum":0},"proximalMu":0},"aggregation":{"strategy":{"kind":"fedavg","serverLearningRate":1},"goal":3,"overSelection":1,"cohortSizeMin":3,"cohortSizeMax":11,"securityModel":"active","graph":"complete","deadlines":{"recruitingMs":60000,"trainingMs":60000,"sharingMs":30000,"collectingMs":60000,"confirmingMs":30000,"unmaskingMs":30000,"graceMs":60000},"recruitingMinMs":2000,"clipNormL2":1,"weightCap":1000,"ring":32},"evaluation":{"heldOutFraction":0.2,"localFraction":0.2}}', 'ada', 1767225600000);
INSERT INTO public.task_settings VALUES ('ward', 'small', '{"joining":"invitation","heldOut":{"hash":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e","format":"csv","byteCount":4000,"rowCount":300,"balance":{"kind":"classes","counts":[{"name":"x","rows":100},{"name":"y","rows":100},{"name":"z","rows":100}]},"card":{"source":"Made up.","licence":"None.","ground":"Tests.","collected":"2026"},"versions":[1,2,3],"setAt":"2026-01-01T00:00:00.000Z","setBy":"ada"},"archived":{"at":"2026-01-01T00:00:00.000Z","by":"kim"}}', 'invitation', true);
ALTER TABLE ONLY public.access_row
    ADD CONSTRAINT access_row_pkey PRIMARY KEY (kind, id);
ALTER TABLE ONLY public.audit_leaf
    ADD CONSTRAINT audit_leaf_pkey PRIMARY KEY (sequence);
ALTER TABLE ONLY public.auth_account
    ADD CONSTRAINT auth_account_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_account
    ADD CONSTRAINT auth_account_provider_id_account_id_key UNIQUE (provider_id, account_id);
ALTER TABLE ONLY public.auth_session
    ADD CONSTRAINT auth_session_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_session
    ADD CONSTRAINT auth_session_token_key UNIQUE (token);
ALTER TABLE ONLY public.auth_user
    ADD CONSTRAINT auth_user_email_key UNIQUE (email);
ALTER TABLE ONLY public.auth_user
    ADD CONSTRAINT auth_user_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_verification
    ADD CONSTRAINT auth_verification_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.counter
    ADD CONSTRAINT counter_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_pkey PRIMARY KEY (identity);
ALTER TABLE ONLY public.enrolment
    ADD CONSTRAINT enrolment_pkey PRIMARY KEY (token_id, identity);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_pkey PRIMARY KEY ("position");
ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_stream_kind_stream_id_sequence_key UNIQUE (stream_kind, stream_id, sequence);
ALTER TABLE ONLY public.evidence
    ADD CONSTRAINT evidence_pkey PRIMARY KEY (sid);
ALTER TABLE ONLY public.input
    ADD CONSTRAINT input_pkey PRIMARY KEY (sid, "position");
ALTER TABLE ONLY public.kysely_migration_lock
    ADD CONSTRAINT kysely_migration_lock_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.kysely_migration
    ADD CONSTRAINT kysely_migration_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.material
    ADD CONSTRAINT material_pkey PRIMARY KEY (sid, step, "position");
ALTER TABLE ONLY public.model_offer
    ADD CONSTRAINT model_offer_pkey PRIMARY KEY (model_hash);
ALTER TABLE ONLY public.model_use
    ADD CONSTRAINT model_use_pkey PRIMARY KEY (model_hash, run_id);
ALTER TABLE ONLY public.model_version
    ADD CONSTRAINT model_version_pkey PRIMARY KEY (run_id, round);
ALTER TABLE ONLY public.note
    ADD CONSTRAINT note_pkey PRIMARY KEY ("position");
ALTER TABLE ONLY public.note
    ADD CONSTRAINT note_stream_kind_stream_id_sequence_key UNIQUE (stream_kind, stream_id, sequence);
ALTER TABLE ONLY public.passkey
    ADD CONSTRAINT passkey_pkey PRIMARY KEY (credential_id);
ALTER TABLE ONLY public.round
    ADD CONSTRAINT round_pkey PRIMARY KEY (round_id);
ALTER TABLE ONLY public.round
    ADD CONSTRAINT round_run_id_round_key UNIQUE (run_id, round);
ALTER TABLE ONLY public.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (run_id);
ALTER TABLE ONLY public.run
    ADD CONSTRAINT run_project_id_task_number_key UNIQUE (project_id, task, number);
ALTER TABLE ONLY public.sealed_opening
    ADD CONSTRAINT sealed_opening_pkey PRIMARY KEY (sid, "position");
ALTER TABLE ONLY public.setting
    ADD CONSTRAINT setting_pkey PRIMARY KEY (project_id, name);
ALTER TABLE ONLY public.task
    ADD CONSTRAINT task_pkey PRIMARY KEY (project_id, slug, version);
ALTER TABLE ONLY public.task_settings
    ADD CONSTRAINT task_settings_pkey PRIMARY KEY (project_id, slug);
ALTER TABLE ONLY public.transcript
    ADD CONSTRAINT transcript_pkey PRIMARY KEY (sid);
ALTER TABLE ONLY public.transcript
    ADD CONSTRAINT transcript_round_id_shard_key UNIQUE (round_id, shard);
ALTER TABLE ONLY public.transcript
    ADD CONSTRAINT transcript_sequence_key UNIQUE (sequence);
ALTER TABLE ONLY public.upload_session
    ADD CONSTRAINT upload_session_pkey PRIMARY KEY (sid);
ALTER TABLE ONLY public.upload_slot
    ADD CONSTRAINT upload_slot_pkey PRIMARY KEY (sid, "position");
CREATE INDEX auth_account_of_user ON public.auth_account USING btree (user_id);
CREATE INDEX auth_session_of_user ON public.auth_session USING btree (user_id);
CREATE INDEX auth_verification_of ON public.auth_verification USING btree (identifier);
CREATE INDEX enrolment_of_identity ON public.enrolment USING btree (identity);
CREATE INDEX enrolment_of_site ON public.enrolment USING btree (site_id) WHERE (site_id IS NOT NULL);
CREATE INDEX model_version_of_model ON public.model_version USING btree (model_hash);
CREATE INDEX model_version_of_state ON public.model_version USING btree (strategy_state_hash) WHERE (strategy_state_hash IS NOT NULL);
CREATE INDEX note_of_run ON public.note USING btree (run_id, "position" DESC);
CREATE INDEX passkey_of_person ON public.passkey USING btree (person_id);
CREATE INDEX round_of_sum ON public.round USING btree (sum_hash) WHERE (sum_hash IS NOT NULL);
CREATE INDEX round_open ON public.round USING btree (run_id) WHERE (phase <> ALL (ARRAY['committed'::text, 'voided'::text, 'failed'::text]));
CREATE INDEX run_by_age ON public.run USING btree (created_at DESC, run_id DESC);
CREATE INDEX run_newest ON public.run USING btree (project_id, created_at DESC, run_id DESC);
CREATE INDEX run_of_task ON public.run USING btree (task, created_at DESC, run_id DESC);
CREATE INDEX run_with_model ON public.run USING btree (project_id, task, created_at DESC, run_id DESC) WHERE (newest IS NOT NULL);
CREATE UNIQUE INDEX task_version ON public.task USING btree (slug, version);
ALTER TABLE ONLY public.input
    ADD CONSTRAINT input_sid_position_fkey FOREIGN KEY (sid, "position") REFERENCES public.upload_slot(sid, "position");
ALTER TABLE ONLY public.sealed_opening
    ADD CONSTRAINT sealed_opening_sid_fkey FOREIGN KEY (sid) REFERENCES public.transcript(sid) ON DELETE CASCADE;
ALTER TABLE ONLY public.upload_slot
    ADD CONSTRAINT upload_slot_sid_fkey FOREIGN KEY (sid) REFERENCES public.upload_session(sid);
