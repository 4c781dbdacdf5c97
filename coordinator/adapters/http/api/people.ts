import { z } from "@hono/zod-openapi";
import { personIdSchema } from "#shared/access/roles.ts";
import {
  erasedSchema,
  invitationMadeSchema,
  invitationMakeSchema,
  invitationViewSchema,
  personViewSchema,
  projectMakeSchema,
  projectViewSchema,
  rolesChangeSchema,
} from "#shared/protocol/access-api.ts";
import { listSchema } from "#shared/protocol/api.ts";
import { wireError } from "#shared/protocol/errors.ts";
import type { AccessDesk } from "../../../core/access/desk.ts";
import { eraseAccount } from "../../../core/access/erasures.ts";
import type { Person, Principal } from "../../../core/access/principal.ts";
import { invitationView, personView, projectView } from "../../../core/access/views.ts";
import type { SignIns } from "../../../core/ports/sign-ins.ts";
import type { TaskStore } from "../../../core/ports/store.ts";
import { API, named } from "../dialect.ts";
import { type Endpoint, jsonEndpoint } from "../endpoint.ts";
import { Problem } from "../problem.ts";
import { found, unwrapped } from "./answers.ts";

export interface PeoplePorts {
  readonly accessDesk: AccessDesk;
  readonly signIns: Pick<SignIns, "lastSeen" | "removePerson">;
  readonly store: Pick<TaskStore, "countTasks">;
  /** Unix milliseconds. */
  readonly nowUnixMs: () => number;
  /** Base address of the pages, for links that are shown once. */
  readonly pagesUrl: () => string;
}

const person = named(personViewSchema, "Person");
const invitation = named(invitationViewSchema, "Invitation");
const project = named(projectViewSchema, "Project");
export const idParams = z.strictObject({ id: z.string().regex(/^[0-9a-f]{32}$/) });
export const emptyBody = z.strictObject({});

/** Everything at once: there are few enough. */
export function whole<Item>(items: readonly Item[]): { items: Item[]; next: null } {
  return { items: [...items], next: null };
}

/** @throws Problem FORBIDDEN if nobody has signed in. */
export function signedIn(principal: Principal): Person {
  if (principal.kind !== "person") throw new Problem(wireError("FORBIDDEN"));
  return principal;
}

/** Projects, people, their roles and their invitations. */
export function peopleEndpoints(ports: PeoplePorts): readonly Endpoint[] {
  return [...projectEndpoints(ports), ...personEndpoints(ports), ...invitationEndpoints(ports)];
}

function projectEndpoints({ accessDesk, store }: PeoplePorts): readonly Endpoint[] {
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/projects",
      summary: "All projects",
      dialect: API,
      permission: "people.read",
      answer: listSchema(project),
      handle: async () => {
        const counts = await store.countTasks();
        const rows = accessDesk.book.list("project");
        return whole(rows.map((row) => projectView(row, counts.get(row.projectId) ?? 0)));
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/projects",
      summary: "Make a project",
      dialect: API,
      permission: "people.manage",
      body: projectMakeSchema,
      answer: project,
      status: 201,
      handle: async ({ body: { projectId }, principal }) => {
        unwrapped(await accessDesk.makeProject(projectId, signedIn(principal).name));
        return projectView(found(accessDesk.book.get("project", projectId)), 0);
      },
    }),
  ];
}

function personEndpoints({ accessDesk, signIns }: PeoplePorts): readonly Endpoint[] {
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/people",
      summary: "People with an account, their roles, and how they sign in",
      dialect: API,
      permission: "people.read",
      answer: listSchema(person),
      handle: async () => {
        const lastSeen = await signIns.lastSeen();
        const rows = accessDesk.book.list("person").filter(({ erasedAt }) => erasedAt === null);
        return whole(rows.map((row) => personView(row, lastSeen.get(row.personId) ?? null)));
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/people/{personId}/roles",
      summary: "Give and take roles in projects. Taking the role of admin is a proposal",
      dialect: API,
      permission: "people.manage",
      params: z.strictObject({ personId: personIdSchema }),
      body: rolesChangeSchema,
      answer: person,
      handle: async ({ params: { personId }, body: { roles, isAdmin = false }, principal }) => {
        const { name } = signedIn(principal);
        const row = unwrapped(await accessDesk.changeRoles(personId, { roles, makeAdmin: isAdmin }, name));
        return personView(row, (await signIns.lastSeen()).get(personId) ?? null);
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/people/{personId}/erase",
      summary:
        "Erase a person's account, roles, tokens and salt. Only the name stays, so that nobody else gets it",
      dialect: API,
      permission: "people.manage",
      params: z.strictObject({ personId: personIdSchema }),
      body: emptyBody,
      answer: named(erasedSchema, "Erased"),
      handle: async ({ params: { personId }, principal }) => {
        unwrapped(await eraseAccount(accessDesk, signIns, personId, signedIn(principal).name));
        return { erased: true as const };
      },
    }),
  ];
}

function invitationEndpoints({ accessDesk, nowUnixMs, pagesUrl }: PeoplePorts): readonly Endpoint[] {
  const shown = (invitationId: string) =>
    invitationView(found(accessDesk.book.get("invitation", invitationId)), nowUnixMs());
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/invitations",
      summary: "Invitations, newest first",
      dialect: API,
      permission: "people.read",
      answer: listSchema(invitation),
      handle: async () => {
        const rows = accessDesk.book.list("invitation").toReversed();
        return whole(rows.map((row) => invitationView(row, nowUnixMs())));
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/invitations",
      summary: "Invite one person. The link is shown once and works once, for 72 hours",
      dialect: API,
      permission: "people.manage",
      body: invitationMakeSchema,
      answer: named(invitationMadeSchema, "InvitationMade"),
      status: 201,
      handle: async ({ body: { role, note }, principal }) => {
        const { token, invitationId } = unwrapped(
          await accessDesk.invite(role, note, signedIn(principal).name),
        );
        // In the fragment, which browsers do not send.
        return { invitation: shown(invitationId), url: `${pagesUrl()}/invited#token=${token}` };
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/invitations/{id}/withdraw",
      summary: "Withdraw an invitation that nobody has used",
      dialect: API,
      permission: "people.manage",
      params: idParams,
      body: emptyBody,
      answer: invitation,
      handle: async ({ params: { id }, principal }) => {
        unwrapped(await accessDesk.withdrawInvitation(id, signedIn(principal).name));
        return shown(id);
      },
    }),
  ];
}
