import type { z } from "@hono/zod-openapi";
import {
  newPasskeySchema,
  newPasswordSchema,
  openIdAddressSchema,
  openIdStartSchema,
  ownSessionSchema,
  ownWaySchema,
  passkeyAnswerSchema,
  passkeyOptionsSchema,
  proofSchema,
  signInLinkSchema,
  signInSchema,
  ticketSchema,
} from "#shared/protocol/access-api.ts";
import { listSchema } from "#shared/protocol/api.ts";
import { wireError } from "#shared/protocol/errors.ts";
import type { AccessDesk } from "../../../core/access/desk.ts";
import type { Doors } from "../../../core/access/doors.ts";
import type { OpenIdDoors } from "../../../core/access/open-id-doors.ts";
import { ownSessionView } from "../../../core/access/own-session.ts";
import { STEP_UP_MS } from "../../../core/access/permissions.ts";
import type { Person } from "../../../core/access/principal.ts";
import type { OwnWay } from "../../../core/ports/sign-ins.ts";
import { cookie, readCookie } from "../cookies.ts";
import { API, named } from "../dialect.ts";
import { type Endpoint, jsonEndpoint, rawEndpoint } from "../endpoint.ts";
import { Problem, problem } from "../problem.ts";
import { browserOf, personBySession, putIn, unlocked, type WorldPorts, worldOf } from "./browser.ts";
import { emptyBody, idParams, signedIn, whole } from "./people.ts";

export interface SessionPorts extends WorldPorts {
  readonly accessDesk: AccessDesk;
  readonly doors: Doors;
  /** Null if no OpenID provider is configured. */
  readonly openIdDoors: OpenIdDoors | null;
  /** Unix milliseconds. */
  readonly nowUnixMs: () => number;
}

export const ownSession = named(ownSessionSchema, "OwnSession");
export const passkeyOptions = named(passkeyOptionsSchema, "PasskeyOptions");

/** `ownSessionView` of someone who has signed in. */
export function shownSession({ accessDesk, doors, nowUnixMs }: SessionPorts) {
  return (person: Person): z.output<typeof ownSessionSchema> =>
    ownSessionView(accessDesk.book, person, {
      now: nowUnixMs(),
      isNewPlace: doors.own.isInNewPlace(person),
      newPlaceElsewhere: doors.own.newPlaceElsewhere(person),
    });
}

/** Signing in, and one's own session. */
export function sessionEndpoints(ports: SessionPorts): readonly Endpoint[] {
  return [
    ...signInEndpoints(ports),
    ...ownEndpoints(ports),
    ...credentialEndpoints(ports),
    ...wayEndpoints(ports),
    ...openIdEndpoints(ports),
  ];
}

