import type { HttpBindings } from "@hono/node-server";
import type { Hono } from "hono";
import type { Disk, Store } from "../../core/ports.ts";

/** A database that does not answer within this time is not there. */
const PING_MS = 3_000;

export interface OperationsPorts {
  readonly store: Pick<Store, "ping">;
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

/** What operators ask: alive, ready, figures. Answers hold names and yes or no, no paths. */
export function mountOperations(app: Hono<{ Bindings: HttpBindings }>, ports: OperationsPorts): void {
  app.get("/livez", (context) => context.json({ alive: true }));
  app.get("/readyz", async (context) => {
    const checks = {
      running: ports.isStarted() && !ports.isStopping(),
      database: await answers(ports.store),
      disk: await ports.disk.hasRoom(),
      lock: ports.isAlone(),
    };
    const ready = Object.values(checks).every(Boolean);
    return context.json({ ready, checks }, ready ? 200 : 503);
  });
  app.get("/metrics", async () => {
    const { contentType, text } = await ports.metrics();
    return new Response(text, { headers: { "content-type": contentType } });
  });
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
