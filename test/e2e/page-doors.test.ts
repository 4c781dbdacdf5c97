import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PROXY_HEADERS } from "#test/kit/adversary/bad-input/spoils.ts";
import { sendRaw } from "#test/kit/adversary/raw-http.ts";
import { type CoordinatorProcess, freePort, spawnCoordinator } from "#test/kit/worlds/coordinator-process.ts";

/* Kind 30 of the bad inputs at the pages: a real coordinator with Next's build behind its doors. */

let folder: string;
let port: number;
let coordinator: CoordinatorProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "chorus-doors-"));
  port = await freePort();
  coordinator = await spawnCoordinator({ port, dataDir: folder, pages: true });
});
afterAll(async () => {
  await coordinator?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (line: string, headers: readonly string[] = []) =>
  sendRaw(port, [line, "Host: localhost", "Connection: close", ...headers, "", ""].join("\r\n"));
const SPOOFED = Object.entries(PROXY_HEADERS).map(([name, value]) => `${name}: ${value}`);

test.each([
  ["/", 200, "'nonce-"],
  ["/join/digits", 200, "'wasm-unsafe-eval'"],
  ["/?share=50%", 200, "'nonce-"],
  ["/nowhere", 404, "'nonce-"],
])("[W8] (30) %s takes nothing from headers that only a proxy may set", async (path, status, source) => {
  const plain = await ask(`GET ${path} HTTP/1.1`);
  const spoofed = await ask(`GET ${path} HTTP/1.1`, SPOOFED);
  expect([plain.status, spoofed.status]).toEqual([status, status]);
  expect(spoofed.body).not.toContain("evil.example");
  expect(spoofed.headers.get("content-security-policy")).toContain(`script-src 'self' ${source}`);
  expect(spoofed.headers.get("location")).toBeUndefined();
});

test("[W8] (30) a server action, an absolute address and another host are refused", async () => {
  const action = await ask("POST / HTTP/1.1", [...SPOOFED, "Content-Length: 0"]);
  const absolute = await ask("GET http://evil.example/ HTTP/1.1", SPOOFED);
  const host = await sendRaw(port, "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
  expect([action.status, absolute.status, host.status]).toEqual([405, 400, 403]);
});

test.each([
  "/_next/static/..%2f..%2f..%2fpackage.json",
  "/_next/../../package.json",
  "/_join/../../package.json",
  "/_join/..%2f..%2fpackage.json",
  "/_join/__proto__",
  "/%2e%2e/package.json",
  "/__nextjs_original-stack-frames",
  "/_next/image?url=http%3A%2F%2Fevil.example%2Fx.png&w=64&q=75",
  "/join/__proto__",
  "/join/..%2f..%2fetc%2fpasswd",
  "/runs/%00",
  "/runs/%ff",
  "/join/%0d%0aset-cookie:%20planted=1",
])("[W1] (8, 11, 13, 14) %s is no file, no fault and no stack", async (path) => {
  const { status, headers, body } = await ask(`GET ${path} HTTP/1.1`);
  expect(status, body.slice(0, 200)).toBeLessThan(500);
  expect(headers.get("set-cookie")).toBeUndefined();
  expect(body).not.toMatch(/\bat .*\.(?:ts|js|mjs):\d|"private": true|root:x:0/);
});
