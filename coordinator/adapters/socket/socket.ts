import type { Server as HttpServer, IncomingMessage } from "node:http";
import type { Server as HttpsServer } from "node:https";
import { Server, type Socket } from "socket.io";
import type { MonotonicClock } from "#shared/kernel/ports.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { Access } from "../../core/access.ts";
import type { Coordinator } from "../../core/coordinator.ts";
import type { Broadcast, Devices, Log } from "../../core/ports.ts";
import { addressKey, rateLimit } from "../../core/rate-limit.ts";
import type { Origins } from "../http/origins.ts";
import { dashBroadcast, serveDashboards } from "./dash.ts";
import { DeviceConnections, serveDevices } from "./devices.ts";
import { packetParser } from "./packets.ts";

/** Requests to this path belong to the socket; main.ts keeps its hands off. */
export const SOCKET_PATH = "/socket.io/";

/** Room for the event's name and the parser's own bytes around a frame of the largest size. */
const ENVELOPE_BYTE_COUNT = 1_024;
/** Packets of the transport: two an event, and some for joining and heartbeats. */
const PACKETS_PER_SECOND = 5 * LIMITS.socketEventsPerSecond;

export interface SocketServer {
  readonly devices: Devices;
  readonly broadcast: Broadcast;
  /** Lets connections in, once the core exists that they talk to. */
  serve(coordinator: Coordinator, access: Access): void;
  /** Ends every connection; devices and pages reconnect by themselves when the coordinator is back. */
  close(): void;
}

export interface SocketServerPorts {
  readonly clock: MonotonicClock;
  readonly log: Log;
  readonly origins: Origins;
}

/**
 * socket.io over WebSocket only, without compression (it costs 300 kB a connection) and without its own recovery
 * (a device that returns says hello). Attaches to `server` at once.
 */
export function attachSocketServer(
  server: HttpServer | HttpsServer,
  { clock, log, origins }: SocketServerPorts,
): SocketServer {
  const counted = new CountedConnections();
  const io = new Server(server, {
    path: SOCKET_PATH,
    serveClient: false,
    parser: packetParser,
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
        origins.allowsHost(host) && origins.allowsOrigin(origin, host) && counted.hasRoom(addressOf(request));
      decide(welcome ? null : "forbidden", welcome);
    },
  });
  io.engine.on("connection", (connection) => {
    counted.add(connection.id, addressOf(connection.request));
    const packets = rateLimit(clock, {
      burst: 2 * PACKETS_PER_SECOND,
      perSecond: PACKETS_PER_SECOND,
      keyCountMax: 1,
    });
    connection.on("packet", () => {
      if (!packets.take("")) connection.close(true);
    });
    connection.on("close", () => counted.remove(connection.id));
  });
  // The default namespace serves nobody.
  io.use((_socket, next) => next(new Error("NOT_FOUND")));
  const connections = new DeviceConnections();
  return {
    devices: connections,
    broadcast: dashBroadcast(io.of("/dash")),
    serve: (coordinator, access) => {
      const uncount = (socket: Socket) => counted.remove(engineId(socket));
      serveDevices(io.of("/device"), { coordinator, access, connections, clock, log, uncount });
      serveDashboards(io.of("/dash"), { clock, log });
    },
    // The transport, not the sockets: a client that the server disconnects on purpose does not come back by itself.
    close: () => io.engine.close(),
  };
}

/** Open connections by address, but those that an operator invited. */
class CountedConnections {
  readonly #addressById = new Map<string, string>();
  readonly #countByAddress = new Map<string, number>();

  hasRoom(address: string): boolean {
    return (this.#countByAddress.get(address) ?? 0) < LIMITS.socketsPerAddress;
  }

  add(id: string, address: string): void {
    this.#addressById.set(id, address);
    this.#countByAddress.set(address, (this.#countByAddress.get(address) ?? 0) + 1);
  }

  remove(id: string): void {
    const address = this.#addressById.get(id);
    if (address === undefined) return;
    this.#addressById.delete(id);
    const left = (this.#countByAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#countByAddress.set(address, left);
    else this.#countByAddress.delete(address);
  }
}

function addressOf(request: IncomingMessage): string {
  return addressKey(request.socket.remoteAddress ?? "");
}

/** The transport's id: one connection may carry several namespaces. */
function engineId(socket: Socket): string {
  return (socket.conn as unknown as { readonly id: string }).id;
}
