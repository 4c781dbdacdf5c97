import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HttpConnections } from "#coordinator/adapters/http/connections.ts";
import { closeServer, listen } from "#coordinator/adapters/http/listen.ts";
import { createWebServer } from "#coordinator/adapters/http/server.ts";
import { unknownNamePage } from "#coordinator/adapters/http/unknown-name.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { apiErrorSchema } from "#shared/protocol/api.ts";
import { type RawAnswer, sendRaw } from "#test/kit/adversary/raw-http.ts";
import { RUN_ID } from "#test/kit/fakes/fake-core.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";
import { openShell, type Shell } from "#test/kit/worlds/shell.ts";

/*
 * Every refusal over HTTP is `{ error: { code, message, retry } }`: for input that is not HTTP, for what a parser or a
 * library would answer by itself, and for what two readers would read differently.
 */

let shell: Shell;
beforeAll(async () => {
  shell = await openShell();
});
afterAll(() => shell.close());

const HOST = "Host: localhost";
const CLOSE = "Connection: close";

/** One request with these lines; closes the connection. */
const ask = (line: string, headers: readonly string[] = [HOST], body = "") =>
  sendRaw(shell.port, [line, ...headers, CLOSE, "", body].join("\r\n"));

function expectCode(answer: RawAnswer, status: number, code: string): void {
  expect(answer.status, answer.body).toBe(status);
  expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
  expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  const { error } = apiErrorSchema.parse(JSON.parse(answer.body));
  expect(error.code).toBe(code);
  expect(answer.body).not.toMatch(/\bat .*\.(?:ts|js|mjs):\d|node_modules|Error:/);
  expect(shell.core.writes).toEqual([]);
}

test("the helper receives a good answer", async () => {
  const answer = await ask("GET /api/v1/status HTTP/1.1");
  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.body)).toMatchObject({ product: "chorus" });
});

test("[W2] a peer that does not read its answer is cut off after a while, and another one is served", async () => {
  const server = createWebServer(null, {
    connections: new HttpConnections(new ManualClock()),
    silenceMs: 2_000,
  });
  // More than the buffers of both ends hold, so the answer stalls.
  server.on("request", (_request, response) => response.end(Buffer.alloc(64 * 2 ** 20)));
  const port = await listen(server, 0, "127.0.0.1");
  const opened = once(server, "connection");
  const socket = connect({ port, host: "127.0.0.1" });
  try {
    socket.on("error", () => undefined);
    socket.pause();
    socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const open = () => new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
    await opened;
    await expect.poll(open).toBe(0);
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    expect((await answer.arrayBuffer()).byteLength).toBe(64 * 2 ** 20);
  } finally {
    socket.destroy();
    await closeServer(server);
  }
});

