import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBlobs } from "#coordinator/adapters/blobs.ts";
import { openDisk } from "#coordinator/adapters/disk.ts";
import type { TranscriptPorts } from "#coordinator/adapters/http/api/transcripts.ts";
import { createApp, type HttpDesks, type HttpPorts } from "#coordinator/adapters/http/app.ts";
import { Clients } from "#coordinator/adapters/http/clients.ts";
import { HttpConnections } from "#coordinator/adapters/http/connections.ts";
import { closeServer, listen } from "#coordinator/adapters/http/listen.ts";
import { knownOrigins } from "#coordinator/adapters/http/origins.ts";
import type { Pages } from "#coordinator/adapters/http/pages.ts";
import { createWebServer, routeRequests } from "#coordinator/adapters/http/server.ts";
import { readTrustedProxies } from "#coordinator/adapters/http/trusted-proxies.ts";
import { openIntake } from "#coordinator/adapters/intake.ts";
import { operationsFacts } from "#coordinator/adapters/operations-facts.ts";
import { attachSocketServer } from "#coordinator/adapters/socket/socket.ts";
import { openSpool } from "#coordinator/adapters/spool.ts";
import type { AccessDesk } from "#coordinator/core/access/desk.ts";
import { type AccessPorts, createAccess } from "#coordinator/core/access/device-login.ts";
import type { Person, Principal } from "#coordinator/core/access/principal.ts";
import { NO_OVERRIDES } from "#coordinator/core/access/promotions.ts";
import type { Coordinator } from "#coordinator/core/coordinator.ts";
import type { Blobs, Keeping, Log, Spool, Store } from "#coordinator/core/ports/ports.ts";
import { createTracking, type OwnThings, type Tracking } from "#coordinator/core/tracking/tracking.ts";
import { type AccessParts, type AccessPartsPorts, openAccess } from "#coordinator/open-access.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { assert } from "#shared/kernel/assert.ts";
import type { MonotonicClock } from "#shared/kernel/ports.ts";
import { err, ok } from "#shared/kernel/result.ts";
import { after, monotonicClock, primitives, randomBytes, wallClock } from "#shared/node/system.ts";
import type { Status } from "#shared/protocol/api.ts";
import { wireError } from "#shared/protocol/errors.ts";
import { FakeCore, FakeStore } from "../fakes/fake-core.ts";
import { memoryDatabase } from "../fakes/memory-database.ts";
import { memoryStore } from "../fakes/memory-store.ts";

type Kept = {
  -readonly [Name in keyof TranscriptPorts["store"]]: TranscriptPorts["store"][Name];
};

/** The real HTTP and socket adapters in front of a core that only records. */
export interface Shell {
  readonly url: string;
  readonly port: number;
  readonly core: FakeCore;
  readonly store: FakeStore;
  readonly blobs: Blobs;
  /** What is kept of rounds: nothing. A test replaces what it asks for. */
  readonly kept: Kept;
  readonly access: ReturnType<typeof createAccess>;
  readonly accessDesk: AccessDesk;
  readonly parts: AccessParts;
  /** Whoever asks without token and cookie: ada, an admin who has just proved it. Null for nobody. */
  asker: (() => Principal) | null;
  /** A ticket of ada's for /dash. */
  ticket(): string;
  readonly namespaces: () => readonly string[];
  readonly devices: ReturnType<typeof attachSocketServer>["devices"];
  readonly broadcast: ReturnType<typeof attachSocketServer>["broadcast"];
  readonly inFlight: ReturnType<typeof routeRequests>;
  readonly app: ReturnType<typeof createApp>["app"];
  readonly endpoints: ReturnType<typeof createApp>["endpoints"];
  /** Log lines at warn and error. */
  readonly complaints: string[];
  /** Begins a stop: work in progress may finish, nothing new is accepted. */
  beginStop(): void;
  close(): Promise<void>;
}

