import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { openSignIns } from "#coordinator/adapters/auth/sign-ins.ts";
import { doorEndpoints } from "#coordinator/adapters/http/api/doors.ts";
import { emptyBody, idParams, peopleEndpoints, whole } from "#coordinator/adapters/http/api/people.ts";
import { proposalEndpoints } from "#coordinator/adapters/http/api/proposals.ts";
import { sessionEndpoints } from "#coordinator/adapters/http/api/sessions.ts";
import { tokenEndpoints } from "#coordinator/adapters/http/api/tokens.ts";
import { gateOf } from "#coordinator/adapters/http/app.ts";
import { Clients } from "#coordinator/adapters/http/clients.ts";
import { readCookie } from "#coordinator/adapters/http/cookies.ts";
import { API } from "#coordinator/adapters/http/dialect.ts";
import { type Endpoint, jsonEndpoint } from "#coordinator/adapters/http/endpoint.ts";
import { type App, honoPath, problemOf } from "#coordinator/adapters/http/mount.ts";
import { knownOrigins } from "#coordinator/adapters/http/origins.ts";
import { Problem } from "#coordinator/adapters/http/problem.ts";
import { NO_PROXIES } from "#coordinator/adapters/http/trusted-proxies.ts";
import { eraseSite } from "#coordinator/core/access/acts/erasing.ts";
import { AccessDesk } from "#coordinator/core/access/desk.ts";
import { Doors } from "#coordinator/core/access/doors.ts";
import { permissionRefusal, THE_WHOLE } from "#coordinator/core/access/permissions.ts";
import { ANYONE, type Principal } from "#coordinator/core/access/principal.ts";
import { joinTokenView, siteView } from "#coordinator/core/access/views.ts";
import { retentionTable } from "#coordinator/core/views/retention.ts";
import type { Role } from "#shared/access/roles.ts";
import { present } from "#shared/kernel/assert.ts";
import type { Result } from "#shared/kernel/result.ts";
import { after, monotonicClock, primitives, randomBytes } from "#shared/node/system.ts";
import {
  erasedSchema,
  joinTokenMadeSchema,
  joinTokenMakeSchema,
  joinTokenViewSchema,
  operationsSchema,
  siteMadeSchema,
  siteMakeSchema,
  siteTokenMakeSchema,
  siteViewSchema,
} from "#shared/protocol/access-api.ts";
import { listSchema } from "#shared/protocol/api.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import { retentionRowSchema } from "#shared/protocol/governance.ts";
import { memoryStore } from "../fakes/memory-store.ts";

/*
 * People, tokens, sites and proposals for pages that tests look at: the coordinator's own desk, doors and endpoints over a
 * store in memory. Devices and sites never come.
 */

/** The password of everyone here. */
export const FAKE_PASSWORD = "a sentence is easier to keep";
const DAY_MS = 86_400_000;
const PEOPLE: readonly (readonly [name: string, role: Role])[] = [
  ["m03a", { role: "researcher", projectId: "readmission" }],
  ["p88d", { role: "researcher", projectId: "digits" }],
  ["t19c", { role: "auditor", projectId: "readmission" }],
  ["b42s", { role: "researcher", projectId: "readmission" }],
];
const ADMINS = ["m03a", "p88d"];

export interface FakeAccess {
  /** True if this request is about access and was answered. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
  /** The token of the set-up link; null once there is an admin. */
  readonly setupToken: string | null;
  /** Moves the wall clock on. */
  passes(ms: number): void;
}

interface FakeAccessOptions {
  readonly url: string;
  /** False: there is no admin yet. */
  readonly claimed: boolean;
  /** Who every browser is without signing in; null if browsers sign in. */
  readonly everyoneIs: string | null;
}

