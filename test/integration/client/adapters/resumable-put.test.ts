import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { putResumable } from "#client/adapters/resumable-put.ts";
import { finalError, wireError } from "#shared/protocol/errors.ts";
import type { InputHeaders } from "#shared/protocol/messages/device.ts";

/* The upload, byte by byte, against a server that drops connections. */

const BODY = Uint8Array.from({ length: 9_000_000 }, (_, index) => (index * 31) & 255);
const SHA = "ab".repeat(32);
const headers = {
  slot: "s".repeat(43),
  sha256: SHA,
  root: "cd".repeat(32),
  signature: "ef".repeat(64),
} as InputHeaders;
const receipt = { sid: "12".repeat(32), position: 3, sha256: SHA, byteCount: BODY.length };

let server: Server | null = null;
afterEach(() => server?.close());

async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<URL> {
  server = createServer(handle);
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return new URL(
    `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/uploads/${receipt.sid}/3`,
  );
}

/** A spool that keeps what arrived, and drops the connection once at `loseAt` bytes. */
function spool(loseAt: number | null) {
  const stored = new Uint8Array(BODY.length);
  const state = { byteCount: 0, requests: [] as string[], lost: loseAt === null };
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const range = request.headers["content-range"];
    state.requests.push(`${request.method} ${range ?? ""}`.trim());
    expect(request.headers["chorus-slot"]).toBe(headers.slot);
    if (request.method === "HEAD") {
      response.setHeader("chorus-offset", state.byteCount);
      response.end();
      return;
    }
    let offset = range === undefined ? 0 : Number(/bytes (\d+)-/.exec(range)?.[1]);
    request.on("data", (chunk: Buffer) => {
      stored.set(chunk, offset);
      offset += chunk.length;
      state.byteCount = Math.max(state.byteCount, offset);
      if (state.lost || loseAt === null || offset < loseAt) return;
      state.lost = true;
      request.destroy();
    });
    request.on("end", () => {
      response.setHeader("chorus-offset", state.byteCount);
      response.statusCode = state.byteCount === BODY.length ? 200 : 202;
      response.end(JSON.stringify(response.statusCode === 200 ? receipt : { offset: state.byteCount }));
    });
  };
  return { stored, state, handle };
}

const options = () => ({
  deadlineMs: performance.now() + 60_000,
  signal: new AbortController().signal,
  onSent: () => {},
});

test("sends parts in order and reports its progress", async () => {
  const { stored, state, handle } = spool(null);
  const reached: number[] = [];
  const sent = await putResumable(await serve(handle), headers, BODY, {
    ...options(),
    onProgress: (count) => reached.push(count),
  });
  expect(sent).toEqual({ ok: true, value: receipt });
  expect(stored).toEqual(BODY);
  expect(state.requests).toHaveLength(3);
  expect(reached.at(-1)).toBe(BODY.length);
});

test("[S10] continues where the connection was lost, with the same bytes", async () => {
  const { stored, state, handle } = spool(5_000_000);
  const sent = await putResumable(await serve(handle), headers, BODY, options());
  expect(sent).toEqual({ ok: true, value: receipt });
  expect(stored).toEqual(BODY);
  const head = state.requests.indexOf("HEAD");
  expect(head).toBeGreaterThan(0);
  const resumedAt = Number(/bytes (\d+)-/.exec(state.requests[head + 1] ?? "")?.[1]);
  expect(resumedAt).toBeGreaterThanOrEqual(5_000_000);
});

test("[W1] continues after any error that may be retried, whatever its code", async () => {
  const { stored, state, handle } = spool(null);
  let refusals = 4;
  const url = await serve((request, response) => {
    if (request.method === "HEAD" || refusals-- <= 0) return handle(request, response);
    request.resume().on("end", () => {
      response.statusCode = 503;
      response.end(JSON.stringify({ error: wireError(refusals === 0 ? "REQUEST_TIMEOUT" : "FILE_LOST") }));
    });
  });
  expect(await putResumable(url, headers, BODY, options())).toEqual({ ok: true, value: receipt });
  expect(stored).toEqual(BODY);
  expect(state.requests).toHaveLength(3);
});

test("ends with the reason if the slot is closed, and if bytes keep arriving damaged", async () => {
  for (const [error, status, tries] of [
    [finalError("SLOT_CLOSED"), 409, 1],
    [finalError("UNAVAILABLE"), 503, 1],
    [wireError("BAD_DIGEST"), 422, 3],
  ] as const) {
    let requests = 0;
    const url = await serve((request, response) => {
      requests += 1;
      request.resume().on("end", () => {
        response.statusCode = status;
        response.end(JSON.stringify({ error }));
      });
    });
    const sent = await putResumable(url, headers, BODY.subarray(0, 4_000), options());
    expect(sent).toEqual({ ok: false, error: { type: "refused", error } });
    expect(requests).toBe(tries);
    server?.close();
  }
});

test("gives up at its deadline, and when told to", async () => {
  const url = await serve((request) => request.destroy());
  const late = await putResumable(url, headers, BODY, {
    ...options(),
    deadlineMs: performance.now() + 1_200,
  });
  expect(late).toEqual({ ok: false, error: { type: "offline" } });
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 300);
  expect(await putResumable(url, headers, BODY, { ...options(), signal: abort.signal })).toEqual(late);
});
