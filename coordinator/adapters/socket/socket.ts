import type { Server as HttpServer, IncomingMessage, RequestListener } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Duplex } from "node:stream";
import { Server, type ServerOptions, type Socket } from "socket.io";
import { assert } from "#shared/kernel/assert.ts";
import type { MonotonicClock, WallClock } from "#shared/kernel/ports.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { type AccessDesk, hasRole } from "../../core/access/desk.ts";
import type { Access } from "../../core/access/device-login.ts";
import type { Places } from "../../core/access/places.ts";
import type { Person } from "../../core/access/principal.ts";
import { rateLimit } from "../../core/access/rate-limit.ts";
import type { Tickets } from "../../core/access/tickets.ts";
import type { Coordinator } from "../../core/coordinator.ts";
import type { Broadcast, Devices, Log } from "../../core/ports/ports.ts";
import type { SignIns } from "../../core/ports/sign-ins.ts";
import type { Clients } from "../http/clients.ts";
import type { HttpConnections } from "../http/connections.ts";
import type { Origins } from "../http/origins.ts";
import { type RawRefusal, refuseRaw } from "../http/raw-answer.ts";
import { dashBroadcast, dashboards } from "./dash.ts";
import { DeviceConnections } from "./device-connections.ts";
import { engineId } from "./guard.ts";
import { SOCKET_ENDPOINTS } from "./list.ts";
import { packetParser } from "./packets.ts";
import { type Connection, TransportLimits } from "./transport-limits.ts";
import { Watchers } from "./watchers.ts";
import { webSocketServer } from "./web-socket-server.ts";

/** Requests to this path belong to the socket server. */
export const SOCKET_PATH = "/socket.io/";

/** Room for the event name and the parser's own bytes around a frame of maximum size. */
const ENVELOPE_BYTE_COUNT = 1_024;

/** What connections are for. */
export interface Served {
  readonly devices: Coordinator["devices"];
  readonly places: Pick<Places, "of">;
  readonly access: Access;
  readonly accessDesk: AccessDesk;
  readonly tickets: Pick<Tickets, "use">;
  readonly sessions: Pick<SignIns, "onSessionEnd">;
  readonly after: (delayMs: number, run: () => void) => () => void;
}

export interface SocketServer {
  readonly devices: Devices;
  readonly broadcast: Broadcast;
  /** Starts taking connections, once the core exists. */
  serve(served: Served): void;
  /** Namespaces that take connections. */
  namespaces(): readonly string[];
  /** Ends every connection. Devices and pages reconnect by themselves when the coordinator is back. */
  close(): void;
}

export interface SocketServerPorts {
  readonly clock: MonotonicClock;
  readonly wall: WallClock;
  readonly log: Log;
  readonly clients: Clients;
  readonly origins: Origins;
  /** The server's HTTP connections. One that becomes a WebSocket is counted here instead. */
  readonly connections: HttpConnections;
}

/**
 * WebSocket only. Compression is off because it costs 300 kB per connection, and so is socket.io's own recovery: a
 * returning device says hello again.
 */
const TRANSPORT: Partial<ServerOptions> = {
  path: SOCKET_PATH,
  serveClient: false,
  parser: packetParser,
  transports: ["websocket"],
  allowUpgrades: false,
  perMessageDeflate: false,
  httpCompression: false,
  maxHttpBufferSize: LIMITS.frameByteCountMax + ENVELOPE_BYTE_COUNT,
  connectTimeout: 10_000,
  // Devices hear something at least this often, and notice a silent connection after two missing pings (W21).
  pingInterval: LIMITS.socketPingMs,
  // Much longer: a coordinator that was held up reads the answers only after its timers have fired.
  pingTimeout: LIMITS.socketAnswerMsMax,
  // `routeRequests` answers all other upgrades.
  destroyUpgrade: false,
};