export async function openFakeAccess({ url, claimed, everyoneIs }: FakeAccessOptions): Promise<FakeAccess> {
  let shiftMs = 0;
  const wall = { nowUnixMs: () => Date.now() + shiftMs };
  const quiet = { info: () => {}, warn: () => {}, error: () => {} };
  const store = memoryStore();
  const base = { primitives, random: randomBytes, clock: monotonicClock, wall, after, log: quiet };
  const desk = new AccessDesk({ ...base, store });
  await desk.start((_projectId, agreed) => agreed({ taskCount: 2, runCount: 6 }));
  const signIns = openSignIns({ ...base, records: store });
  const doors = new Doors({ ...base, desk, signIns });
  if (claimed) await settle(desk, signIns);
  const origins = knownOrigins(url);
  const clients = new Clients(NO_PROXIES, { strict: false });
  const ports = {
    accessDesk: desk,
    doors,
    openIdDoors: null,
    signIns,
    store,
    origins,
    clients,
    secure: false,
    nowUnixMs: wall.nowUnixMs,
    pagesUrl: () => url,
  };
  const endpoints = [
    ...doorEndpoints(ports),
    ...sessionEndpoints(ports),
    ...peopleEndpoints(ports),
    ...tokenEndpoints(ports),
    ...proposalEndpoints(ports),
    ...siteEndpoints(desk, url),
    operationsEndpoint(url),
    retentionEndpoint(),
  ];
  const principalOf = async (request: IncomingMessage): Promise<Principal> => {
    const cookie = readCookie(request, "local", "session");
    const person = cookie === null ? null : await doors.own.personOf(cookie);
    return person ?? (everyoneIs === null ? ANYONE : asIf(desk, everyoneIs, wall.nowUnixMs()));
  };
  const gate = gateOf({
    origins,
    clock: monotonicClock,
    stopping: new AbortController().signal,
    clients,
  } as Parameters<typeof gateOf>[0]);
  const app: App = new Hono();
  for (const endpoint of endpoints) {
    app.on(endpoint.method.toUpperCase(), honoPath(endpoint.path), async (context) => {
      try {
        const principal = await principalOf(context.env.incoming);
        const refusal = permissionRefusal(principal, endpoint.permission, THE_WHOLE, wall.nowUnixMs());
        if (refusal !== null) throw new Problem(refusal);
        return await endpoint.answer({ context, gate, principal, again: async () => principal });
      } catch (error) {
        return API.answer(problemOf(error, quiet, "fake"));
      }
    });
  }
  const listener = getRequestListener(app.fetch);
  const first = new Set(endpoints.map(({ path }) => path.split("/")[3]));
  return {
    setupToken: doors.openSetUp(),
    passes: (ms) => {
      shiftMs += ms;
    },
    handle: (request, response) => {
      const { pathname } = new URL(request.url ?? "/", url);
      if (!pathname.startsWith("/api/v1/") || !first.has(pathname.split("/")[3])) return false;
      void listener(request, response);
      return true;
    },
  };
}

function asIf(desk: AccessDesk, name: string, now: number): Principal {
  const { personId } = present(desk.book.personByName(name), "a person of the fake");
  const rights = present(desk.rightsOf(personId), "their rights");
  return {
    kind: "person",
    personId,
    name,
    rights,
    by: { type: "session", sessionId: "f".repeat(32), provedAt: now },
  };
}

