import { z } from "@hono/zod-openapi";
import { type OperationsView, operationsSchema } from "#shared/protocol/access-api.ts";
import type { Disk, Store } from "../../../core/ports/ports.ts";
import type { PublicLog } from "../../../core/ports/public-log.ts";
import { API, named } from "../dialect.ts";
import { type Endpoint, jsonEndpoint, rawEndpoint } from "../endpoint.ts";

/** A database that takes longer than this counts as unreachable. */
const PING_MS = 3_000;

export interface OperationsPorts {
  readonly disk: Disk;
  /** Whether this is its database's only coordinator. False from losing the lock until it is taken again. */
  readonly isAlone: () => boolean;
  /** True as soon as a shutdown begins: readiness fails before anything is closed. */
  readonly isStopping: () => boolean;
  /** Whether the core has resumed the rounds that it found. */
  readonly isStarted: () => boolean;
  readonly facts: () => Promise<OperationsView>;
  /** Prometheus text. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

const READINESS = {
  "application/json": { schema: z.object({ ready: z.boolean(), checks: z.record(z.string(), z.boolean()) }) },
};

/** Endpoints for operators: liveness, readiness, metrics. Answers hold names and booleans, never paths. */
export function operationEndpoints({
  store,
  operations: { isStarted, isStopping, isAlone, disk, facts, metrics },
  publicLog,
}: {
  readonly store: Pick<Store, "ping">;
  readonly publicLog?: Pick<PublicLog, "state"> | null;
  readonly operations: OperationsPorts;
}): readonly Endpoint[] {
  return [
    rawEndpoint({
      method: "get",
      path: "/livez",
      summary: "Whether the process answers",
      dialect: API,
      permission: "public",
      responses: {
        200: {
          description: "It does",
          content: { "application/json": { schema: z.object({ alive: z.literal(true) }) } },
        },
      },
      handle: async () => Response.json({ alive: true }),
    }),
    rawEndpoint({
      method: "get",
      path: "/readyz",
      summary: "Whether the coordinator is ready for rounds, and which check fails",
      dialect: API,
      permission: "public",
      responses: {
        200: { description: "Ready", content: READINESS },
        503: { description: "Not ready", content: READINESS },
      },
      handle: async () => {
        const checks = {
          running: isStarted() && !isStopping(),
          database: await answers(store),
          disk: await disk.hasRoom(),
          lock: isAlone(),
          log: publicLog == null || publicLog.state().type === "signing",
        };
        const ready = Object.values(checks).every(Boolean);
        return Response.json({ ready, checks }, { status: ready ? 200 : 503 });
      },
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/v1/operations",
      summary: "How the coordinator's machine is: disk, memory, last backup, address, limits",
      dialect: API,
      permission: "operations.read",
      answer: named(operationsSchema, "Operations"),
      rate: "facts",
      handle: facts,
    }),
    rawEndpoint({
      method: "get",
      path: "/metrics",
      summary: "Figures in Prometheus' text format",
      dialect: API,
      permission: "operations.read",
      responses: {
        200: { description: "Figures", content: { "text/plain": { schema: { type: "string" } } } },
      },
      handle: async () => {
        const { contentType, text } = await metrics();
        return new Response(text, { headers: { "content-type": contentType } });
      },
    }),
  ];
}

async function answers(store: Pick<Store, "ping">): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), PING_MS);
  });
  const pinged = store.ping().then(
    () => true,
    () => false,
  );
  const answered = await Promise.race([pinged, late]);
  clearTimeout(timer);
  return answered;
}
