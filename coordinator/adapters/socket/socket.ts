import type { Server as HttpServer } from "node:http";
import type { Server as HttpsServer } from "node:https";
import { Server, type Socket } from "socket.io";
import type { MonotonicClock } from "#shared/kernel/ports.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { Access } from "../../core/access/device-login.ts";
import type { Coordinator } from "../../core/coordinator.ts";
import type { Broadcast, Devices, Log } from "../../core/ports.ts";
import type { HttpConnections } from "../http/connections.ts";
import type { Origins } from "../http/origins.ts";
import { dashBroadcast, dashboards } from "./dash.ts";
import { DeviceConnections } from "./devices.ts";
import { engineId } from "./guard.ts";
import { SOCKET_ENDPOINTS } from "./list.ts";
import { packetParser } from "./packets.ts";
import { type Connection, TransportLimits } from "./transport-limits.ts";
import { webSocketServer } from "./web-socket-server.ts";

/** Requests to this path belong to the socket; main.ts keeps its hands off. */
export const SOCKET_PATH = "/socket.io/";

/** Room for the event's name and the parser's own bytes around a frame of the largest size. */
const ENVELOPE_BYTE_COUNT = 1_024;

export interface SocketServer {
  readonly devices: Devices;
  readonly broadcast: Broadcast;
  /** Lets connections in, once the core exists that they talk to. */
  serve(coordinator: Pick<Coordinator, "devices">, access: Access): void;
  /** Names of those that take connections. */
  namespaces(): readonly string[];
  /** Ends every connection; devices and pages reconnect by themselves when the coordinator is back. */
  close(): void;
}

export interface SocketServerPorts {
  readonly clock: MonotonicClock;
  readonly log: Log;
  readonly origins: Origins;
  /** Those that the server has; a WebSocket counts here instead. */
  readonly connections: HttpConnections;
}

/**
 * socket.io over WebSocket only, without compression (it costs 300 kB a connection) and without its own recovery
 * (a device that returns says hello). Attaches to `server` at once.
 */
export function attachSocketServer(
  server: HttpServer | HttpsServer,
  { clock, log, origins, connections: httpConnections }: SocketServerPorts,
): SocketServer {
  const limits = new TransportLimits(clock);
  const io = new Server(server, {
    path: SOCKET_PATH,
    serveClient: false,
    parser: packetParser,
    wsEngine: webSocketServer(() => limits.pings()),
    transports: ["websocket"],
    allowUpgrades: false,
    perMessageDeflate: false,
    httpCompression: false,
    maxHttpBufferSize: LIMITS.frameByteCountMax + ENVELOPE_BYTE_COUNT,
    connectTimeout: 10_000,
    // main.ts ends the upgrades that are nobody's, at once.
    destroyUpgrade: false,
    allowRequest: (request, decide) => {
      const { origin, host } = request.headers;
      const welcome =
        origins.allowsHost(host) && origins.allowsOrigin(origin, host) && limits.admits(request);
      decide(welcome ? null : "forbidden", welcome);
    },
  });
  io.engine.on("connection", (connection: Connection) => {
    limits.add(connection);
    httpConnections.becameWebSocket(connection.request.socket);
  });
  // The default namespace serves nobody.
  io.use((_socket, next) => next(new Error("NOT_FOUND")));
  const connections = new DeviceConnections();
  return {
    devices: connections,
    broadcast: dashBroadcast(io.of(dashboards.namespace)),
    serve: ({ devices }, access) => {
      const ports = {
        ...{ clock, log, budget: limits, devices, access, connections },
        loggedIn: (socket: Socket, options: { readonly isInvited: boolean }) =>
          limits.loggedIn(engineId(socket), options),
      };
      for (const endpoint of SOCKET_ENDPOINTS) endpoint.serve(io.of(endpoint.namespace), ports);
    },
    namespaces: () => [...io._nsps.keys()],
    // The transport, not the sockets: a client that the server disconnects on purpose does not come back by itself.
    close: () => io.engine.close(),
  };
}
