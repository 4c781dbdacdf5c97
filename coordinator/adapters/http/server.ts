import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import type { Hono } from "hono";
import type { MonotonicClock } from "#shared/kernel/ports.ts";
import { type ErrorCode, wireError } from "#shared/protocol/errors.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { Log } from "../../core/ports.ts";
import { addressKey, rateLimit } from "../../core/rate-limit.ts";
import { SOCKET_PATH } from "../socket/socket.ts";
import { isUpload } from "./api/uploads.ts";
import type { HttpConnections } from "./connections.ts";
import type { Origins } from "./origins.ts";
import type { Pages } from "./pages.ts";
import { problemResponse } from "./problem.ts";
import { API_POLICY, commonHeaders } from "./security-headers.ts";

/** Who has sent no whole head of a request by then is gone, also before the first byte and while TLS is agreed. */
const HEADERS_MS = 20_000;
/** How often that is looked at. */
const HEADERS_CHECK_MS = 5_000;
/** Longest request: 256 MiB at 0.5 MB/s; a slower upload goes on with a range. */
const REQUEST_MS = 600_000;

/** A peer that neither sends nor reads for this long is gone: each would hold a descriptor, and a file with it. */
const SILENCE_MS = 120_000;

/** Whoever sent what is no HTTP has this long to read its answer. */
const UNPARSED_LINGER_MS = 1_000;

/** A stop waits this long for readers: one that is slow can read again from the next start. */
const READ_DRAIN_MS = 2_000;

export interface Tls {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface WebServerOptions {
  readonly connections: HttpConnections;
  /** How long a connection may stand still, in either direction; WebSockets have heartbeats instead. */
  readonly silenceMs?: number;
  readonly headersMs?: number;
}

export function createWebServer(
  tls: Tls | null,
  { connections, silenceMs = SILENCE_MS, headersMs = HEADERS_MS }: WebServerOptions,
): Server {
  const limits = {
    headersTimeout: headersMs,
    connectionsCheckingInterval: Math.min(HEADERS_CHECK_MS, headersMs),
    requestTimeout: REQUEST_MS,
    // A request without a host is answered by us, with a code.
    requireHostHeader: false,
  };
  const server =
    tls === null
      ? createHttpServer(limits)
      : createHttpsServer({ ...limits, handshakeTimeout: headersMs, cert: tls.cert, key: tls.key });
  server.setTimeout(silenceMs);
  // Before Node's own listener reads anything.
  server.prependListener("connection", (socket: Socket) => connections.accept(socket));
  answerUnparsed(server, tls !== null);
  return server;
}

/** What Node refuses before there is a request: it would answer with a bare status line (W1). */
function answerUnparsed(server: Server, secure: boolean): void {
  /** By connection, in the order of their requests. */
  const unanswered = new WeakMap<Duplex, Set<ServerResponse>>();
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const responses = unanswered.get(socket) ?? new Set();
    unanswered.set(socket, responses.add(response));
    response.once("close", () => {
      responses.delete(response);
      if (responses.size === 0) unanswered.delete(socket);
    });
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (!socket.writable || error.code === "ECONNRESET") return void socket.destroy();
    // What could not be read belongs to the last request if that is not whole, else to the one after it.
    const responses = [...(unanswered.get(socket) ?? [])];
    const last = responses.at(-1);
    const isOfLast = last !== undefined && !last.req.complete;
    if (isOfLast && (responses.length > 1 || last.headersSent)) return void socket.destroy();
    if (isOfLast || last === undefined) return answerOnce(socket, refusalOf(error.code, secure));
    // Answers have no other name than their order: this one comes after those before it.
    socket.pause();
    last.once("finish", () => answerOnce(socket, refusalOf(error.code, secure)));
  });
  server.on("checkExpectation", (_request: IncomingMessage, response: ServerResponse) =>
    answerError(response, secure, 417, "BAD_REQUEST", "Send the request without that expectation."),
  );
}

