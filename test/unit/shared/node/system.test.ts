import { expect, test, vi } from "vitest";
import { after, monotonicClock, primitives, randomBytes, wallClock } from "#shared/node/system.ts";

test("random bytes come in any count, and no stretch of them stays zero", () => {
  for (const byteCount of [0, 1, 65_536, 65_537, 200_000]) {
    const bytes = randomBytes(byteCount);
    expect(bytes.length).toBe(byteCount);
    // 32 zero bytes have a probability of 2^-256.
    for (let offset = 0; offset + 32 <= byteCount; offset += 65_536 / 2) {
      expect(bytes.subarray(offset, offset + 32).some((byte) => byte !== 0)).toBe(true);
    }
    if (byteCount >= 32) expect(bytes.subarray(-32).some((byte) => byte !== 0)).toBe(true);
  }
  expect(randomBytes(32)).not.toEqual(randomBytes(32));
});

test("deadlines may exceed the limit of one timer, and can be cancelled", () => {
  vi.useFakeTimers();
  try {
    const day = 24 * 3_600_000;
    let runs = 0;
    after(60 * day, () => {
      runs += 1;
    });
    const cancel = after(10, () => {
      runs += 100;
    });
    const cancelLong = after(50 * day, () => {
      runs += 1_000;
    });
    cancel();
    vi.advanceTimersByTime(40 * day);
    cancelLong();
    vi.advanceTimersByTime(20 * day - 1);
    expect(runs).toBe(0);
    vi.advanceTimersByTime(2);
    expect(runs).toBe(1);
    vi.advanceTimersByTime(90 * day);
    expect(runs).toBe(1);
  } finally {
    vi.useRealTimers();
  }
});

test("the clocks go forward, and the primitives are WebCrypto's", async () => {
  const start = monotonicClock.nowMs();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(monotonicClock.nowMs()).toBeGreaterThan(start);
  expect(wallClock.nowUnixMs()).toBeGreaterThan(1_700_000_000_000);
  expect(primitives.name).toBe("webcrypto");
});