export interface ShellOptions {
  /** For every time limit. */
  readonly clock?: MonotonicClock;
  /** As --trusted-proxy takes them. */
  readonly trustedProxies?: string;
  readonly publicUrl?: string;
  /** Instead of none, and as if from Next's development server. */
  readonly pages?: Pages | null;
  /** Sites whose pages may use it. */
  readonly allowedOrigins?: readonly string[];
  /** False for one without an admin. */
  readonly isClaimed?: boolean;
  /** A real core with its store and files, in place of the fake one. */
  readonly inner?: Inner;
  /** What is kept of rounds, and for whom; by default nothing. */
  readonly keeping?: Keeping;
}

/** What stands behind the doors. */
export interface Inner extends HttpDesks, Pick<Coordinator, "devices" | "tracking"> {
  readonly places: Pick<Coordinator["places"], "of">;
  readonly store: Pick<Store, keyof AccessPorts["store"] | keyof HttpPorts["store"]>;
  readonly blobs: Blobs;
  readonly spool: Spool;
}

export async function openShell(options: ShellOptions = {}): Promise<Shell> {
  const { clock = monotonicClock, trustedProxies = "", publicUrl = null, allowedOrigins = [] } = options;
  const { inner, pages = null, keeping = null } = options;
  const dataFolder = await mkdtemp(join(tmpdir(), "chorus-shell-"));
  const core = new FakeCore();
  const store = new FakeStore();
  const complaints: string[] = [];
  const complain = (fields: Readonly<Record<string, unknown>>, message: string) =>
    void complaints.push(`${message} ${JSON.stringify(fields)}`);
  const log: Log = { info: () => {}, warn: complain, error: complain };
  const issuer = localSigner(randomBytes(32));
  const parts = await openShellAccess({ clock, log, keeping }, options.isClaimed ?? true);
  const { accessDesk } = parts;
  const { tickets } = parts.doors.own;
  const origins = knownOrigins(publicUrl, allowedOrigins);
  const stop = new AbortController();
  const proxies = readTrustedProxies(trustedProxies);
  assert(proxies.ok, "the test names its proxies");
  const connections = new HttpConnections(clock, proxies.value);
  const doors = { clients: new Clients(proxies.value, { strict: false }), origins, connections };
  const server = createWebServer(null, { connections, dev: pages !== null });
  const sockets = attachSocketServer(server, { ...doors, clock, wall: wallClock, log });
  const access = createAccess({
    ...{ store: inner?.store ?? store, issuer, log },
    ...{ primitives, random: randomBytes, clock, wall: wallClock },
    ...{ desk: accessDesk, devices: sockets.devices, projectId: "default" },
  });
  const places = inner?.places ?? core.places;
  sockets.serve({
    ...{ devices: inner?.devices ?? core, places, access, accessDesk, tickets, after },
    sessions: parts.signIns,
  });
  const blobs = inner?.blobs ?? (await openBlobs(join(dataFolder, "blobs")));
  const kept: Kept = {
    loadTranscript: async () => null,
    findTranscript: async () => null,
    loadOpenings: async () => new Map(),
    loadSealedEvidence: async () => null,
    findInput: async () => null,
  };
  const shell = {
    asker: adaNow as (() => Principal) | null,
    ticket: () => tickets.for(adaNow()).ticket,
    parts,
    core,
    store,
    blobs,
    kept,
    access,
    accessDesk,
    complaints,
    devices: sockets.devices,
    namespaces: () => sockets.namespaces(),
    broadcast: sockets.broadcast,
    beginStop: () => stop.abort(),
  };
  const principals = parts.principals(access);
  const ports: HttpPorts = {
    ...(inner ?? {
      tasks: core,
      heldOut: core,
      registry: core,
      runs: core,
      rounds: core,
      auditLog: core,
      exports: core,
      reports: core,
      runFiles: core,
      assessor: core,
      runSearch: core,
      uploads: core,
      tracking: shellTracking(blobs),
    }),
    store:
      inner?.store ??
      Object.assign(kept, {
        ping: () => store.ping(),
        countTasks: async () => new Map(),
        countJoins: async () => new Map(),
        findPlaces: (of: Parameters<FakeStore["findPlaces"]>[0]) => store.findPlaces(of),
      }),
    ...parts,
    ...{ access, places },
    principals: {
      of: async (shown) =>
        shell.asker !== null && shown.authorization === null && shown.session === null
          ? ok(shell.asker())
          : principals.of(shown),
    },
    wall: wallClock,
    nowUnixMs: wallClock.nowUnixMs,
    pagesUrl: () => STATUS.joinBaseUrl,
    blobs,
    spool: inner?.spool ?? (await openSpool(join(dataFolder, "spool"), primitives, openIntake())),
    metrics: { uploaded: () => {} },
    clock,
    stopping: stop.signal,
    log,
    status: () => STATUS,
    deployment: {
      endedRowsDays: 90,
      keptRounds: 0,
      operator: { name: null, contact: null, protectionContact: null, legalGround: null },
      hasOpenId: false,
    },
    operations: {
      disk: { hasRoom: async () => true },
      isAlone: () => true,
      isStarted: () => true,
      isStopping: () => stop.signal.aborted,
      facts: () =>
        operationsFacts({
          dataDir: dataFolder,
          disk: openDisk({ folder: dataFolder, counted: [], quotaByteCount: null }, monotonicClock),
          status: () => STATUS,
          isBehindProxy: false,
          certificate: null,
        }),
      metrics: async () => ({ contentType: "text/plain", text: "chorus_up 1\n" }),
    },
    ...doors,
    authority: null,
  };
  const { app, endpoints } = createApp(ports);
  const inFlight = routeRequests(server, {
    app,
    isSetUp: () => accessDesk.isClaimed,
    pages,
    ...doors,
    log,
    clock,
    stopping: stop.signal,
  });
  const port = await listen(server, 0, "127.0.0.1");
  return Object.assign(shell, {
    port,
    inFlight,
    app,
    endpoints,
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      parts.close();
      sockets.close();
      await closeServer(server);
      await rm(dataFolder, { recursive: true, force: true });
    },
  });
}

