import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keepAgreement, keepWithdrawal, readConsents } from "#client/adapters/consent-file.ts";
import { edgeConsentWords } from "#client/core/edge-consent.ts";
import type { ConsentEntry } from "#shared/task/consent-ledger.ts";
import { smallTask } from "#test/kit/worlds/small-task.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "chorus-consents-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const task = smallTask(3);
const agreed: ConsentEntry = {
  act: "agreed",
  at: "2026-07-08T14:00:10.000Z",
  coordinator: "https://c.example",
  taskHash: "7a".repeat(32),
  task,
  authority: { projectId: "default", codeVersion: "1", issuerKey: "ab".repeat(32), logKey: "0".repeat(64) },
  words: edgeConsentWords(task),
};

test("[A70] an edge keeps one agreement for each version and each set of keys, however often it starts", async () => {
  const otherKeys = { ...agreed, authority: { ...agreed.authority, logKey: "cd".repeat(32) } };
  const otherTask = { ...agreed, taskHash: "8b".repeat(32) };
  const added = [];
  for (const entry of [
    agreed,
    { ...agreed, at: "2026-07-08T14:00:20.000Z" },
    otherKeys,
    otherTask,
    otherTask,
  ])
    added.push(await keepAgreement(folder, entry));
  expect(added).toEqual([true, false, true, true, false]);
  expect(await readConsents(folder)).toEqual(JSON.parse(JSON.stringify([agreed, otherKeys, otherTask])));
  expect(statSync(join(folder, "consents.jsonl")).mode & 0o777).toBe(0o600);
});

test("[A70] a new version of the code is no new agreement of an edge", async () => {
  await keepAgreement(folder, agreed);
  const newer = { ...agreed, authority: { ...agreed.authority, codeVersion: "2" } };
  expect(await keepAgreement(folder, newer)).toBe(false);
});

test("[A70] a withdrawal ends the agreement that is in force, and the next start agrees anew", async () => {
  expect(await keepWithdrawal(folder, "2026-07-08T14:00:05.000Z")).toBe(false);
  await keepAgreement(folder, agreed);
  expect(await keepWithdrawal(folder, "2026-07-08T14:00:20.000Z")).toBe(true);
  expect(await keepWithdrawal(folder, "2026-07-08T14:00:30.000Z")).toBe(false);
  expect(await keepAgreement(folder, { ...agreed, at: "2026-07-08T14:00:40.000Z" })).toBe(true);
  expect((await readConsents(folder)).map(({ act, at }) => [act, at])).toEqual([
    ["agreed", "2026-07-08T14:00:10.000Z"],
    ["withdrawn", "2026-07-08T14:00:20.000Z"],
    ["agreed", "2026-07-08T14:00:40.000Z"],
  ]);
});

test("[A70] a line that a crash cut short is no act, and the next one does not join it", async () => {
  await keepAgreement(folder, agreed);
  appendFileSync(join(folder, "consents.jsonl"), '{"act":"withdr');
  expect(await readConsents(folder)).toHaveLength(1);
  expect(await keepWithdrawal(folder, "2026-07-08T14:00:20.000Z")).toBe(true);
  expect((await readConsents(folder)).map(({ act }) => act)).toEqual(["agreed", "withdrawn"]);
});

test.each(["{}", "null", '{"__proto__":{"act":"agreed"}}', "[", `{"act":"agreed","at":1e400}`])(
  "[A70] a damaged line is named, and nothing is added after it: %s",
  async (line) => {
    const path = join(folder, "consents.jsonl");
    writeFileSync(path, `${line}\n`);
    await expect(keepAgreement(folder, agreed)).rejects.toThrow(`line 1 of ${path} is damaged`);
    expect(readFileSync(path, "utf8")).toBe(`${line}\n`);
  },
);

test("[A70] the edge's words take every number from the task", () => {
  const words = edgeConsentWords({ ...task, purpose: "to test", notFor: "anything else" });
  expect(words).toContain(`version ${task.version} of ${task.slug}`);
  expect(words).toContain(`at least ${task.aggregation.cohortSizeMin - 1} other`);
  expect(words).toContain("Purpose: to test\nNot for: anything else");
  expect(edgeConsentWords(task)).not.toContain("Purpose");
});
