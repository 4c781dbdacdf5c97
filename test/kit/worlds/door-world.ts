import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { openSignIns } from "#coordinator/adapters/auth/sign-ins.ts";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { doorEndpoints } from "#coordinator/adapters/http/api/doors.ts";
import { peopleEndpoints } from "#coordinator/adapters/http/api/people.ts";
import { sessionEndpoints } from "#coordinator/adapters/http/api/sessions.ts";
import { gateOf } from "#coordinator/adapters/http/app.ts";
import { Clients } from "#coordinator/adapters/http/clients.ts";
import { HttpConnections } from "#coordinator/adapters/http/connections.ts";
import { closeServer, listen } from "#coordinator/adapters/http/listen.ts";
import { type App, mountEndpoints } from "#coordinator/adapters/http/mount.ts";
import { knownOrigins } from "#coordinator/adapters/http/origins.ts";
import { createWebServer, routeRequests } from "#coordinator/adapters/http/server.ts";
import { readTrustedProxies } from "#coordinator/adapters/http/trusted-proxies.ts";
import { AccessDesk } from "#coordinator/core/access/desk.ts";
import { Doors } from "#coordinator/core/access/doors.ts";
import { OpenIdDoors } from "#coordinator/core/access/open-id-doors.ts";
import { createPrincipals } from "#coordinator/core/access/principals.ts";
import type { OpenId } from "#coordinator/core/ports/open-id.ts";
import type { Log } from "#coordinator/core/ports/ports.ts";
import type { PasskeyOptions } from "#coordinator/core/ports/sign-ins.ts";
import { assert } from "#shared/kernel/assert.ts";
import { err } from "#shared/kernel/result.ts";
import { after, primitives, randomBytes } from "#shared/node/system.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import { ManualClock } from "../fakes/manual-clock.ts";

export interface DoorWorldOptions {
  readonly publicUrl?: string;
  /** Such as "127.0.0.1", which is where the test asks from. */
  readonly trustedProxies?: string;
  readonly openId?: OpenId;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** JSON, of whatever route; null if there is none. */
  readonly body: AnswerBody;
}

/** What tests read of the answers of all routes. A field of another route is undefined. */
interface AnswerBody extends PasskeyOptions {
  readonly error: WireError;
  readonly personId: string;
  readonly permissions: readonly string[];
  readonly signsInWith: readonly string[];
  readonly isProved: boolean;
  readonly isNewPlace: boolean;
  readonly newPlaceElsewhereAt: string | null;
  readonly ticket: string;
  readonly url: string;
  readonly items: readonly { readonly wayId: string; readonly way: string }[];
}

export type DoorWorld = Awaited<ReturnType<typeof openDoorWorld>>;

/**
 * The endpoints of signing in over real HTTP and SQLite, in front of the real desk. Its clocks are set by hand.
 */
export async function openDoorWorld({ publicUrl, trustedProxies = "", openId }: DoorWorldOptions = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), "chorus-doors-"));
  const clock = new ManualClock();
  const complaints: string[] = [];
  const complain = (fields: object, message: string) =>
    void complaints.push(`${message} ${JSON.stringify(fields)}`);
  const log: Log = { info: () => {}, warn: complain, error: complain };
  const store = await openStore({ dataDir });
  const shared = { primitives, random: randomBytes, clock, wall: clock, after, log };
  const desk = new AccessDesk({ ...shared, store });
  await desk.start(() => Promise.resolve(err(wireError("UNAVAILABLE"))));
  const signIns = openSignIns({ ...shared, after: clock.after, records: store });
  const doors = new Doors({ ...shared, desk, signIns });
  const openIdDoors = openId === undefined ? null : new OpenIdDoors({ ...shared, doors, openId });
  const origins = knownOrigins(publicUrl ?? null);
  const stop = new AbortController();
  const proxies = readTrustedProxies(trustedProxies);
  assert(proxies.ok, "the test names its proxies");
  const clients = new Clients(proxies.value, { strict: false });
  const connections = new HttpConnections(clock, proxies.value);
  const ports = {
    clients,
    origins,
    accessDesk: desk,
    doors,
    openIdDoors,
    nowUnixMs: () => clock.nowUnixMs(),
  };
  const app: App = new Hono();
  const gate = gateOf({
    ...{ clients, origins, clock, wall: clock, accessDesk: desk, stopping: stop.signal },
    places: { of: async () => [] },
    principals: createPrincipals({
      ...{ clock, desk, sessions: doors.own },
      passes: { isInForce: async () => false },
      devices: { deviceOf: async () => null },
    }),
  });
  const people = peopleEndpoints({ ...ports, signIns, store, pagesUrl: () => "http://localhost" });
  mountEndpoints(app, [...doorEndpoints(ports), ...sessionEndpoints(ports), ...people], gate, log);
  const server = createWebServer(null, { connections });
  routeRequests(server, {
    ...{ app, pages: null, clients, connections, origins, log, clock, isSetUp: () => desk.isClaimed },
    stopping: stop.signal,
  });
  const port = await listen(server, 0, "127.0.0.1");

  /** One request from this machine; `host` as a proxy or another machine would name it. */
  const ask = (
    method: "GET" | "POST",
    path: string,
    {
      body,
      jar,
      host = `localhost:${port}`,
      headers = {},
    }: {
      readonly body?: unknown;
      readonly jar?: CookieJar;
      readonly host?: string;
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const cookies = jar?.header ?? "";
      const sent = request({
        host: "127.0.0.1",
        port,
        method,
        path,
        headers: {
          host,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(cookies === "" ? {} : { cookie: cookies }),
          ...headers,
        },
      });
      sent.on("error", reject);
      sent.on("response", (incoming) => {
        const parts: Buffer[] = [];
        incoming.on("data", (part: Buffer) => parts.push(part));
        incoming.on("end", () => {
          jar?.take(incoming.headers["set-cookie"] ?? []);
          const text = Buffer.concat(parts).toString();
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: text === "" ? null : JSON.parse(text),
          });
        });
      });
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });

  return {
    port,
    dataDir,
    clock,
    complaints,
    desk,
    doors,
    signIns,
    store,
    ask,
    /** Origin of the pages on this machine. */
    origin: `http://localhost:${port}`,
    close: async () => {
      desk.stop();
      signIns.close();
      stop.abort();
      await closeServer(server);
      await store.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Cookies as a browser keeps them, for one host. */
export class CookieJar {
  readonly values = new Map<string, string>();
  /** Every `set-cookie` so far. */
  readonly taken: string[] = [];

  take(headers: readonly string[]): void {
    for (const header of headers) {
      this.taken.push(header);
      const [pair = "", ...attributes] = header.split("; ");
      const [name = "", value = ""] = pair.split("=");
      if (attributes.includes("Max-Age=0")) this.values.delete(name);
      else this.values.set(name, value);
    }
  }

  get header(): string {
    return [...this.values].map(([name, value]) => `${name}=${value}`).join("; ");
  }
}
