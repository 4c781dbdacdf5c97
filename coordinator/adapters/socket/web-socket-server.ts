import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import type { RateLimit } from "../../core/access/rate-limit.ts";

interface Judges {
  /** A new bound on the pings of one connection. */
  readonly pingsOfOne: () => RateLimit;
  /** Answers an upgrade with malformed headers, and ends its connection. */
  readonly refuse: (request: IncomingMessage, socket: Duplex) => void;
}

/**
 * The WebSocket server for engine.io's option `wsEngine`. It answers pings within their rate and ends
 * connections that exceed it: engine.io does not see pings, and each costs a write (W2).
 */
export function webSocketServer({
  pingsOfOne,
  refuse,
}: Judges): new (
  options: ServerOptions,
) => WebSocketServer {
  return class extends WebSocketServer {
    constructor(options: ServerOptions) {
      super({ ...options, autoPong: false });
      this.on("wsClientError", (_error, socket, request) => refuse(request, socket));
    }

    override handleUpgrade(
      request: IncomingMessage,
      socket: Duplex,
      head: Buffer,
      taken: (webSocket: WebSocket, request: IncomingMessage) => void,
    ): void {
      super.handleUpgrade(request, socket, head, (webSocket, upgraded) => {
        const pings = pingsOfOne();
        webSocket.on("ping", (data) => {
          if (pings.take("")) webSocket.pong(data);
          else webSocket.terminate();
        });
        taken(webSocket, upgraded);
      });
    }
  };
}
