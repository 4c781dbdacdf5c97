import { present } from "#shared/kernel/assert.ts";
import { hexToBytes } from "#shared/kernel/bytes.ts";
import { after, monotonicClock, primitives, randomBytes, wallClock } from "#shared/node/system.ts";
import { VERSION } from "#shared/node/version.ts";
import type { Status } from "#shared/protocol/api.ts";
import type { OwnCode } from "#shared/protocol/own-code.ts";
import { WIRE_VERSION } from "#shared/protocol/wire-version.ts";
import type { Authority } from "#shared/task/agreed-config.ts";
import type { OpenIdSettings } from "./adapters/auth/open-id.ts";
import { createApp } from "./adapters/http/app.ts";
import { Clients } from "./adapters/http/clients.ts";
import { HttpConnections } from "./adapters/http/connections.ts";
import { closeServer, listen } from "./adapters/http/listen.ts";
import { addressFault, knownOrigins } from "./adapters/http/origins.ts";
import { openPages, type Pages } from "./adapters/http/pages.ts";
import { createWebServer, type InFlight, routeRequests, type Tls } from "./adapters/http/server.ts";
import { NO_PROXIES, type TrustedProxies } from "./adapters/http/trusted-proxies.ts";
import { type OperationsSources, operationsFacts } from "./adapters/operations-facts.ts";
import { readOwnCode } from "./adapters/own-code.ts";
import { joinAddress, joinName, signInBaseUrl } from "./adapters/reach.ts";
import { attachSocketServer } from "./adapters/socket/socket.ts";
import { keepOwnTls, type OwnTls, openOwnTls, readTls, type TlsSetting } from "./adapters/tls/open-tls.ts";
import type { OwnAuthority } from "./adapters/tls/own-certificate.ts";
import type { AccessDesk } from "./core/access/desk.ts";
import { type Access, createAccess } from "./core/access/device-login.ts";
import type { Doors } from "./core/access/doors.ts";
import type { Coordinator } from "./core/coordinator.ts";
import { createCoordinator } from "./core/create-coordinator.ts";
import type { Keeping, Log } from "./core/ports/ports.ts";
import type { PublicLog } from "./core/ports/public-log.ts";
import { authorityOf } from "./core/tasks/terms.ts";
import { deploymentOf, type GovernanceSettings } from "./deployment.ts";
import { type AccessParts, openAccess } from "./open-access.ts";
import { type Alone, type Closers, openAdapters, type StateSettings } from "./open-adapters.ts";

/**
 * Requests under way when a shutdown begins have this long to finish. The whole shutdown takes less than 30
 * s.
 */
const DRAIN_MS = 20_000;

/** Settings from the environment. */
export interface Settings extends StateSettings, Omit<GovernanceSettings, "keeping" | "openId"> {
  /** 0 for any free port. */
  readonly port: number;
  /** Undefined for all addresses of this machine. */
  readonly host?: string | undefined;
  /** Null or undefined for plain HTTP. */
  readonly tls?: TlsSetting | null | undefined;
  /** Address under which others reach this coordinator, for example behind a proxy. */
  readonly publicUrl?: string | undefined;
  /** Proxies whose forwarded headers are believed; none if absent. */
  readonly trustedProxies?: TrustedProxies;
  /** Origins of other sites whose pages may use this coordinator. */
  readonly allowedOrigins?: readonly string[];
  /** Committed rounds kept for an auditor; none if absent. */
  readonly keeping?: { readonly rounds: number; readonly auditorKey: string } | undefined;
  /** An OpenID provider whose accounts may sign in; none if absent. */
  readonly openId?: OpenIdSettings | undefined;
  /** False for benches: configs do not name the public log, so devices demand no proofs. */
  readonly demandsProofs?: boolean;
  /** False for the API alone, in tests and benches. */
  readonly web: "built" | "dev" | false;
  /** The commit of this program, for an image without Git's folder. */
  readonly commit?: string | undefined;
}

export interface RunningCoordinator {
  readonly port: number;
  /** For use on this machine, such as http://localhost:3000. */
  readonly url: string;
  readonly status: Status;
  /** What devices have to trust, if this coordinator made its own certificate. */
  readonly authority: OwnAuthority | null;
  readonly coordinator: Coordinator;
  readonly access: Access;
  readonly accessDesk: AccessDesk;
  /** Set-up and signing in. */
  readonly doors: Doors;
  /**
   * Lets work under way finish, within 30 s. Open runs resume at the next start. Repeated calls return the
   * first one's promise.
   */
  stop(): Promise<void>;
}

/**
 * Builds the adapters from the environment and starts the coordinator.
 *
 * @throws Error that says what to do: a taken port, a data folder in use, an unreadable certificate, a public URL
 *   with a path.
 */
