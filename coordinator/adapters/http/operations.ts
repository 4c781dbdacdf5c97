import { statfs } from "node:fs/promises";
import type { HttpBindings } from "@hono/node-server";
import type { Hono } from "hono";
import type { Store } from "../../core/ports.ts";

/** Less room than this on the data folder's disk: no more uploads are invited in. */
const FREE_BYTES_MIN = 64 * 2 ** 20;
/** A database that does not answer within this time is not there. */
const PING_MS = 3_000;

export interface OperationsPorts {
  readonly store: Pick<Store, "ping">;
  readonly dataFolder: string;
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
      disk: await hasRoom(ports.dataFolder),
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

async function hasRoom(folder: string): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize >= FREE_BYTES_MIN;
  } catch {
    return false;
  }
}
