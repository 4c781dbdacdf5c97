import type { HttpBindings } from "@hono/node-server";
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Hono } from "hono";
import { wireError } from "#shared/protocol/errors.ts";
import { refusalOf } from "../../core/access/permissions.ts";
import { ANYONE } from "../../core/access/principal.ts";
import { wireErrorOf } from "../../core/outage.ts";
import type { Log } from "../../core/ports.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Gate } from "./gate.ts";
import { Problem } from "./problem.ts";

export type App = Hono<{ Bindings: HttpBindings }>;

/** Paths in the description are relative to it. */
const BASE = "/api/v1";

/** Mounts every endpoint behind its permission; an address that exists takes no other methods. */
export function mountEndpoints(app: App, endpoints: readonly Endpoint[], gate: Gate, log: Log): void {
  for (const endpoint of endpoints) {
    const { method, path, dialect, permission } = endpoint;
    app.on(method.toUpperCase(), honoPath(path), async (context) => {
      try {
        // Nobody can show who they are over HTTP yet.
        const principal = ANYONE;
        const refusal = refusalOf(principal, permission);
        if (refusal !== null) throw new Problem(refusal);
        return await endpoint.answer({ context, gate, principal });
      } catch (error) {
        return dialect.answer(problemOf(error, log));
      }
    });
  }
  for (const { path, dialect } of endpoints) {
    const methods = endpoints
      .filter((other) => other.path === path)
      .map(({ method }) => method.toUpperCase());
    const allow = [...methods, ...(methods.includes("GET") ? ["HEAD"] : [])].join(", ");
    app.all(honoPath(path), () =>
      dialect.answer({ wire: wireError("METHOD_NOT_ALLOWED"), headers: { allow } }),
    );
  }
}

/** What a route threw, as its peer may read it. */
export function problemOf(error: unknown, log: Log): Pick<Problem, "wire" | "headers"> {
  if (error instanceof Problem) return error;
  const wire = wireErrorOf(error);
  // An outage is reported once by the part that waits for it, not by each request.
  if (wire.code === "INTERNAL") {
    const { message, stack } =
      error instanceof Error ? error : new Error("a value that is no Error was thrown");
    log.error({ error: message, stack }, "a route failed");
  }
  return { wire, headers: {} };
}

export function honoPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

/** The OpenAPI document of the endpoints. */
export function describeEndpoints(endpoints: readonly Endpoint[], version: string): object {
  const api = new OpenAPIHono();
  for (const { method, path, summary, dialect, request, responses } of endpoints) {
    const isOfApi = path.startsWith(`${BASE}/`);
    api.openAPIRegistry.registerPath({
      method,
      path: isOfApi ? path.slice(BASE.length) : path,
      // Operations answer at the root.
      ...(isOfApi ? {} : { servers: [{ url: "/" }] }),
      summary,
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
        "Counts, times and sums of federated learning; never a device. Lists answer { items, next }.",
      license: { name: "Apache-2.0" },
    },
    servers: [{ url: BASE }],
  });
}