export async function startCoordinator(settings: Settings): Promise<RunningCoordinator> {
  const { dataDir, log } = settings;
  const closers: Closers = [];
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

async function start(
  settings: Settings,
  closers: Closers,
  closeAll: () => Promise<void>,
): Promise<RunningCoordinator> {
  const { log } = settings;
  const fault = addressFault(settings);
  if (fault !== null) throw new Error(fault);
  const secure = settings.tls !== undefined && settings.tls !== null;
  const given = secure && settings.tls !== "own" ? await readTls(settings.tls) : null;
  // A browser that insists on HTTPS lets nobody pass over its warning, which a device does once before it trusts.
  const strict = given !== null;
  const loading = loadPages(settings, closers);
  const alone: Alone = { isAlone: true, onLost: () => {}, onRegained: () => {} };
  const serves = settings.web === "built";
  const code = await readOwnCode(primitives, VERSION, { serves, given: settings.commit });
  const adapters = await openAdapters(settings, { ...PLATFORM, code }, alone, closers);
  const { store } = adapters;
  const own = settings.tls === "own" ? await openOwnTls(settings.dataDir, joinName(settings)) : null;
  const doors = openDoors(settings, { tls: own?.tls ?? given, strict }, closers);
  if (own !== null) closers.push(keepOwnTls(doors.server, own, { ...PLATFORM, log }));
  const core = await openCore(settings, { adapters, doors, alone, code }, closers);
  const { coordinator, people, access } = core;
  const life: Life = { stop: new AbortController(), started: false, status: null, alone };
  const inFlight = serveHttp(doors, {
    ...core,
    adapters,
    pages: await loading,
    life,
    log,
    own,
    deployment: deploymentOf(settings),
    machine: {
      dataDir: settings.dataDir,
      isBehindProxy: (settings.trustedProxies ?? NO_PROXIES) !== NO_PROXIES,
      certificate: given?.cert ?? null,
    },
  });
  await coordinator.lifecycle.start();
  // Before anyone can launch a run in such a project.
  await people.accessDesk.finishDeletions();
  // Stops before the sockets close, so that disconnects then are no events of a round.
  closers.push(() => coordinator.lifecycle.stop());
  const port = await listen(doors.server, settings.port, settings.host);
  life.started = true;
  const url = `${secure ? "https" : "http"}://localhost:${port}`;
  const publicLog = namedLog(settings, adapters);
  const authority = authorityOf({ ...PLATFORM, issuer: adapters.issuer, publicLog });
  const status = statusOf(store.kind, authority, joinAddress(settings, secure, port), own);
  life.status = status;
  log.info({ url, database: store.kind, version: VERSION }, "listening");
  let stopped: Promise<void> | null = null;
  return {
    port,
    url,
    status,
    authority: own?.authority ?? null,
    coordinator,
    access,
    accessDesk: people.accessDesk,
    doors: people.doors,
    stop: () => {
      stopped ??= drainAndClose();
      return stopped;
    },
  };

  // Readiness fails from the first line on and nothing new is accepted. Requests under way get their answers.
  async function drainAndClose(): Promise<void> {
    life.stop.abort();
    if (!(await inFlight.drained(DRAIN_MS))) log.warn({}, "some requests were cut off");
    await closeAll();
    log.info({}, "stopped");
  }
}

/** Next loads on this thread while the database opens on its own. */
function loadPages({ web, port }: Settings, closers: Closers): Promise<Pages> | null {
  const loading = web === false ? null : openPages({ dev: web === "dev", port });
  const pagesIfAny = loading?.catch(() => null);
  closers.push(async () => (await pagesIfAny)?.close());
  return loading;
}

interface Opened {
  readonly adapters: Awaited<ReturnType<typeof openAdapters>>;
  readonly doors: ReturnType<typeof openDoors>;
  readonly alone: Alone;
  readonly code: OwnCode;
}

/** The coordinator, its people and its devices. Sockets take connections from then on. */
async function openCore(settings: Settings, { adapters, doors, alone, code }: Opened, closers: Closers) {
  const { log } = settings;
  const { store, issuer } = adapters;
  const keeping = await keepingOf(settings);
  const coordinator = createCoordinator({
    ...PLATFORM,
    code,
    ...adapters,
    publicLog: namedLog(settings, adapters),
    log,
    devices: doors.sockets.devices,
    broadcast: doors.sockets.broadcast,
    keeping,
  });
  alone.onLost = (reason) => coordinator.lifecycle.interrupt(reason);
  const people = await openAccess(
    {
      ...PLATFORM,
      store,
      log,
      keeping,
      projects: coordinator.projects,
      registry: coordinator.registry,
      endedRowsDays: deploymentOf(settings).endedRowsDays,
    },
    settings.openId,
  );
  closers.push(() => people.close());
  alone.onRegained = () => people.reload();
  const { accessDesk, signIns: sessions } = people;
  const access = createAccess({
    ...PLATFORM,
    store,
    issuer,
    log,
    desk: accessDesk,
    devices: doors.sockets.devices,
  });
  const { tickets } = people.doors.own;
  doors.sockets.serve({ ...coordinator, access, accessDesk, tickets, sessions, after });
  return { coordinator, people, access };
}

/** The public log that configs name. */
function namedLog({ demandsProofs = true }: Settings, { publicLog }: { readonly publicLog: PublicLog }) {
  return demandsProofs ? publicLog : null;
}

/** The platform's ports, shared by every part. */
const PLATFORM = {
  primitives,
  after,
  random: randomBytes,
  clock: monotonicClock,
  wall: wallClock,
  projectId: "default",
  codeVersion: VERSION,
} as const;

/** How far the coordinator is between its start and its stop. */
interface Life {
  readonly stop: AbortController;
  readonly alone: Alone;
  started: boolean;
  /** Null until it listens. */
  status: Status | null;
}

interface DoorTls {
  readonly tls: Tls | null;
  /** Whether browsers are to insist on HTTPS from now on. */
  readonly strict: boolean;
}

/** The server and its sockets. Order matters: socket.io and Next put their listeners on it before `serveHttp`. */
function openDoors(settings: Settings, { tls, strict }: DoorTls, closers: Closers) {
  const { allowedOrigins = [], publicUrl, trustedProxies = NO_PROXIES, log } = settings;
  const origins = knownOrigins(publicUrl ?? null, allowedOrigins);
  const clients = new Clients(trustedProxies, { strict });
  const connections = new HttpConnections(monotonicClock, trustedProxies);
  const server = createWebServer(tls, { connections, strict, dev: settings.web === "dev" });
  const doors = { clients, origins, connections };
  const sockets = attachSocketServer(server, { ...doors, clock: monotonicClock, wall: wallClock, log });
  closers.push(async () => {
    sockets.close();
    await closeServer(server);
  });
  return { doors, server, sockets };
}

interface Served {
  readonly coordinator: Coordinator;
  readonly people: AccessParts;
  readonly access: Access;
  readonly adapters: Awaited<ReturnType<typeof openAdapters>>;
  readonly pages: Pages | null;
  readonly life: Life;
  readonly log: Log;
  readonly own: OwnTls | null;
  readonly deployment: ReturnType<typeof deploymentOf>;
  readonly machine: Pick<OperationsSources, "dataDir" | "isBehindProxy" | "certificate">;
}

function serveHttp(
  { server, doors }: ReturnType<typeof openDoors>,
  { coordinator, adapters, people, access, pages, life, log, own, machine, deployment }: Served,
): InFlight {
  const { store, blobs, spool, disk, metrics, publicLog } = adapters;
  const shared = { ...doors, log, clock: monotonicClock, wall: wallClock, stopping: life.stop.signal };
  const statusNow = () => present(life.status, "the status of a coordinator that listens");
  const { app } = createApp({
    ...coordinator,
    ...shared,
    store,
    blobs,
    spool,
    metrics,
    publicLog,
    authority: own?.authority.certificate ?? null,
    ...people,
    access,
    principals: people.principals(access),
    pagesUrl: () => signInBaseUrl(statusNow()),
    status: statusNow,
    deployment,
    operations: {
      disk,
      isAlone: () => life.alone.isAlone,
      isStarted: () => life.started,
      isStopping: () => life.stop.signal.aborted,
      facts: () => operationsFacts({ ...machine, disk, status: statusNow }),
      metrics: async () => ({ contentType: metrics.contentType, text: await metrics.text() }),
    },
  });
  return routeRequests(server, { ...shared, app, pages, isSetUp: () => people.accessDesk.isClaimed });
}

function statusOf(
  database: Status["database"],
  { projectId, codeVersion, issuerKey, logKey, logOrigin }: Authority,
  address: ReturnType<typeof joinAddress>,
  own: OwnTls | null,
): Status {
  return {
    product: "chorus",
    version: VERSION,
    codeVersion,
    projectId,
    database,
    startedAt: new Date(wallClock.nowUnixMs()).toISOString(),
    ...address,
    wire: WIRE_VERSION,
    issuerKey: issuerKey as Status["issuerKey"],
    ...(own === null ? {} : { authorityFingerprint: own.authority.fingerprint }),
    logKey: logKey as Status["logKey"],
    ...(logOrigin === undefined ? {} : { logOrigin }),
  };
}

/** @throws Error if nobody could open what would be sealed to this key. */
async function keepingOf({ keeping }: Settings): Promise<Keeping | null> {
  if (keeping === undefined || keeping.rounds === 0) return null;
  const auditorKey = hexToBytes(keeping.auditorKey);
  const probe = await primitives.x25519(new Uint8Array(32).fill(1), auditorKey);
  if (!probe.ok)
    throw new Error("The auditor's key is not an X25519 public key. Check --auditor-public-key.");
  return { rounds: keeping.rounds, auditorKey };
}

/**
 * Ends the process on a fault: its state is unknown then, and the next start resumes from the log. Next
 * installs handlers that carry on, so these are needed, too.
 */
export function endOnFault(log: Log): void {
  const end = (error: unknown, message: string) => {
    log.error({ error: error instanceof Error ? error : "a value other than an Error was thrown" }, message);
    process.exit(70);
  };
  process.on("uncaughtException", (error) => end(error, "uncaught fault"));
  process.on("unhandledRejection", (error) => end(error, "unhandled rejection"));
}
