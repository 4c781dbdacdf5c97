import {
  erasedSchema,
  joinTokenMadeSchema,
  joinTokenMakeSchema,
  joinTokenViewSchema,
  siteMadeSchema,
  siteMakeSchema,
  siteTokenMakeSchema,
  siteViewSchema,
} from "#shared/protocol/access-api.ts";
import { listSchema } from "#shared/protocol/api.ts";
import { wireError } from "#shared/protocol/errors.ts";
import { DAY_MS } from "../../../core/access/acts/change.ts";
import { eraseSite } from "../../../core/access/acts/erasing.ts";
import type { AccessDesk } from "../../../core/access/desk.ts";
import type { Access } from "../../../core/access/device-login.ts";
import { type Permission, permissionRefusal } from "../../../core/access/permissions.ts";
import type { Principal } from "../../../core/access/principal.ts";
import type { JoinTokenRow, SiteRow } from "../../../core/access/rows.ts";
import { joinTokenView, siteView } from "../../../core/access/views.ts";
import type { Store } from "../../../core/ports/ports.ts";
import { API, named } from "../dialect.ts";
import { type Endpoint, jsonEndpoint } from "../endpoint.ts";
import { Problem } from "../problem.ts";
import { found, unwrapped } from "./answers.ts";
import { emptyBody, idParams, signedIn, whole } from "./people.ts";

export interface DevicePorts {
  readonly accessDesk: AccessDesk;
  readonly access: Pick<Access, "presenceOf">;
  readonly store: Pick<Store, "countJoins" | "findPlaces">;
  /** Unix milliseconds. */
  readonly nowUnixMs: () => number;
  /** Base address of the pages, for links that are shown once. */
  readonly pagesUrl: () => string;
}

/** A site enrols within this time, or gets another token. */
const SITE_TOKEN_DAYS = 30;

const joinToken = named(joinTokenViewSchema, "JoinToken");
const site = named(siteViewSchema, "Site");
const siteMade = named(siteMadeSchema, "SiteMade");

/** Join tokens and named sites. Browsers that have joined are in no list. */
export function deviceEndpoints(ports: DevicePorts): readonly Endpoint[] {
  const may = permitter(ports);
  return [...joinTokenEndpoints(ports, may), ...siteEndpoints(ports, may)];
}

/** True if `principal` holds the permission in this project. */
type May = (principal: Principal, permission: Permission, projectId: string) => boolean;

function permitter({ nowUnixMs }: DevicePorts): May {
  return (principal, permission, projectId) =>
    permissionRefusal(principal, permission, { projectId, task: null }, nowUnixMs()) === null;
}

/** @throws Problem FORBIDDEN: the role is one in another project. */
function need(isAllowed: boolean): void {
  if (!isAllowed)
    throw new Problem(wireError("FORBIDDEN", "You have no role in this project that may do this."));
}

/** @throws Problem NOT_FOUND, also for what is of a project in which the asker may not act. */
function own<Row extends { readonly projectId: string }>(row: Row | null, isOwn: (row: Row) => boolean): Row {
  return found(row !== null && isOwn(row) ? row : null);
}

function joinTokenEndpoints(ports: DevicePorts, may: May): readonly Endpoint[] {
  const { accessDesk, store, pagesUrl } = ports;
  const shown = async (row: JoinTokenRow) =>
    joinTokenView(row, (await store.countJoins()).get(row.tokenId) ?? 0);
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/join-tokens",
      summary: "Join tokens of one's projects, newest first",
      dialect: API,
      permission: "join-tokens.read",
      answer: listSchema(joinToken),
      handle: async ({ principal }) => {
        const used = await store.countJoins();
        const rows = accessDesk.book
          .list("join-token")
          .filter(({ projectId }) => may(principal, "join-tokens.read", projectId))
          .toSorted((left, right) => right.madeAt - left.madeAt);
        return whole(rows.map((row) => joinTokenView(row, used.get(row.tokenId) ?? 0)));
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/join-tokens",
      summary: "Make a join token for a task, or for all tasks of a project. It is shown once",
      dialect: API,
      permission: "join-tokens.manage",
      body: joinTokenMakeSchema,
      answer: named(joinTokenMadeSchema, "JoinTokenMade"),
      status: 201,
      handle: async ({ body: { projectId, task, uses, days }, principal }) => {
        need(may(principal, "join-tokens.manage", projectId));
        await checkTask(store, task, projectId);
        const { name: actor } = signedIn(principal);
        const terms = { projectId, task, siteId: null, uses, lifeMs: days * DAY_MS, actor };
        const { token, row } = unwrapped(await accessDesk.makeJoinToken(terms));
        // In the fragment, which browsers do not send.
        const url = task === null ? null : `${pagesUrl()}/join/${task}#token=${token}`;
        return { joinToken: joinTokenView(row, 0), token, url };
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/join-tokens/{id}/revoke",
      summary: "Revoke a join token. Devices that it has enrolled stay",
      dialect: API,
      permission: "join-tokens.manage",
      params: idParams,
      body: emptyBody,
      answer: joinToken,
      handle: async ({ params: { id }, principal }) => {
        const row = () => accessDesk.book.get("join-token", id);
        own(row(), ({ projectId }) => may(principal, "join-tokens.manage", projectId));
        unwrapped(await accessDesk.revokeJoinToken(id, signedIn(principal).name));
        return shown(found(row()));
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/join-tokens/{id}/remove-devices",
      summary: "Remove the devices that a join token has enrolled, and revoke it",
      dialect: API,
      permission: "join-tokens.manage",
      params: idParams,
      body: emptyBody,
      answer: joinToken,
      handle: async ({ params: { id }, principal }) => {
        const row = () => accessDesk.book.get("join-token", id);
        own(row(), ({ projectId }) => may(principal, "join-tokens.manage", projectId));
        unwrapped(await accessDesk.removeJoinedDevices(id, signedIn(principal).name));
        return shown(found(row()));
      },
    }),
  ];
}

