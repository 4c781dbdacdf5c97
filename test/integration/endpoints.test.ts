import { io, type Socket } from "socket.io-client";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ENDPOINTS } from "#coordinator/adapters/http/api/list.ts";
import { API } from "#coordinator/adapters/http/dialect.ts";
import { type Endpoint, jsonEndpoint } from "#coordinator/adapters/http/endpoint.ts";
import { honoPath } from "#coordinator/adapters/http/mount.ts";
import type { SocketEndpoint } from "#coordinator/adapters/socket/endpoint.ts";
import { SOCKET_ENDPOINTS } from "#coordinator/adapters/socket/list.ts";
import { PERMISSIONS, refusalOf } from "#coordinator/core/access/permissions.ts";
import { apiErrorSchema } from "#shared/protocol/api.ts";
import { decodeFrame, encodeFrame } from "#shared/protocol/frame.ts";
import { deviceMessageSchema } from "#shared/protocol/messages/device.ts";
import { replySchema } from "#shared/protocol/messages/reply.ts";
import { greetingEndpoints } from "#test/kit/dummies/greeting.ts";
import { ManualClock } from "#test/kit/manual-clock.ts";
import { openShell, type Shell } from "#test/kit/shell.ts";

/*
 * Every endpoint and every socket event of the product, and a dummy of each kind that a later one may be: what is mounted
 * is listed, what is listed is described, and none of it lets bad input or a stranger through.
 */

/** For devices only, in a dialect like the others. */
function deviceOnlyEndpoints(): readonly Endpoint[] {
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/device-only",
      summary: "For devices only",
      dialect: API,
      permission: "rounds.take-part",
      answer: apiErrorSchema,
      handle: async () => {
        throw new Error("it was handled");
      },
    }),
  ];
}

/** Ports that are nothing: an endpoint calls none before it is asked. */
const NO_PORTS: object = new Proxy({}, { get: () => NO_PORTS });

const clock = new ManualClock();
let shell: Shell;
beforeAll(async () => {
  shell = await openShell({ clock, groups: [...ENDPOINTS, greetingEndpoints, deviceOnlyEndpoints] });
});
afterAll(() => shell.close());
beforeEach(() => {
  shell.core.writes.length = 0;
});

const nameOf = ({ method, path }: Pick<Endpoint, "method" | "path">) => `${method.toUpperCase()} ${path}`;

/** Routes of the app that no endpoint stands for. */
function unlisted(routes: readonly { readonly method: string; readonly path: string }[]): string[] {
  const listed = new Set(shell.endpoints.map(({ method, path }) => nameOf({ method, path: honoPath(path) })));
  // Wrappers and refusals of other methods answer to all of them.
  return routes
    .filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => `${method} ${path}`)
    .filter((name) => !listed.has(name));
}

describe("what is listed", () => {
  test("[W13] every mounted route is an endpoint of the list; a route beside the list is found", () => {
    const { routes } = shell.app;
    expect(unlisted(routes)).toEqual([]);
    expect(unlisted([...routes, { method: "GET", path: "/planted" }])).toEqual(["GET /planted"]);
    expect(new Set(shell.endpoints.map(nameOf)).size).toBe(shell.endpoints.length);
    expect(shell.endpoints.length).toBeGreaterThan(24);
    for (const { permission } of shell.endpoints) expect(PERMISSIONS).toHaveProperty([permission]);
  });

  test("[W9] [W13] the description holds the list, no more and no less, operations at the root", async () => {
    const document = await (await send("GET", "/api/v1/openapi.json")).json();
    const described = Object.entries<Record<string, { servers?: [{ url: string }] }>>(document.paths).flatMap(
      ([path, operations]) =>
        Object.entries(operations).map(
          ([method, { servers }]) =>
            `${method.toUpperCase()} ${(servers ?? document.servers)[0].url.replace(/\/$/, "")}${path}`,
        ),
    );
    expect(described.sort()).toEqual(shell.endpoints.map(nameOf).sort());
  });

  test("[W13] an endpoint without a permission, or with one that is not in the table, does not compile", () => {
    const rest = { method: "get", path: "/x", summary: "x", dialect: API, answer: apiErrorSchema } as const;
    const handle = async () => apiErrorSchema.parse(null);
    // @ts-expect-error: no permission
    jsonEndpoint({ ...rest, handle });
    // @ts-expect-error: an unknown permission
    jsonEndpoint({ ...rest, permission: "runs.everything", handle });
    // @ts-expect-error: no dialect
    jsonEndpoint({ ...rest, dialect: undefined, permission: "public", handle });
  });

  test("[W13] every namespace that takes connections is in the list of events, with all kinds of its messages", () => {
    const listed = SOCKET_ENDPOINTS.map(({ namespace }) => namespace);
    // The default namespace refuses everyone.
    expect(shell.namespaces().filter((name) => name !== "/")).toEqual(expect.arrayContaining(listed));
    expect(shell.namespaces().length).toBe(listed.length + 1);
    const kinds = deviceMessageSchema.options.map((option) => option.shape.type.value);
    const device = SOCKET_ENDPOINTS.find(({ namespace }) => namespace === "/device");
    expect(Object.keys(device?.permissions ?? {}).sort()).toEqual([...kinds].sort());
  });
});

