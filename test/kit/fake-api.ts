import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { parseArgs } from "node:util";
import { Server } from "socket.io";
import { openPages } from "#coordinator/adapters/http/pages.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { FakeFederation } from "./fake-federation.ts";

/*
 * Stands in for the coordinator while pages are drawn: the public API and /dash with made-up figures, and the pages as
 * the coordinator serves them. It trains nothing; tests of the whole use the real coordinator.
 *
 *   node test/kit/fake-api.ts --port 4400 [--at SECOND] [--empty] [--dev]
 */

const API = "/api/v1";
const { values } = parseArgs({
  options: {
    port: { type: "string", default: "4400" },
    /** Freezes the live round at this second. */
    at: { type: "string" },
    empty: { type: "boolean", default: false },
    dev: { type: "boolean", default: false },
  },
});
const port = Number(values.port);
const federation = new FakeFederation({
  atS: values.at === undefined ? null : Number(values.at),
  empty: values.empty,
  baseUrl: `http://localhost:${port}`,
});

const server = createServer();
const io = new Server(server);
io.of("/dash").on("connection", (socket) => {
  socket.on("watch", (_target: unknown, acknowledge?: () => void) => acknowledge?.());
});

const pages = await openPages({ dev: values.dev, port, secure: false });

server.on("request", (request: IncomingMessage, response: ServerResponse) => {
  const url = new URL(request.url ?? "/", "http://localhost");
  if (url.pathname.startsWith("/socket.io")) return;
  if (url.pathname.startsWith(API)) void answer(request, response, url.pathname.slice(API.length));
  else void pages.handle(request, response);
});

async function answer(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  const reply = path === "/limits" ? LIMITS : federation.answer(request.method ?? "GET", path, body);
  response.statusCode = reply === null ? 404 : 200;
  response.setHeader("content-type", "application/json");
  response.end(
    JSON.stringify(
      reply ?? {
        error: {
          code: "NOT_FOUND",
          message: "There is nothing under this address. Check the id.",
          retry: "never",
        },
      },
    ),
  );
}

setInterval(() => {
  for (const [name, body] of federation.tick()) io.of("/dash").emit(name, body);
}, 1_000);

server.listen(port, () => console.log(`http://localhost:${port}`));
