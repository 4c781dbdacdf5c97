import { expect, test } from "vitest";
import type { Pages } from "#coordinator/adapters/http/pages.ts";
import { apiErrorSchema } from "#shared/protocol/api.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { sendRaw } from "#test/kit/adversary/raw-http.ts";
import { RUN_ID } from "#test/kit/fakes/fake-core.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";
import { openShell, type Shell, type ShellOptions } from "#test/kit/worlds/shell.ts";

/* Requests that ask for another protocol. Java's HttpClient asks for h2c unless it is told not to. */

const H2C = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"];
const WEBSOCKET = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version: 13",
];

const requestOf = (line: string, headers: readonly string[], body = "", host = "localhost") =>
  [`${line} HTTP/1.1`, `Host: ${host}`, ...headers, "", body].join("\r\n");

async function inShell(options: ShellOptions, work: (shell: Shell) => Promise<void>): Promise<void> {
  const shell = await openShell(options);
  try {
    await work(shell);
  } finally {
    await shell.close();
  }
}

const codeOf = (body: string) => apiErrorSchema.parse(JSON.parse(body)).error.code;

test("[W1] a read that asks for another protocol gets the ordinary answer", () =>
  inShell({}, async ({ port }) => {
    const plain = await sendRaw(port, requestOf("GET /api/v1/status", ["Connection: close"]));
    expect(plain.status).toBe(200);
    for (const headers of [H2C, WEBSOCKET]) {
      const { status, body } = await sendRaw(port, requestOf("GET /api/v1/status", headers));
      expect({ status, body }).toEqual({ status: 200, body: plain.body });
    }
  }));

test("[W1] so does a write, with its body", () =>
  inShell({}, async ({ port, core }) => {
    const body = JSON.stringify({ task: "digits", rounds: 3 });
    const headers = [...H2C, "Content-Type: application/json", `Content-Length: ${body.length}`];
    expect((await sendRaw(port, requestOf("POST /api/v1/runs", headers, body))).status).toBe(201);
    expect(core.writes).toHaveLength(1);
  }));

test("[W1] nothing behind such a request is read, so no part of it is taken for another request", () =>
  inShell({}, async ({ port, core }) => {
    const first = requestOf("GET /api/v1/status", H2C);
    const second = requestOf(`POST /api/v1/runs/${RUN_ID}/pause`, ["Connection: close"]);
    for (const parts of [
      [first + second],
      [first + second.slice(0, 9), 50, second.slice(9)],
      [first, 50, second],
    ]) {
      const { status, headers, body } = await sendRaw(port, ...parts);
      expect(status).toBe(200);
      expect(headers.get("connection")).toBe("close");
      expect(body).not.toContain("HTTP/1.1");
    }
    expect(core.writes).toEqual([]);
    await sendRaw(port, requestOf("GET /api/v1/status", []) + second);
    expect(core.writes).toHaveLength(1);
  }));

test("[W8] such a request for a foreign host is refused", () =>
  inShell({}, async ({ port }) => {
    const answer = await sendRaw(port, requestOf("GET /api/v1/status", H2C, "", "evil.example"));
    expect([answer.status, codeOf(answer.body)]).toEqual([403, "FORBIDDEN"]);
  }));

test("[W10] such requests are counted by address, each once", () =>
  inShell({ clock: new ManualClock() }, async ({ port }) => {
    const ask = async (headers: readonly string[]) =>
      (await sendRaw(port, requestOf("GET /nothing", headers))).status;
    for (let count = 1; count < LIMITS.pagesBurstPerAddress; count++) expect(await ask(H2C)).toBe(404);
    expect(await ask(["Connection: close"])).toBe(404);
    expect(await ask(["Connection: close"])).toBe(429);
    expect(await ask(H2C)).toBe(429);
  }));

test("[W1] the development server's pages upgrade at their own addresses alone, and only for a host that is ours", () => {
  const upgraded: (string | undefined)[] = [];
  const pages: Pages = {
    handle: async (_request, response) => void response.end("a page"),
    upgrade: (request, socket) => {
      upgraded.push(request.url);
      socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n");
      return true;
    },
    close: async () => {},
  };
  return inShell({ pages }, async ({ port }) => {
    const hot = "GET /_next/webpack-hmr";
    expect((await sendRaw(port, requestOf(hot, WEBSOCKET))).status).toBe(101);
    expect(await sendRaw(port, requestOf("GET /_nextx", WEBSOCKET))).toMatchObject({ body: "a page" });
    const foreign = await sendRaw(port, requestOf(hot, WEBSOCKET, "", "evil.example"));
    expect([foreign.status, codeOf(foreign.body)]).toEqual([403, "FORBIDDEN"]);
    expect(upgraded).toEqual(["/_next/webpack-hmr"]);
  });
});
