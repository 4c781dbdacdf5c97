import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import type { MonotonicClock } from "#shared/kernel/ports.ts";
import type { Status } from "#shared/protocol/api.ts";
import { wireError } from "#shared/protocol/errors.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { Coordinator } from "../../core/coordinator.ts";
import type { Blobs, Log, Metrics, Spool, Store } from "../../core/ports.ts";
import { rateLimit } from "../../core/rate-limit.ts";
import { descriptionEndpoint } from "./api/description.ts";
import { ENDPOINTS } from "./api/list.ts";
import type { OperationsPorts } from "./api/operations.ts";
import { API } from "./dialect.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Gate } from "./gate.ts";
import { BodyReader } from "./json-body.ts";
import { type App, mountEndpoints, problemOf } from "./mount.ts";
import type { Origins } from "./origins.ts";
import { ReadQueue } from "./read-queue.ts";
import { API_POLICY, commonHeaders } from "./security-headers.ts";

export interface HttpPorts extends Pick<Coordinator, "tasks" | "runs" | "rounds" | "uploads"> {
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
  readonly operations: OperationsPorts;
  readonly origins: Origins;
  /** Served over TLS. */
  readonly secure: boolean;
}

/** Endpoints over the ports of the app. */
export type EndpointGroup = (ports: HttpPorts) => readonly Endpoint[];

/**
 * Everything that answers over HTTP, except pages: /api/v1, /livez, /readyz, /metrics.
 *
 * One wrapper around all: a request id, the common headers, errors in the endpoint's dialect and never with a stack
 * (W1), 405 for a known address with another method, 404 for the rest.
 *
 * @param groups  Tests add their own.
 */
export function createApp(
  ports: HttpPorts,
  groups: readonly EndpointGroup[] = ENDPOINTS,
): { readonly app: App; readonly endpoints: readonly Endpoint[] } {
  const endpoints: Endpoint[] = groups.flatMap((group) => group(ports));
  endpoints.push(
    descriptionEndpoint(
      () => endpoints,
      () => ports.status().version,
    ),
  );
  const app: App = new Hono();
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
  app.onError((error) => API.answer(problemOf(error, ports.log)));
  mountEndpoints(app, endpoints, gateOf(ports), ports.log);
  app.notFound(() => API.answer({ wire: wireError("NOT_FOUND"), headers: {} }));
  return { app, endpoints };
}

function gateOf(ports: HttpPorts): Gate {
  return {
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
      cutAfterMs: LIMITS.downloadMsMin,
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
}