describe("who may", () => {
  test("[W13] a login may help whoever has none; a device that lacks a permission is refused for good", () => {
    const device = { kind: "device", identity: "ab".repeat(32), task: "digits" } as const;
    expect(refusalOf(device, "rounds.take-part")).toBeNull();
    expect(refusalOf({ kind: "anyone" }, "rounds.take-part")?.code).toBe("NOT_AUTHENTICATED");
    expect(refusalOf({ kind: "anyone" }, "runs.launch")).toBeNull();
  });

  test("[W13] an endpoint that its asker has no permission for is refused before it is handled", async () => {
    const response = await send("GET", "/api/v1/device-only");
    expect(response.status).toBe(401);
    expect(apiErrorSchema.parse(await response.json()).error.code).toBe("NOT_AUTHENTICATED");
    expect(shell.complaints.join()).not.toContain("it was handled");
  });

  test("[W13] a device's message before its login is refused in frames, and never reaches the core", async () => {
    const socket = await connected("/device");
    const answer: unknown = await socket
      .timeout(60_000)
      .emitWithAck("frame", encodeFrame({ type: "check-in", taskVersion: 1 }));
    expect(decodeFrame(answer, replySchema)).toMatchObject({
      value: { error: { code: "NOT_AUTHENTICATED" } },
    });
    expect(shell.core.writes).toEqual([]);
    socket.disconnect();
  });

  test("[W13] a dummy endpoint is one file and one entry: it answers, in its own dialect too", async () => {
    const good = await send("POST", "/api/2.0/greetings/ada", '{"actor":"bob","times":2}');
    expect(await good.json()).toEqual({ greetings: ["bob greets ada", "bob greets ada"] });
    const bad = await send("POST", "/api/2.0/greetings/ada", '{"actor":"bob","times":9}');
    expect(await bad.json()).toMatchObject({ error_code: "BAD_REQUEST" });
    const method = await send("DELETE", "/api/2.0/greetings/ada");
    expect(method.headers.get("allow")).toBe("POST");
    expect(await method.json()).toMatchObject({ error_code: "METHOD_NOT_ALLOWED" });
  });
});

/** Text that no parameter, query or name takes, as it stands in an address. */
const HOSTILE_TEXT = [
  "-1",
  "01",
  "1e9",
  "9007199254740993",
  "%00",
  "%ff",
  "..%2f..%2fetc%2fpasswd",
  "'%20OR%201=1%20--",
  "__proto__",
  "constructor",
  "A".repeat(32),
  "a".repeat(3_000),
  "%F0%9F%92%A5",
];
const HOSTILE_BODIES = [
  "",
  "null",
  "[]",
  "1",
  '"x"',
  "{",
  "\ufeff{}",
  '{"__proto__":{"actor":"x"}}',
  '{"constructor":1}',
  '{"actor":{"toString":null}}',
  '{"actor":"a\\u0000"}',
  '{"actor":"a","actor":"b"}',
  '{"task":1e400}',
  "[".repeat(5_000),
  '{"nobody":"knows","this":1}',
];
const GOOD_TEXT = ["digits", "1", "0".repeat(32), "0".repeat(64)];

