import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { apiErrorSchema } from "#shared/protocol/api.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { comeIn, comeInMany, goAway, type Stranger } from "#test/kit/connections.ts";
import { ManualClock } from "#test/kit/manual-clock.ts";
import { openShell, type Shell, type ShellOptions } from "#test/kit/shell.ts";

/* Models and published sums: what a cohort may take, and what a stranger cannot keep from it. */

const STRANGER = "127.0.0.2";
/** More than the buffers of both ends hold, so that an answer stands still if nobody reads it. */
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

test("[W10] a cohort behind one address fetches its model at the same time, and all of it", async () => {
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

test("[W10] beyond the places and the line of an address a download comes later; other addresses have theirs", async () => {
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

test("[W10] a download that is broken off gives its place back", async () => {
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
    // The server's own pauses of no time end.
    const goesOn = setInterval(() => vi.advanceTimersByTime(1), 5);
    return () => {
      clearInterval(goesOn);
      vi.useRealTimers();
    };
  });

  /**
   * A peer that takes so many bytes in a second, until it has all or is cut.
   *
   * @param burst  The kernel hands on so many at once, so the server sees nothing taken for a while.
   * @returns How many bytes it got.
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

  test("[W10] a peer that takes 50 kB/s gets its model, however long that lasts", async () => {
    const path = await open(LARGE);
    expect(await take(path, 50_000, 2_000_000)).toBeGreaterThan(LARGE);
  });

  test("[W10] a peer that takes its download in drops loses it", async () => {
    const path = await open(LARGE);
    expect(await take(path, 10_000, 10_000)).toBeLessThan(LARGE);
  });

  test("[W10] and so does one that takes nothing", async () => {
    const path = await open(LARGE);
    const come = await askAndNotRead(3, path);
    for (const { socket } of come) socket.pause();
    // Each has begun to come.
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

test("[W10] an address has a rate of downloads, and 304 and HEAD count", async () => {
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

/** From now on answers stop after their first byte; until `release`, when files are read as they are. */
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
