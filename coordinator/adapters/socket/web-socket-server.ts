import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import type { RateLimit } from "../../core/rate-limit.ts";

/**
 * The WebSocket server that engine.io makes for itself, as a class for its option `wsEngine`. It answers pings within
 * their rate and ends a connection beyond it: engine.io does not hear of them, and each costs a write (W2).
 */
export function webSocketServer(
  pingsOfOne: () => RateLimit,
): new (
  options: ServerOptions,
) => WebSocketServer {
  return class extends WebSocketServer {
    constructor(options: ServerOptions) {
      super({ ...options, autoPong: false });
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
