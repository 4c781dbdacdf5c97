import type { Result } from "#shared/kernel/result.ts";
import { wireError } from "#shared/protocol/errors.ts";
import type { Shut } from "../../../core/access/credentials.ts";
import type { Browser } from "../../../core/access/doors.ts";
import type { PersonBySession, Renewed } from "../../../core/access/own-sessions.ts";
import type { Principal } from "../../../core/access/principal.ts";
import type { PasskeySite } from "../../../core/ports/sign-ins.ts";
import type { Clients } from "../clients.ts";
import { type CookieWorld, cookie, cookieWorldOf, insecure, readCookie } from "../cookies.ts";
import { type ApiContext, clientAddress } from "../gate.ts";
import type { Origins } from "../origins.ts";
import { Problem, problem } from "../problem.ts";
import { signedIn } from "./people.ts";

/* What the endpoints of signing in share: the browser that asks, and its cookies. */

export interface WorldPorts {
  readonly clients: Clients;
  readonly origins: Origins;
}

/** Passkeys are bound to a name. An address is none. */
const ADDRESS = /^(?:\d+\.\d+\.\d+\.\d+|\[.*\])$/;

/** @throws Problem INSECURE_SIGN_IN over plain HTTP from elsewhere. */
export function worldOf(context: ApiContext, ports: WorldPorts): CookieWorld {
  const world = cookieWorldOf(context.env.incoming, ports.clients);
  if (world === null) throw insecure("password", ports.origins);
  return world;
}

/** @throws Problem INSECURE_SIGN_IN over plain HTTP from elsewhere, FORBIDDEN for a page of another site (X34). */
export function browserOf(context: ApiContext, ports: WorldPorts): Browser {
  const world = worldOf(context, ports);
  const { incoming } = context.env;
  const { origin } = incoming.headers;
  const client = ports.clients.of(incoming);
  // A named site may share our cookies' site, and could sign its visitors in as somebody else.
  if (!ports.origins.isOwn(origin, client))
    throw problem("FORBIDDEN", "Only the coordinator's own pages sign anyone in. Open its sign-in page.");
  return {
    address: clientAddress(context, ports),
    site: siteOf(origin, client.host, ports.origins),
    place: readCookie(incoming, world, "place"),
  };
}

/** The page of ours that sent the request. Pages of sites that embed the client sign nobody in. */
function siteOf(origin: string | undefined, host: string | undefined, origins: Origins): PasskeySite | null {
  if (origin === undefined || !URL.canParse(origin)) return null;
  const url = new URL(origin);
  const isOurs = origin === origins.publicUrl || url.host === host?.toLowerCase();
  return isOurs && !ADDRESS.test(url.hostname) ? { origin, host: url.hostname } : null;
}

/** Puts a session into the browser's cookies. @returns The same. */
export function putIn<Session extends Renewed & { readonly place?: string | null }>(
  headers: Headers,
  context: ApiContext,
  ports: WorldPorts,
  session: Session,
): Session {
  const world = worldOf(context, ports);
  headers.append("set-cookie", cookie(world, "session", session.token));
  const { place } = session;
  // Again at every sign-in, so that it lasts while the browser is used.
  if (place !== undefined && place !== null) headers.append("set-cookie", cookie(world, "place", place));
  return session;
}

/** @throws Problem that says why a door stays shut, with `retry-after` if it opens again. */
export function unlocked<Value>(result: Result<Value, Shut>): Value {
  if (result.ok) return result.value;
  const { wire, waitMs } = result.error;
  throw new Problem(
    wire,
    waitMs === undefined ? {} : { "retry-after": String(Math.max(1, Math.ceil(waitMs / 1000))) },
  );
}

/** @throws Problem NOT_AUTHENTICATED if nobody has signed in, FORBIDDEN for an API token. */
export function personBySession(principal: Principal): PersonBySession {
  if (principal.kind === "anyone") throw problem("NOT_AUTHENTICATED");
  const person = signedIn(principal);
  const { by } = person;
  if (by.type !== "session")
    throw new Problem(wireError("FORBIDDEN", "No API token may do this. Sign in on the page."));
  return { ...person, by };
}
