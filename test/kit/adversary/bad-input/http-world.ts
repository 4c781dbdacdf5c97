import { z } from "zod";
import type { Endpoint } from "#coordinator/adapters/http/endpoint.ts";
import type { Permission } from "#coordinator/core/access/permissions.ts";
import { GOOD_ACCOUNT } from "../../worlds/accounts.ts";
import { smallTask } from "../../worlds/small-task.ts";
import type { WholeShell } from "../../worlds/whole-shell.ts";
import { asAccount, type GoodAbout } from "./credentials.ts";
import { leavesOf } from "./places.ts";
import type { GoodRequest } from "./request.ts";
import { sampleOf } from "./sample.ts";
import type { HttpWorld } from "./subject.ts";

/* Good requests for any endpoint: its schemas give their form, the world the ids that exist. */

const FROM_PAGES: ReadonlySet<Permission> = new Set(["sessions.open", "credentials.own"]);
const NEW_SLUG = "another";

/** By name, wherever an endpoint takes it: in its address, its query or its body. */
function knownValues({ path }: Endpoint, world: WholeShell): Readonly<Record<string, string>> {
  const { input, openRunId, overRoundId, modelHash, federation, projectId, things } = world;
  const { deleted = "", ...tracked } = world.tracked;
  if (path.endsWith("/runs/restore")) return { ...tracked, run_id: deleted };
  if (isOfMlflow(path)) {
    const { run_id: runIds = "" } = tracked;
    const file = /\/(?:get-artifact|upload-artifact|artifacts\/files)$/.test(path) ? "a/b.bin" : null;
    return { ...tracked, run_ids: runIds, ...(file !== null && { path: file, artifact_file_path: file }) };
  }
  const thing = Object.entries(things).find(([start]) => path.startsWith(start))?.[1];
  return {
    ...(thing === undefined ? {} : { id: thing, personId: thing }),
    slug: federation.task.slug,
    task: federation.task.slug,
    project: projectId,
    version: "1",
    runId: openRunId,
    roundId: overRoundId,
    a: "1",
    b: "1",
    hash: modelHash,
    sid: input.sid,
    position: String(input.position),
    shard: "0",
    chunk: "0",
    "chorus-slot": input.headers.slot,
    "chorus-sha256": input.headers.sha256,
    "chorus-root": input.headers.root,
    "chorus-signature": input.headers.signature,
  };
}

const TRACKED_IDS = [
  ...[
    "experiment_id",
    "experiment_name",
    "run_id",
    "run_uuid",
    "model_id",
    "name",
    "artifactPath",
    "deleted",
  ],
] as const;

function isOfMlflow(path: string): boolean {
  return /^\/api\/[23]\.0\/mlflow/.test(path);
}

export function httpWorldOf(endpoint: Endpoint, world: WholeShell): HttpWorld {
  const known = knownValues(endpoint, world);
  const good = goodRequest(endpoint, known, world);
  const ids = new Set(
    [known["slug"], known["runId"], known["roundId"], known["hash"], known["sid"]].filter(
      (id) => id !== undefined,
    ),
  );
  return {
    good,
    closed: closedRequests(endpoint, good, world),
    conflicting: conflictingRequests(endpoint, good, world),
    ids,
    accounts: world.accounts,
    about: aboutOf(endpoint, good, ids, world),
  };
}

/** By what the good request names, whatever the endpoint says it is about. */
function aboutOf(
  { path, method }: Endpoint,
  good: GoodRequest,
  ids: ReadonlySet<string>,
  { joining, projectId, tracked }: WholeShell,
): GoodAbout {
  if (/^\/api\/v1\/(?:join-tokens|sites)\/\{id\}/.test(path)) return "project";
  const { params, query, json } = good;
  const leaves = leavesOf(json ?? null);
  const named = [...Object.values(params), ...leaves.map(({ value }) => value)];
  // A file may be put anywhere in one's own project. Everything else is looked for there.
  const isTracked = named.some((value) => TRACKED_IDS.some((name) => tracked[name] === value));
  const ofQuery = [...TRACKED_IDS, "run_ids"].some((name) => query[name] !== undefined);
  if (isOfMlflow(path)) return (isTracked || ofQuery) && method !== "put" ? "project" : "whole";
  // A project that is named is asked first.
  if ([...Object.values(query), ...leaves.map(({ value }) => value)].includes(projectId)) return "project";
  if (!named.some((value) => typeof value === "string" && ids.has(value))) return "whole";
  return joining === "public" ? "public-task" : "task-by-invitation";
}

