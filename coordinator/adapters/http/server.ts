import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import type { Hono } from "hono";
import { type ErrorCode, wireError } from "#shared/protocol/errors.ts";
import type { Log } from "../../core/ports.ts";
import { SOCKET_PATH } from "../socket/socket.ts";
import type { Origins } from "./origins.ts";
import type { Pages } from "./pages.ts";
import { API_POLICY, commonHeaders } from "./security-headers.ts";

/** Slow senders of headers hold a connection for this long at most. */
const HEADERS_MS = 20_000;
/** Longest request: 256 MiB at 0.5 MB/s; a slower upload goes on with a range. */
const REQUEST_MS = 600_000;

export interface Tls {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export function createWebServer(tls: Tls | null): Server {
  const limits = { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS };
  return tls === null
    ? createHttpServer(limits)
    : createHttpsServer({ ...limits, cert: tls.cert, key: tls.key });
}

export interface Routing {
  readonly app: Hono<{ Bindings: HttpBindings }>;
  /** Null: the API alone. */
  readonly pages: Pages | null;
  readonly origins: Origins;
  readonly log: Log;
  readonly secure: boolean;
  readonly isStopping: () => boolean;
}

/** Requests that are being answered, so that a stop can wait for them. */
export interface InFlight {
  /** Resolves true when none is left, false after `timeoutMs`. */
  drained(timeoutMs: number): Promise<boolean>;
}

/** Our own request and upgrade handlers; to be called after socket.io and Next are in place. */
export function routeRequests(server: Server, routing: Routing): InFlight {
  const { app, pages, origins, log, secure, isStopping } = routing;
  // Next replaces global objects already; nothing else should.
  const api = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const open = new Set<ServerResponse>();
  const refuse = (response: ServerResponse, status: number, code: ErrorCode, detail?: string) =>
    answerError(response, secure, status, code, detail);

  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const url = request.url ?? "";
    // The socket's own listener has it.
    if (url.startsWith(SOCKET_PATH)) return;
    // "GET http://other/" is for proxies, and this is none.
    if (!url.startsWith("/"))
      return refuse(response, 400, "BAD_REQUEST", "Send the path alone, without scheme and host.");
    const operation = /^\/(?:livez|readyz|metrics)(?:\?|$)/.test(url);
    if (!operation && !origins.allowsHost(request.headers.host)) {
      return refuse(
        response,
        403,
        "FORBIDDEN",
        "This coordinator is not known by that name. Set CHORUS_PUBLIC_URL to it.",
      );
    }
    if (!operation) {
      if (isStopping()) {
        response.setHeader("connection", "close");
        return refuse(response, 503, "UNAVAILABLE");
      }
      open.add(response);
      response.once("close", () => open.delete(response));
    }
    if (operation || url === "/api" || url.startsWith("/api/")) return void api(request, response);
    if (pages === null) return refuse(response, 404, "NOT_FOUND");
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD");
      return refuse(response, 405, "METHOD_NOT_ALLOWED");
    }
    pages.handle(request, response).catch((error: unknown) => {
      log.error({ error: String(error) }, "a page failed");
      if (response.headersSent) response.destroy();
      else refuse(response, 500, "INTERNAL");
    });
  });

  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.url?.startsWith(SOCKET_PATH)) return;
    if (origins.allowsHost(request.headers.host) && pages?.upgrade(request, socket, head)) return;
    socket.destroy();
  });

  return { drained: (timeoutMs) => drained(open, timeoutMs) };
}

async function drained(open: ReadonlySet<ServerResponse>, timeoutMs: number): Promise<boolean> {
  const until = performance.now() + timeoutMs;
  while (open.size > 0) {
    if (performance.now() > until) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return true;
}

function answerError(
  response: ServerResponse,
  secure: boolean,
  status: number,
  code: ErrorCode,
  detail?: string,
): void {
  for (const [name, value] of Object.entries(commonHeaders(secure))) response.setHeader(name, value);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-security-policy": API_POLICY,
    "cache-control": "no-store",
  });
  response.end(JSON.stringify({ error: wireError(code, detail) }));
}

/**
 * @returns The port, which the system chooses where `port` is 0.
 * @throws Error with what to do, where the port is taken.
 */
export async function listen(server: Server, port: number, host: string | undefined): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE")
        reject(new Error(`Port ${port} is in use. Stop what uses it, or choose another with --port.`));
      else if (error.code === "EACCES")
        reject(new Error(`Port ${port} is not open to this user. Choose one from 1024 on with --port.`));
      else reject(error);
    };
    server.once("error", fail);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off("error", fail);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

/** Ends what is left at once. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
