import { readFileSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import type { Status } from "#shared/protocol/api.ts";
import { NO_LOG_KEY } from "#shared/task/agreed-config.ts";
import { openBlobs } from "./adapters/blobs.ts";
import { type InstanceEvents, makeDataFolder, openStore } from "./adapters/database/open-store.ts";
import { openDisk } from "./adapters/disk.ts";
import { createEvaluator } from "./adapters/evaluator.ts";
import { openFolder } from "./adapters/folder.ts";
import { lockDataFolder } from "./adapters/folder-lock.ts";
import { heldOutFolder, heldOutPath } from "./adapters/held-out.ts";
import { createApp } from "./adapters/http/app.ts";
import { HttpConnections } from "./adapters/http/connections.ts";
import { knownOrigins, lanAddress } from "./adapters/http/origins.ts";
import { openPages } from "./adapters/http/pages.ts";
import { closeServer, createWebServer, listen, routeRequests } from "./adapters/http/server.ts";
import { openIntake } from "./adapters/intake.ts";
import { openIssuer } from "./adapters/issuer.ts";
import { openMetrics } from "./adapters/metrics.ts";
import { openModels } from "./adapters/models.ts";
import { attachSocketServer } from "./adapters/socket/socket.ts";
import { openSpool } from "./adapters/spool.ts";
import { after, monotonicClock, primitives, randomBytes, wallClock } from "./adapters/system.ts";
import { type Access, createAccess } from "./core/access/device-login.ts";
import type { Coordinator } from "./core/coordinator.ts";
import { createCoordinator } from "./core/create-coordinator.ts";
import type { Keeping, Log } from "./core/ports.ts";

const PROJECT_ID = "default";
/** Requests that are under way when a stop begins may end within this time; the whole stop takes less than 30 s. */
const DRAIN_MS = 20_000;

/** What the environment decides. */
export interface Settings {
  /** 0: one that is free. */
  readonly port: number;
  /** Undefined: every address of this machine. */
  readonly host?: string | undefined;
  readonly dataDir: string;
  /** PostgreSQL; undefined: SQLite in `dataDir`. */
  readonly databaseUrl?: string | undefined;
  readonly tls?: { readonly certPath: string; readonly keyPath: string } | null | undefined;
  /** As others reach this coordinator, e.g. behind a proxy. */
  readonly publicUrl?: string | undefined;
  /** Other pages that may use this coordinator. */
  readonly allowedOrigins?: readonly string[];
  /** What is kept of committed rounds for an auditor; nothing where absent. */
  readonly keeping?: { readonly rounds: number; readonly auditorKey: string } | undefined;
  /** False: the API alone, for tests and benches. */
  readonly web: "built" | "dev" | false;
  readonly log: Log;
  /**
   * Another coordinator took the database over while this one had lost it: this one serves nothing more, and its process
   * should end with the sentence. Default: an uncaught error.
   */
  readonly onReplaced?: (sentence: string) => void;
}

export interface RunningCoordinator {
  readonly port: number;
  /** For this machine, e.g. http://localhost:3000. */
  readonly url: string;
  readonly status: Status;
  readonly coordinator: Coordinator;
  readonly access: Access;
  /** Lets what is under way end, within 30 s; open runs go on at the next start. Called again, it joins the first stop. */
  stop(): Promise<void>;
}

/**
 * Environment to adapters to start.
 *
 * @throws Error with a sentence that says what to do: a taken port, a data folder in use, an unreadable certificate.
 */
export async function startCoordinator(settings: Settings): Promise<RunningCoordinator> {
  const { dataDir, log } = settings;
  const closers: (() => Promise<void> | void)[] = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await start(settings, closers, closeAll);
  } catch (error) {
    log.error({ dataDir, error: String(error) }, "the coordinator did not start");
    await closeAll();
    throw error;
  }
}

type Closers = (() => Promise<void> | void)[];

/** The same for every part. */
const PLATFORM = {
  primitives,
  after,
  random: randomBytes,
  clock: monotonicClock,
  wall: wallClock,
  projectId: PROJECT_ID,
} as const;