/** Fills the desk: people, invitations, sites, tokens and two proposals. k7f2 is an admin. */
async function settle(desk: AccessDesk, signIns: ReturnType<typeof openSignIns>): Promise<void> {
  const idOf = (name: string) => name.padEnd(32, "0").replaceAll(/[^0-9a-f]/g, "0");
  const newcomer = async (name: string) => {
    await signIns.addPerson({ personId: idOf(name), name });
    await signIns.setPassword(idOf(name), FAKE_PASSWORD);
    return { personId: idOf(name), name, signsInWith: "password" as const };
  };
  known(await desk.setUp(await newcomer("k7f2"), "readmission"));
  for (const projectId of ["digits", "pilot"]) known(await desk.makeProject(projectId, "k7f2"));
  for (const [name, role] of PEOPLE) {
    const { token } = known(await desk.invite(role, "", "k7f2"));
    known(await desk.useInvitation(token, await newcomer(name)));
  }
  // One person in two projects: what they may do in the one, they may not do in the other.
  const roles = [
    { role: "researcher" as const, projectId: "readmission" },
    { role: "auditor" as const, projectId: "digits" },
  ];
  known(await desk.changeRoles(idOf("b42s"), { roles, makeAdmin: false }, "k7f2"));
  const [second = "", third = ""] = ADMINS;
  known(await desk.changeRoles(idOf(second), { roles: [], makeAdmin: true }, "k7f2"));
  const give = known(
    await desk.propose({ type: "give-admin-role", personId: idOf(third) }, "Runs digits.", "k7f2"),
  );
  known(await desk.agree(give.proposalId, second));
  known(await desk.invite({ role: "auditor", projectId: "readmission" }, "for the board", "k7f2"));
  const clinic = known(await desk.nameSite("Clinic North", "readmission", "k7f2"));
  known(await desk.enrolSite(clinic.siteId, "41c9".repeat(16)));
  known(await desk.nameSite("Clinic West", "readmission", "k7f2"));
  const terms = { projectId: "readmission", task: "readmission", actor: second };
  known(await desk.makeJoinToken({ ...terms, siteId: null, uses: 50, lifeMs: 20 * DAY_MS }));
  const rights = present(desk.rightsOf(idOf("k7f2")), "the admin's rights");
  const by = { type: "session", sessionId: "f".repeat(32), provedAt: 0 } as const;
  const admin = { kind: "person", personId: idOf("k7f2"), name: "k7f2", rights, by } as const;
  known(await desk.makeApiToken(admin, { label: "Grafana", scopes: ["metrics"], days: 60 }));
  known(await desk.makeApiToken(admin, { label: "nightly MLflow", scopes: ["read", "runs"], days: 4 }));
  known(
    await desk.propose(
      { type: "delete-project-data", projectId: "pilot" },
      "The pilot has ended; the ethics approval ran out on 30 June.",
      second,
    ),
  );
  known(
    await desk.propose({ type: "take-admin-role", personId: idOf(third) }, "Has left the institute.", "k7f2"),
  );
}

