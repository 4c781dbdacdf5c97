-- A SQLite database as migration 0012-archive leaves it, with people, credentials, tokens, a site, enrolments, a proposal and
-- a task's settings, as the product wrote them. Made once; frozen: it stands for the databases that people have.
CREATE TABLE "kysely_migration" ("name" varchar(255) not null primary key, "timestamp" varchar(255) not null);
CREATE TABLE "kysely_migration_lock" ("id" varchar(255) not null primary key, "is_locked" integer default 0 not null);
CREATE TABLE counter (name text primary key, value integer not null) strict;
CREATE TABLE run (
    run_id text primary key,
    project_id text not null,
    task text not null,
    task_version integer not null,
    number integer not null,
    state text not null,
    actor text not null,
    created_at integer not null,
    view text not null, newest text,
    unique (project_id, task, number)
  ) strict;
CREATE TABLE round (
    round_id text primary key,
    project_id text not null,
    run_id text not null,
    round integer not null,
    phase text not null,
    view text not null, sum_hash text,
    unique (run_id, round)
  ) strict;
CREATE TABLE task (
    project_id text not null,
    slug text not null,
    version integer not null,
    task_hash text not null,
    body text not null,
    actor text not null,
    created_at integer not null,
    primary key (project_id, slug, version)
  ) strict;
CREATE TABLE audit_leaf (
    sequence integer primary key,
    project_id text not null,
    kind text not null,
    body text not null
  ) strict;
CREATE TABLE model_offer (
    model_hash text primary key,
    project_id text not null,
    run_id text not null,
    opened_sid text
  ) strict;
CREATE TABLE model_version (
    run_id text not null,
    round integer not null,
    project_id text not null,
    model_hash text not null,
    parent_hash text,
    strategy_state_hash text,
    metrics text not null,
    primary key (run_id, round)
  ) strict;
CREATE TABLE upload_session (
    sid text primary key,
    project_id text not null,
    byte_count integer not null,
    open integer not null
  ) strict;
CREATE TABLE upload_slot (
    sid text not null references upload_session (sid),
    position integer not null,
    slot_hash text not null,
    primary key (sid, position)
  ) strict;
CREATE TABLE input (
    sid text not null,
    position integer not null,
    project_id text not null,
    sha256 text not null,
    root text not null,
    signature text not null,
    byte_count integer not null,
    primary key (sid, position),
    foreign key (sid, position) references upload_slot (sid, position)
  ) strict;
CREATE TABLE material (
    sid text not null,
    step text not null check (step in ('share', 'unmask')),
    position integer not null,
    project_id text not null,
    bytes blob not null,
    primary key (sid, step, position)
  ) strict;
CREATE TABLE device (
    identity text primary key,
    project_id text not null,
    first_seen_at integer not null
  ) strict;
CREATE TABLE setting (
    project_id text not null,
    name text not null,
    value text not null,
    primary key (project_id, name)
  ) strict;
CREATE TABLE transcript (
    sid text primary key,
    project_id text not null,
    sequence integer not null unique,
    round_id text not null,
    task text not null,
    shard integer not null,
    bytes blob not null,
    unique (round_id, shard)
  ) strict;
CREATE TABLE sealed_opening (
    sid text not null references transcript (sid) on delete cascade,
    position integer not null,
    bytes blob not null,
    primary key (sid, position)
  ) strict;
CREATE TABLE evidence (
    sid text primary key,
    project_id text not null,
    salt blob not null,
    words blob not null,
    sealed blob
  ) strict;
CREATE TABLE "event" (
    position integer primary key,
    project_id text not null,
    stream_kind text not null check (stream_kind in ('run', 'round', 'project', 'registry', 'access')),
    stream_id text not null,
    sequence integer not null check (sequence >= 1),
    at integer not null,
    body text not null,
    unique (stream_kind, stream_id, sequence)
  ) strict;
CREATE TABLE task_settings (
    project_id text not null,
    slug text not null,
    body text not null, joining text not null default 'public', archived integer not null default false,
    primary key (project_id, slug)
  ) strict;
CREATE TABLE note (
    position integer primary key,
    project_id text not null,
    stream_kind text not null,
    stream_id text not null,
    sequence integer not null,
    run_id text,
    at integer not null,
    body text not null,
    unique (stream_kind, stream_id, sequence)
  ) strict;
CREATE TABLE access_row (
    kind text not null,
    id text not null,
    body text not null,
    primary key (kind, id)
  ) strict;
CREATE TABLE enrolment (
    token_id text not null,
    identity text not null,
    project_id text not null,
    task text,
    site_id text,
    enrolled_at integer not null,
    primary key (token_id, identity)
  ) strict;