/** What becomes of the database's lock; the core is there before anything can happen to it. */
interface Alone {
  isAlone: boolean;
  onLost: (reason: Error) => void;
}

async function openAdapters(settings: Settings, alone: Alone, closers: Closers) {
  const { dataDir, databaseUrl, log } = settings;
  await makeDataFolder(settings);
  const lock = lockDataFolder(dataDir);
  closers.push(() => lock.release());
  await mkdir(heldOutFolder(dataDir), { recursive: true });
  const store = await openStore({
    ...{ dataDir, databaseUrl, log },
    projectId: PROJECT_ID,
    alone: instanceEvents(settings, alone),
  });
  closers.push(() => store.close());
  const intake = openIntake();
  closers.push(() => intake.close());
  const [blobs, spool, issuer] = await Promise.all([
    openBlobs(join(dataDir, "blobs")),
    openSpool(join(dataDir, "spool"), primitives, intake),
    openIssuer(dataDir, randomBytes),
  ]);
  const disk = openDisk(dataDir, monotonicClock);
  const folder = openFolder({ intake });
  closers.push(() => folder.close());
  const models = openModels();
  closers.push(() => models.close());
  const evaluator = createEvaluator((slug, version) => heldOutPath(dataDir, slug, version));
  closers.push(() => evaluator.close());
  const metrics = openMetrics();
  closers.push(() => metrics.close());
  return { store, blobs, spool, disk, issuer, folder, models, evaluator, metrics };
}

function instanceEvents({ onReplaced }: Settings, alone: Alone): InstanceEvents {
  return {
    onLost: (reason) => {
      alone.isAlone = false;
      alone.onLost(reason);
    },
    onRegained: () => {
      alone.isAlone = true;
    },
    onTaken:
      onReplaced ??
      ((sentence) => {
        throw new Error(sentence);
      }),
  };
}

async function start(
  settings: Settings,
  closers: Closers,
  closeAll: () => Promise<void>,
): Promise<RunningCoordinator> {
  const { log, web } = settings;
  const tls = await readTls(settings);
  const secure = tls !== null;
  // Next loads on this thread while the database opens on its own.
  const loading = web === false ? null : openPages({ dev: web === "dev", port: settings.port, secure });
  const pagesIfAny = loading?.catch(() => null);
  closers.push(async () => (await pagesIfAny)?.close());
  const alone: Alone = { isAlone: true, onLost: () => {} };
  const adapters = await openAdapters(settings, alone, closers);
  const { store, blobs, spool, disk, issuer, metrics } = adapters;

  // The order matters: socket.io and Next each put their own listeners on the server, ours come last.
  const origins = knownOrigins([
    ...(settings.allowedOrigins ?? []),
    ...(settings.publicUrl === undefined ? [] : [settings.publicUrl]),
  ]);
  const connections = new HttpConnections(monotonicClock);
  const server = createWebServer(tls, { connections });
  const sockets = attachSocketServer(server, { clock: monotonicClock, log, origins, connections });
  closers.push(async () => {
    sockets.close();
    await closeServer(server);
  });
  const { devices, broadcast } = sockets;
  const coordinator = createCoordinator({
    ...PLATFORM,
    ...adapters,
    ...{ log, devices, broadcast },
    codeVersion: VERSION,
    keeping: await keepingOf(settings),
  });
  alone.onLost = (reason) => coordinator.lifecycle.interrupt(reason);
  const access = createAccess({ ...PLATFORM, store, issuer });
  sockets.serve(coordinator, access);
  const pages = await loading;
  const stop = new AbortController();
  let stopped: Promise<void> | null = null;
  let started = false;
  let status: Status;
  const { tasks, runs, rounds, uploads } = coordinator;
  const { app } = createApp({
    ...{ tasks, runs, rounds, uploads, store, blobs, spool, metrics, log, origins, secure },
    clock: monotonicClock,
    stopping: stop.signal,
    status: () => status,
    operations: {
      disk,
      isAlone: () => alone.isAlone,
      isStarted: () => started,
      isStopping: () => stop.signal.aborted,
      metrics: async () => ({ contentType: metrics.contentType, text: await metrics.text() }),
    },
  });
  const inFlight = routeRequests(server, {
    ...{ app, pages, origins, log, secure },
    clock: monotonicClock,
    stopping: stop.signal,
  });
  await coordinator.lifecycle.start();
  // Stops before the sockets close: that everyone goes then is no event of a round.
  closers.push(() => coordinator.lifecycle.stop());
  const port = await listen(server, settings.port, settings.host);
  started = true;
  const url = `${secure ? "https" : "http"}://localhost:${port}`;
  const issuerKey = bytesToHex(issuer.publicKey) as Status["issuerKey"];
  status = statusOf(store.kind, issuerKey, joinAddress(settings, secure, port));
  log.info({ url, database: store.kind, version: VERSION }, "listening");
  return {
    port,
    url,
    status,
    coordinator,
    access,
    stop: () => {
      stopped ??= drainAndClose();
      return stopped;
    },
  };

  // Readiness fails from its first line on, and nothing new is taken; what is being written gets its answer.
  async function drainAndClose(): Promise<void> {
    stop.abort();
    if (!(await inFlight.drained(DRAIN_MS))) log.warn({}, "some requests were cut off");
    await closeAll();
    log.info({}, "stopped");
  }
}

