import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { apiErrorSchema } from "#shared/protocol/api.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { comeIn, comeInMany, goAway, type Stranger } from "#test/kit/connections.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";
import { openShell, type Shell, type ShellOptions } from "#test/kit/worlds/shell.ts";

/* Models and published sums: what a cohort may download, and what a stranger cannot keep from it. */

const STRANGER = "127.0.0.2";
/** More than the buffers of both ends hold, so that an answer stalls if nobody reads it. */
const LARGE = 32 * 2 ** 20;

let shell: Shell;
let strangers: Stranger[];
beforeEach(() => {
  strangers = [];
});
afterEach(async () => {
  goAway(strangers);
  await shell.close();
});

async function open(byteCount: number, options?: ShellOptions): Promise<string> {
  shell = await openShell(options);
  return `/api/v1/models/${await shell.blobs.put(new Uint8Array(randomBytes(byteCount)))}`;
}

async function askAndNotRead(count: number, path: string): Promise<Stranger[]> {
  const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  const come = await comeInMany(shell.port, count, STRANGER, request);
  strangers.push(...come);
  return come;
}

async function codeOf(answer: Response): Promise<string> {
  return apiErrorSchema.parse(await answer.json()).error.code;
}

test("[W10] a cohort behind one address downloads its model at the same time, and completely", async () => {
  const path = await open(200_000);
  const count = LIMITS.downloadsAtOncePerAddress + LIMITS.downloadsWaitingPerAddress;
  const answers = await Promise.all(
    Array.from({ length: count }, async () => {
      const answer = await fetch(shell.url + path);
      return [answer.status, (await answer.arrayBuffer()).byteLength].join();
    }),
  );
  expect(new Set(answers)).toEqual(new Set(["200,200000"]));
});

test("[W10] beyond the places and the queue of an address a download comes later; other addresses have their own", async () => {
  const path = await open(1_000);
  const { opened, release } = standStill();
  const places = LIMITS.downloadsAtOncePerAddress;
  await askAndNotRead(places, path);
  await expect.poll(opened, { timeout: 10_000 }).toBe(places);
  await askAndNotRead(LIMITS.downloadsWaitingPerAddress, path);
  const late = await askAndNotRead(20, path);
  const refused = () => late.filter(({ heard }) => heard().startsWith("HTTP/1.1 503 ")).length;
  await expect.poll(refused, { timeout: 5_000 }).toBe(20);
  expect(late[0]?.heard()).toMatch(/retry-after: 1\r\n[\s\S]*"UNAVAILABLE"/i);
  expect(opened()).toBe(places);
  release();
  const other = await fetch(shell.url + path);
  expect((await other.arrayBuffer()).byteLength).toBe(1_000);
});

test("[W10] a download that is broken off frees its place", async () => {
  const path = await open(1_000);
  const { opened } = standStill();
  for (let times = 1; times <= 3; times++) {
    const come = await askAndNotRead(LIMITS.downloadsAtOncePerAddress, path);
    await expect.poll(opened, { timeout: 10_000 }).toBe(times * LIMITS.downloadsAtOncePerAddress);
    goAway(come);
    await pause(300);
  }
});

describe("slow peers", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    // Zero-length pauses of the server end.
    const goesOn = setInterval(() => vi.advanceTimersByTime(1), 5);
    return () => {
      clearInterval(goesOn);
      vi.useRealTimers();
    };
  });

  /**
   * A peer that reads this many bytes per second until it has everything or is cut off.
   *
   * @param burst  The kernel delivers this many bytes at once, so the server sees no progress for a while.
   * @returns the number of bytes received.
   */
  async function take(path: string, bytesPerSecond: number, burst: number): Promise<number> {
    const { socket } = await comeIn(shell.port, STRANGER);
    let [byteCount, due] = [0, 0];
    socket.removeAllListeners("data").on("data", (piece: Buffer) => {
      byteCount += piece.byteLength;
      for (due += piece.byteLength; due >= burst; due -= burst)
        vi.advanceTimersByTime((burst / bytesPerSecond) * 1_000);
    });
    socket.resume();
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    await closed;
    return byteCount;
  }

  test("[W10] a peer that reads 50 kB/s gets its model, however long that takes", async () => {
    const path = await open(LARGE);
    expect(await take(path, 50_000, 2_000_000)).toBeGreaterThan(LARGE);
  });

  test("[W10] a peer that trickles its download loses it", async () => {
    const path = await open(LARGE);
    expect(await take(path, 10_000, 10_000)).toBeLessThan(LARGE);
  });

  test("[W10] so does one that reads nothing", async () => {
    const path = await open(LARGE);
    const come = await askAndNotRead(3, path);
    for (const { socket } of come) socket.pause();
    // Each download has begun.
    await expect
      .poll(() => come.every(({ socket }) => socket.readableLength > 0 || socket.bytesRead > 0))
      .toBe(true);
    const closed = come.map(({ socket }) => new Promise((resolve) => socket.once("close", resolve)));
    await vi.advanceTimersByTimeAsync(
      LIMITS.downloadMsMin + (LARGE / LIMITS.downloadBytesPerSecondMin) * 1_000,
    );
    for (const { socket } of come) socket.resume();
    await Promise.all(closed);
    for (const { heard } of come) expect(heard().length).toBeLessThan(LARGE);
  });
});