function signInEndpoints(ports: SessionPorts): readonly Endpoint[] {
  const { doors } = ports;
  const shown = shownSession(ports);
  return [
    jsonEndpoint({
      method: "post",
      path: "/api/v1/session",
      summary: "Sign in with a name and a password. The session is in a cookie",
      dialect: API,
      permission: "sessions.open",
      body: signInSchema,
      answer: ownSession,
      handle: async ({ body: { name, password }, context, headers }) => {
        const browser = browserOf(context, ports);
        return shown(
          putIn(headers, context, ports, unlocked(await doors.signIn(name, password, browser))).person,
        );
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/session/link",
      summary: "Sign in with a link that the coordinator printed. It works once",
      dialect: API,
      permission: "sessions.open",
      body: signInLinkSchema,
      answer: ownSession,
      handle: async ({ body: { token }, context, headers }) => {
        const browser = browserOf(context, ports);
        return shown(
          putIn(headers, context, ports, unlocked(await doors.signInByLink(token, browser))).person,
        );
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/session/passkey/options",
      summary: "What a browser needs to sign in with a passkey",
      dialect: API,
      permission: "sessions.open",
      body: emptyBody,
      answer: passkeyOptions,
      handle: async ({ context }) => unlocked(await doors.passkeyOptions(browserOf(context, ports))),
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/session/passkey",
      summary: "Sign in with a passkey",
      dialect: API,
      permission: "sessions.open",
      body: passkeyAnswerSchema,
      answer: ownSession,
      handle: async ({ body, context, headers }) => {
        const browser = browserOf(context, ports);
        return shown(
          putIn(headers, context, ports, unlocked(await doors.signInByPasskey(body, browser))).person,
        );
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/session/passkey/new",
      summary: "What a browser needs to make a passkey for someone who has no account yet",
      dialect: API,
      permission: "sessions.open",
      body: newPasskeySchema,
      answer: passkeyOptions,
      handle: async ({ body: { name }, context }) =>
        unlocked(await doors.newcomersPasskeyOptions(name, browserOf(context, ports))),
    }),
  ];
}

function ownEndpoints(ports: SessionPorts): readonly Endpoint[] {
  const { doors } = ports;
  const { own } = doors;
  const shown = shownSession(ports);
  const ended = (end: "end" | "endOthers", path: string, summary: string) =>
    jsonEndpoint({
      method: "post",
      path: `/api/v1/session/${path}`,
      summary,
      dialect: API,
      permission: "session.own",
      body: emptyBody,
      answer: emptyBody,
      handle: async ({ principal, context, headers }) => {
        await own[end](personBySession(principal));
        if (end === "end") headers.append("set-cookie", cookie(worldOf(context, ports), "session", null));
        return {};
      },
    });
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/session",
      summary: "Who one is here, and what one may do",
      dialect: API,
      permission: "session.own",
      answer: ownSession,
      handle: async ({ principal }) => shown(signedIn(principal)),
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/session/prove",
      summary: "Prove again who one is. The session gets a new cookie",
      dialect: API,
      permission: "session.own",
      body: proofSchema,
      answer: ownSession,
      handle: async ({ body, principal, context, headers }) => {
        const renewed = unlocked(await own.prove(personBySession(principal), body));
        return shown(putIn(headers, context, ports, renewed).person);
      },
    }),
    ended("end", "end", "Sign out"),
    ended("endOthers", "end-others", "Sign out everywhere else"),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/session/ticket",
      summary: "A ticket that opens the socket for live figures once, within seconds",
      dialect: API,
      permission: "session.own",
      body: emptyBody,
      answer: named(ticketSchema, "Ticket"),
      handle: async ({ principal }) => {
        const { ticket, endsAt } = own.tickets.for(signedIn(principal));
        return { ticket, endsAt: new Date(endsAt).toISOString() };
      },
    }),
  ];
}

function credentialEndpoints(ports: SessionPorts): readonly Endpoint[] {
  const { own } = ports.doors;
  const shown = shownSession(ports);
  return [
    jsonEndpoint({
      method: "post",
      path: "/api/v1/session/passkeys/options",
      summary: "What a browser needs to make one more passkey",
      dialect: API,
      permission: "credentials.own",
      body: emptyBody,
      answer: passkeyOptions,
      handle: async ({ principal, context }) =>
        unlocked(await own.passkeyOptions(personBySession(principal), browserOf(context, ports).site)),
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/session/passkeys",
      summary: "Add the passkey that was made",
      dialect: API,
      permission: "credentials.own",
      body: passkeyAnswerSchema,
      answer: ownSession,
      handle: async ({ body, principal }) => {
        const person = personBySession(principal);
        unlocked(await own.addPasskey(person, body));
        return shown(person);
      },
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/session/password",
      summary: "Set one's password. It signs one out everywhere else",
      dialect: API,
      permission: "credentials.own",
      body: newPasswordSchema,
      answer: ownSession,
      handle: async ({ body: { password }, principal, context, headers }) => {
        const renewed = unlocked(await own.setPassword(personBySession(principal), password));
        return shown(putIn(headers, context, ports, renewed).person);
      },
    }),
  ];
}

