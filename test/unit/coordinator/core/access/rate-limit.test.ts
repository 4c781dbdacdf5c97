import { expect, test } from "vitest";
import { knownOrigins } from "#coordinator/adapters/http/origins.ts";
import { rateLimit } from "#coordinator/core/access/rate-limit.ts";

test("[W2] a bucket gives each key its burst, then its rate", () => {
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

test("[W2] work already done is charged, into a debt of at most one burst", () => {
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

test("[W2] many keys do not fill the memory, and a key in use stays counted", () => {
  const limit = rateLimit({ nowMs: () => 0 }, { burst: 1, perSecond: 1, keyCountMax: 100 });
  expect(limit.take("busy")).toBe(true);
  for (let key = 0; key < 1_000; key++) {
    limit.take(`key ${key}`);
    expect(limit.take("busy")).toBe(false);
  }
});

const PLAIN = { host: "localhost:3000", secure: false };

test("[W8] our own names, and pages that we serve or were configured with", () => {
  const origins = knownOrigins("https://chorus.example.org");
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
  expect(origins.allowsOrigin(undefined, PLAIN)).toBe(true);
  expect(origins.allowsOrigin("http://localhost:3000", PLAIN)).toBe(true);
  expect(origins.allowsOrigin("https://chorus.example.org", PLAIN)).toBe(true);
  for (const origin of [
    "http://localhost:8080",
    "http://chorus.example.org",
    "null",
    "",
    "https://evil.example",
  ]) {
    expect(origins.allowsOrigin(origin, PLAIN), origin).toBe(false);
  }
  // A page that came without TLS may be anyone's on the way.
  const overTls = { host: "lab.local:3000", secure: true };
  expect(origins.allowsOrigin("https://lab.local:3000", overTls)).toBe(true);
  expect(origins.allowsOrigin("http://lab.local:3000", overTls)).toBe(false);
});