/** Attaches socket.io to `server` at once. */
export function attachSocketServer(
  server: HttpServer | HttpsServer,
  { clock, wall, log, clients, origins, connections: httpConnections }: SocketServerPorts,
): SocketServer {
  const limits = new TransportLimits(clients, clock);
  const refusals = rateLimit(clock, {
    burst: LIMITS.socketOpensBurstPerAddress,
    perSecond: LIMITS.socketOpensPerSecondPerAddress,
  });
  const before = server.listeners("request");
  const io = new Server(server, {
    ...TRANSPORT,
    wsEngine: webSocketServer({
      pingsOfOne: () => limits.pings(),
      refuse: (request, socket) => refuseRaw(socket, clients.of(request).strict, NO_HANDSHAKE),
    }),
  });
  const upgradeRefusal = (request: IncomingMessage): RawRefusal | null => {
    const { client, fault } = clients.judge(request);
    if (fault !== null) return { status: 400, code: "BAD_REQUEST", detail: fault };
    if (!origins.allowsHost(client.host) || !origins.allowsOrigin(request.headers.origin, client))
      return { status: 403, code: "FORBIDDEN" };
    if (!isHandshake(request)) return NO_HANDSHAKE;
    return limits.admits(request) ? null : { status: 429, code: "RATE_LIMITED" };
  };
  judgeUpgrades(server, before, (request, socket) => {
    const refusal = upgradeRefusal(request);
    if (refusal === null) return true;
    const { address, strict } = clients.judge(request).client;
    // Above its rate an address is not answered (W10).
    if (refusals.take(address)) refuseRaw(socket, strict, refusal);
    else socket.destroy();
    return false;
  });
  io.engine.on("connection", (connection: Connection) => {
    limits.add(connection);
    httpConnections.becameWebSocket(connection.request.socket);
  });
  // The default namespace is unused.
  io.use((_socket, next) => next(new Error("NOT_FOUND")));
  const connections = new DeviceConnections();
  return {
    devices: connections,
    broadcast: dashBroadcast(io.of(dashboards.namespace)),
    serve: ({ devices, places, access, accessDesk, tickets, sessions, after }) => {
      const { nowUnixMs } = wall;
      const ports = {
        places,
        isSetUp: () => accessDesk.isClaimed,
        personOfTicket: (ticket: string) => tickets.use(ticket),
        personNow: (person: Person) => {
          const rights = accessDesk.rightsOf(person.personId);
          return rights === null || !hasRole(rights) ? null : { ...person, rights };
        },
        watchers: new Watchers({ desk: accessDesk, sessions, nowUnixMs, after }),
        clock,
        wall,
        log,
        budget: limits,
        devices,
        access,
        connections,
        addressOf: (socket: Socket) => clients.of(socket.request).address,
        loggedIn: (socket: Socket, options: { readonly isInvited: boolean }) =>
          limits.loggedIn(engineId(socket), options),
      };
      for (const endpoint of SOCKET_ENDPOINTS) endpoint.serve(io.of(endpoint.namespace), ports);
    },
    namespaces: () => [...io._nsps.keys()],
    // Closes the transport, because clients do not reconnect after a server-side disconnect of their socket.
    close: () => io.engine.close(),
  };
}

/**
 * Takes engine.io's listeners off the server: `routeRequests` answers requests at its address, and only upgrades
 * that `admits` accepts reach it. engine.io would refuse both without a code (W1).
 *
 * @param before  The server's listeners to requests before engine.io wrapped them.
 */
function judgeUpgrades(
  server: HttpServer | HttpsServer,
  before: readonly unknown[],
  admits: (request: IncomingMessage, socket: Duplex) => boolean,
): void {
  server.removeAllListeners("request");
  for (const listener of before) server.on("request", listener as RequestListener);
  const [engineUpgrade, ...others] = server.listeners("upgrade");
  assert(engineUpgrade !== undefined && others.length === 0, "engine.io alone listens to upgrades");
  server.removeAllListeners("upgrade");
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.url?.startsWith(SOCKET_PATH) && admits(request, socket))
      engineUpgrade.call(server, request, socket, head);
  });
}

const NO_HANDSHAKE: RawRefusal = {
  status: 400,
  code: "BAD_REQUEST",
  detail: "This does not open a socket. Connect with a client of socket.io 4, over WebSocket alone.",
};

/** True if engine.io opens a connection for this. All that it would refuse is false. */
function isHandshake({ method, url = "" }: IncomingMessage): boolean {
  const query = new URLSearchParams(url.slice(SOCKET_PATH.length));
  const isOnce = (name: string, value: string) => query.getAll(name).join("\n") === value;
  return method === "GET" && isOnce("EIO", "4") && isOnce("transport", "websocket") && !query.has("sid");
}