function siteEndpoints(ports: DevicePorts, may: May): readonly Endpoint[] {
  const { accessDesk, access, store } = ports;
  const book = () => accessDesk.book;
  const shown = async (row: SiteRow) => siteView(row, await access.presenceOf(row));
  const tokenFor = async ({ siteId, projectId }: SiteRow, task: string | null, actor: string) => {
    const terms = { projectId, task, siteId, uses: 1, lifeMs: SITE_TOKEN_DAYS * DAY_MS, actor };
    return unwrapped(await accessDesk.makeJoinToken(terms)).token;
  };
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/sites",
      summary: "Named sites of one's projects, newest first",
      dialect: API,
      permission: "join-tokens.read",
      answer: listSchema(site),
      handle: async ({ principal }) => {
        const rows = book()
          .list("site")
          .filter(({ erasedAt }) => erasedAt === null)
          .filter(({ projectId }) => may(principal, "join-tokens.read", projectId))
          .toSorted((left, right) => right.madeAt - left.madeAt);
        return whole(await Promise.all(rows.map(shown)));
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/sites",
      summary: "Name a site. The first device that brings its token becomes it",
      dialect: API,
      permission: "sites.manage",
      body: siteMakeSchema,
      answer: siteMade,
      status: 201,
      handle: async ({ body: { name, projectId, task }, principal }) => {
        const { name: actor } = signedIn(principal);
        await checkTask(store, task, projectId);
        const row = unwrapped(await accessDesk.nameSite(name, projectId, actor));
        return { site: await shown(row), token: await tokenFor(row, task, actor) };
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/sites/{id}/token",
      summary:
        "Make another token for a site, for the same task unless the body names one. Its earlier ones end",
      dialect: API,
      permission: "sites.manage",
      params: idParams,
      body: siteTokenMakeSchema,
      answer: siteMade,
      status: 201,
      handle: async ({ params: { id }, body: { task }, principal }) => {
        const { name: actor } = signedIn(principal);
        const row = found(book().get("site", id));
        if (task !== undefined) await checkTask(store, task, row.projectId);
        const earlier = book()
          .list("join-token")
          .filter((one) => one.siteId === id)
          .toSorted((left, right) => left.madeAt - right.madeAt);
        const token = await tokenFor(row, task === undefined ? (earlier.at(-1)?.task ?? null) : task, actor);
        // One that has ended meanwhile is refused, which is as good.
        for (const { tokenId } of earlier) await accessDesk.revokeJoinToken(tokenId, actor);
        return { site: await shown(row), token };
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/sites/{id}/revoke",
      summary: "Revoke a site. Its device is disconnected and stays out",
      dialect: API,
      permission: "sites.manage",
      params: idParams,
      body: emptyBody,
      answer: site,
      handle: async ({ params: { id }, principal }) => {
        unwrapped(await accessDesk.revokeSite(id, signedIn(principal).name));
        return shown(found(book().get("site", id)));
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/sites/{id}/erase",
      summary: "Erase a revoked site's name and tokens. Only its key stays, so that it stays refused",
      dialect: API,
      permission: "sites.manage",
      params: idParams,
      body: emptyBody,
      answer: named(erasedSchema, "Erased"),
      handle: async ({ params: { id }, principal }) => {
        const actor = signedIn(principal).name;
        unwrapped(await accessDesk.act((sight) => eraseSite(sight, id, actor)));
        return { erased: true as const };
      },
    }),
  ];
}

/** @throws Problem NOT_FOUND if the project has no such task. */
async function checkTask(store: DevicePorts["store"], task: string | null, projectId: string): Promise<void> {
  if (task === null) return;
  const [place] = await store.findPlaces({ type: "task", id: task });
  if (place?.projectId === projectId) return;
  throw new Problem(wireError("NOT_FOUND", `The project "${projectId}" has no task "${task}".`));
}
