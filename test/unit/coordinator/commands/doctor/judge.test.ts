import { describe, expect, test } from "vitest";
import { isHealthy, lineOf, summaryOf } from "#coordinator/commands/doctor/finding.ts";
import {
  type CertificateLook,
  judgeCertificate,
  judgePages,
  judgePort,
  judgeReached,
} from "#coordinator/commands/doctor/judge-doors.ts";
import {
  type DatabaseLook,
  type FolderLook,
  judgeClock,
  judgeDatabase,
  judgeDisk,
  judgeFileSystem,
  judgeFolder,
  judgeKeys,
  judgeLock,
  judgeNode,
} from "#coordinator/commands/doctor/judge-state.ts";
import { LIMITS } from "#shared/protocol/limits.ts";

const NOW = Date.UTC(2026, 6, 1, 12);
const DAY_MS = 86_400_000;

const found = { isFolder: true, mode: 0o700, ownerUid: 7, isWritable: true };
const folder: FolderLook = {
  path: "/d",
  found,
  uid: 7,
  freeByteCount: 1e12,
  network: null,
  usesSqlite: true,
};

describe("[O3] the doctor on a data folder", () => {
  test.each([
    [{}, "ok", "/d"],
    [{ found: null }, "look", "first start makes it"],
    [{ found: { ...found, isFolder: false } }, "wrong", "--data"],
    [{ found: { ...found, isWritable: false } }, "wrong", "cannot write"],
    [{ uid: 0 }, "look", "belongs to the user with id 7"],
    [{ uid: null }, "ok", "/d"],
    [{ found: { ...found, mode: 0o755 } }, "look", "chmod 700 /d"],
  ] as const)("%j", (change, level, says) => {
    const finding = judgeFolder({ ...folder, ...change });
    expect(finding).toMatchObject({ level, says: expect.stringContaining(says) });
  });

  test("its disk, against the floor below which no round opens", () => {
    const floor = LIMITS.diskFreeByteCountMin;
    const levels = [null, floor - 1, floor, 10 * floor].map(
      (freeByteCount) => judgeDisk({ ...folder, freeByteCount }).level,
    );
    expect(levels).toEqual(["look", "wrong", "look", "ok"]);
  });

  test("a network is wrong for SQLite only", () => {
    expect(judgeFileSystem(folder).level).toBe("ok");
    expect(judgeFileSystem({ ...folder, network: "nfs" })).toMatchObject({ level: "wrong" });
    expect(judgeFileSystem({ ...folder, network: "nfs", usesSqlite: false })).toMatchObject({
      level: "look",
    });
  });

  test("its lock", () => {
    expect(judgeLock(null).level).toBe("ok");
    expect(judgeLock({ type: "held", holder: "process 1 on vm" }).says).toContain("process 1 on vm");
    expect(judgeLock({ type: "held", holder: null }).level).toBe("ok");
    expect(judgeLock({ type: "unusable", path: "/d/lock.db", reason: "x" }).level).toBe("wrong");
  });

  test("its keys", () => {
    const issuer = { name: "issuer.key", mode: 0o600, isKey: true };
    expect(judgeKeys([issuer], true)).toEqual([{ level: "ok", about: "keys", says: "issuer.key" }]);
    expect(judgeKeys([], false)).toMatchObject([{ level: "ok" }]);
    expect(judgeKeys([], true)).toMatchObject([{ level: "wrong", says: expect.stringContaining("missing") }]);
    const bad = [
      { ...issuer, isKey: false },
      { name: "auditor.key", mode: 0o640, isKey: true },
    ];
    expect(judgeKeys(bad, true)).toMatchObject([
      { level: "wrong", says: expect.stringContaining("issuer.key holds no key") },
      { level: "wrong", says: expect.stringContaining("can read auditor.key") },
    ]);
    expect(judgeKeys([{ ...issuer, isKey: null }], true)).toMatchObject([{ level: "ok" }]);
  });
});

describe("[O3] the doctor on a database", () => {
  const report = {
    instanceId: "a".repeat(32),
    position: 5,
    newestEventUnixMs: NOW,
    schema: "0010-x",
    pending: [],
    foreign: [],
  };
  const read = { kind: "read", name: "/d/chorus.db", report, faults: [], mark: 5 } as const;

  test.each([
    ["whole", read, ["ok"]],
    ["not made yet", { kind: "new" }, ["ok"]],
    ["of another installation", { kind: "unusable", sentence: "S" }, ["wrong"]],
    ["damaged", { ...read, faults: ["row 1 missing"] }, ["wrong"]],
    ["older than its folder", { ...read, mark: 8 }, ["wrong"]],
    ["ahead of a mark that was not synced", { ...read, mark: 4 }, ["ok"]],
    ["of an earlier version", { ...read, report: { ...report, pending: ["0011-y"] } }, ["look"]],
    ["of a later version", { ...read, report: { ...report, foreign: ["0999-z"] } }, ["wrong"]],
    ["with two faults", { ...read, mark: 8, faults: ["x"] }, ["wrong", "wrong"]],
  ] as readonly (readonly [string, DatabaseLook, readonly string[]])[])("%s", (_name, look, levels) => {
    expect(judgeDatabase(look).map(({ level }) => level)).toEqual(levels);
  });

  test("a clock that has stepped back behind the newest event is wrong, and so is one in 1970", () => {
    expect(judgeClock(NOW, NOW - DAY_MS).level).toBe("ok");
    expect(judgeClock(NOW, NOW + 30_000).level).toBe("ok");
    expect(judgeClock(NOW, null).level).toBe("ok");
    expect(judgeClock(NOW, NOW + 3_600_000)).toMatchObject({
      level: "wrong",
      says: expect.stringMatching(/3600 s later: it has stepped back/),
    });
    expect(judgeClock(0, null).level).toBe("wrong");
  });
});

