import { z } from "@hono/zod-openapi";
import type { Disk, Store } from "../../../core/ports.ts";
import { API } from "../dialect.ts";
import { type Endpoint, rawEndpoint } from "../endpoint.ts";

/** A database that does not answer within this time is not there. */
const PING_MS = 3_000;

export interface OperationsPorts {
  readonly disk: Disk;
  /** Whether this is the one coordinator of its database; false after the lock was lost, until it is taken again. */
  readonly isAlone: () => boolean;
  /** True from the first sign of the end on: readiness fails before anything is closed. */
  readonly isStopping: () => boolean;
  /** Whether the core has gone on with the rounds that it found. */
  readonly isStarted: () => boolean;
  /** Prometheus text. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

const READINESS = {
  "application/json": { schema: z.object({ ready: z.boolean(), checks: z.record(z.string(), z.boolean()) }) },
};

/** What operators ask: alive, ready, figures. Answers hold names and yes or no, no paths. */
export function operationEndpoints({
  store,
  operations: { isStarted, isStopping, isAlone, disk, metrics },
}: {
  readonly store: Pick<Store, "ping">;
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
      summary: "Whether the coordinator takes part in rounds, and what keeps it from that",
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
        };
        const ready = Object.values(checks).every(Boolean);
        return Response.json({ ready, checks }, { status: ready ? 200 : 503 });
      },
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