describe("parts of a kept round", () => {
  const TRANSCRIPT = `/api/v1/rounds/${"f".repeat(32)}/transcript/0`;

  test("[W10] have few places, because they are held in memory; an address has few of them", async () => {
    shell = await openShell();
    let running = 0;
    const stands = () => {
      running += 1;
      return new Promise<never>(() => undefined);
    };
    Object.assign(shell.kept, { loadTranscript: stands, findTranscript: stands });
    for (const part of ["", "/openings", "/evidence", "/inputs/1/0"])
      await askAndNotRead(LIMITS.auditReadsAtOncePerAddress, TRANSCRIPT + part);
    await expect.poll(() => running).toBe(LIMITS.auditReadsAtOncePerAddress);
    await pause(100);
    expect(running).toBe(LIMITS.auditReadsAtOncePerAddress);
    await askAndNotRead(LIMITS.auditReadsWaitingPerAddress, TRANSCRIPT);
    const [late] = await askAndNotRead(1, TRANSCRIPT);
    await expect.poll(() => late?.heard()).toMatch(/^HTTP\/1.1 503 [\s\S]*"UNAVAILABLE"/);
    // Another address has places of its own, and facts need none.
    void fetch(shell.url + TRANSCRIPT).catch(() => undefined);
    await expect.poll(() => running).toBe(LIMITS.auditReadsAtOncePerAddress + 1);
    expect((await fetch(`${shell.url}/api/v1/limits`)).status).toBe(200);
  });

  test("[W10] a part that nobody reads is cut, and its place is free", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      shell = await openShell();
      const bytes = new Uint8Array(LARGE);
      let loads = 0;
      shell.kept.loadTranscript = async (roundId, shard) => {
        loads += 1;
        return { sid: "", roundId, shard, task: "digits", bytes };
      };
      const come = await askAndNotRead(LIMITS.auditReadsAtOncePerAddress, TRANSCRIPT);
      for (const { socket } of come) socket.pause();
      await vi.waitFor(() => expect(loads).toBe(come.length));
      await vi.waitFor(() => expect(come.every(({ socket }) => socket.bytesRead > 0)).toBe(true));
      const closed = come.map(({ socket }) => new Promise((resolve) => socket.once("close", resolve)));
      const ms = LIMITS.downloadMsMin + (LARGE / LIMITS.downloadBytesPerSecondMin) * 1_000;
      await vi.advanceTimersByTimeAsync(ms);
      for (const { socket } of come) socket.resume();
      await Promise.all(closed);
      for (const { heard } of come) expect(heard().length).toBeLessThan(LARGE);
    } finally {
      vi.useRealTimers();
    }
  });
});

test("[W10] downloads have a rate per address, and 304 and HEAD count", async () => {
  const clock = new ManualClock();
  const path = await open(10, { clock });
  const etag = `"${path.split("/").at(-1)}"`;
  const requests = [{}, { method: "HEAD" }, { headers: { "if-none-match": etag } }];
  const ask = async (index: number) => {
    const answer = await fetch(shell.url + path, requests[index % requests.length]);
    if (answer.status === 429) return answer;
    await answer.arrayBuffer();
    return null;
  };
  for (let index = 0; index < LIMITS.downloadsBurstPerAddress; index += 50) {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, more) => ask(index + more)));
    expect(answers.every((answer) => answer === null)).toBe(true);
  }
  const refused = await ask(0);
  expect(refused?.headers.get("retry-after")).toBe("1");
  expect(refused === null ? "" : await codeOf(refused)).toBe("RATE_LIMITED");
  clock.advance(1_000);
  expect(await ask(0)).toBeNull();
});

/** From now on answers stall after their first byte, until `release`. */
function standStill() {
  const { stream } = shell.blobs;
  let count = 0;
  const stands = async () => {
    count += 1;
    return new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array(1)) });
  };
  Object.assign(shell.blobs, { stream: stands });
  return { opened: () => count, release: () => void Object.assign(shell.blobs, { stream }) };
}