function goodRequest(
  { params, query, body, request, permission, path }: Endpoint,
  known: Readonly<Record<string, string>>,
  world: WholeShell,
): GoodRequest {
  const valuesOf = (shape: Readonly<Record<string, unknown>>, optional: boolean) =>
    Object.fromEntries(
      Object.entries(shape as Readonly<Record<string, z.ZodType>>)
        .filter(([name, schema]) => optional || name in known || !schema.safeParse(undefined).success)
        .map(([name, schema]) => [name, known[name] ?? String(sampleOf(schema))]),
    );
  const { headers } = request;
  const takesBytes =
    request.body !== undefined && body === undefined && "application/octet-stream" in request.body.content;
  const sample = body === undefined ? undefined : sampleOf(body, isOfMlflow(path) ? [] : samplesOf(world));
  const json = isRecord(sample) && isOfMlflow(path) ? withKnown(sample, path, known) : sample;
  return {
    params: valuesOf(params?.shape ?? {}, true),
    // A cursor is only good for the list that gave it.
    query: valuesOf(query?.shape ?? {}, false),
    headers: {
      ...asAccount(GOOD_ACCOUNT),
      ...(headers instanceof z.ZodObject ? valuesOf(headers.shape, false) : {}),
      // Only a page makes and uses passkeys.
      ...(FROM_PAGES.has(permission) && body !== undefined ? { origin: "http://localhost" } : {}),
    },
    json,
    bytes: takesBytes ? world.input.body : null,
  };
}

/** Of schemas whose fields depend on each other or on the world. */
function samplesOf({ federation: { task }, projectId }: WholeShell) {
  const launch = {
    task: task.slug,
    rounds: 2,
    runId: "7".repeat(32),
    strategy: task.aggregation.strategy,
    training: task.training,
    seed: 3,
    waitUntil: "2027-01-01T00:00:00Z",
  };
  const roles = { roles: [{ role: "researcher", projectId }] };
  const invitation = { role: { role: "researcher", projectId }, note: "for the ward" };
  const promotion = { gates: [{ kind: "cohort", devicesMin: 3 }], promoteByItself: false };
  const joining = { projectId, task: task.slug, uses: 1, days: 1 };
  return [
    { ...task, slug: NEW_SLUG },
    launch,
    invitation,
    roles,
    joining,
    { name: "a clinic", projectId, task: task.slug },
    { version: 1, expected: null },
    { changes: { invitation: "Help", joining: "public", promotion } },
    { act: "promote", version: 1, expected: null },
  ];
}

/** A new thing has a new name; everything else is named as it is. */
function withKnown(
  sample: Readonly<Record<string, unknown>>,
  path: string,
  known: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
  const isNew = path.endsWith("/registered-models/create") || path.endsWith("/experiments/create");
  const entries = Object.entries(sample).map(([name, value]) => {
    if (name === "filter" || name === "page_token") return [name, ""];
    if (name === "order_by") return [name, []];
    if (name === "model_json") return [name, "{}"];
    if (name === "name" && isNew) return [name, "something new"];
    if (name === "model_id" && path.endsWith("/model-versions/create")) return [name, ""];
    return [name, name in known && typeof value === "string" ? known[name] : value];
  });
  return Object.fromEntries(entries);
}

function closedRequests({ method, params }: Endpoint, good: GoodRequest, world: WholeShell): GoodRequest[] {
  const shape = params?.shape ?? {};
  if (method === "post" && "runId" in shape)
    return [{ ...good, params: { ...good.params, runId: world.overRunId } }];
  if ("sid" in shape) return [{ ...good, params: { ...good.params, sid: world.overSid } }];
  return [];
}

function conflictingRequests({ method }: Endpoint, good: GoodRequest, world: WholeShell): GoodRequest[] {
  const { json } = good;
  if (isRecord(json) && json["slug"] === NEW_SLUG) return [{ ...good, json: smallTask(6) }];
  if (isRecord(json) && "runId" in json) return [{ ...good, json: { ...json, runId: world.openRunId } }];
  const root = good.headers["chorus-root"];
  if (method !== "put" || root === undefined) return [];
  return [{ ...good, headers: { ...good.headers, "chorus-root": "0".repeat(root.length) } }];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
