import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import type { MonotonicClock } from "#shared/kernel/ports.ts";
import { wireError } from "#shared/protocol/errors.ts";
import type { Log } from "../../core/ports/ports.ts";
import { SOCKET_PATH } from "../socket/socket.ts";
import type { Client, Clients } from "./clients.ts";
import type { HttpConnections } from "./connections.ts";
import { corsHeaders } from "./cors.ts";
import { rewriteAddress } from "./mlflow/address.ts";
import type { App } from "./mount.ts";
import { hostNameOf, type Origins } from "./origins.ts";
import { type Pages, takesUpgrade } from "./pages.ts";
import { problemResponse } from "./problem.ts";
import { ERROR_HEADERS, type RawRefusal, refuseRaw } from "./raw-answer.ts";
import { isApi, operationOf, requestRates } from "./request-rates.ts";
import { commonHeaders } from "./security-headers.ts";
import { UNKNOWN_NAME_POLICY, unknownNamePage } from "./unknown-name.ts";

/**
 * Deadline for the complete head of a request. It also covers the time before the first byte and the TLS
 * handshake.
 */
const HEADERS_MS = 20_000;
/** How often that deadline is checked. */
const HEADERS_CHECK_MS = 5_000;
/** Longest request: 256 MiB at 0.5 MB/s. A slower upload resumes with a range. */
const REQUEST_MS = 600_000;

/**
 * A peer that neither sends nor reads for this long is cut, because it holds a descriptor and perhaps a file.
 */
const SILENCE_MS = 120_000;

/** A shutdown waits this long for readers. A slow one can read again after the restart. */
const READ_DRAIN_MS = 2_000;

/** PEM. */
export interface Tls {
  readonly cert: Buffer | string;
  readonly key: Buffer | string;
}

export interface WebServerOptions {
  readonly connections: HttpConnections;
  /** How long a connection may be idle in both directions. WebSockets have heartbeats instead. */
  readonly silenceMs?: number;
  readonly headersMs?: number;
  /** Whether browsers are to insist on HTTPS from now on; by default if it serves TLS. */
  readonly strict?: boolean;
  /** Whether the pages come from Next's development server. */
  readonly dev?: boolean;
}

export function createWebServer(tls: Tls | null, options: WebServerOptions): Server {
  const {
    connections,
    silenceMs = SILENCE_MS,
    headersMs = HEADERS_MS,
    strict = tls !== null,
    dev = false,
  } = options;
  const limits = {
    headersTimeout: headersMs,
    connectionsCheckingInterval: Math.min(HEADERS_CHECK_MS, headersMs),
    requestTimeout: REQUEST_MS,
    // We answer requests without a host ourselves, with a code.
    requireHostHeader: false,
    // Some clients ask for h2c by default. A request for another protocol is served as plain HTTP/1.1 (W1).
    shouldUpgradeCallback: (request: IncomingMessage) =>
      request.url?.startsWith(SOCKET_PATH) === true || takesUpgrade(request, dev),
  };
  const server =
    tls === null
      ? createHttpServer(limits)
      : createHttpsServer({ ...limits, handshakeTimeout: headersMs, cert: tls.cert, key: tls.key });
  server.setTimeout(silenceMs);
  // Runs before Node's own listener reads anything.
  server.prependListener("connection", (socket: Socket) => connections.accept(socket));
  answerUnparsed(server, strict);
  return server;
}

/** Answers what Node cannot parse as a request, with a code instead of Node's bare status line (W1). */
function answerUnparsed(server: Server, secure: boolean): void {
  /** Per connection, in the order of the requests. */
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
    // The unreadable bytes belong to the last request if it is incomplete, otherwise to the one after it.
    const responses = [...(unanswered.get(socket) ?? [])];
    const last = responses.at(-1);
    const isOfLast = last !== undefined && !last.req.complete;
    if (isOfLast && (responses.length > 1 || last.headersSent)) return void socket.destroy();
    const refusal = unparsed(error.code);
    if (isOfLast || last === undefined) return refuseRaw(socket, secure, refusal);
    // Answers are matched by order alone, so this one follows those before it.
    socket.pause();
    last.once("finish", () => refuseRaw(socket, secure, refusal));
  });
  server.on("checkExpectation", (_request: IncomingMessage, response: ServerResponse) =>
    answerError(response, secure, {
      status: 417,
      code: "BAD_REQUEST",
      detail: "Send the request without that expectation.",
    }),
  );
}

