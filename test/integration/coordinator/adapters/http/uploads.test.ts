import { createHash, randomBytes } from "node:crypto";
import { connect } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { inputRoot } from "#shared/secagg/input.ts";
import { comeIn } from "#test/kit/connections.ts";
import { SID, SLOT, UPLOAD_BYTE_COUNT } from "#test/kit/fakes/fake-core.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";
import { openShell, type Shell } from "#test/kit/worlds/shell.ts";

/* A masked input by PUT: whole, in parts, wrong in every way, and twice. */

/** Rates do not refill. */
const clock = new ManualClock();
let shell: Shell;
let body: Uint8Array<ArrayBuffer>;
let headers: Record<string, string>;
const path = `/api/v1/uploads/${SID}/1`;

beforeAll(async () => {
  body = new Uint8Array(randomBytes(UPLOAD_BYTE_COUNT));
});
beforeEach(async () => {
  shell = await openShell({ clock });
  const sha256 = createHash("sha256").update(body).digest("hex");
  const root = bytesToHex(await inputRoot(primitives, body));
  shell.core.upload = { sha256, root };
  headers = {
    "content-type": "application/octet-stream",
    "chorus-slot": SLOT,
    "chorus-sha256": sha256,
    "chorus-root": root,
    "chorus-signature": "0".repeat(128),
  };
  return () => shell.close();
});
afterAll(() => undefined);

const put = (bytes: Uint8Array<ArrayBuffer>, more: Record<string, string> = {}, to = path) =>
  fetch(`${shell.url}${to}`, { method: "PUT", headers: { ...headers, ...more }, body: bytes });
const range = (first: number, last: number, total = UPLOAD_BYTE_COUNT) => ({
  "content-range": `bytes ${first}-${last}/${total}`,
});
const offset = async () =>
  (await fetch(`${shell.url}${path}`, { method: "HEAD", headers })).headers.get("chorus-offset");
const finished = () => shell.core.writes.filter(({ name }) => name === "finishUpload").length;

test("[W7] a whole upload is acknowledged once; a repeated one gets the same receipt", async () => {
  const first = await put(body);
  expect(first.status).toBe(200);
  const receipt = await first.json();
  expect(receipt).toMatchObject({ sid: SID, position: 1, byteCount: UPLOAD_BYTE_COUNT });
  const again = await put(body);
  expect(await again.json()).toEqual(receipt);
  expect(finished()).toBe(1);
});

test("[W10] an upload is accepted, whatever else its address has asked for", async () => {
  const junk = "GET /api/v1/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const { socket } = await comeIn(shell.port, "127.0.0.1", junk.repeat(2 * LIMITS.apiBurstPerAddress));
  await new Promise((resolve) => socket.once("close", resolve));
  await Promise.all(Array.from({ length: 50 }, (_, index) => fetch(`${shell.url}/api/v1/${index}`)));
  expect((await fetch(`${shell.url}/api/v1/status`)).status).toBe(429);
  expect(await offset()).toBe("0");
  expect((await put(body)).status).toBe(200);
});