describe.each(
  // The list itself: an endpoint that is added is tried without a line here.
  [...listOf([...ENDPOINTS, greetingEndpoints])],
)("bad input at %s", (_, index) => {
  const endpointOf = () => shell.endpoints[index] as Endpoint;

  test("[W1] [W13] (9 to 14) whatever stands in its address, query or body, it refuses in its dialect", async () => {
    const endpoint = endpointOf();
    const method = endpoint.method.toUpperCase();
    const names = [...endpoint.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
    expect(Object.keys(endpoint.params?.shape ?? {}).sort()).toEqual([...names].sort());
    const good = new Map(names.map((name) => [name, goodValue(endpoint, name)]));
    for (const name of names) {
      for (const text of HOSTILE_TEXT) {
        const isTaken = endpoint.params?.shape[name].safeParse(decodedOr(text)).success === true;
        const address = addressOf(endpoint, new Map(good).set(name, text));
        const response = await send(method, address, endpoint.body === undefined ? undefined : "{}");
        await expectRefusal(endpoint, response, `${name} = ${text}`, isTaken);
      }
    }
    for (const query of ["nothing=1", "limit=1&limit=2", "__proto__=1", "cursor=%27%3B", "limit=-1"]) {
      const response = await send(method, `${addressOf(endpoint, good)}?${query}`, bodyFor(endpoint));
      await expectRefusal(endpoint, response, query, true);
      if (endpoint.query !== undefined) expect(response.status, query).toBe(400);
    }
    for (const body of endpoint.body === undefined ? [] : HOSTILE_BODIES) {
      const response = await send(method, addressOf(endpoint, good), body);
      await expectRefusal(endpoint, response, body.slice(0, 40), body === "");
    }
    expect(shell.core.writes).toEqual([]);
    expect((await send("GET", "/livez")).status).toBe(200);
  });

  test("[W1] [W13] it takes its own methods only", async () => {
    const endpoint = endpointOf();
    const response = await send("DELETE", addressOf(endpoint, new Map()));
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toContain(endpoint.method.toUpperCase());
    await expectRefusal(endpoint, response, "DELETE");
  });
});

describe.each(SOCKET_ENDPOINTS.map((endpoint) => [endpoint.namespace, endpoint] as const))(
  "bad input at %s",
  (_, endpoint) => {
    test("[W2] [W13] (29) any argument and any other event is refused in its dialect", async () => {
      const socket = await connected(endpoint.namespace);
      const junk = [null, 1, "x", true, [], {}, { all: 1 }, { runId: "x" }, { all: true, runId: 1 }];
      for (const argument of [...junk, new Uint8Array(0), Uint8Array.of(0xc1), { __proto__: null }]) {
        clock.advance(60_000);
        expect(codeIn(endpoint, await socket.timeout(60_000).emitWithAck(endpoint.event, argument))).toMatch(
          /^BAD_(?:FRAME|MESSAGE)$/,
        );
      }
      for (const event of ["nothing", "__proto__", "constructor", "frames"]) {
        clock.advance(60_000);
        expect(codeIn(endpoint, await socket.timeout(60_000).emitWithAck(event, {}))).toBe("BAD_MESSAGE");
      }
      expect(shell.core.writes).toEqual([]);
      socket.disconnect();
    });
  },
);

/** Names of the endpoints as the shell lists them, before there is a shell. */
function listOf(groups: readonly ((ports: never) => readonly Endpoint[])[]): [string, number][] {
  const names = groups.flatMap((group) => group(NO_PORTS as never)).map(nameOf);
  return [...names.entries()].map(([index, name]) => [name, index]);
}

function goodValue({ params }: Endpoint, name: string): string {
  const good = GOOD_TEXT.find((text) => params?.shape[name].safeParse(text).success);
  expect(good, name).toBeDefined();
  return good as string;
}

function addressOf({ path }: Endpoint, values: ReadonlyMap<string, string>): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values.get(name) ?? "1");
}

function bodyFor({ body }: Endpoint): string | undefined {
  return body === undefined ? undefined : "{}";
}

function decodedOr(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Time passes before each request, so that no rate ends the test early. */
function send(method: string, address: string, body?: string): Promise<Response> {
  clock.advance(60_000);
  return fetch(`${shell.url}${address}`, {
    method,
    ...(body === undefined ? {} : { body, headers: { "content-type": "application/json" } }),
  });
}

/** @param mayPass  True: an answer is right too, if it is one of success. */
async function expectRefusal(endpoint: Endpoint, response: Response, about: string, mayPass = false) {
  const text = await response.text();
  expect(response.status, `${about}: ${text.slice(0, 200)}`).toBeLessThan(500);
  expect(response.status, about).not.toBe(429);
  if (mayPass && response.ok) return;
  expect(response.ok, about).toBe(false);
  expect(endpoint.dialect.error.safeParse(JSON.parse(text)).success, `${about}: ${text.slice(0, 200)}`).toBe(
    true,
  );
  expect(text).not.toMatch(/\bat .*\.(?:ts|js|mjs):\d|node_modules|Error:/);
}

async function connected(namespace: string): Promise<Socket> {
  clock.advance(60_000);
  const socket = io(`${shell.url}${namespace}`, {
    transports: ["websocket"],
    forceNew: true,
    reconnection: false,
  });
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("connect_error", reject));
  return socket;
}

function codeIn({ dialect }: SocketEndpoint, answer: unknown): string {
  if (dialect.name === "api") return apiErrorSchema.parse(answer).error.code;
  const reply = decodeFrame(answer, replySchema);
  return reply.ok && reply.value.type === "refused" ? reply.value.error.code : "no refusal";
}