function statusOf(
  database: Status["database"],
  issuerKey: Status["issuerKey"],
  address: ReturnType<typeof joinAddress>,
): Status {
  return {
    product: "chorus",
    version: VERSION,
    codeVersion: VERSION,
    projectId: PROJECT_ID,
    database,
    startedAt: new Date(wallClock.nowUnixMs()).toISOString(),
    ...address,
    issuerKey,
    logKey: NO_LOG_KEY as Status["logKey"],
  };
}

/** @throws Error where nobody can open what would be sealed to this key. */
async function keepingOf({ keeping }: Settings): Promise<Keeping | null> {
  if (keeping === undefined || keeping.rounds === 0) return null;
  const auditorKey = hexToBytes(keeping.auditorKey);
  const probe = await primitives.x25519(new Uint8Array(32).fill(1), auditorKey);
  if (!probe.ok) throw new Error("The auditor's key is no X25519 public key. Check --auditor-public-key.");
  return { rounds: keeping.rounds, auditorKey };
}

async function readTls({ tls }: Settings): Promise<{ cert: Buffer; key: Buffer } | null> {
  if (tls === undefined || tls === null) return null;
  const read = async (path: string, flag: string) => {
    try {
      return await readFile(path);
    } catch {
      throw new Error(`${path} cannot be read. Check ${flag}.`);
    }
  };
  return { cert: await read(tls.certPath, "--tls-cert"), key: await read(tls.keyPath, "--tls-key") };
}

/** Where other devices find the join page, and whether a browser there would have WebCrypto and WebGPU. */
function joinAddress(
  settings: Settings,
  secure: boolean,
  port: number,
): Pick<Status, "joinBaseUrl" | "secureContext"> {
  if (settings.publicUrl !== undefined) {
    const { origin, protocol } = new URL(settings.publicUrl);
    return { joinBaseUrl: origin, secureContext: protocol === "https:" };
  }
  const loopback = settings.host === "127.0.0.1" || settings.host === "::1" || settings.host === "localhost";
  const address = loopback ? null : (settings.host ?? lanAddress());
  const name = address === null ? "localhost" : address.includes(":") ? `[${address}]` : address;
  return {
    joinBaseUrl: `${secure ? "https" : "http"}://${name}:${port}`,
    // Browsers trust plain HTTP on the machine itself only.
    secureContext: secure || address === null,
  };
}

const VERSION: string = (
  JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    readonly version: string;
  }
).version;

/**
 * A fault ends the process: after one, nobody knows what state it is in, and the next start goes on from the log. Next
 * installs handlers that would carry on, so these must stand.
 */
export function endOnFault(log: Log): void {
  const end = (error: unknown, message: string) => {
    log.error({ error: error instanceof Error ? error : "a value that is no Error was thrown" }, message);
    process.exit(70);
  };
  process.on("uncaughtException", (error) => end(error, "uncaught fault"));
  process.on("unhandledRejection", (error) => end(error, "unhandled rejection"));
}
