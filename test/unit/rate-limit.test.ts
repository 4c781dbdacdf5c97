import { expect, test } from "vitest";
import { knownOrigins } from "#coordinator/adapters/http/origins.ts";
import { addressKey, rateLimit } from "#coordinator/core/rate-limit.ts";

test("[W2] a bucket gives its burst, then its rate, to each key apart", () => {
  let nowMs = 1_000;
  const limit = rateLimit({ nowMs: () => nowMs }, { burst: 3, perSecond: 2 });
  expect([1, 2, 3, 4].map(() => limit.take("a"))).toEqual([true, true, true, false]);
  expect(limit.take("b")).toBe(true);
  nowMs += 499;
  expect(limit.take("a")).toBe(false);
  nowMs += 2;
  expect(limit.take("a")).toBe(true);
  expect(limit.take("a")).toBe(false);
  nowMs += 1_000_000;
  expect([1, 2, 3, 4].map(() => limit.take("a"))).toEqual([true, true, true, false]);
});

test("[W2] what is done already is counted, into a debt of one burst at most", () => {
  let nowMs = 0;
  const limit = rateLimit({ nowMs: () => nowMs }, { burst: 10, perSecond: 5 });
  expect(limit.take("a", 11)).toBe(false);
  expect(limit.take("a", 10)).toBe(true);
  expect(limit.take("a", 0)).toBe(true);
  limit.charge("a", 1_000);
  expect(limit.take("a", 0)).toBe(false);
  nowMs += 1_999;
  expect(limit.take("a", 0)).toBe(false);
  nowMs += 1;
  expect(limit.take("a", 0)).toBe(true);
  expect(limit.take("a", 1)).toBe(false);
  expect(limit.take("b", 10)).toBe(true);
});

test("[W2] many keys do not fill the memory, and one that is in use stays counted", () => {
  const limit = rateLimit({ nowMs: () => 0 }, { burst: 1, perSecond: 1, keyCountMax: 100 });
  expect(limit.take("busy")).toBe(true);
  for (let key = 0; key < 1_000; key++) {
    limit.take(`key ${key}`);
    expect(limit.take("busy")).toBe(false);
  }
});

test("[W5] an address counts by what one host controls", () => {
  expect(addressKey("10.1.2.3")).toBe("10.1.2.3");
  expect(addressKey("::ffff:10.1.2.3")).toBe("10.1.2.3");
  expect(addressKey("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2");
  expect(addressKey("2001:db8:1:2::9")).toBe("2001:db8:1:2");
  expect(addressKey("2001:db8::9")).toBe("2001:db8:0:0");
  expect(addressKey("fe80::1%eth0")).toBe("fe80:0:0:0");
  expect(addressKey("::1")).toBe("0:0:0:0");
});

test("[W8] our own names, and pages that we serve or were named", () => {
  const origins = knownOrigins(["https://chorus.example.org"]);
  for (const host of [
    "localhost:3000",
    "127.0.0.1",
    "[::1]:3000",
    "chorus.example.org",
    "CHORUS.example.org:443",
  ]) {
    expect(origins.allowsHost(host), host).toBe(true);
  }
  for (const host of [
    undefined,
    "",
    "evil.example",
    "localhost.evil.example",
    "localhost@evil.example",
    "chorus.example.org.",
    "a b",
  ]) {
    expect(origins.allowsHost(host), String(host)).toBe(false);
  }
  expect(origins.allowsOrigin(undefined, "localhost:3000")).toBe(true);
  expect(origins.allowsOrigin("http://localhost:3000", "localhost:3000")).toBe(true);
  expect(origins.allowsOrigin("https://chorus.example.org", "localhost:3000")).toBe(true);
  for (const origin of [
    "http://localhost:8080",
    "http://chorus.example.org",
    "null",
    "",
    "https://evil.example",
  ]) {
    expect(origins.allowsOrigin(origin, "localhost:3000"), origin).toBe(false);
  }
});
