import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openSocketLink } from "#client/adapters/socket-link.ts";

/* A model on its way to a device, over a network that stands still. */

let give: (byteCount: number) => void = () => {};

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", async (_url: URL, { signal }: { signal: AbortSignal }) => {
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

test("[T4] a download that stands still is lost after a while; a slow one is not", async () => {
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
