import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { type RawData, WebSocket, WebSocketServer } from "ws";

/*
 * A proxy between a browser and the coordinator that keeps all that the browser sends: request lines, headers, bodies
 * and socket messages, before the transport's own masking. It can hold uploads back.
 */
export interface RecordingProxy {
  readonly url: string;
  /** Everything sent so far, in order of arrival. */
  recorded(): Buffer;
  /** Keeps masked inputs from the coordinator until the page is gone. */
  holdUploads(): void;
  readonly heldUploadCount: number;
  close(): Promise<void>;
}

export async function openRecordingProxy(target: string): Promise<RecordingProxy> {
  const { host, port, origin } = new URL(target);
  const kept: Buffer[] = [];
  const sockets = new Set<WebSocket>();
  let holding = false;
  let held = 0;
  // The coordinator must accept the page as its own.
  const headersOf = (incoming: IncomingMessage) => {
    kept.push(Buffer.from(`${incoming.method} ${incoming.url}\n${incoming.rawHeaders.join("\n")}\n`));
    return { ...incoming.headers, host, ...(incoming.headers.origin === undefined ? {} : { origin }) };
  };

  const server = createServer((incoming, answer) => {
    const headers = headersOf(incoming);
    if (holding && incoming.method === "PUT") {
      held += 1;
      incoming.resume();
      return;
    }
    const { method, url: path } = incoming;
    const onward = request({ host: "localhost", port, method, path, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    onward.on("error", () => answer.destroy());
    incoming.on("data", (chunk: Buffer) => kept.push(chunk));
    incoming.pipe(onward);
  });
  const upgrades = new WebSocketServer({ noServer: true });
  server.on("upgrade", (incoming, socket, head) => {
    const { cookie } = headersOf(incoming);
    upgrades.handleUpgrade(incoming, socket, head, (near) => {
      const far = new WebSocket(`ws://${host}${incoming.url}`, {
        origin,
        headers: cookie === undefined ? {} : { cookie },
      });
      link(near, far, (data) => kept.push(toBuffer(data)));
      for (const end of [near, far]) {
        sockets.add(end);
        end.on("close", () => sockets.delete(end));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    recorded: () => Buffer.concat(kept),
    holdUploads: () => {
      holding = true;
    },
    get heldUploadCount() {
      return held;
    },
    close: async () => {
      for (const socket of sockets) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Forwards messages of either end to the other. What the near end sends before the far end is open waits. */
function link(near: WebSocket, far: WebSocket, keep: (data: RawData) => void): void {
  const waiting: [RawData, boolean][] = [];
  near.on("message", (data, isBinary) => {
    keep(data);
    if (far.readyState === WebSocket.OPEN) far.send(data, { binary: isBinary });
    else waiting.push([data, isBinary]);
  });
  far.on("open", () => {
    for (const [data, isBinary] of waiting.splice(0)) far.send(data, { binary: isBinary });
  });
  far.on("message", (data, isBinary) => near.send(data, { binary: isBinary }));
  for (const [one, other] of [
    [near, far],
    [far, near],
  ] as const) {
    one.on("close", () => other.close());
    one.on("error", () => other.terminate());
  }
}

function toBuffer(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? Buffer.from(data) : data;
}