function unparsed(nodeCode: string | undefined): RawRefusal {
  switch (nodeCode) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { status: 408, code: "REQUEST_TIMEOUT" };
    case "HPE_HEADER_OVERFLOW":
      return {
        status: 431,
        code: "TOO_LARGE",
        detail: "The address or the headers are too long. Send less.",
      };
    default:
      return {
        status: 400,
        code: "BAD_REQUEST",
        detail: "The coordinator cannot parse this as HTTP/1.1. Check the client.",
      };
  }
}

/** Headers that must be unique: given two values, different readers pick different ones. */
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
  "chorus-log",
] as const;

function doubledHeader({ headersDistinct }: IncomingMessage): string | undefined {
  return SINGLE_HEADERS.find((name) => (headersDistinct[name]?.length ?? 0) > 1);
}

export interface Routing {
  readonly app: App;
  /** False until there is an admin: pages then lead to the one for that (X31). */
  readonly isSetUp: () => boolean;
  /** Null if only the API is served. */
  readonly pages: Pages | null;
  readonly connections: HttpConnections;
  readonly clients: Clients;
  readonly origins: Origins;
  readonly log: Log;
  readonly clock: MonotonicClock;
  /** Aborted when the coordinator stops. */
  readonly stopping: AbortSignal;
}

/** Requests being answered, so that a shutdown can wait for them. */
export interface InFlight {
  /**
   * Resolves true once no writes or uploads are left unanswered, and either no reads or `READ_DRAIN_MS` have passed.
   * Resolves false after `timeoutMs`.
   */
  drained(timeoutMs: number): Promise<boolean>;
}

/** Installs the request and upgrade handlers. Call it after socket.io and Next are in place. */
export function routeRequests(server: Server, routing: Routing): InFlight {
  const { pages, clients, origins, log, stopping, isSetUp } = routing;
  const api = apiListener(routing);
  const rates = requestRates(routing.clock);
  const open = new Map<ServerResponse, "read" | "write">();

  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    rewriteAddress(request);
    const url = request.url ?? "";
    const { client, fault } = clients.judge(request);
    const refuse = (refusal: Refusal) => answerError(response, client.strict, refusal);
    if (isApi(url)) allowOrigin(response, origins, request);
    const charged = rates.charge(request, client);
    if (charged === "cut") return void request.socket.destroy();
    if (charged === "refused") return refuse(TOO_MANY);
    // Node drops what it has already read behind an upgrade, so nothing more is read from its connection.
    if (charged === "last" || request.headers.upgrade !== undefined) response.shouldKeepAlive = false;
    if (fault !== null) return refuse(bad(fault));
    if (client.isProxied && !carry(routing, request, response)) return refuse(TOO_MANY);
    const refusal = unservable(request);
    if (refusal !== null) return refuse(refusal);
    if (operationOf(url) !== null) return void api(request, response);
    if (!origins.allowsHost(client.host)) {
      if (isPageRequest(request)) return answerUnknownName(response, origins, client);
      return refuse(UNKNOWN_HOST);
    }
    if (stopping.aborted) return refuse(STOPPING);
    open.set(response, isRead(request) ? "read" : "write");
    response.once("close", () => open.delete(response));
    if (isApi(url)) return void api(request, response);
    if (pages === null) return refuse({ status: 404, code: "NOT_FOUND" });
    if (!isRead(request)) return refuse(ONLY_READ);
    // Next answers such an address with a fault of its own.
    if (!isDecodable(url)) return refuse({ status: 404, code: "NOT_FOUND" });
    if (!isSetUp() && !isOfSetUp(url)) return answerWhole(response, client.strict, 303, TO_SET_UP, "");
    pages.handle(request, response, client.strict).catch((error: unknown) => {
      log.error({ error: error instanceof Error ? error.message : "" }, "a page failed");
      if (response.headersSent) response.destroy();
      else refuse({ status: 500, code: "INTERNAL" });
    });
  });

  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.url?.startsWith(SOCKET_PATH)) return;
    const { client, fault } = clients.judge(request);
    // An upgrade emits no request, so it is counted here (W10).
    if (rates.charge(request, client) !== "within") return void socket.destroy();
    if (fault !== null) return refuseRaw(socket, client.strict, bad(fault));
    if (!origins.allowsHost(client.host)) return refuseRaw(socket, client.strict, UNKNOWN_HOST);
    if (pages?.upgrade(request, socket, head) !== true) socket.destroy();
  });

  return { drained: (timeoutMs) => drained(open, timeoutMs) };
}

interface Refusal extends RawRefusal {
  readonly headers?: Readonly<Record<string, string>>;
}

