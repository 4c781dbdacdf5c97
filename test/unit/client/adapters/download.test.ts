import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openSocketLink } from "#client/adapters/socket-link.ts";
import { type ErrorCode, wireError } from "#shared/protocol/errors.ts";

/* A model download over a stalled network. */

let give: (byteCount: number) => void = () => {};
/** Answers given before the model. */
let refusals: Response[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  refusals = [];
  vi.stubGlobal("fetch", async (_url: URL, { signal }: { signal: AbortSignal }) => {
    const refusal = refusals.shift();
    if (refusal !== undefined) return refusal;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        give = (byteCount) => controller.enqueue(new Uint8Array(byteCount));
        signal.addEventListener("abort", () => controller.error(signal.reason));
      },
    });
    return new Response(body);
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function download(signal?: AbortSignal) {
  const link = openSocketLink("http://localhost:1");
  const received: number[] = [];
  const answer = link.fetchModel("ab".repeat(32), (byteCount) => void received.push(byteCount), signal);
  let over = false;
  void answer.then(() => {
    over = true;
  });
  return { answer, received, over: () => over };
}

test("[T4] a download that stalls is lost after a while; a slow one is not", async () => {
  const { answer, received, over } = download();
  for (let chunk = 0; chunk < 10; chunk++) {
    await vi.advanceTimersByTimeAsync(15_000);
    give(10);
  }
  await vi.advanceTimersByTimeAsync(15_000);
  expect(received.at(-1)).toBe(100);
  expect(over()).toBe(false);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(await answer).toEqual({ ok: false, error: { type: "offline" } });
  expect(vi.getTimerCount()).toBe(0);
});

test("[T4] the end of a round ends its download", async () => {
  const round = new AbortController();
  const { answer } = download(round.signal);
  await vi.advanceTimersByTimeAsync(1_000);
  give(10);
  round.abort();
  expect(await answer).toEqual({ ok: false, error: { type: "offline" } });
  expect(vi.getTimerCount()).toBe(0);
});

const refusal = (status: number, code: ErrorCode, headers: Record<string, string> = {}) =>
  Response.json({ error: wireError(code) }, { status, headers });

test("[W10] a download waits as long as a coordinator without room says, and then goes on", async () => {
  refusals = [
    refusal(429, "RATE_LIMITED", { "retry-after": "1" }),
    refusal(503, "UNAVAILABLE", { "retry-after": "7" }),
  ];
  const { answer, received } = download();
  await vi.advanceTimersByTimeAsync(999);
  expect(refusals.length).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(refusals.length).toBe(0);
  let asked = false;
  const { fetch } = globalThis;
  vi.stubGlobal("fetch", (...request: Parameters<typeof fetch>) => {
    asked = true;
    return fetch(...request);
  });
  await vi.advanceTimersByTimeAsync(6_999);
  expect(asked).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(asked).toBe(true);
  give(10);
  await vi.advanceTimersByTimeAsync(0);
  expect(received).toEqual([10]);
  await vi.advanceTimersByTimeAsync(30_000);
  expect((await answer).ok).toBe(false);
});

test("[W10] it does not wait after a permanent refusal, forever, or past the end of its round", async () => {
  refusals = [refusal(404, "NOT_FOUND", { "retry-after": "1" })];
  expect(await download().answer).toMatchObject({ ok: false, error: { error: { code: "NOT_FOUND" } } });

  refusals = Array.from({ length: 100 }, () => refusal(429, "RATE_LIMITED", { "retry-after": "1" }));
  const { answer } = download();
  await vi.advanceTimersByTimeAsync(100_000);
  expect(await answer).toMatchObject({ ok: false, error: { error: { code: "RATE_LIMITED" } } });
  expect(refusals.length).toBeGreaterThan(50);

  const round = new AbortController();
  const ended = download(round.signal);
  await vi.advanceTimersByTimeAsync(500);
  round.abort();
  expect(await ended.answer).toEqual({ ok: false, error: { type: "offline" } });
  expect(vi.getTimerCount()).toBe(0);
});
