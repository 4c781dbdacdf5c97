import { expect, test } from "vitest";
import type { OperationsView } from "#shared/protocol/access-api.ts";
import { checkWords, limitFacts, stateFacts } from "#web/words/operations.ts";

const NOW = Date.parse("2026-07-09T12:00:00.000Z");

const VIEW: OperationsView = {
  database: "embedded",
  disk: { freeByteCount: 38_200_000_000, floorByteCount: 67_108_864 },
  files: { usedByteCount: 6_100_000_000, quotaByteCount: 10_000_000_000 },
  memory: { residentByteCount: 182_000_000 },
  lastBackup: { at: "2026-07-09T11:00:00.000Z", byteCount: 209_000_000 },
  address: {
    url: "https://chorus.example",
    isBehindProxy: true,
    certificateEndsAt: "2026-09-01T00:00:00.000Z",
  },
  limits: { devicesPerAddress: 400, joinsPerMinutePerAddress: 10, requestsPerSecondPerAddress: 400 },
};

const alarms = (view: OperationsView) =>
  stateFacts(view, NOW).flatMap(({ term, isAlarm }) => (isAlarm === true ? [term] : []));
const wordsOf = (view: OperationsView, term: string) =>
  stateFacts(view, NOW)
    .find((fact) => fact.term === term)
    ?.words.replaceAll("\u00a0", " ");

test("a machine in order says what is free and used, and alarms nobody", () => {
  expect(alarms(VIEW)).toEqual([]);
  expect(wordsOf(VIEW, "Free space")).toBe("38 GB free. Below 67 MB no new round opens.");
  expect(wordsOf(VIEW, "Models, uploads")).toBe("6.1 GB of 10 GB. At the quota no new round opens.");
  expect(wordsOf(VIEW, "Address")).toBe("https://chorus.example, behind a proxy");
  expect(limitFacts(VIEW).map(({ term }) => term)).toEqual(["Devices", "Joins", "Sign-in", "API"]);
});

test("what stops rounds or endangers data is an alarm", () => {
  expect(alarms({ ...VIEW, disk: { ...VIEW.disk, freeByteCount: 60_000_000 } })).toEqual(["Free space"]);
  expect(alarms({ ...VIEW, disk: { ...VIEW.disk, freeByteCount: null } })).toEqual(["Free space"]);
  const full = { usedByteCount: 10_000_000_000, quotaByteCount: 10_000_000_000 };
  expect(alarms({ ...VIEW, files: full })).toEqual(["Models, uploads"]);
  expect(alarms({ ...VIEW, files: { ...full, quotaByteCount: null } })).toEqual([]);
  expect(alarms({ ...VIEW, lastBackup: null })).toEqual(["Last backup"]);
  const late = { at: "2026-07-08T09:59:00.000Z", byteCount: 1_000_000 };
  expect(alarms({ ...VIEW, lastBackup: late })).toEqual(["Last backup"]);
});

test("a certificate that the coordinator renews itself is not mentioned", () => {
  const own = { ...VIEW, address: { ...VIEW.address, certificateEndsAt: null } };
  expect(wordsOf(VIEW, "Certificate")).toBe("good until 1 September");
  expect(wordsOf(own, "Certificate")).toBeUndefined();
});

test("each check of the coordinator has its words, and an unknown one keeps its name", () => {
  expect(checkWords("disk", true)).toEqual({ term: "Disk", words: "has room" });
  expect(checkWords("disk", false).words).toContain("no new round opens");
  expect(checkWords("witnesses", false)).toEqual({ term: "witnesses", words: "fails" });
  // Names of an object's own machinery are no checks.
  expect(checkWords("constructor", true).term).toBe("constructor");
});