CREATE TABLE model_use (
    model_hash text not null,
    run_id text not null,
    project_id text not null,
    primary key (model_hash, run_id)
  ) strict;
CREATE TABLE auth_user (
    id text primary key,
    name text not null,
    email text not null unique,
    email_verified integer not null,
    image text,
    created_at integer not null,
    updated_at integer not null
  ) strict;
CREATE TABLE auth_session (
    id text primary key,
    token text not null unique,
    user_id text not null,
    expires_at integer not null,
    created_at integer not null,
    updated_at integer not null,
    ip_address text,
    user_agent text,
    proved_at integer
  ) strict;
CREATE TABLE auth_account (
    id text primary key,
    account_id text not null,
    provider_id text not null,
    user_id text not null,
    access_token text,
    refresh_token text,
    id_token text,
    access_token_expires_at integer,
    refresh_token_expires_at integer,
    scope text,
    password text,
    created_at integer not null,
    updated_at integer not null,
    unique (provider_id, account_id)
  ) strict;
CREATE TABLE auth_verification (
    id text primary key,
    identifier text not null,
    value text not null,
    expires_at integer not null,
    created_at integer not null,
    updated_at integer not null
  ) strict;
CREATE TABLE passkey (
    credential_id text primary key,
    person_id text not null,
    public_key blob not null,
    counter integer not null,
    transports text not null,
    made_at integer not null
  ) strict;
