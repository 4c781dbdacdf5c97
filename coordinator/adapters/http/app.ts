import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import type { MonotonicClock, WallClock } from "#shared/kernel/ports.ts";
import type { Status } from "#shared/protocol/api.ts";
import { wireError } from "#shared/protocol/errors.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { Places } from "../../core/access/places.ts";
import type { Principals } from "../../core/access/principals.ts";
import { rateLimit } from "../../core/access/rate-limit.ts";
import type { Coordinator } from "../../core/coordinator.ts";
import type { Blobs, Log, Metrics, Spool, Store } from "../../core/ports/ports.ts";
import type { PublicLog } from "../../core/ports/public-log.ts";
import type { Tracking } from "../../core/tracking/tracking.ts";
import type { AuditorPassPorts } from "./api/auditor-pass.ts";
import { descriptionEndpoint } from "./api/description.ts";
import type { DevicePorts } from "./api/devices.ts";
import type { Deployment } from "./api/governance.ts";
import { ENDPOINTS } from "./api/list.ts";
import type { OperationsPorts } from "./api/operations.ts";
import type { PeoplePorts } from "./api/people.ts";
import type { ProposalPorts } from "./api/proposals.ts";
import type { SessionPorts } from "./api/sessions.ts";
import type { TokenPorts } from "./api/tokens.ts";
import type { Clients } from "./clients.ts";
import { API, mlflowEndpointNotFound } from "./dialect.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Gate } from "./gate.ts";
import { BodyReader, TRACKING_BUDGET } from "./json-body.ts";
import { isTrackingAddress } from "./mlflow/address.ts";
import { type App, mountEndpoints, problemOf } from "./mount.ts";
import type { Origins } from "./origins.ts";
import { ReadQueue } from "./read-queue.ts";
import { API_POLICY, commonHeaders } from "./security-headers.ts";

/** The subjects of the core that have endpoints, except what MLflow's clients ask of `tracking`. */
export type HttpDesks = Pick<
  Coordinator,
  | "tasks"
  | "heldOut"
  | "registry"
  | "runs"
  | "rounds"
  | "auditLog"
  | "exports"
  | "reports"
  | "runFiles"
  | "assessor"
  | "runSearch"
  | "uploads"
>;

export interface HttpPorts
  extends HttpDesks,
    Omit<PeoplePorts, "store">,
    TokenPorts,
    ProposalPorts,
    AuditorPassPorts,
    Omit<DevicePorts, "store">,
    SessionPorts {
  readonly store: Pick<
    Store,
    | "ping"
    | "loadTranscript"
    | "findTranscript"
    | "loadOpenings"
    | "loadSealedEvidence"
    | "findInput"
    | "countTasks"
    | "countJoins"
    | "findPlaces"
  >;
  /** Absent or null without a log. */
  readonly publicLog?: PublicLog | null;
  readonly tracking: Tracking;
  readonly blobs: Blobs;
  readonly spool: Spool;
  readonly metrics: Pick<Metrics, "uploaded">;
  readonly clock: MonotonicClock;
  readonly wall: WallClock;
  readonly principals: Principals;
  readonly places: Pick<Places, "of">;
  readonly log: Log;
  readonly status: () => Status;
  /** Aborted when the coordinator stops. */
  readonly stopping: AbortSignal;
  readonly operations: OperationsPorts;
  readonly deployment: Deployment;
  readonly clients: Clients;
  /** PEM of the authority that signed this coordinator's own certificate; null if it has none. */
  readonly authority: string | null;
  readonly origins: Origins;
}

/**
 * Everything that answers over HTTP, pages excepted: /api/v1, /livez, /readyz, /metrics.
 *
 * One wrapper gives every answer a request id and the common headers. Errors use the endpoint's dialect and
 * never show a stack (W1). A known address with another method gets 405, everything else 404.
 */
export function createApp(ports: HttpPorts): {
  readonly app: App;
  readonly endpoints: readonly Endpoint[];
} {
  const endpoints: Endpoint[] = ENDPOINTS.flatMap((group) => group(ports));
  endpoints.push(
    descriptionEndpoint(
      () => endpoints,
      () => ports.status().version,
    ),
  );
  const app: App = new Hono();
  app.use(async (context, next) => {
    const requestId = randomUUID();
    context.set("requestId", requestId);
    await next();
    const { strict } = ports.clients.of(context.env.incoming);
    const headers = { ...commonHeaders(strict), "content-security-policy": API_POLICY };
    for (const [name, value] of Object.entries(headers)) context.res.headers.set(name, value);
    context.res.headers.set("x-request-id", requestId);
    if (!context.res.headers.has("cache-control")) context.res.headers.set("cache-control", "no-store");
    if (context.res.status >= 500) {
      ports.log.warn(
        { requestId, method: context.req.method, ...context.get("asked"), status: context.res.status },
        "request failed",
      );
    }
  });
  app.onError((error, context) => API.answer(problemOf(error, ports.log, context.get("requestId"))));
  mountEndpoints(app, endpoints, gateOf(ports), ports.log);
  app.notFound(({ req }) =>
    isTrackingAddress(req.path)
      ? mlflowEndpointNotFound()
      : API.answer({ wire: wireError("NOT_FOUND"), headers: {} }),
  );
  return { app, endpoints };
}

/** The rates, queues and bounds of all endpoints together. */
export function gateOf(
  ports: Pick<
    HttpPorts,
    "clients" | "origins" | "clock" | "stopping" | "principals" | "wall" | "places" | "accessDesk"
  >,
): Gate {
  return {
    places: ports.places,
    isSetUp: () => ports.accessDesk.isClaimed,
    principals: ports.principals,
    wall: ports.wall,
    clients: ports.clients,
    origins: ports.origins,
    bodies: new BodyReader(ports),
    tracking: {
      bodies: new BodyReader(ports, TRACKING_BUDGET),
      writes: rateLimit(ports.clock, {
        burst: LIMITS.trackingWritesBurstPerAddress,
        perSecond: LIMITS.trackingWritesPerSecondPerAddress,
      }),
    },
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
    facts: rateLimit(ports.clock, {
      burst: LIMITS.auditReadsBurstPerAddress,
      perSecond: LIMITS.auditReadsPerSecondPerAddress,
    }),
    trials: new ReadQueue(ports.clock, {
      burst: LIMITS.modelTrialsBurstPerAddress,
      perSecond: LIMITS.modelTrialsPerMinutePerAddress / 60,
      atOnceMax: LIMITS.modelTrialsAtOnce,
      atOnceMaxPerAddress: LIMITS.modelTrialsAtOnce,
      waitingMax: LIMITS.modelTrialsWaiting,
      waitingMaxPerAddress: LIMITS.modelTrialsWaitingPerAddress,
      waitMsMax: LIMITS.modelTrialsWaitMsMax,
    }),
    audits: new ReadQueue(ports.clock, {
      burst: LIMITS.auditReadsBurstPerAddress,
      perSecond: LIMITS.auditReadsPerSecondPerAddress,
      atOnceMax: LIMITS.auditReadsAtOnce,
      atOnceMaxPerAddress: LIMITS.auditReadsAtOncePerAddress,
      waitingMax: LIMITS.auditReadsWaiting,
      waitingMaxPerAddress: LIMITS.auditReadsWaitingPerAddress,
      cutAfterMs: LIMITS.downloadMsMin,
      waitMsMax: LIMITS.readsWaitMsMax,
    }),
  };
}