describe("[O3] the doctor on doors", () => {
  test("a port, by who has it and whether the folder is in use", () => {
    const level = (look: Parameters<typeof judgePort>[1], isHeld: boolean) =>
      judgePort(1, look, isHeld).level;
    expect([level({ kind: "free" }, false), level({ kind: "free" }, true)]).toEqual(["ok", "look"]);
    const chorus = { kind: "chorus", version: "1" } as const;
    expect([level(chorus, false), level(chorus, true)]).toEqual(["look", "ok"]);
    expect([level({ kind: "other" }, false), level({ kind: "forbidden" }, false)]).toEqual([
      "wrong",
      "wrong",
    ]);
  });

  const certificate: CertificateLook = {
    kind: "read",
    fromUnixMs: NOW - DAY_MS,
    untilUnixMs: NOW + 90 * DAY_MS,
    matchesKey: true,
    name: { host: "c.example.org", isCovered: true },
  };
  test.each([
    [{}, "ok", "for c.example.org"],
    [{ name: null }, "ok", "valid until"],
    [{ untilUnixMs: NOW }, "wrong", "expired"],
    [{ untilUnixMs: NOW + 5 * DAY_MS }, "look", "Renew"],
    [{ fromUnixMs: NOW + DAY_MS }, "wrong", "Check the clock"],
    [{ matchesKey: false }, "wrong", "does not belong"],
    [{ name: { host: "other", isCovered: false } }, "wrong", "not for other"],
  ] as const)("a certificate: %j", (change, level, says) => {
    const finding = judgeCertificate({ ...certificate, ...change }, NOW);
    expect(finding).toMatchObject({ level, says: expect.stringContaining(says) });
  });

  test("a coordinator elsewhere", () => {
    const look = { kind: "chorus", version: "1", failing: [], clockAheadMs: 0, witnesses: [] } as const;
    const levels = (change: object) =>
      judgeReached("u", { ...look, ...change }, "1").map(({ level }) => level);
    expect(levels({})).toEqual(["ok"]);
    expect(levels({ clockAheadMs: null })).toEqual(["ok"]);
    expect(levels({ failing: ["disk"] })).toEqual(["wrong"]);
    expect(levels({ version: "2" })).toEqual(["look"]);
    expect(levels({ clockAheadMs: -3_600_000 })).toEqual(["look"]);
    // Those in trouble are named; one that signs is no news.
    const witnesses = [
      { name: "w1.example", trouble: null },
      { name: "w2.example", trouble: "no-answer" },
      { name: "w3.example", trouble: "other-history" },
    ] as const;
    const found = judgeReached("u", { ...look, witnesses }, "1");
    expect(found.map(({ level, about }) => [level, about])).toEqual([
      ["look", "witnesses"],
      ["look", "witnesses"],
    ]);
    expect(found.map(({ says }) => says).join(" ")).toMatch(
      /^w2\.example does not answer.* w3\.example has signed another/,
    );
    expect(judgeReached("u", { kind: "other" }, "1")).toMatchObject([{ level: "wrong" }]);
    expect(judgeReached("u", { kind: "unreachable", reason: "ECONNREFUSED" }, "1")).toMatchObject([
      { level: "wrong", says: expect.stringContaining("ECONNREFUSED") },
    ]);
  });

  test("pages and Node", () => {
    expect(judgePages("current").level).toBe("ok");
    expect([judgePages("stale").level, judgePages("missing").level]).toEqual(["look", "look"]);
    expect([judgeNode("24.1.0").level, judgeNode("22.20.0").level, judgeNode("26.0.0").level]).toEqual([
      "ok",
      "look",
      "ok",
    ]);
  });
});

test("[O3] only what is wrong makes the doctor fail", () => {
  const [ok, look, wrong] = (["ok", "look", "wrong"] as const).map((level) => ({
    level,
    about: "x",
    says: "y",
  }));
  if (ok === undefined || look === undefined || wrong === undefined) throw new Error("three levels");
  expect([isHealthy([ok, look]), isHealthy([ok, wrong])]).toEqual([true, false]);
  expect([summaryOf([ok]), summaryOf([ok, look]), summaryOf([wrong]), summaryOf([wrong, wrong])]).toEqual([
    "All is well.",
    "Nothing is wrong; look at 1.",
    "1 thing is wrong.",
    "2 things are wrong.",
  ]);
  expect(lineOf(wrong)).toBe("wrong  x            y");
});