export const STATUS: Status = {
  product: "chorus",
  version: "0.0.0",
  codeVersion: "test",
  projectId: "default",
  database: "embedded",
  startedAt: "2026-01-01T00:00:00.000Z",
  joinBaseUrl: "http://localhost",
  secureContext: true,
  issuerKey: "00".repeat(32) as Status["issuerKey"],
  logKey: "00".repeat(32) as Status["logKey"],
};

const ADA = { personId: "a".repeat(32), name: "ada", signsInWith: "password" } as const;

/** An admin who has just proved it, and audits the project. */
function adaNow(): Person {
  return {
    kind: "person",
    personId: ADA.personId,
    name: ADA.name,
    rights: { isAdmin: true, rolesByProject: new Map([["default", new Set(["auditor"])]]) },
    by: { type: "session", sessionId: "shell", provedAt: wallClock.nowUnixMs() },
  };
}

const NOTHING_OWN: OwnThings = {
  models: {
    find: async () => null,
    list: async () => [],
    setAlias: async () => err(wireError("NOT_FOUND")),
    deleteAlias: async () => err(wireError("NOT_FOUND")),
  },
  versions: { has: async () => false, list: async () => [], find: async () => null },
  files: { list: async () => null, open: async () => null, isOwn: async () => false },
};

/** The real tracking over a store in memory, without anything of Chorus itself. */
function shellTracking(blobs: Blobs): Tracking {
  const ports = {
    ...{ store: memoryStore(memoryDatabase()), blobs, wall: wallClock, random: randomBytes },
    disk: { hasRoom: async () => true },
  };
  return createTracking(ports, NOTHING_OWN);
}

/** The real access over a store in memory, with ada as its first admin. */
async function openShellAccess(
  { clock, log, keeping }: Pick<AccessPartsPorts, "clock" | "log" | "keeping">,
  isClaimed: boolean,
): Promise<AccessParts> {
  const parts = await openAccess({
    ...{ primitives, random: randomBytes, clock, wall: wallClock, after, log },
    store: memoryStore(memoryDatabase()),
    keeping,
    projects: { deleteData: async () => err(wireError("CONFLICT")) },
    registry: NO_OVERRIDES,
  });
  if (!isClaimed) return parts;
  const claimed = await parts.accessDesk.setUp(ADA, "default");
  assert(claimed.ok, "nobody was the first admin before");
  return parts;
}