function wayEndpoints({ doors: { own } }: SessionPorts): readonly Endpoint[] {
  const answer = listSchema(named(ownWaySchema, "OwnWay"));
  const shown = (ways: readonly OwnWay[]) =>
    whole(ways.map((one) => ({ ...one, madeAt: new Date(one.madeAt).toISOString() })));
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/session/ways",
      summary: "One's passkeys, password and OpenID accounts, oldest first",
      dialect: API,
      permission: "session.own",
      answer,
      handle: async ({ principal }) => shown(await own.waysOf(signedIn(principal))),
    }),
    jsonEndpoint({
      method: "post",
      path: "/api/v1/session/ways/{id}/remove",
      summary: "Remove a way to sign in, unless it is the only one. It signs one out everywhere else",
      dialect: API,
      permission: "credentials.own",
      params: idParams,
      body: emptyBody,
      answer,
      handle: async ({ params: { id }, principal }) =>
        shown(unlocked(await own.removeWay(personBySession(principal), id))),
    }),
  ];
}

const CALLBACK = "/api/v1/session/openid/callback";

function openIdEndpoints(ports: SessionPorts): readonly Endpoint[] {
  const { openIdDoors, nowUnixMs } = ports;
  const open = () => {
    if (openIdDoors === null) throw problem("NOT_FOUND", "No OpenID provider is set up here.");
    return openIdDoors;
  };
  return [
    jsonEndpoint({
      method: "post",
      path: "/api/v1/session/openid",
      summary: "Begin a sign-in with an account at the OpenID provider",
      dialect: API,
      permission: "sessions.open",
      body: openIdStartSchema,
      answer: named(openIdAddressSchema, "OpenIdAddress"),
      handle: async ({ body: { to, purpose, invitation }, principal, context, headers }) => {
        const world = worldOf(context, ports);
        const browser = browserOf(context, ports);
        const origin = ports.origins.publicUrl ?? browser.site?.origin;
        if (origin === undefined)
          throw problem("BAD_REQUEST", "Begin this on the coordinator's sign-in page.");
        const wanted = { to, redirectUrl: `${origin}${CALLBACK}` };
        const begun = await open().begin(
          purpose === "sign-in"
            ? invitation === undefined
              ? { type: "sign-in" }
              : { type: "join", ...invitation }
            : { type: purpose, personId: proved(personBySession(principal), purpose, nowUnixMs()).personId },
          wanted,
          browser,
        );
        const { url, browserSecret } = unlocked(begun);
        headers.append("set-cookie", cookie(world, "openId", browserSecret));
        return { url };
      },
    }),
    rawEndpoint({
      method: "get",
      path: CALLBACK,
      summary: "Where the OpenID provider sends the browser back to",
      dialect: API,
      permission: "sessions.open",
      rate: "facts",
      responses: { 303: { description: "To where one wanted to go" } },
      handle: async (_, { context, principal }) => {
        const world = worldOf(context, ports);
        const { incoming } = context.env;
        const secret = readCookie(incoming, world, "openId");
        const query = new URL(context.req.url).searchParams;
        const isSignedIn = principal.kind === "person" && principal.by.type === "session";
        const person = isSignedIn ? personBySession(principal) : null;
        const arrived = await open().finish(query, secret, person, browserOf(context, ports));
        const headers = new Headers({ "set-cookie": cookie(world, "openId", null) });
        if (arrived.ok) {
          const { to, session } = arrived.value;
          headers.set("location", to);
          if (session !== null) putIn(headers, context, ports, session);
          return new Response(null, { status: 303, headers });
        }
        if (context.req.header("accept")?.includes("text/html") !== true) return unlocked(arrived);
        headers.set("location", `/sign-in?refused=${arrived.error.wire.code}`);
        return new Response(null, { status: 303, headers });
      },
    }),
  ];
}

/** @throws Problem STEP_UP_NEEDED if another account would be added without a fresh proof. */
function proved<Someone extends Person>(person: Someone, purpose: "link" | "prove", now: number): Someone {
  if (purpose === "link" && person.by.type === "session" && now - person.by.provedAt > STEP_UP_MS)
    throw new Problem(wireError("STEP_UP_NEEDED"));
  return person;
}