INSERT INTO "kysely_migration" (name, timestamp) VALUES ('0001-spine', '2026-11-30T12:28:34.654Z');
INSERT INTO "kysely_migration" (name, timestamp) VALUES ('0002-transcripts', '2026-11-30T12:28:34.655Z');
INSERT INTO "kysely_migration" (name, timestamp) VALUES ('0003-reading', '2026-11-30T12:28:34.657Z');
INSERT INTO "kysely_migration" (name, timestamp) VALUES ('0004-evidence', '2026-11-30T12:28:34.658Z');
INSERT INTO "kysely_migration" (name, timestamp) VALUES ('0005-open-rounds', '2026-11-30T12:28:34.659Z');
INSERT INTO "kysely_migration" (name, timestamp) VALUES ('0006-streams', '2026-11-30T12:28:34.660Z');
INSERT INTO "kysely_migration" (name, timestamp) VALUES ('0007-task-settings', '2026-11-30T12:28:34.661Z');
INSERT INTO "kysely_migration" (name, timestamp) VALUES ('0008-notes', '2026-11-30T12:28:34.663Z');
INSERT INTO "kysely_migration" (name, timestamp) VALUES ('0009-measures', '2026-11-30T12:28:34.665Z');
INSERT INTO "kysely_migration" (name, timestamp) VALUES ('0010-device-measures', '2026-11-30T12:28:34.666Z');
INSERT INTO "kysely_migration" (name, timestamp) VALUES ('0011-access', '2026-11-30T12:28:34.672Z');
INSERT INTO "kysely_migration" (name, timestamp) VALUES ('0012-archive', '2026-11-30T12:28:34.673Z');
INSERT INTO "kysely_migration_lock" (id, is_locked) VALUES ('migration_lock', 0);
INSERT INTO "counter" (name, value) VALUES ('event', 20);
INSERT INTO "counter" (name, value) VALUES ('audit-leaf', 19);
INSERT INTO "counter" (name, value) VALUES ('transcript', 0);
INSERT INTO "counter" (name, value) VALUES ('join-token/b5cc39bd344f39cf9ba740d886ffb5a4', 1);
INSERT INTO "counter" (name, value) VALUES ('join-token/a5c5b1c962fd3fd2450110b5952c1d57', 1);
INSERT INTO "task" (project_id, slug, version, task_hash, body, actor, created_at) VALUES ('ward', 'small', 1, '0000000000000000000000000000000000000000000000000000000000000001', '{"slug":"small","version":1,"invitation":"Help a model tell three things apart","learns":"which of three it is","exampleNoun":{"one":"row","many":"rows"},"dataCard":"Made up.","model":{"format":"tfjs-layers","inputShape":[4],"classCount":3,"layers":[{"className":"Dense","name":"out","units":3,"activation":"softmax"}]},"features":{"kind":"tabular","columns":[{"name":"a","type":"numeric","range":[0,1],"protected":false,"input":true},{"name":"b","type":"numeric","range":[0,1],"protected":false,"input":true},{"name":"c","type":"numeric","range":[0,1],"protected":false,"input":true},{"name":"d","type":"numeric","range":[0,1],"protected":false,"input":true}],"label":{"name":"label"},"classes":["x","y","z"]},"training":{"epochs":1,"batchSize":8,"optimizer":{"kind":"sgd","learningRate":0.1,"momentum":0},"proximalMu":0},"aggregation":{"strategy":{"kind":"fedavg","serverLearningRate":1},"goal":3,"overSelection":1,"cohortSizeMin":3,"cohortSizeMax":11,"securityModel":"active","graph":"complete","deadlines":{"recruitingMs":60000,"trainingMs":60000,"sharingMs":30000,"collectingMs":60000,"confirmingMs":30000,"unmaskingMs":30000,"graceMs":60000},"recruitingMinMs":2000,"clipNormL2":1,"weightCap":1000,"ring":32},"evaluation":{"heldOutFraction":0.2,"localFraction":0.2}}', 'ada', 1767225600000);
INSERT INTO "audit_leaf" (sequence, project_id, kind, body) VALUES (1, 'default', 'role.given', '{"version":1,"by":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4","about":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4","role":{"role":"admin"},"projectId":"ward"}');
INSERT INTO "audit_leaf" (sequence, project_id, kind, body) VALUES (2, 'default', 'project.made', '{"version":1,"by":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4","projectId":"lab"}');
INSERT INTO "audit_leaf" (sequence, project_id, kind, body) VALUES (3, 'default', 'invitation.made', '{"version":1,"by":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4","role":{"role":"researcher","projectId":"ward"}}');
INSERT INTO "audit_leaf" (sequence, project_id, kind, body) VALUES (4, 'default', 'role.given', '{"version":1,"by":"0ede9244f73ca2e24982b19b1bff426b2396b808e45069b2814cd7354dfe1c0b","about":"0ede9244f73ca2e24982b19b1bff426b2396b808e45069b2814cd7354dfe1c0b","role":{"role":"researcher","projectId":"ward"}}');
INSERT INTO "audit_leaf" (sequence, project_id, kind, body) VALUES (5, 'default', 'invitation.made', '{"version":1,"by":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4","role":{"role":"auditor","projectId":"ward"}}');
INSERT INTO "audit_leaf" (sequence, project_id, kind, body) VALUES (6, 'default', 'invitation.made', '{"version":1,"by":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4","role":{"role":"auditor","projectId":"ward"}}');
INSERT INTO "audit_leaf" (sequence, project_id, kind, body) VALUES (7, 'default', 'invitation.withdrawn', '{"version":1,"by":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4"}');
INSERT INTO "audit_leaf" (sequence, project_id, kind, body) VALUES (8, 'default', 'invitation.made', '{"version":1,"by":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4","role":{"role":"admin"}}');
INSERT INTO "audit_leaf" (sequence, project_id, kind, body) VALUES (9, 'default', 'role.given', '{"version":1,"by":"6ebcbaf261dd0c0b35a9fcc940314c5ca18703c4ca8f2fdb36ea386eac8d3528","about":"6ebcbaf261dd0c0b35a9fcc940314c5ca18703c4ca8f2fdb36ea386eac8d3528","role":{"role":"admin"}}');
INSERT INTO "audit_leaf" (sequence, project_id, kind, body) VALUES (10, 'default', 'session.changed', '{"version":1,"by":"0ede9244f73ca2e24982b19b1bff426b2396b808e45069b2814cd7354dfe1c0b","what":"passkey"}');
INSERT INTO "audit_leaf" (sequence, project_id, kind, body) VALUES (11, 'default', 'token.made', '{"version":1,"by":"0ede9244f73ca2e24982b19b1bff426b2396b808e45069b2814cd7354dfe1c0b","of":"api","scopes":["read","runs"],"endsAt":1775001600000}');
INSERT INTO "audit_leaf" (sequence, project_id, kind, body) VALUES (12, 'default', 'token.made', '{"version":1,"by":"0ede9244f73ca2e24982b19b1bff426b2396b808e45069b2814cd7354dfe1c0b","of":"api","scopes":["read"],"endsAt":1775001600000}');
INSERT INTO "audit_leaf" (sequence, project_id, kind, body) VALUES (13, 'default', 'token.revoked', '{"version":1,"by":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4","of":"api"}');
INSERT INTO "audit_leaf" (sequence, project_id, kind, body) VALUES (14, 'ward', 'task.published', '{"slug":"small","taskVersion":1}');
INSERT INTO "audit_leaf" (sequence, project_id, kind, body) VALUES (15, 'default', 'token.made', '{"version":1,"by":"0ede9244f73ca2e24982b19b1bff426b2396b808e45069b2814cd7354dfe1c0b","of":"join","projectId":"ward","task":"small","uses":3,"endsAt":1769817600000}');
INSERT INTO "audit_leaf" (sequence, project_id, kind, body) VALUES (16, 'default', 'site.named', '{"version":1,"by":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4","projectId":"ward"}');
INSERT INTO "audit_leaf" (sequence, project_id, kind, body) VALUES (17, 'default', 'token.made', '{"version":1,"by":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4","of":"join","projectId":"ward","task":null,"uses":1,"endsAt":1769817600000}');
INSERT INTO "audit_leaf" (sequence, project_id, kind, body) VALUES (18, 'default', 'site.enrolled', '{"version":1,"by":null}');
INSERT INTO "audit_leaf" (sequence, project_id, kind, body) VALUES (19, 'default', 'proposal.made', '{"version":1,"by":"5b8b43125939402d1ef15d61bc9fddb182b89cfaf630853c6c7bd4fe373239b4","act":"give-admin-role"}');
INSERT INTO "setting" (project_id, name, value) VALUES ('', 'instance', '00120012001200120012001200120012');
INSERT INTO "event" (position, project_id, stream_kind, stream_id, sequence, at, body) VALUES (1, 'default', 'access', 'coordinator', 1, 1767225600000, '{"version":1,"fact":{"type":"set-up","personId":"f9244996aa3becbf34466658b281e2c2","actor":"ada","projectId":"ward"}}');
INSERT INTO "event" (position, project_id, stream_kind, stream_id, sequence, at, body) VALUES (2, 'default', 'access', 'coordinator', 2, 1767225600000, '{"version":1,"fact":{"type":"project-made","projectId":"lab","actor":"ada"}}');
INSERT INTO "event" (position, project_id, stream_kind, stream_id, sequence, at, body) VALUES (3, 'default', 'access', 'coordinator', 3, 1767225600000, '{"version":1,"fact":{"type":"invited","invitationId":"b92a71f6eb76b09538964eb1a810de26","role":{"role":"researcher","projectId":"ward"},"actor":"ada"}}');
INSERT INTO "event" (position, project_id, stream_kind, stream_id, sequence, at, body) VALUES (4, 'default', 'access', 'coordinator', 4, 1767225600000, '{"version":1,"fact":{"type":"joined","invitationId":"b92a71f6eb76b09538964eb1a810de26","personId":"5027cf43cfa0f031bb045956280e3902","name":"kim","role":{"role":"researcher","projectId":"ward"},"actor":"kim"}}');
INSERT INTO "event" (position, project_id, stream_kind, stream_id, sequence, at, body) VALUES (5, 'default', 'access', 'coordinator', 5, 1767225600000, '{"version":1,"fact":{"type":"invited","invitationId":"41a8dca6de9331d51ecb456030236f0c","role":{"role":"auditor","projectId":"ward"},"actor":"ada"}}');
INSERT INTO "event" (position, project_id, stream_kind, stream_id, sequence, at, body) VALUES (6, 'default', 'access', 'coordinator', 6, 1767225600000, '{"version":1,"fact":{"type":"invited","invitationId":"9c04bc291221bb38e598bf26d9f5b142","role":{"role":"auditor","projectId":"ward"},"actor":"ada"}}');
INSERT INTO "event" (position, project_id, stream_kind, stream_id, sequence, at, body) VALUES (7, 'default', 'access', 'coordinator', 7, 1767225600000, '{"version":1,"fact":{"type":"invitation-withdrawn","invitationId":"9c04bc291221bb38e598bf26d9f5b142","actor":"ada"}}');
INSERT INTO "event" (position, project_id, stream_kind, stream_id, sequence, at, body) VALUES (8, 'default', 'access', 'coordinator', 8, 1767225600000, '{"version":1,"fact":{"type":"invited","invitationId":"acb0f615800e8bf5176c566b9ee49c9a","role":{"role":"admin"},"actor":"ada"}}');
INSERT INTO "event" (position, project_id, stream_kind, stream_id, sequence, at, body) VALUES (9, 'default', 'access', 'coordinator', 9, 1767225600000, '{"version":1,"fact":{"type":"joined","invitationId":"acb0f615800e8bf5176c566b9ee49c9a","personId":"5e2bfdc1577ced4c3cac1f010dd4d8a2","name":"ben","role":{"role":"admin"},"actor":"ben"}}');
INSERT INTO "event" (position, project_id, stream_kind, stream_id, sequence, at, body) VALUES (10, 'default', 'access', 'coordinator', 10, 1767225600000, '{"version":1,"fact":{"type":"sign-in-changed","personId":"5027cf43cfa0f031bb045956280e3902","what":"passkey","actor":"kim"}}');
INSERT INTO "event" (position, project_id, stream_kind, stream_id, sequence, at, body) VALUES (11, 'default', 'access', 'coordinator', 11, 1767225600000, '{"version":1,"fact":{"type":"api-token-made","tokenId":"9aa7be3103780b2a624d38447f438290","scopes":["read","runs"],"endsAt":1775001600000,"actor":"kim"}}');
INSERT INTO "event" (position, project_id, stream_kind, stream_id, sequence, at, body) VALUES (12, 'default', 'access', 'coordinator', 12, 1767225600000, '{"version":1,"fact":{"type":"api-token-made","tokenId":"34233bd1cde6afe5f3ce46c35a787f6c","scopes":["read"],"endsAt":1775001600000,"actor":"kim"}}');
INSERT INTO "event" (position, project_id, stream_kind, stream_id, sequence, at, body) VALUES (13, 'default', 'access', 'coordinator', 13, 1767225600000, '{"version":1,"fact":{"type":"api-token-revoked","tokenId":"34233bd1cde6afe5f3ce46c35a787f6c","actor":"ada"}}');
INSERT INTO "event" (position, project_id, stream_kind, stream_id, sequence, at, body) VALUES (14, 'ward', 'project', 'ward', 1, 1767225600000, '{"body":{"slug":"small","taskVersion":1}}');
INSERT INTO "event" (position, project_id, stream_kind, stream_id, sequence, at, body) VALUES (15, 'ward', 'project', 'ward', 2, 1767225600000, '{"body":{}}');
INSERT INTO "event" (position, project_id, stream_kind, stream_id, sequence, at, body) VALUES (16, 'default', 'access', 'coordinator', 14, 1767225600000, '{"version":1,"fact":{"type":"join-token-made","tokenId":"b5cc39bd344f39cf9ba740d886ffb5a4","projectId":"ward","task":"small","uses":3,"endsAt":1769817600000,"actor":"kim"}}');
INSERT INTO "event" (position, project_id, stream_kind, stream_id, sequence, at, body) VALUES (17, 'default', 'access', 'coordinator', 15, 1767225600000, '{"version":1,"fact":{"type":"site-named","siteId":"ef3d74a5e591f2a3745897924cf66572","projectId":"ward","actor":"ada"}}');
INSERT INTO "event" (position, project_id, stream_kind, stream_id, sequence, at, body) VALUES (18, 'default', 'access', 'coordinator', 16, 1767225600000, '{"version":1,"fact":{"type":"join-token-made","tokenId":"a5c5b1c962fd3fd2450110b5952c1d57","projectId":"ward","task":null,"uses":1,"endsAt":1769817600000,"actor":"ada"}}');
INSERT INTO "event" (position, project_id, stream_kind, stream_id, sequence, at, body) VALUES (19, 'default', 'access', 'coordinator', 17, 1767225600000, '{"version":1,"fact":{"type":"site-enrolled","siteId":"ef3d74a5e591f2a3745897924cf66572","key":"f89448b202718480b3a78e0e779f2e115a83c9ca9b729466e023e26c2a39b290","actor":"Clinic North"}}');
INSERT INTO "event" (position, project_id, stream_kind, stream_id, sequence, at, body) VALUES (20, 'default', 'access', 'coordinator', 18, 1767225600000, '{"version":1,"fact":{"type":"proposed","proposalId":"d76bda0e501dc4d2918d64273910c841","act":{"type":"give-admin-role","personId":"5027cf43cfa0f031bb045956280e3902"},"reason":"she runs the ward","actor":"ada"}}');
INSERT INTO "task_settings" (project_id, slug, body, joining, archived) VALUES ('ward', 'small', '{"joining":"invitation","heldOut":{"hash":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e","format":"csv","byteCount":4000,"rowCount":300,"balance":{"kind":"classes","counts":[{"name":"x","rows":100},{"name":"y","rows":100},{"name":"z","rows":100}]},"card":{"source":"Made up.","licence":"None.","ground":"Tests.","collected":"2026"},"versions":[1,2,3],"setAt":"2026-01-01T00:00:00.000Z","setBy":"ada"},"archived":{"at":"2026-01-01T00:00:00.000Z","by":"kim"}}', 'invitation', 1);
INSERT INTO "access_row" (kind, id, body) VALUES ('person', 'f9244996aa3becbf34466658b281e2c2', '{"personId":"f9244996aa3becbf34466658b281e2c2","name":"ada","isAdmin":true,"roles":[],"madeAt":1767225600000,"salt":"7b3da9c04901c3560de3ba86bbcb8a03e00c19c1c710c4cba6770fbc196f2a31","signsInWith":["password"],"rolesTaken":null,"places":["e1e2ef0a16a739258ea885b9ab820ffedbd84301a196ab29d0128eed46e55163"]}');
INSERT INTO "access_row" (kind, id, body) VALUES ('project', 'ward', '{"projectId":"ward","madeAt":1767225600000,"madeBy":"ada"}');
INSERT INTO "access_row" (kind, id, body) VALUES ('project', 'lab', '{"projectId":"lab","madeAt":1767225600000,"madeBy":"ada"}');
INSERT INTO "access_row" (kind, id, body) VALUES ('invitation', 'b92a71f6eb76b09538964eb1a810de26', '{"invitationId":"b92a71f6eb76b09538964eb1a810de26","tokenHash":"824247b8b183ce0f59725b43707fea087bf94e195e90a7ff82e5dbfba4c66636","role":{"role":"researcher","projectId":"ward"},"note":"from the clinic","madeAt":1767225600000,"madeBy":"ada","endsAt":1767484800000,"usedBy":"kim","withdrawnAt":null}');
INSERT INTO "access_row" (kind, id, body) VALUES ('person', '5027cf43cfa0f031bb045956280e3902', '{"personId":"5027cf43cfa0f031bb045956280e3902","name":"kim","isAdmin":false,"roles":[{"projectId":"ward","role":"researcher"}],"madeAt":1767225600000,"salt":"aa97b237a55867c3385bace678cc08a7a2e1f73f0d123d3068092218bfb45f6a","signsInWith":["password","passkey"],"rolesTaken":null,"places":["3d54ad9a934e40da9000feccdb6f71715fc54b412a23e91a9afbc99f1a2aac63"]}');
INSERT INTO "access_row" (kind, id, body) VALUES ('invitation', '41a8dca6de9331d51ecb456030236f0c', '{"invitationId":"41a8dca6de9331d51ecb456030236f0c","tokenHash":"c4152f146b08ac19aad02c956741d73c557836e4602dcb4bca94412e4b179483","role":{"role":"auditor","projectId":"ward"},"note":"","madeAt":1767225600000,"madeBy":"ada","endsAt":1767484800000,"usedBy":null,"withdrawnAt":null}');
INSERT INTO "access_row" (kind, id, body) VALUES ('invitation', '9c04bc291221bb38e598bf26d9f5b142', '{"invitationId":"9c04bc291221bb38e598bf26d9f5b142","tokenHash":"0281b5dc787e752a5e1dbf550cbcc752dba438f18550f72c01a8ac7cfc811ef5","role":{"role":"auditor","projectId":"ward"},"note":"","madeAt":1767225600000,"madeBy":"ada","endsAt":1767484800000,"usedBy":null,"withdrawnAt":1767225600000}');
INSERT INTO "access_row" (kind, id, body) VALUES ('invitation', 'acb0f615800e8bf5176c566b9ee49c9a', '{"invitationId":"acb0f615800e8bf5176c566b9ee49c9a","tokenHash":"90e1f46b865990f0ba89ee8f3760433bbd44eb3578c5b1fb3bd01f8ce80e6e2a","role":{"role":"admin"},"note":"","madeAt":1767225600000,"madeBy":"ada","endsAt":1767484800000,"usedBy":"ben","withdrawnAt":null}');
INSERT INTO "access_row" (kind, id, body) VALUES ('person', '5e2bfdc1577ced4c3cac1f010dd4d8a2', '{"personId":"5e2bfdc1577ced4c3cac1f010dd4d8a2","name":"ben","isAdmin":true,"roles":[],"madeAt":1767225600000,"salt":"9b08bfb67a3ee48ed76300db919f9d1f28d35997bb4654b0fd1d51dc55faa4cf","signsInWith":["password"],"rolesTaken":null,"places":["e1a2e675d7add8345ef06b20e003a8b0af1b2218dd158fc9419a5773c7412635"]}');
INSERT INTO "access_row" (kind, id, body) VALUES ('api-token', '9aa7be3103780b2a624d38447f438290', '{"tokenId":"9aa7be3103780b2a624d38447f438290","tokenHash":"5aabf29f7b45d47cd30ab7155d09f00f8c4c0b7c8ffb2767cd2159721ee2a3a2","shown":"cht_upT7","label":"nightly","personId":"5027cf43cfa0f031bb045956280e3902","scopes":["read","runs"],"madeAt":1767225600000,"endsAt":1775001600000,"revokedAt":null}');
INSERT INTO "access_row" (kind, id, body) VALUES ('api-token', '34233bd1cde6afe5f3ce46c35a787f6c', '{"tokenId":"34233bd1cde6afe5f3ce46c35a787f6c","tokenHash":"2e8babf2e7264940d7f51258e5076382162d9915d8a9dff796bf6ced72de0c2b","shown":"cht_2P-d","label":"old","personId":"5027cf43cfa0f031bb045956280e3902","scopes":["read"],"madeAt":1767225600000,"endsAt":1775001600000,"revokedAt":1767225600000}');
INSERT INTO "access_row" (kind, id, body) VALUES ('join-token', 'b5cc39bd344f39cf9ba740d886ffb5a4', '{"tokenId":"b5cc39bd344f39cf9ba740d886ffb5a4","tokenHash":"1f363509b56e01da36f92f3cc28d25bb93b478407e3dba1d8ade7cbcc62f7bf2","shown":"chj_TFc5","projectId":"ward","task":"small","siteId":null,"uses":3,"madeAt":1767225600000,"madeBy":"kim","endsAt":1769817600000,"revokedAt":null,"devicesRemovedAt":null}');
INSERT INTO "access_row" (kind, id, body) VALUES ('site', 'ef3d74a5e591f2a3745897924cf66572', '{"siteId":"ef3d74a5e591f2a3745897924cf66572","name":"Clinic North","projectId":"ward","identity":"2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e","madeAt":1767225600000,"madeBy":"ada","revokedAt":null,"lastSeenAt":1767225600000,"version":"0.1.0"}');
INSERT INTO "access_row" (kind, id, body) VALUES ('join-token', 'a5c5b1c962fd3fd2450110b5952c1d57', '{"tokenId":"a5c5b1c962fd3fd2450110b5952c1d57","tokenHash":"2dfb73de13194b3e31264ec3719a44e4a812f53438dbd4c1282f6346329a3b82","shown":"chj_avBT","projectId":"ward","task":null,"siteId":"ef3d74a5e591f2a3745897924cf66572","uses":1,"madeAt":1767225600000,"madeBy":"ada","endsAt":1769817600000,"revokedAt":null,"devicesRemovedAt":null}');
INSERT INTO "access_row" (kind, id, body) VALUES ('proposal', 'd76bda0e501dc4d2918d64273910c841', '{"proposalId":"d76bda0e501dc4d2918d64273910c841","act":{"type":"give-admin-role","personId":"5027cf43cfa0f031bb045956280e3902"},"reason":"she runs the ward","madeAt":1767225600000,"madeBy":"ada","endsAt":1767312000000,"end":null,"owed":null}');
INSERT INTO "enrolment" (token_id, identity, project_id, task, site_id, enrolled_at) VALUES ('b5cc39bd344f39cf9ba740d886ffb5a4', '1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d', 'ward', 'small', NULL, 1767225600000);
INSERT INTO "enrolment" (token_id, identity, project_id, task, site_id, enrolled_at) VALUES ('a5c5b1c962fd3fd2450110b5952c1d57', '2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e', 'ward', NULL, 'ef3d74a5e591f2a3745897924cf66572', 1767225600000);
INSERT INTO "auth_user" (id, name, email, email_verified, image, created_at, updated_at) VALUES ('f9244996aa3becbf34466658b281e2c2', 'ada', 'f9244996aa3becbf34466658b281e2c2@person.invalid', 0, NULL, 1796041715127, 1767225600000);
INSERT INTO "auth_user" (id, name, email, email_verified, image, created_at, updated_at) VALUES ('5027cf43cfa0f031bb045956280e3902', 'kim', '5027cf43cfa0f031bb045956280e3902@person.invalid', 0, NULL, 1796041715425, 1767225600000);
INSERT INTO "auth_user" (id, name, email, email_verified, image, created_at, updated_at) VALUES ('5e2bfdc1577ced4c3cac1f010dd4d8a2', 'ben', '5e2bfdc1577ced4c3cac1f010dd4d8a2@person.invalid', 0, NULL, 1796041715734, 1767225600000);
INSERT INTO "auth_session" (id, token, user_id, expires_at, created_at, updated_at, ip_address, user_agent, proved_at) VALUES ('1488ab09b45c15fccc03d849d59684ec', '78ff7e6cd58ba546e8f51009a424fb21b32a4a62eee952d76c8aa097a1eabc85', 'f9244996aa3becbf34466658b281e2c2', 1767268800000, 1767225600000, 1767225600000, NULL, NULL, 1767225600000);
INSERT INTO "auth_session" (id, token, user_id, expires_at, created_at, updated_at, ip_address, user_agent, proved_at) VALUES ('d86157c56a3d9acafbefcaecb32f8c43', '5870ed1fdf5a5f716d13fe4a4682658913cdfe92ad8a9dae8dbeac2d29152b8f', '5027cf43cfa0f031bb045956280e3902', 1767268800000, 1767225600000, 1767225600000, NULL, NULL, 1767225600000);
INSERT INTO "auth_session" (id, token, user_id, expires_at, created_at, updated_at, ip_address, user_agent, proved_at) VALUES ('1f94454fcf918686ebe5169c97739425', '6c34192690c8ed05dc987cfeff0a5205aae8277fda553231f772416465b09375', '5e2bfdc1577ced4c3cac1f010dd4d8a2', 1767268800000, 1767225600000, 1767225600000, NULL, NULL, 1767225600000);
INSERT INTO "auth_account" (id, account_id, provider_id, user_id, access_token, refresh_token, id_token, access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at) VALUES ('16aec0d215947d2c1bf81ca08f710ac1', 'f9244996aa3becbf34466658b281e2c2', 'credential', 'f9244996aa3becbf34466658b281e2c2', NULL, NULL, NULL, NULL, NULL, NULL, '1b6cc7fe8bb2c1463fe72bbbcf3f7de8:c47bdaa26c362d9c327843aa47f383449cbfcfa901dce3095e3545da30f869f6b613c2929b6353974173794079fe5b34ef003dce95f762ad552c2f1b558504d9', 1796041715373, 1796041715373);
INSERT INTO "auth_account" (id, account_id, provider_id, user_id, access_token, refresh_token, id_token, access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at) VALUES ('4faed4abd021fa97a988be74d02b84bd', '5027cf43cfa0f031bb045956280e3902', 'credential', '5027cf43cfa0f031bb045956280e3902', NULL, NULL, NULL, NULL, NULL, NULL, 'a183f3938ac30f3b18fbea8aeccf8193:9a1657ca024783ee29572cac09ca59a6872a0b8d62a469e8f3b138e690347bb45b26d49b3c63022ae1ca3804352c1dac303fc9e4a8ed885425cfe5cbc7b9b737', 1796041715676, 1796041715676);
INSERT INTO "auth_account" (id, account_id, provider_id, user_id, access_token, refresh_token, id_token, access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at) VALUES ('65784dab93289cdc2b708f54d3021eee', '5e2bfdc1577ced4c3cac1f010dd4d8a2', 'credential', '5e2bfdc1577ced4c3cac1f010dd4d8a2', NULL, NULL, NULL, NULL, NULL, NULL, '5793404f7e308b9581ff0f3430a906bc:7dffbb2e676afacfb15e3e0319570992a041fc9f19e376a2fd401fe8b551880b51abf1a8d741d97a6220a5786d774239360422455b6cba9f7c4345fa3675124f', 1796041715965, 1796041715965);
INSERT INTO "passkey" (credential_id, person_id, public_key, counter, transports, made_at) VALUES ('AAECAwQFBgc', '5027cf43cfa0f031bb045956280e3902', X'0102feff', 7, '["internal"]', 1767225600000);
CREATE INDEX run_newest on run (project_id, created_at desc, run_id desc);
CREATE INDEX run_with_model on run (project_id, task, created_at desc, run_id desc) where newest is not null;
CREATE INDEX round_open on round (run_id) where phase not in ('committed', 'voided', 'failed');
CREATE INDEX note_of_run on note (run_id, position desc);
CREATE INDEX enrolment_of_identity on enrolment (identity);
CREATE INDEX enrolment_of_site on enrolment (site_id) where site_id is not null;
CREATE UNIQUE INDEX task_version on task (slug, version);
CREATE INDEX run_by_age on run (created_at desc, run_id desc);
CREATE INDEX run_of_task on run (task, created_at desc, run_id desc);
CREATE INDEX model_version_of_model on model_version (model_hash);
CREATE INDEX model_version_of_state on model_version (strategy_state_hash) where strategy_state_hash is not null;
CREATE INDEX round_of_sum on round (sum_hash) where sum_hash is not null;
CREATE INDEX auth_session_of_user on auth_session (user_id);
CREATE INDEX auth_account_of_user on auth_account (user_id);
CREATE INDEX auth_verification_of on auth_verification (identifier);
CREATE INDEX passkey_of_person on passkey (person_id);
