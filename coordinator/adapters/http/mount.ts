import { OpenAPIHono } from "@hono/zod-openapi";
import type { Hono } from "hono";
import { ERROR_CODES, wireError } from "#shared/protocol/errors.ts";
import { PERMISSIONS, type Permission, permissionRefusal, THE_WHOLE } from "../../core/access/permissions.ts";
import type { Principal } from "../../core/access/principal.ts";
import { wireErrorOf } from "../../core/ports/outage.ts";
import type { Log } from "../../core/ports/ports.ts";
import { cookieWorldOf, insecure, isUnseen, readCookie } from "./cookies.ts";
import { anySiteHeaders, preflightAnswer } from "./cors.ts";
import type { Endpoint } from "./endpoint.ts";
import { type ApiContext, type AppEnv, checkOrigin, clientAddress, type Gate } from "./gate.ts";
import { operationId, TAGS, tagOf } from "./operation-names.ts";
import { Problem, problem, statusOf } from "./problem.ts";
import { isApi } from "./request-rates.ts";

export type App = Hono<AppEnv>;

/** Paths in the description are relative to this. */
const BASE = "/api/v1";

/** What answers before there is an admin. */
const BEFORE_SET_UP: ReadonlySet<Permission> = new Set<Permission>(["public", "sessions.open"]);

/**
 * Mounts every endpoint behind its permission. At the same addresses it answers preflights for the API and refuses other
 * methods.
 */
export function mountEndpoints(app: App, endpoints: readonly Endpoint[], gate: Gate, log: Log): void {
  for (const endpoint of endpoints) {
    const { method, path, dialect, permission } = endpoint;
    app.on(method.toUpperCase(), honoPath(path), async (context) => {
      context.set("asked", { route: path, ...loggedIds(context.req.param()) });
      try {
        if (!gate.isSetUp() && !BEFORE_SET_UP.has(permission)) throw problem("NOT_SET_UP");
        // Before the cookie is judged, which another site's page may not use.
        if (method !== "get") checkOrigin(context, gate);
        const again = async () => {
          const principal = await principalOf(context, gate);
          // Whoever holds it nowhere is refused before anything is read; endpoints ask again about what they name.
          const refusal = permissionRefusal(principal, permission, THE_WHOLE, gate.wall.nowUnixMs());
          if (refusal !== null) throw new Problem(refusal);
          return principal;
        };
        const principal = await again();
        const answer = await endpoint.answer({ context, gate, principal, again });
        // Only what is given to anyone: an answer to an account or a token may hold more (W28).
        if (endpoint.anySite === true && principal.kind === "anyone") {
          const { origin } = context.env.incoming.headers;
          for (const header of Object.entries(anySiteHeaders(gate.origins, origin)))
            answer.headers.set(...header);
        }
        return answer;
      } catch (error) {
        return dialect.answer(problemOf(error, log, context.get("requestId")));
      }
    });
  }
  for (const { path, dialect } of endpoints) {
    const methods = endpoints
      .filter((other) => other.path === path)
      .map(({ method }) => method.toUpperCase());
    const allow = [...methods, ...(methods.includes("GET") ? ["HEAD"] : [])].join(", ");
    app.all(
      honoPath(path),
      ({ req }) =>
        (isApi(path) && !path.startsWith("/log/") ? preflightAnswer(gate.origins, req.raw, allow) : null) ??
        dialect.answer({ wire: wireError("METHOD_NOT_ALLOWED"), headers: { allow } }),
    );
  }
}

/** However it is spelled; `Principals` reads the rest. */
const API_TOKEN = /^bearer +cht_/i;

/**
 * @throws Problem NOT_AUTHENTICATED for a bearer token that is not in force, RATE_LIMITED after too many, and
 *         INSECURE_SIGN_IN for an API token over plain HTTP from elsewhere, whether or not it is in force (X11).
 */
async function principalOf(context: ApiContext, gate: Gate): Promise<Principal> {
  const { incoming } = context.env;
  const { authorization = null, origin } = incoming.headers;
  if (authorization !== null && API_TOKEN.test(authorization) && !isUnseen(incoming, gate.clients))
    throw insecure("token", gate.origins);
  // A page of a named site may share our cookies' site, but never acts for who has signed in here.
  const isOwnPage = gate.origins.isOwn(origin, gate.clients.of(incoming));
  const session = isOwnPage ? readCookie(incoming, cookieWorldOf(incoming, gate.clients), "session") : null;
  const address = clientAddress(context, gate);
  const principal = await gate.principals.of({ authorization, session, address });
  if (!principal.ok) throw new Problem(principal.error);
  return principal.value;
}

/** Turns whatever a route threw into an error that its peer may read. */
export function problemOf(error: unknown, log: Log, requestId: string): Pick<Problem, "wire" | "headers"> {
  if (error instanceof Problem) return error;
  const wire = wireErrorOf(error);
  // Outages are logged once by the part that waits for them, not by each request.
  if (wire.code === "INTERNAL") {
    const { message, stack } =
      error instanceof Error ? error : new Error("a value other than an Error was thrown");
    log.error({ requestId, error: message, stack }, "a route failed");
  }
  return { wire, headers: {} };
}

function isOfApi(path: string): boolean {
  return path.startsWith(`${BASE}/`);
}

/** Parameters of an address that a log may hold. A place in a session could be traced to a device (O5). */
function loggedIds(parameters: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const kept = Object.entries(parameters).filter(
    ([name, value]) => LOGGED_IDS.has(name) && /^[0-9a-f]{32,64}$/.test(value),
  );
  return Object.fromEntries(kept);
}

const LOGGED_IDS: ReadonlySet<string> = new Set(["runId", "roundId", "sid"]);

/** Parameters that take the rest of an address, slashes included. */
const RESTS: ReadonlySet<string> = new Set(["artifactPath", "tilePath"]);

export function honoPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => (RESTS.has(name) ? `:${name}{.+}` : `:${name}`));
}

/** The OpenAPI document of the endpoints. */
export function describeEndpoints(endpoints: readonly Endpoint[], version: string): object {
  const api = new OpenAPIHono();
  for (const { method, path, summary, dialect, permission, request, responses } of endpoints) {
    api.openAPIRegistry.registerPath({
      method,
      path: isOfApi(path) ? path.slice(BASE.length) : path,
      // Operators' endpoints are at the root.
      ...(isOfApi(path) ? {} : { servers: [{ url: "/" }] }),
      operationId: operationId(method, path),
      tags: [tagOf(path)],
      summary,
      description: `Permission ${permission}: ${PERMISSIONS[permission].allows}.`,
      request,
      responses: {
        ...responses,
        default: {
          description: "What is wrong and what to do",
          content: { "application/json": { schema: dialect.error } },
        },
      },
    });
  }
  return api.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Chorus coordinator",
      version,
      description:
        "Counts, times and sums of federated learning, never a single device. Lists return { items, next }: ask again with ?cursor= and the value of next until it is null. A program sends an API token as a bearer token.",
      license: { name: "Apache-2.0" },
    },
    servers: [{ url: BASE }],
    tags: TAGS.map(({ name, description }) => ({ name, description })),
    "x-errors": ERROR_CODES.map((code) => ({ ...wireError(code), status: statusOf(code) })),
  });
}
