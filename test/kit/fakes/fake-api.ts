import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { parseArgs } from "node:util";
import { Server } from "socket.io";
import { ENDPOINTS } from "#coordinator/adapters/http/api/list.ts";
import type { HttpPorts } from "#coordinator/adapters/http/app.ts";
import type { Endpoint } from "#coordinator/adapters/http/endpoint.ts";
import { describeEndpoints } from "#coordinator/adapters/http/mount.ts";
import { openPages } from "#coordinator/adapters/http/pages.ts";
import type { OperationsView } from "#shared/protocol/access-api.ts";
import { hashHexSchema } from "#shared/protocol/ids.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { LogStateView, LogView } from "#shared/protocol/log-api.ts";
import { openFakeAccess } from "../worlds/fake-access.ts";
import { castSchema } from "../worlds/fake-casts.ts";
import { FakeFederation } from "../worlds/fake-federation.ts";
import { searchAnswer } from "../worlds/fake-search.ts";

/*
 * Replaces the coordinator while pages are designed: the public API and /dash with made-up figures, and the pages as the
 * coordinator serves them. It trains nothing; end-to-end tests use the real coordinator.
 *
 *   node test/kit/fakes/fake-api.ts --port 4400 [--at SECOND] [--cast each|gallery|over|many|none] [--dev]
 *
 * Every browser is k7f2, an admin. With --doors people sign in, with the password of fake-access.ts; with --unclaimed there
 * is no admin yet, and the set-up link is printed.
 */

const API = "/api/v1";
const { values } = parseArgs({
  options: {
    port: { type: "string", default: "4400" },
    /** Freezes the live round at this second. */
    at: { type: "string" },
    /** Which runs there are. */
    cast: { type: "string", default: "each" },
    dev: { type: "boolean", default: false },
    doors: { type: "boolean", default: false },
    unclaimed: { type: "boolean", default: false },
  },
});
const port = Number(values.port);
const federation = new FakeFederation({
  atS: values.at === undefined ? null : Number(values.at),
  cast: castSchema.parse(values.cast),
  baseUrl: `http://localhost:${port}`,
});

const access = await openFakeAccess({
  url: `http://localhost:${port}`,
  claimed: !values.unclaimed,
  everyoneIs: values.doors || values.unclaimed ? null : "k7f2",
});

const server = createServer();
const io = new Server(server);
io.of("/dash").on("connection", (socket) => {
  socket.on("watch", (_target: unknown, acknowledge?: (answer: object) => void) =>
    acknowledge?.({ ok: true }),
  );
});

const pages = await openPages({ dev: values.dev, port });

server.on("request", (request: IncomingMessage, response: ServerResponse) => {
  const url = new URL(request.url ?? "/", "http://localhost");
  if (url.pathname.startsWith("/socket.io")) return;
  // Moves the coordinator's clock on, for what a session may do only within minutes.
  if (url.pathname === "/fake/later") {
    access.passes(Number(url.searchParams.get("ms")));
    response.end();
  } else if (url.pathname === "/readyz") {
    response.end(
      JSON.stringify({ ready: true, checks: { running: true, database: true, disk: true, lock: true } }),
    );
  } else if (url.pathname === `${API}/operations`) {
    response.end(JSON.stringify(OPERATIONS));
  } else if (access.handle(request, response)) return;
  else if (url.pathname.startsWith(API)) void answer(request, response, url);
  else void pages.handle(request, response, false);
});

const GIGABYTE = 1e9;
const OPERATIONS: OperationsView = {
  database: "embedded",
  disk: { freeByteCount: 38.2 * GIGABYTE, floorByteCount: LIMITS.diskFreeByteCountMin },
  files: { usedByteCount: 6.1 * GIGABYTE, quotaByteCount: 10 * GIGABYTE },
  memory: { residentByteCount: 182e6 },
  lastBackup: { at: new Date(Date.now() - 27 * 3_600_000).toISOString(), byteCount: 209e6 },
  address: { url: `http://localhost:${port}`, isBehindProxy: false, certificateEndsAt: null },
  limits: {
    devicesPerAddress: LIMITS.socketsPerAddress,
    joinsPerMinutePerAddress: LIMITS.joinsPerMinutePerAddress,
    requestsPerSecondPerAddress: LIMITS.apiPerSecondPerAddress,
  },
};

const LOG: LogView = {
  origin: "learn.example/log",
  key: hashHexSchema.parse("5c".repeat(32)),
  verifierKey: "learn.example/log+00000000+key",
  size: 1_204,
  witnesses: [],
  witnessStates: [],
  rotations: [],
};
const LOG_STATE: LogStateView = { state: "signing", size: LOG.size, checkpointAgeMs: 1_000, sentence: null };

/** The real description. Endpoints use their ports only when they are asked. */
function describedApi(): object {
  const ports = new Proxy({}, { get: () => ({}) }) as HttpPorts;
  return describeEndpoints(
    ENDPOINTS.flatMap((group): readonly Endpoint[] => group(ports)),
    "0.1.0",
  );
}

async function answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  const path = url.pathname.slice(API.length);
  let body = "";
  for await (const chunk of request) body += String(chunk);
  const fixed = new Map<string, object>([
    ["/limits", LIMITS],
    ["/log", LOG],
    ["/log/state", LOG_STATE],
    ["/openapi.json", describedApi()],
  ]).get(path);
  const [, collection, part] = path.split("/");
  if (collection === "experiments") {
    const [status, found] = await searchAnswer(federation.runs(), part, url.searchParams);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(found));
    return;
  }
  const reply = fixed ?? federation.answer(request.method ?? "GET", path, body, url.searchParams);
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

const link = access.setupToken === null ? "" : `/setup#token=${access.setupToken}`;
server.listen(port, () => console.log(`http://localhost:${port}${link}`));
