import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBlobs } from "#coordinator/adapters/blobs.ts";
import { ENDPOINTS } from "#coordinator/adapters/http/api/list.ts";
import { createApp, type EndpointGroup, type HttpPorts } from "#coordinator/adapters/http/app.ts";
import { HttpConnections } from "#coordinator/adapters/http/connections.ts";
import { knownOrigins } from "#coordinator/adapters/http/origins.ts";
import { closeServer, createWebServer, listen, routeRequests } from "#coordinator/adapters/http/server.ts";
import { openIntake } from "#coordinator/adapters/intake.ts";
import { attachSocketServer } from "#coordinator/adapters/socket/socket.ts";
import { openSpool } from "#coordinator/adapters/spool.ts";
import { monotonicClock, primitives, randomBytes, wallClock } from "#coordinator/adapters/system.ts";
import { createAccess } from "#coordinator/core/access/device-login.ts";
import type { Blobs, Log } from "#coordinator/core/ports.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import type { MonotonicClock } from "#shared/kernel/ports.ts";
import type { Status } from "#shared/protocol/api.ts";
import { FakeCore, FakeStore } from "./fake-core.ts";

/** The real HTTP and socket adapters in front of a core that only remembers. */
export interface Shell {
  readonly url: string;
  readonly port: number;
  readonly core: FakeCore;
  readonly store: FakeStore;
  readonly blobs: Blobs;
  readonly access: ReturnType<typeof createAccess>;
  readonly namespaces: () => readonly string[];
  readonly devices: ReturnType<typeof attachSocketServer>["devices"];
  readonly broadcast: ReturnType<typeof attachSocketServer>["broadcast"];
  readonly inFlight: ReturnType<typeof routeRequests>;
  readonly app: ReturnType<typeof createApp>["app"];
  readonly endpoints: ReturnType<typeof createApp>["endpoints"];
  /** Log lines at warn and error. */
  readonly complaints: string[];
  /** As a stop begins: what is under way may end, nothing new is taken. */
  beginStop(): void;
  close(): Promise<void>;
}

export interface ShellOptions {
  /** For every bound that counts time. */
  readonly clock?: MonotonicClock;
  /** Endpoints in place of the product's. */
  readonly groups?: readonly EndpointGroup[];
}

export async function openShell({
  clock = monotonicClock,
  groups = ENDPOINTS,
}: ShellOptions = {}): Promise<Shell> {
  const dataFolder = await mkdtemp(join(tmpdir(), "chorus-shell-"));
  const core = new FakeCore();
  const store = new FakeStore();
  const complaints: string[] = [];
  const complain = (fields: Readonly<Record<string, unknown>>, message: string) =>
    void complaints.push(`${message} ${JSON.stringify(fields)}`);
  const log: Log = { info: () => {}, warn: complain, error: complain };
  const issuer = localSigner(randomBytes(32));
  const access = createAccess({
    store,
    primitives,
    random: randomBytes,
    clock,
    wall: wallClock,
    issuer,
    projectId: "default",
  });
  const origins = knownOrigins([]);
  const stop = new AbortController();
  const connections = new HttpConnections(clock);
  const server = createWebServer(null, { connections });
  const sockets = attachSocketServer(server, { clock, log, origins, connections });
  sockets.serve({ devices: core }, access);
  const blobs = await openBlobs(join(dataFolder, "blobs"));
  const shell = {
    core,
    store,
    blobs,
    access,
    complaints,
    devices: sockets.devices,
    namespaces: () => sockets.namespaces(),
    broadcast: sockets.broadcast,
    beginStop: () => stop.abort(),
  };
  const ports: HttpPorts = {
    ...{ tasks: core, runs: core, rounds: core, uploads: core },
    store: {
      ping: () => store.ping(),
      loadTranscript: async () => null,
      findTranscript: async () => null,
      loadOpenings: async () => new Map(),
      loadSealedEvidence: async () => null,
      findInput: async () => null,
    },
    blobs,
    spool: await openSpool(join(dataFolder, "spool"), primitives, openIntake()),
    metrics: { uploaded: () => {} },
    clock,
    stopping: stop.signal,
    log,
    status: () => STATUS,
    operations: {
      disk: { hasRoom: async () => true },
      isAlone: () => true,
      isStarted: () => true,
      isStopping: () => stop.signal.aborted,
      metrics: async () => ({ contentType: "text/plain", text: "chorus_up 1\n" }),
    },
    origins,
    secure: false,
  };
  const { app, endpoints } = createApp(ports, groups);
  const inFlight = routeRequests(server, {
    app,
    pages: null,
    origins,
    log,
    secure: false,
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
      sockets.close();
      await closeServer(server);
      await rm(dataFolder, { recursive: true, force: true });
    },
  });
}

const STATUS: Status = {
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