/** Ends the connection with this answer. */
function answerOnce(socket: Duplex, answer: string): void {
  if (!socket.writable) return;
  socket.end(answer);
  // Our half is closed; a peer that leaves its own open would hold the connection for as long as it likes.
  setTimeout(() => socket.destroy(), UNPARSED_LINGER_MS).unref();
}

function refusalOf(nodeCode: string | undefined, secure: boolean): string {
  const [status, code, detail] = unparsed(nodeCode);
  const body = JSON.stringify({ error: wireError(code, detail) });
  const headers = { ...commonHeaders(secure), ...ERROR_HEADERS, "content-length": Buffer.byteLength(body) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}connection: close\r\n\r\n${body}`;
}

function unparsed(nodeCode: string | undefined): readonly [number, ErrorCode, string?] {
  switch (nodeCode) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return [408, "REQUEST_TIMEOUT"];
    case "HPE_HEADER_OVERFLOW":
      return [431, "TOO_LARGE", "The address or the headers are too long. Send less."];
    default:
      return [400, "BAD_REQUEST", "This is not HTTP/1.1 as the coordinator reads it. Check the client."];
  }
}

/** Each says one thing; of two, readers take different ones. */
const SINGLE_HEADERS = [
  "host",
  "origin",
  "content-type",
  "content-length",
  "content-encoding",
  "content-range",
  "chorus-slot",
  "chorus-sha256",
  "chorus-root",
  "chorus-signature",
] as const;

function doubledHeader({ headersDistinct }: IncomingMessage): string | undefined {
  return SINGLE_HEADERS.find((name) => (headersDistinct[name]?.length ?? 0) > 1);
}

export interface Routing {
  readonly app: Hono<{ Bindings: HttpBindings }>;
  /** Null: the API alone. */
  readonly pages: Pages | null;
  readonly origins: Origins;
  readonly log: Log;
  readonly secure: boolean;
  readonly clock: MonotonicClock;
  /** Aborted when the coordinator stops. */
  readonly stopping: AbortSignal;
}

/** Requests that are being answered, so that a stop can wait for them. */
export interface InFlight {
  /** Resolves true when no write and no upload is left, and no read or `READ_DRAIN_MS` later; false after `timeoutMs`. */
  drained(timeoutMs: number): Promise<boolean>;
}

/** Our own request and upgrade handlers; to be called after socket.io and Next are in place. */
export function routeRequests(server: Server, routing: Routing): InFlight {
  const { app, pages, origins, log, secure, stopping } = routing;
  const api = getRequestListener(app.fetch, {
    // Next replaces global objects already; nothing else should.
    overrideGlobalObjects: false,
    // Requests that the listener cannot hand to the app; the app answers its own errors.
    errorHandler: () => problemResponse({ wire: wireError("BAD_REQUEST"), headers: {} }),
  });
  const rates = requestRates(routing.clock);
  const open = new Map<ServerResponse, "read" | "write">();
  /** Connections that end with the answer to an upload. */
  const ending = new WeakSet<Socket>();
  const refuse = (response: ServerResponse, status: number, code: ErrorCode, detail?: string) =>
    answerError(response, secure, status, code, detail);

  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const url = request.url ?? "";
    if (isUpload(request)) {
      // Its slot is judged, whatever its address has sent; a hasty address needs a connection for each.
      if (ending.has(request.socket)) return void request.socket.destroy();
      if (!rates.takeUpload(request)) {
        ending.add(request.socket);
        response.shouldKeepAlive = false;
      }
    }
    const isAllowed = isUpload(request) || rates.take(url, request);
    if (url.startsWith(SOCKET_PATH)) {
      // The socket's own listener has answered it.
      if (!isAllowed) request.socket.destroy();
      return;
    }
    if (!isAllowed) {
      response.setHeader("retry-after", "1");
      response.setHeader("connection", "close");
      return refuse(response, 429, "RATE_LIMITED");
    }
    // "GET http://other/" is for proxies, and this is none.
    if (!url.startsWith("/"))
      return refuse(response, 400, "BAD_REQUEST", "Send the path alone, without scheme and host.");
    const doubled = doubledHeader(request);
    if (doubled !== undefined)
      return refuse(response, 400, "BAD_REQUEST", `The header ${doubled} comes twice. Send it once.`);
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
      if (stopping.aborted) {
        response.setHeader("connection", "close");
        return refuse(response, 503, "UNAVAILABLE");
      }
      open.set(response, request.method === "GET" || request.method === "HEAD" ? "read" : "write");
      response.once("close", () => open.delete(response));
    }
    if (operation || isApi(url)) return void api(request, response);
    if (pages === null) return refuse(response, 404, "NOT_FOUND");
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD");
      return refuse(response, 405, "METHOD_NOT_ALLOWED");
    }
    pages.handle(request, response).catch((error: unknown) => {
      log.error({ error: error instanceof Error ? error.message : "" }, "a page failed");
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

/** Requests by address, before anything else is looked at: each kind has its own rate, whatever becomes of it (W10). */
function requestRates(clock: MonotonicClock) {
  const rate = (burst: number, perSecond: number) => rateLimit(clock, { burst, perSecond });
  const api = rate(LIMITS.apiBurstPerAddress, LIMITS.apiPerSecondPerAddress);
  const uploads = rate(LIMITS.uploadsBurstPerAddress, LIMITS.uploadsPerSecondPerAddress);
  const pages = rate(LIMITS.pagesBurstPerAddress, LIMITS.pagesPerSecondPerAddress);
  const files = rate(LIMITS.pageFilesBurstPerAddress, LIMITS.pageFilesPerSecondPerAddress);
  const operations = rate(LIMITS.operationsBurstPerAddress, LIMITS.operationsPerSecondPerAddress);
  const livez = rate(LIMITS.livezBurstPerAddress, LIMITS.livezPerSecondPerAddress);
  const rateOf = (url: string) => {
    if (isApi(url) || url.startsWith(SOCKET_PATH) || !url.startsWith("/")) return api;
    if (/^\/(?:readyz|metrics)/.test(url)) return operations;
    if (url.startsWith("/livez")) return livez;
    return url.startsWith("/_next/static/") ? files : pages;
  };
  const key = ({ socket }: IncomingMessage) => addressKey(socket.remoteAddress ?? "");
  return {
    take: (url: string, request: IncomingMessage) => rateOf(url).take(key(request)),
    takeUpload: (request: IncomingMessage) => uploads.take(key(request)),
  };
}

/** Not "/apiary", but whatever a reader might take for the API. */
function isApi(url: string): boolean {
  return /^\/api(?![a-z0-9_-])/i.test(url);
}

async function drained(
  open: ReadonlyMap<ServerResponse, "read" | "write">,
  timeoutMs: number,
): Promise<boolean> {
  const beganMs = performance.now();
  while (open.size > 0) {
    const waitedMs = performance.now() - beganMs;
    if (waitedMs > timeoutMs) return false;
    if (waitedMs > READ_DRAIN_MS && ![...open.values()].includes("write")) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return true;
}

const ERROR_HEADERS = {
  "content-type": "application/json",
  "content-security-policy": API_POLICY,
  "cache-control": "no-store",
} as const;

function answerError(
  response: ServerResponse,
  secure: boolean,
  status: number,
  code: ErrorCode,
  detail?: string,
): void {
  for (const [name, value] of Object.entries(commonHeaders(secure))) response.setHeader(name, value);
  const body = JSON.stringify({ error: wireError(code, detail) });
  response.writeHead(status, { ...ERROR_HEADERS, "content-length": Buffer.byteLength(body) });
  response.end(body);
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