test("[W10] made-up slots end their connections beyond a rate, and the right one still counts", async () => {
  const head = Object.entries({ ...headers, host: "localhost", "chorus-slot": "A".repeat(43) });
  const madeUp = `HEAD ${path} HTTP/1.1\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  const count = LIMITS.uploadsBurstPerAddress + 500;
  const { socket, heard } = await comeIn(shell.port, "127.0.0.1", madeUp.repeat(count));
  await new Promise((resolve) => socket.once("close", resolve));
  const judged = heard().split("HTTP/1.1 ").length - 1;
  expect(judged).toBeGreaterThan(0);
  expect(judged).toBeLessThan(count);
  expect((await put(body)).status).toBe(200);
});

test("[W7] continues where it stopped, in parts and after a cut connection", async () => {
  expect(await offset()).toBe("0");
  const part = await put(body.slice(0, 70_000), range(0, 69_999));
  expect(part.status).toBe(202);
  expect(await part.json()).toEqual({ offset: 70_000 });

  await cutAfter(
    body.slice(70_000, 100_000),
    { ...headers, ...range(70_000, UPLOAD_BYTE_COUNT - 1) },
    UPLOAD_BYTE_COUNT - 70_000,
  );
  await expect.poll(offset).not.toBe("70000");
  const reached = Number(await offset());
  expect(reached).toBeGreaterThan(70_000);
  expect(reached).toBeLessThanOrEqual(100_000);
  expect(finished()).toBe(0);

  const ahead = await put(body.slice(150_000), range(150_000, UPLOAD_BYTE_COUNT - 1));
  expect(ahead.status).toBe(409);
  expect(ahead.headers.get("chorus-offset")).toBe(String(reached));
  expect((await put(body.slice(reached), range(reached, UPLOAD_BYTE_COUNT - 1))).status).toBe(200);
  expect(finished()).toBe(1);
  expect(await offset()).toBe(String(UPLOAD_BYTE_COUNT));
});

test("[W3] [W7] (4, 26) lengths and ranges that are wrong, empty, contradictory or unbounded", async () => {
  const refusals: [Uint8Array<ArrayBuffer>, Record<string, string>][] = [
    [new Uint8Array(0), {}],
    [body.slice(0, -1), {}],
    [body.slice(0, -4), {}],
    [new Uint8Array(UPLOAD_BYTE_COUNT + 4), {}],
    [body, range(0, UPLOAD_BYTE_COUNT)],
    [body, range(1, UPLOAD_BYTE_COUNT - 1)],
    [body, range(0, UPLOAD_BYTE_COUNT - 1, UPLOAD_BYTE_COUNT + 1)],
    [body, { "content-range": "bytes */200000" }],
    [body, { "content-range": "bytes 0--1/5" }],
  ];
  for (const [bytes, more] of refusals) {
    const response = await put(bytes, more);
    expect(response.status).toBe(400);
    expect((await response.json()).error.code).toBe("BAD_LENGTH");
  }
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(body);
      controller.close();
    },
  });
  const chunked = await fetch(`${shell.url}${path}`, {
    method: "PUT",
    headers,
    body: stream,
    duplex: "half",
  } as RequestInit);
  expect((await chunked.json()).error.code).toBe("BAD_LENGTH");
  expect(shell.core.writes).toEqual([]);
  expect(await offset()).toBe("0");
  expect((await put(body)).status).toBe(200);
});

test("[W7] bytes that differ from the announced ones are deleted, and the right ones still count", async () => {
  const wrong = body.slice();
  wrong[123] = (wrong[123] as number) ^ 1;
  const response = await put(wrong);
  expect(response.status).toBe(422);
  expect((await response.json()).error.code).toBe("BAD_DIGEST");
  expect(await offset()).toBe("0");
  expect(shell.core.writes).toEqual([]);
  expect((await put(body)).status).toBe(200);
});

test("[W7] (2, 13, 19, 22) wrong type, address, slot, headers, another digest: nothing is read", async () => {
  const cases: [Record<string, string>, string, number][] = [
    [{ "content-type": "application/json" }, path, 415],
    [{ "content-encoding": "gzip" }, path, 415],
    [{ "chorus-slot": "t".repeat(43) }, path, 403],
    [{ "chorus-slot": "" }, path, 400],
    [{ "chorus-sha256": "ff".repeat(32) }, path, 409],
    [{ "chorus-sha256": "zz" }, path, 400],
    [{ "chorus-signature": "" }, path, 400],
    [{ origin: "https://evil.example" }, path, 403],
    [{}, `/api/v1/uploads/${"0".repeat(64)}/1`, 403],
    [{}, `/api/v1/uploads/${SID}/0`, 404],
    [{}, `/api/v1/uploads/${SID}/${LIMITS.rosterSizeMax + 1}`, 404],
    [{}, `/api/v1/uploads/${SID}/1.5`, 404],
    [{}, `/api/v1/uploads/..%2f..%2f/1`, 404],
  ];
  for (const [more, to, status] of cases) {
    const response = await put(body, more, to);
    expect(response.status, `${JSON.stringify(more)} ${to}`).toBe(status);
  }
  expect(shell.core.writes).toEqual([]);
  expect(await offset()).toBe("0");
});

test("[W7] two at once to one slot count once", async () => {
  const answers = await Promise.allSettled([put(body), put(body), put(body)]);
  const statuses = answers.map((answer) => (answer.status === "fulfilled" ? answer.value.status : "cut"));
  expect(statuses).toContain(200);
  expect((await put(body)).status).toBe(200);
  expect(await offset()).toBe(String(UPLOAD_BYTE_COUNT));
});

test("[W7] a stop lets an upload end, accepts nothing new, and then has nothing left to wait for", async () => {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const answer = sendSlowly(released);
  await expect.poll(offset).not.toBe("0");
  shell.beginStop();
  expect((await put(body)).status).toBe(503);
  expect(await shell.inFlight.drained(100)).toBe(false);
  release();
  expect(await answer).toMatch(/^HTTP\/1\.1 200/);
  expect(await shell.inFlight.drained(60_000)).toBe(true);
  expect(finished()).toBe(1);
});

/** Sends the head and a part of the body, then breaks the connection. */
function cutAfter(bytes: Uint8Array, head: Record<string, string>, length: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(shell.port, "127.0.0.1");
    const lines = Object.entries({ ...head, host: "localhost", "content-length": String(length) }).map(
      ([name, value]) => `${name}: ${value}`,
    );
    socket.write(`PUT ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    socket.write(bytes, () => setTimeout(() => socket.destroy(), 200));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
  });
}

/** One upload whose second half waits for `released`. */
function sendSlowly(released: Promise<void>): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(shell.port, "127.0.0.1");
    const head = {
      ...headers,
      host: "localhost",
      "content-length": String(body.length),
      connection: "close",
    };
    const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}`);
    socket.write(`PUT ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    socket.write(body.subarray(0, body.length / 2));
    void released.then(() => socket.write(body.subarray(body.length / 2)));
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
    });
    socket.on("close", () => resolve(answer));
  });
}
