import { io, type Socket } from "socket.io-client";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { API } from "#coordinator/adapters/http/dialect.ts";
import { type Endpoint, jsonEndpoint } from "#coordinator/adapters/http/endpoint.ts";
import { honoPath } from "#coordinator/adapters/http/mount.ts";
import { SOCKET_ENDPOINTS } from "#coordinator/adapters/socket/list.ts";
import {
  PERMISSIONS,
  type Permission,
  permissionRefusal,
  THE_WHOLE,
} from "#coordinator/core/access/permissions.ts";
import type { Principal } from "#coordinator/core/access/principal.ts";
import { present } from "#shared/kernel/assert.ts";
import { utf8 } from "#shared/kernel/bytes.ts";
import { ok } from "#shared/kernel/result.ts";
import { apiErrorSchema } from "#shared/protocol/api.ts";
import { decodeFrame, encodeFrame } from "#shared/protocol/frame.ts";
import { deviceMessageSchema } from "#shared/protocol/messages/device.ts";
import { replySchema } from "#shared/protocol/messages/reply.ts";
import { RUN_ID } from "#test/kit/fakes/fake-core.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";
import { openShell, type Shell } from "#test/kit/worlds/shell.ts";

/*
 * Every endpoint and every socket event of the product, and a dummy file of endpoints that is added to the list and to
 * nothing else: what is mounted is listed, what is listed is described, and none of it accepts a stranger. Bad input is in
 * thirty-kinds.test.ts, here and for sockets.
 */

vi.mock("#coordinator/adapters/http/api/list.ts", async (original) => {
  const { ENDPOINTS } = await original<typeof import("#coordinator/adapters/http/api/list.ts")>();
  const { greetingEndpoints } = await import("#test/kit/dummies/greeting.ts");
  return { ENDPOINTS: [...ENDPOINTS, greetingEndpoints] };
});

const NAMED_SITE = "https://embed.example";

const clock = new ManualClock();
let shell: Shell;
beforeAll(async () => {
  shell = await openShell({ clock, allowedOrigins: [NAMED_SITE] });
});
afterAll(() => shell.close());
beforeEach(() => {
  shell.core.writes.length = 0;
});

const nameOf = ({ method, path }: Pick<Endpoint, "method" | "path">) => `${method.toUpperCase()} ${path}`;

/** Routes of the app without an endpoint. */
function unlisted(routes: readonly { readonly method: string; readonly path: string }[]): string[] {
  const listed = new Set(shell.endpoints.map(({ method, path }) => nameOf({ method, path: honoPath(path) })));
  // Wrappers and refusals of other methods answer to all methods.
  return routes
    .filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => `${method} ${path}`)
    .filter((name) => !listed.has(name));
}