function known<Value>(result: Result<Value, WireError>): Value {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

/** Sites and join tokens; none is ever used. */
/** A machine whose last backup was two days ago. */
function operationsEndpoint(url: string): Endpoint {
  return jsonEndpoint({
    method: "get",
    path: "/api/v1/operations",
    summary: "A machine that pages are designed against",
    dialect: API,
    permission: "operations.read",
    answer: operationsSchema,
    handle: async () => ({
      database: "embedded" as const,
      disk: { freeByteCount: 38_200_000_000, floorByteCount: 67_108_864 },
      files: { usedByteCount: 6_100_000_000, quotaByteCount: 10_000_000_000 },
      memory: { residentByteCount: 182_000_000 },
      lastBackup: { at: new Date(Date.now() - 2 * 86_400_000).toISOString(), byteCount: 209_000_000 },
      address: { url, isBehindProxy: true, certificateEndsAt: null },
      limits: { devicesPerAddress: 400, joinsPerMinutePerAddress: 10, requestsPerSecondPerAddress: 400 },
    }),
  });
}

function retentionEndpoint(): Endpoint {
  return jsonEndpoint({
    method: "get",
    path: "/api/v1/retention",
    summary: "What a coordinator with the usual settings keeps",
    dialect: API,
    permission: "operations.read",
    answer: listSchema(retentionRowSchema),
    handle: async () => whole(retentionTable({ endedRowsDays: 90, keptRounds: 1 })),
  });
}

function siteEndpoints(desk: AccessDesk, url: string): readonly Endpoint[] {
  const actorOf = (principal: Principal) => (principal.kind === "person" ? principal.name : "unverified");
  const unwrapped = <Value>(result: Result<Value, WireError>): Value => {
    if (!result.ok) throw new Problem(result.error);
    return result.value;
  };
  const site = (siteId: string) => {
    const row = desk.book.get("site", siteId);
    if (row === null) throw new Problem(wireError("NOT_FOUND"));
    const isHere = row.identity !== null && row.revokedAt === null;
    return siteView(row, {
      task: isHere ? "readmission" : null,
      lastSeenAt: isHere ? Date.now() - 12_000 : null,
      key: row.identity,
    });
  };
  const joinToken = (tokenId: string) => {
    const row = desk.book.get("join-token", tokenId);
    if (row === null) throw new Problem(wireError("NOT_FOUND"));
    return joinTokenView(row, row.uses > 1 ? 41 : 0);
  };
  const siteToken = async (siteId: string, actor: string) => {
    const { projectId } = present(desk.book.get("site", siteId), "the site");
    const terms = { projectId, task: "readmission", siteId, uses: 1, lifeMs: 3 * DAY_MS, actor };
    return { site: site(siteId), token: unwrapped(await desk.makeJoinToken(terms)).token };
  };
  const about = { summary: "", dialect: API } as const;
  return [
    jsonEndpoint({
      ...about,
      method: "get",
      path: "/api/v1/sites",
      permission: "join-tokens.read",
      answer: listSchema(siteViewSchema),
      handle: async () =>
        whole(
          desk.book
            .list("site")
            .filter(({ erasedAt }) => erasedAt === null)
            .map(({ siteId }) => site(siteId)),
        ),
    }),
    jsonEndpoint({
      ...about,
      method: "post",
      path: "/api/v1/sites",
      permission: "sites.manage",
      body: siteMakeSchema,
      answer: siteMadeSchema,
      handle: async ({ body: { name, projectId }, principal }) => {
        const { siteId } = unwrapped(await desk.nameSite(name, projectId, actorOf(principal)));
        return siteToken(siteId, actorOf(principal));
      },
    }),
    jsonEndpoint({
      ...about,
      method: "post",
      path: "/api/v1/sites/{id}/token",
      permission: "sites.manage",
      params: idParams,
      body: siteTokenMakeSchema,
      answer: siteMadeSchema,
      handle: ({ params: { id }, principal }) => siteToken(id, actorOf(principal)),
    }),
    jsonEndpoint({
      ...about,
      method: "post",
      path: "/api/v1/sites/{id}/erase",
      permission: "sites.manage",
      params: idParams,
      body: emptyBody,
      answer: erasedSchema,
      handle: async ({ params: { id }, principal }) => {
        unwrapped(await desk.act((sight) => eraseSite(sight, id, actorOf(principal))));
        return { erased: true as const };
      },
    }),
    jsonEndpoint({
      ...about,
      method: "post",
      path: "/api/v1/sites/{id}/revoke",
      permission: "sites.manage",
      params: idParams,
      body: emptyBody,
      answer: siteViewSchema,
      handle: async ({ params: { id }, principal }) => {
        unwrapped(await desk.revokeSite(id, actorOf(principal)));
        return site(id);
      },
    }),
    jsonEndpoint({
      ...about,
      method: "get",
      path: "/api/v1/join-tokens",
      permission: "join-tokens.read",
      answer: listSchema(joinTokenViewSchema),
      handle: async () => whole(desk.book.list("join-token").map(({ tokenId }) => joinToken(tokenId))),
    }),
    jsonEndpoint({
      ...about,
      method: "post",
      path: "/api/v1/join-tokens",
      permission: "join-tokens.manage",
      body: joinTokenMakeSchema,
      answer: joinTokenMadeSchema,
      handle: async ({ body: { days, ...terms }, principal }) => {
        const made = unwrapped(
          await desk.makeJoinToken({
            ...terms,
            siteId: null,
            lifeMs: days * DAY_MS,
            actor: actorOf(principal),
          }),
        );
        const link = terms.task === null ? null : `${url}/join/${terms.task}#token=${made.token}`;
        return { joinToken: joinToken(made.row.tokenId), token: made.token, url: link };
      },
    }),
    jsonEndpoint({
      ...about,
      method: "post",
      path: "/api/v1/join-tokens/{id}/revoke",
      permission: "join-tokens.manage",
      params: idParams,
      body: emptyBody,
      answer: joinTokenViewSchema,
      handle: async ({ params: { id }, principal }) => {
        unwrapped(await desk.revokeJoinToken(id, actorOf(principal)));
        return joinToken(id);
      },
    }),
    jsonEndpoint({
      ...about,
      method: "post",
      path: "/api/v1/join-tokens/{id}/remove-devices",
      permission: "join-tokens.manage",
      params: idParams,
      body: emptyBody,
      answer: joinTokenViewSchema,
      handle: async ({ params: { id }, principal }) => {
        unwrapped(await desk.removeJoinedDevices(id, actorOf(principal)));
        return joinToken(id);
      },
    }),
  ];
}