describe("what is no request", () => {
  test("[W1] [W2] ends its connection, even if the sender keeps its own half open", async () => {
    const server = createWebServer(null, { connections: new HttpConnections(new ManualClock()) });
    const port = await listen(server, 0, "127.0.0.1");
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    try {
      const heard = once(socket, "end");
      socket.resume();
      socket.write("garbage\r\n\r\n");
      await heard;
      const open = () => new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
      expect(await open()).toBe(1);
      await expect.poll(open).toBe(0);
    } finally {
      socket.destroy();
      await closeServer(server);
    }
  });

  test("[W1] behind a request that is being answered waits for that answer instead of replacing it", async () => {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    shell.core.listRuns = async () => {
      await released;
      return { items: [], next: null };
    };
    try {
      const good = "GET /api/v1/runs HTTP/1.1\r\nHost: localhost\r\n\r\n";
      const both = sendRaw(shell.port, good, 100, "garbage\r\n\r\n", 100, "more of it");
      await new Promise((resolve) => setTimeout(resolve, 400));
      release();
      const { status, body } = await both;
      expect(status).toBe(200);
      expect(body).toMatch(/^\{"items":\[\],"next":null\}HTTP\/1\.1 400 Bad Request\r\n[\s\S]*BAD_REQUEST/);
      expect(body.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
    } finally {
      Reflect.deleteProperty(shell.core, "listRuns");
    }
  });

  test("[W1] in the body of a request whose answer has begun ends the connection, and nothing is inserted into the answer", async () => {
    const server = createWebServer(null, { connections: new HttpConnections(new ManualClock()) });
    server.on("request", (_request, response) => {
      response.writeHead(200, { "content-length": 10 });
      response.write("hello");
    });
    const port = await listen(server, 0, "127.0.0.1");
    try {
      const head = "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
      const { status, body } = await sendRaw(port, head, 100, "no chunk\r\n");
      expect([status, body]).toEqual([200, "hello"]);
    } finally {
      await closeServer(server);
    }
  });

  test.each([
    ["no HTTP", "garbage\r\n\r\n"],
    ["a version that is none", "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n"],
    ["a header without a colon", "GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n"],
    ["a space in a header's name", "GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nA b: 1\r\n\r\n"],
    ["NUL in a header", "GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nA: \0\r\n\r\n"],
    [
      "two lengths",
      "POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    ],
    [
      "a length that is none",
      "POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0x2\r\n\r\n{}",
    ],
    [
      "a length and chunks",
      "POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["a space in the address", "GET /api/v1/a b HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  ])("[W1] %s", async (_, text) => {
    expectCode(await sendRaw(shell.port, text), 400, "BAD_REQUEST");
  });

  test("[W1] headers or an address that are too long", async () => {
    expectCode(
      await ask("GET /api/v1/status HTTP/1.1", [HOST, `A: ${"x".repeat(40_000)}`]),
      431,
      "TOO_LARGE",
    );
    expectCode(await ask(`GET /api/v1/${"x".repeat(40_000)} HTTP/1.1`), 431, "TOO_LARGE");
  });

  test("[W1] an unknown expectation", async () => {
    expectCode(await ask("GET /api/v1/status HTTP/1.1", [HOST, "Expect: tea"]), 417, "BAD_REQUEST");
  });
});

describe("who it is for", () => {
  test.each([
    "localhost?x",
    "localhost/x",
    "localhost#x",
    "x@localhost",
    "localhost:99999999",
    "localhost:x",
    "local host",
    "[::1",
    "[localhost]",
    "",
    "0x7f000001",
  ])("[W8] the host %j is not ours", async (host) => {
    expectCode(await ask("GET /api/v1/status HTTP/1.1", [`Host: ${host}`]), 403, "FORBIDDEN");
  });

  test("[W8] no host at all", async () => {
    expectCode(await ask("GET /api/v1/status HTTP/1.1", []), 403, "FORBIDDEN");
  });

  test.each(["localhost", "LOCALHOST:3000", "127.0.0.1", "[::1]:3000"])(
    "[W8] the host %j is ours",
    async (host) => {
      expect((await ask("GET /api/v1/status HTTP/1.1", [`Host: ${host}`])).status).toBe(200);
    },
  );
});

describe("a browser that asks by an unknown name", () => {
  const BROWSER = "Accept: text/html,application/xhtml+xml,*/*;q=0.8";
  const askPage = (host: string, path = "/", more: readonly string[] = []) =>
    ask(`GET ${path} HTTP/1.1`, [...(host === "" ? [] : [`Host: ${host}`]), BROWSER, ...more]);

  test("[W8] gets a page that says what was asked for, what is answered, and what to set", async () => {
    const { status, headers, body: latin } = await askPage("Chorus.ward3.local:3000", "/join/digits");
    const body = Buffer.from(latin, "latin1").toString();
    expect(status).toBe(403);
    expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("cache-control")).toBe("no-store");
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'/);
    const style = /<style>([\s\S]*)<\/style>/.exec(body)?.[1] ?? "";
    expect(policy).toContain(createHash("sha256").update(style).digest("base64"));
    expect(body).toContain("“chorus.ward3.local”");
    expect(body).toContain("--public-url");
    expect(body).toContain("CHORUS_PUBLIC_URL=<wbr>https://chorus.ward3.local");
    expect(body).not.toMatch(/<script|\son\w+=|src=/i);
  });

  test.each(['"><svg onload=alert(1)>', "<b>", "a&b", "x'y", "evil.example/<i>", "[::1", "", "\u0000"])(
    "[W8] reads nothing of a host such as %j back",
    async (host) => {
      const { status, body } = await askPage(host);
      if (status === 403) expect(body).toContain("named no valid host");
      else expect(status).toBe(400);
      if (host.length > 2) expect(body).not.toContain(host);
    },
  );

  test("[W8] with the public address, if one is set", () => {
    const page = unknownNamePage({ asked: "x.example", publicUrl: "https://chorus.example" });
    expect(page).toContain("answers to “chorus.example”");
    expect(page).toContain('<a href="https://chorus.example">');
    // The control: whatever came through would be escaped.
    expect(unknownNamePage({ asked: "<i>", publicUrl: null })).toContain("“&lt;i&gt;”");
  });

  test("[W8] gets JSON from the API, from a write and for a socket, as every program does", async () => {
    expectCode(await askPage("evil.example", "/api/v1/status"), 403, "FORBIDDEN");
    const headers = ["Host: evil.example", BROWSER, "Content-Length: 0"];
    expectCode(await ask("POST / HTTP/1.1", headers), 403, "FORBIDDEN");
    expectCode(await ask("GET / HTTP/1.1", ["Host: evil.example", "Accept: */*"]), 403, "FORBIDDEN");
    expectCode(await ask("GET / HTTP/1.1", ["Host: evil.example"]), 403, "FORBIDDEN");
    expectCode(await askPage("evil.example", "/socket.io/?EIO=4"), 400, "BAD_REQUEST");
  });
});

describe("what comes twice", () => {
  test.each([
    ["Host: localhost", "Host: evil.example"],
    ["Content-Type: application/json", "Content-Type: text/plain"],
    ["Content-Type: application/json", "content-type: application/json"],
    ["Origin: http://localhost", "Origin: http://evil.example"],
    ["Content-Encoding: gzip", "Content-Encoding: identity"],
    ["Chorus-Slot: a", "Chorus-Slot: b"],
  ])("[W1] %s and %s", async (first, second) => {
    const host = first.startsWith("Host") ? [] : [HOST];
    const headers = [...host, first, second, "Content-Length: 2"];
    expectCode(await ask("POST /api/v1/runs HTTP/1.1", headers, "{}"), 400, "BAD_REQUEST");
  });

  test("[W1] two types in one header", async () => {
    const headers = [HOST, "Content-Type: application/json, text/plain", "Content-Length: 2"];
    expectCode(await ask("POST /api/v1/runs HTTP/1.1", headers, "{}"), 415, "UNSUPPORTED_MEDIA_TYPE");
  });
});

describe("addresses", () => {
  test.each([
    "/api/",
    "/api//",
    "/api/v1",
    "/api/v1/",
    "/api/v1/status/",
    "/api/v1//status",
    "/api/../api/v1",
    "/api%2fv1%2fstatus",
    "/API/v1/status",
    "/api.",
    "/api/v1/runs/%",
    "/api/v1/runs/%ff",
    "/api/v1/runs/%00",
    "/api/v1/tasks/__proto__",
    "/api/v1/tasks/constructor",
    "/api/v1/rounds/%2e%2e%2f",
    "/api;x",
  ])("[W1] %s is JSON with a code", async (path) => {
    expectCode(await ask(`GET ${path} HTTP/1.1`), 404, "NOT_FOUND");
  });

  test.each(["0x1", "1e0", "1.0", "01", "+1", " 1", "1 ", "%31%20", "-0", "1_0", "٣", "Infinity", ""])(
    "[W4] %j is no valid number for a version, a page or a place",
    async (number) => {
      const encoded = number === "%31%20" ? number : encodeURIComponent(number);
      expectCode(await ask(`GET /api/v1/tasks/digits/${encoded} HTTP/1.1`), 404, "NOT_FOUND");
      expectCode(await ask(`GET /api/v1/runs?limit=${encoded} HTTP/1.1`), 400, "BAD_REQUEST");
      const round = "0".repeat(32);
      expectCode(await ask(`GET /api/v1/rounds/${round}/transcript/${encoded} HTTP/1.1`), 404, "NOT_FOUND");
      const upload = await ask(`GET /api/v1/uploads/${"ab".repeat(32)}/${encoded} HTTP/1.1`);
      expectCode(upload, 404, "NOT_FOUND");
    },
  );

  test("[W4] plain digits are valid", async () => {
    expect((await ask("GET /api/v1/tasks/digits/1 HTTP/1.1")).status).toBe(200);
    expect((await ask("GET /api/v1/runs?limit=10 HTTP/1.1")).status).toBe(200);
  });

  test.each(["OPTIONS", "PATCH", "DELETE", "TRACE", "PROPFIND"])("[W1] the method %s", async (method) => {
    expectCode(await ask(`${method} /api/v1/status HTTP/1.1`), 405, "METHOD_NOT_ALLOWED");
    expectCode(await ask(`${method} /api/v1/nothing HTTP/1.1`), 404, "NOT_FOUND");
  });

  test("[W1] a page's own address is not the API's", async () => {
    expectCode(await ask("GET /apiary HTTP/1.1"), 404, "NOT_FOUND");
    expect((await ask(`GET /api/v1/runs/${RUN_ID} HTTP/1.1`)).status).toBe(200);
  });
});

describe("tasks", () => {
  const create = (change: (task: { features: Record<string, unknown> }) => void) => {
    const task = structuredClone(bundledTask("digits", 8, 2)) as unknown as {
      features: Record<string, unknown>;
    };
    change(task);
    const body = JSON.stringify(task);
    const headers = [HOST, "Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`];
    return ask("POST /api/v1/tasks HTTP/1.1", headers, body);
  };

  test.each([
    [16, 0],
    [1, 1],
    [-1e308, 1e308],
  ])("a picture's range from %d to %d", async (least, greatest) => {
    const answer = await create((task) => {
      task.features["range"] = [least, greatest];
    });
    expectCode(answer, 400, "BAD_REQUEST");
    expect(answer.body).toContain("range");
  });
});