describe("what is listed", () => {
  test("[W13] every mounted route is an endpoint of the list; a route outside the list is found", () => {
    const { routes } = shell.app;
    expect(unlisted(routes)).toEqual([]);
    expect(unlisted([...routes, { method: "GET", path: "/planted" }])).toEqual(["GET /planted"]);
    expect(new Set(shell.endpoints.map(nameOf)).size).toBe(shell.endpoints.length);
    expect(shell.endpoints.length).toBeGreaterThan(24);
    for (const { permission } of shell.endpoints) expect(PERMISSIONS).toHaveProperty([permission]);
  });

  test("[W9] [W13] the description contains exactly the list, with operations at the root", async () => {
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
  test("[W13] a device may take part; without a login a sender is told to log in", () => {
    const device = { kind: "device", identity: "ab".repeat(32), task: "digits" } as const;
    const refusal = (...who: [Principal, Permission]) => permissionRefusal(...who, THE_WHOLE, 0)?.code;
    expect(refusal(device, "rounds.take-part")).toBeUndefined();
    expect(refusal({ kind: "anyone" }, "rounds.take-part")).toBe("NOT_AUTHENTICATED");
    expect(refusal({ kind: "anyone" }, "runs.launch")).toBe("NOT_AUTHENTICATED");
  });

  test("[W13] an endpoint is refused before it is handled if the principal has no permission for it", async () => {
    const response = await send("GET", "/api/2.0/greetings/ada/received");
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error_code: "FORBIDDEN" });
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

  test("[W13] a dummy file of endpoints takes one entry: each answers, in its own dialect too", async () => {
    const good = await send("POST", "/api/2.0/greetings/ada", '{"times":2}');
    expect(await good.json()).toEqual({ greetings: ["ada greets ada", "ada greets ada"] });
    const bad = await send("POST", "/api/2.0/greetings/ada", '{"times":9}');
    expect(await bad.json()).toMatchObject({ error_code: "BAD_REQUEST" });
    const method = await send("DELETE", "/api/2.0/greetings/ada");
    expect(method.headers.get("allow")).toBe("POST");
    expect(await method.json()).toMatchObject({ error_code: "METHOD_NOT_ALLOWED" });
  });

  test("[W9] [W13] the entry also describes them", async () => {
    const { paths } = await (await send("GET", "/api/v1/openapi.json")).json();
    const names = ["POST /api/2.0/greetings/{name}", "GET /api/2.0/greetings/{name}/received"];
    for (const name of names) {
      const [method, path] = name.split(" ") as [string, string];
      const operation = paths[path][method.toLowerCase()];
      expect(operation.summary).toMatch(/^Greet/);
      const { properties } = operation.responses.default.content["application/json"].schema;
      expect(Object.keys(properties)).toEqual(["error_code", "message"]);
    }
  });
});

/** One that no endpoint at this address has, also none whose parameter could be its last part. */
function otherMethod(path: string): string {
  const address = path.replaceAll(/\{\w+\}/g, "1");
  const isAt = (one: Endpoint) =>
    new RegExp(`^${one.path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(address);
  const own = new Set<string>(shell.endpoints.filter(isAt).map(({ method }) => method.toUpperCase()));
  return present(
    ["DELETE", "PATCH", "PUT"].find((method) => !own.has(method)),
    "a method that is refused",
  );
}

test("[W1] [W13] each endpoint accepts only its own methods, and refuses others in its dialect", async () => {
  for (const { method, path, dialect } of shell.endpoints) {
    const response = await send(otherMethod(path), path.replaceAll(/\{\w+\}/g, "1"));
    expect(response.status, path).toBe(405);
    expect(response.headers.get("allow"), path).toContain(method.toUpperCase());
    expect(dialect.error.safeParse(await response.json()).success, path).toBe(true);
  }
});

describe("pages of other sites", () => {
  const allowed = ({ headers }: Response) =>
    [...headers.keys()].filter((name) => name.startsWith("access-control-"));

  test("[W17] a named one may ask for its methods and read its answers; others may do neither", async () => {
    // Pages of any site read the log (A37).
    const others = shell.endpoints.filter(({ path }) => !path.startsWith("/log/"));
    for (const endpoint of others) await judge(endpoint);
  });

  async function judge(endpoint: Endpoint): Promise<void> {
    const address = endpoint.path.replaceAll(/\{\w+\}/g, "1");
    const isOfApi = endpoint.path.startsWith("/api/") || ["/version", "/health"].includes(endpoint.path);
    const preflight = (origin: string) =>
      sendAs("OPTIONS", address, { origin, "access-control-request-method": endpoint.method.toUpperCase() });
    const answer = (origin: string) => sendAs(otherMethod(endpoint.path), address, { origin });

    const granted = await preflight(NAMED_SITE);
    expect(granted.status, address).toBe(isOfApi ? 204 : 405);
    const read = await answer(NAMED_SITE);
    for (const response of [granted, read]) {
      expect(response.headers.get("access-control-allow-origin")).toBe(isOfApi ? NAMED_SITE : null);
      expect(response.headers.get("access-control-allow-credentials")).toBeNull();
      if (isOfApi) expect(response.headers.get("vary")).toBe("Origin");
    }
    if (isOfApi) {
      const methods = granted.headers.get("access-control-allow-methods")?.split(", ");
      expect(methods).toEqual(read.headers.get("allow")?.split(", "));
      expect(methods).toContain(endpoint.method.toUpperCase());
      const headers = granted.headers.get("access-control-allow-headers")?.split(", ") ?? [];
      const own = Object.keys(
        (endpoint.request.headers as { readonly shape?: object } | undefined)?.shape ?? {},
      );
      expect(headers).toEqual(expect.arrayContaining(["content-type", "authorization", ...own]));
      expect(headers).not.toContain("*");
    }
    for (const origin of [
      "https://evil.example",
      "null",
      `${NAMED_SITE}.evil.example`,
      `${NAMED_SITE}:8443`,
    ]) {
      for (const response of [await preflight(origin), await answer(origin)]) {
        expect(response.status, origin).toBe(405);
        expect(allowed(response), origin).toEqual([]);
      }
    }
    expect(shell.core.writes).toEqual([]);
  }
});

test("[W17] refusals before an endpoint can be read by a named site, too", async () => {
  for (const path of ["/api/v1/nothing", "/api/", `/api/v1/runs?limit=${"9".repeat(20)}`]) {
    const response = await sendAs("GET", path, { origin: NAMED_SITE });
    expect(response.ok).toBe(false);
    expect(response.headers.get("access-control-allow-origin")).toBe(NAMED_SITE);
    expect(response.headers.get("access-control-expose-headers")).toContain("retry-after");
  }
  const control = await sendAs("GET", "/api/v1/nothing", {});
  expect(control.headers.get("access-control-allow-origin")).toBeNull();
  expect(control.headers.get("vary")).toBe("Origin");
});

describe("pages of any site", () => {
  const origin = "https://elsewhere.example";
  const wildcards = async (headers: Readonly<Record<string, string>>) => {
    const found: string[] = [];
    for (const { method, path } of shell.endpoints) {
      if (method !== "get") continue;
      const address = path.replaceAll(/\{\w+\}/g, (name) => ADDRESSES[name] ?? "1");
      const response = await sendAs("GET", address, headers);
      await response.body?.cancel();
      expect(response.headers.get("access-control-allow-credentials"), path).toBeNull();
      if (response.headers.get("access-control-allow-origin") !== "*") continue;
      expect(response.ok, path).toBe(true);
      found.push(path);
    }
    return found;
  };
  const ADDRESSES: Readonly<Record<string, string>> = {
    "{slug}": "digits",
    "{alias}": "champion",
    "{number}": "1",
    "{runId}": RUN_ID,
    "{roundId}": RUN_ID,
    "{format}": "onnx",
  };
  const OF_MODELS = [
    "/api/v1/load.js",
    "/api/v1/rounds/{roundId}/exports/{format}",
    "/api/v1/runs/{runId}/exports/{format}",
    "/api/v1/tasks/{slug}/aliases",
    "/api/v1/tasks/{slug}/models",
    "/api/v1/tasks/{slug}/models/{number}/exports/{format}",
  ];
  let ada: Shell["asker"];
  beforeAll(() => {
    ada = shell.asker;
    shell.asker = null;
    const made = ok({ fileName: "digits.onnx", mediaType: "application/octet-stream", bytes: utf8("onnx") });
    for (const name of ["ofRun", "ofRound", "ofVersion"] as const)
      vi.spyOn(shell.core, name).mockResolvedValue(made);
  });

  test("[W28] read models of a public task and the module that loads them, and nothing else", async () => {
    expect((await wildcards({ origin })).toSorted()).toEqual(OF_MODELS);
    expect(await wildcards({})).toEqual([]);
    expect(await wildcards({ origin: NAMED_SITE })).toEqual([]);
  });

  test("[W28] [G2] learn of no person: who moved an alias is for those who may read runs", async () => {
    const alias = { alias: "champion", version: 1, movedAt: null, movedBy: "ada" } as const;
    const aliases = vi.spyOn(shell.core, "aliases").mockResolvedValue([alias] as never);
    const movedBy = async () => {
      const response = await sendAs("GET", "/api/v1/tasks/digits/aliases", { origin });
      return ((await response.json()) as { items: { movedBy: string | null }[] }).items[0]?.movedBy;
    };
    expect(await movedBy()).toBeNull();
    shell.asker = ada;
    expect(await movedBy()).toBe("ada");
    shell.asker = null;
    aliases.mockRestore();
  });

  test("[W28] read no answer to an account, and no model of a task by invitation", async () => {
    shell.asker = ada;
    expect(await wildcards({ origin })).toEqual([]);
    shell.asker = null;
    Object.assign(shell.core.place, { joining: "invitation" });
    expect(await wildcards({ origin })).toEqual(["/api/v1/load.js"]);
    Object.assign(shell.core.place, { joining: "public" });
  });
});

/** Advances time before each request, so that no rate limit ends the test early. */
function send(method: string, address: string, body?: string): Promise<Response> {
  clock.advance(60_000);
  return fetch(`${shell.url}${address}`, {
    method,
    ...(body === undefined ? {} : { body, headers: { "content-type": "application/json" } }),
  });
}

function sendAs(
  method: string,
  address: string,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  clock.advance(60_000);
  return fetch(`${shell.url}${address}`, { method, headers });
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