const TOO_MANY: Refusal = {
  status: 429,
  code: "RATE_LIMITED",
  headers: { "retry-after": "1", connection: "close" },
};
const STOPPING: Refusal = { status: 503, code: "UNAVAILABLE", headers: { connection: "close" } };
const ONLY_READ: Refusal = { status: 405, code: "METHOD_NOT_ALLOWED", headers: { allow: "GET, HEAD" } };
const UNKNOWN_HOST: Refusal = {
  status: 403,
  code: "FORBIDDEN",
  detail: "This coordinator is not known by that name. Set CHORUS_PUBLIC_URL to its address.",
};

function bad(detail: string): Refusal {
  return { status: 400, code: "BAD_REQUEST", detail };
}

/** Counts a request on its proxy's connection until it is answered. False if its client has too many there. */
function carry(
  { connections, clients }: Routing,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { socket } = request;
  if (!connections.carries(socket, clients.of(request).address)) return false;
  response.once("close", () => connections.delivered(socket));
  return true;
}

/** Why neither the API nor a page may see this request; null if one may. */
function unservable(request: IncomingMessage): Refusal | null {
  const { url = "" } = request;
  // "GET http://other/" is addressed to a proxy.
  if (!url.startsWith("/")) return bad("Send the path alone, without scheme and host.");
  const doubled = doubledHeader(request);
  if (doubled !== undefined) return bad(`The header ${doubled} appears twice. Send it once.`);
  return url.startsWith(SOCKET_PATH) ? bad("Only WebSockets are served at this address.") : null;
}

function isRead({ method }: IncomingMessage): boolean {
  return method === "GET" || method === "HEAD";
}

function apiListener({
  app,
}: Routing): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return getRequestListener(app.fetch, {
    // Next already replaces global objects; nothing else should.
    overrideGlobalObjects: false,
    // For requests that the listener cannot hand to the app. The app answers its own errors.
    errorHandler: () => problemResponse({ wire: wireError("BAD_REQUEST"), headers: {} }),
  });
}

/** Whether the escapes in an address, its query excepted, are UTF-8. */
function isDecodable(url: string): boolean {
  try {
    decodeURIComponent(url.replace(/\?.*$/s, ""));
    return true;
  } catch {
    return false;
  }
}

const TO_SET_UP = { location: "/setup", "cache-control": "no-store" };

/** Matches the page for the first admin and what pages are made of. */
function isOfSetUp(url: string): boolean {
  return /^\/(?:setup(?:[/?]|$)|_next\/|icon\.svg(?:\?|$))/.test(url);
}

/** Whether a browser asks for a page, rather than a script for data. */
function isPageRequest(request: IncomingMessage): boolean {
  const { url = "", headers } = request;
  return isRead(request) && !isApi(url) && /(?:^|,)\s*text\/html\b/i.test(headers.accept ?? "");
}

/** Set before the request is judged, so that pages of named sites can read refusals, too (W17). */
function allowOrigin(response: ServerResponse, origins: Origins, { headers }: IncomingMessage): void {
  for (const [name, value] of Object.entries(corsHeaders(origins, headers.origin)))
    response.setHeader(name, value);
}

async function drained(
  open: ReadonlyMap<ServerResponse, "read" | "write">,
  timeoutMs: number,
): Promise<boolean> {
  const beganMs = performance.now();
  while (open.size > 0) {
    const waitedMs = performance.now() - beganMs;
    if (waitedMs > timeoutMs) return false;
    // A write that has been answered is over; its peer may read as slowly as any.
    const isWriting = [...open].some(([response, kind]) => kind === "write" && !response.writableEnded);
    if (waitedMs > READ_DRAIN_MS && !isWriting) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return true;
}

function answerError(
  response: ServerResponse,
  secure: boolean,
  { status, code, detail, headers }: Refusal,
): void {
  const body = JSON.stringify({ error: wireError(code, detail) });
  answerWhole(response, secure, status, { ...headers, ...ERROR_HEADERS }, body);
}

/** A page for people, because their browser would show them raw JSON (W8). */
function answerUnknownName(response: ServerResponse, { publicUrl }: Origins, { host, strict }: Client): void {
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": UNKNOWN_NAME_POLICY,
    "cache-control": "no-store",
  };
  answerWhole(response, strict, 403, headers, unknownNamePage({ asked: hostNameOf(host), publicUrl }));
}

function answerWhole(
  response: ServerResponse,
  secure: boolean,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void {
  for (const [name, value] of Object.entries(commonHeaders(secure))) response.setHeader(name, value);
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
