import { randomUUID } from "node:crypto";
import type { HttpBindings } from "@hono/node-server";
import { OpenAPIHono } from "@hono/zod-openapi";
import { Hono } from "hono";
import type { MonotonicClock } from "#shared/kernel/ports.ts";
import type { Status } from "#shared/protocol/api.ts";
import { wireError } from "#shared/protocol/errors.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { Coordinator } from "../../core/coordinator.ts";
import { wireErrorOf } from "../../core/outage.ts";
import type { Blobs, Log, Metrics, Spool, Store } from "../../core/ports.ts";
import { rateLimit } from "../../core/rate-limit.ts";
import { mountBlobs } from "./blobs.ts";
import { type Api, checkRead, type Gate } from "./endpoint.ts";
import { BodyReader } from "./json-body.ts";
import { mountOperations, type OperationsPorts } from "./operations.ts";
import type { Origins } from "./origins.ts";
import { Problem, problemResponse } from "./problem.ts";
import { ReadQueue } from "./read-queue.ts";
import { mountRoutes } from "./routes.ts";
import { API_POLICY, commonHeaders } from "./security-headers.ts";
import { mountTranscripts } from "./transcripts.ts";
import { mountUploads } from "./uploads.ts";

export interface HttpPorts {
  readonly coordinator: Coordinator;
  readonly store: Pick<
    Store,
    "ping" | "loadTranscript" | "findTranscript" | "loadOpenings" | "loadSealedEvidence" | "findInput"
  >;
  readonly blobs: Blobs;
  readonly spool: Spool;
  readonly metrics: Pick<Metrics, "uploaded">;
  readonly clock: MonotonicClock;
  readonly log: Log;
  readonly status: () => Status;
  /** Aborted when the coordinator stops. */
  readonly stopping: AbortSignal;
  readonly operations: Omit<OperationsPorts, "store">;
  readonly origins: Origins;
  /** Served over TLS. */
  readonly secure: boolean;
}

/**
 * Everything that answers over HTTP but the pages: /api/v1, /livez, /readyz, /metrics.
 *
 * One wrapper around all: a request id, the common headers, errors as `{ error: { code, message, retry } }` and never
 * a stack (W1), 405 for a known address with another method, 404 for the rest.
 */
export function createApp(ports: HttpPorts): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  const headers = { ...commonHeaders(ports.secure), "content-security-policy": API_POLICY };
  app.use(async (context, next) => {
    const requestId = randomUUID();
    await next();
    for (const [name, value] of Object.entries(headers)) context.res.headers.set(name, value);
    context.res.headers.set("x-request-id", requestId);
    if (!context.res.headers.has("cache-control")) context.res.headers.set("cache-control", "no-store");
    if (context.res.status >= 500) {
      ports.log.warn(
        { requestId, method: context.req.method, route: context.req.path, status: context.res.status },
        "request failed",
      );
    }
  });
  app.onError((error) => {
    if (error instanceof Problem) return problemResponse(error);
    const wire = wireErrorOf(error);
    // An outage is said once by the part that waits for it, not by each request.
    if (wire.code === "INTERNAL")
      ports.log.error({ error: error.message, stack: error.stack }, "a route failed");
    return problemResponse({ wire, headers: {} });
  });
  mountOperations(app, { store: ports.store, ...ports.operations });
  app.route("/api/v1", createApi(ports));
  refuseOtherMethods(app);
  app.notFound(() => problemResponse({ wire: wireError("NOT_FOUND"), headers: {} }));
  return app;
}

function createApi(ports: HttpPorts): Api {
  const api: Api = new OpenAPIHono();
  const gate: Gate = {
    origins: ports.origins,
    bodies: new BodyReader(ports),
    reads: new ReadQueue(ports.clock, {
      burst: LIMITS.readsBurstPerAddress,
      perSecond: LIMITS.readsPerSecondPerAddress,
      atOnceMax: LIMITS.readsAtOnce,
      atOnceMaxPerAddress: LIMITS.readsAtOnce,
      waitingMax: LIMITS.readsWaiting,
      waitingMaxPerAddress: LIMITS.readsWaitingPerAddress,
      waitMsMax: LIMITS.readsWaitMsMax,
    }),
    downloads: new ReadQueue(ports.clock, {
      burst: LIMITS.downloadsBurstPerAddress,
      perSecond: LIMITS.downloadsPerSecondPerAddress,
      atOnceMax: LIMITS.downloadsAtOnce,
      atOnceMaxPerAddress: LIMITS.downloadsAtOncePerAddress,
      waitingMax: LIMITS.downloadsWaiting,
      waitingMaxPerAddress: LIMITS.downloadsWaitingPerAddress,
      waitMsMax: LIMITS.readsWaitMsMax,
    }),
    writes: rateLimit(ports.clock, {
      burst: LIMITS.writesPerMinutePerAddress,
      perSecond: LIMITS.writesPerMinutePerAddress / 60,
    }),
    audits: rateLimit(ports.clock, {
      burst: LIMITS.auditReadsBurstPerAddress,
      perSecond: LIMITS.auditReadsPerSecondPerAddress,
    }),
  };
  mountRoutes(api, gate, ports.coordinator, ports.status);
  mountBlobs(api, gate, ports);
  mountTranscripts(api, gate, ports);
  mountUploads(api, gate, ports);
  // The description does not change while the process lives.
  let description: string | undefined;
  api.get("/openapi.json", (context) => {
    checkRead(context, gate.audits);
    description ??= JSON.stringify(describe(api, ports.status().version));
    return context.body(description, 200, { "content-type": "application/json" });
  });
  return api;
}

function describe(api: Api, version: string): object {
  return api.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Chorus coordinator",
      version,
      description:
        "Counts, times and sums of federated learning; never a device. Lists answer { items, next }.",
      license: { name: "Apache-2.0" },
    },
    servers: [{ url: "/api/v1" }],
  });
}

/** After all routes: an address that exists takes its own methods only. */
function refuseOtherMethods(app: Hono<{ Bindings: HttpBindings }>): void {
  const methodsByPath = new Map<string, Set<string>>();
  for (const { path, method } of app.routes) {
    if (method === "ALL") continue;
    const methods = methodsByPath.get(path) ?? new Set<string>();
    methods.add(method);
    if (method === "GET") methods.add("HEAD");
    methodsByPath.set(path, methods);
  }
  for (const [path, methods] of methodsByPath) {
    const allow = [...methods].join(", ");
    app.all(path, () => problemResponse({ wire: wireError("METHOD_NOT_ALLOWED"), headers: { allow } }));
  }
}
