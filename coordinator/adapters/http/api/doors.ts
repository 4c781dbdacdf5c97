import {
  invitationFaceSchema,
  invitationLookSchema,
  invitationUseSchema,
  setupClaimSchema,
  setupViewSchema,
} from "#shared/protocol/access-api.ts";
import { API, named } from "../dialect.ts";
import { type Endpoint, jsonEndpoint } from "../endpoint.ts";
import { browserOf, putIn, unlocked } from "./browser.ts";
import { ownSession, type SessionPorts, shownSession } from "./sessions.ts";

/** What makes people: set-up and invitations. */
export function doorEndpoints(ports: SessionPorts): readonly Endpoint[] {
  const { doors, openIdDoors } = ports;
  const shown = shownSession(ports);
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/setup",
      summary: "Whether there is an admin, and until when the set-up link works",
      dialect: API,
      permission: "public",
      rate: "facts",
      answer: named(setupViewSchema, "SetUp"),
      handle: async () => {
        const { isClaimed, endsAt } = doors.setUp();
        return {
          isClaimed,
          endsAt: endsAt === null ? null : new Date(endsAt).toISOString(),
          hasOpenId: openIdDoors !== null,
        };
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/setup",
      summary: "Become the first admin by the set-up link, and make the first project",
      dialect: API,
      permission: "sessions.open",
      body: setupClaimSchema,
      answer: ownSession,
      handle: async ({ body: { token, ...newcomer }, context, headers }) => {
        const entered = unlocked(await doors.claim(token, newcomer, browserOf(context, ports)));
        return shown(putIn(headers, context, ports, entered).person);
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/invitations/look",
      summary: "What an invitation is for. Does not use it",
      dialect: API,
      permission: "sessions.open",
      body: invitationLookSchema,
      answer: named(invitationFaceSchema, "InvitationFace"),
      handle: async ({ body: { token }, context }) => {
        const row = unlocked(await doors.lookAtInvitation(token, browserOf(context, ports)));
        return { role: row.role, invitedBy: row.madeBy, endsAt: new Date(row.endsAt).toISOString() };
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/invitations/use",
      summary: "Use an invitation: choose a name and how to sign in",
      dialect: API,
      permission: "sessions.open",
      body: invitationUseSchema,
      answer: ownSession,
      handle: async ({ body: { token, ...newcomer }, context, headers }) => {
        const entered = unlocked(await doors.useInvitation(token, newcomer, browserOf(context, ports)));
        return shown(putIn(headers, context, ports, entered).person);
      },
    }),
  ];
}
