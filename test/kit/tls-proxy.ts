import { type IncomingMessage, request } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";

/*
 * A reverse proxy that speaks TLS and forwards as nginx does with $proxy_add_x_forwarded_for: it appends its client's
 * address to what that client claims, and keeps connections to the coordinator open.
 */
export interface TlsProxy {
  readonly url: string;
  /** Sends requests on to this port of the machine. */
  forwardTo(port: number): void;
  close(): Promise<void>;
}

export async function openTlsProxy(tls: { readonly cert: Buffer; readonly key: Buffer }): Promise<TlsProxy> {
  let port = 0;
  const sockets = new Set<Socket>();
  const onward = (incoming: IncomingMessage) => {
    const claimed = incoming.headersDistinct["x-forwarded-for"] ?? [];
    const client = incoming.socket.remoteAddress ?? "";
    return request({
      ...{ host: "127.0.0.1", port, method: incoming.method, path: incoming.url },
      headers: {
        ...incoming.headers,
        host: `127.0.0.1:${port}`,
        "x-forwarded-for": [...claimed, client].join(", "),
        "x-forwarded-proto": "https",
        "x-forwarded-host": incoming.headers.host ?? "",
      },
    });
  };
  const server = createServer(tls, (incoming, answer) => {
    const sent = onward(incoming);
    sent.on("response", (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    sent.on("error", () => answer.destroy());
    incoming.pipe(sent);
  });
  server.on("upgrade", (incoming: IncomingMessage, near: Duplex) => {
    const sent = onward(incoming);
    sent.on("upgrade", ({ statusMessage, rawHeaders }, far, head) => {
      const lines = rawHeaders.flatMap((name, index) =>
        index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : [],
      );
      near.write(`HTTP/1.1 101 ${statusMessage}\r\n${lines.join("\r\n")}\r\n\r\n`);
      near.write(head);
      far.pipe(near).pipe(far);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.on("error", () => other.destroy());
        one.on("close", () => other.destroy());
      }
    });
    sent.on("response", () => near.destroy());
    sent.on("error", () => near.destroy());
    sent.end();
  });
  server.on("secureConnection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    forwardTo: (to) => {
      port = to;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
