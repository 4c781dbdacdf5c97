import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MAY_SKIP, unnamedSkips } from "#test/kit/skips.ts";

const root = new URL("../../..", import.meta.url).pathname;

function reportOf(...tests: readonly (readonly [title: string, status: string])[]): unknown {
  const assertionResults = tests.map(([title, status]) => ({ title, fullName: ` [D12] ${title}`, status }));
  return { numPendingTests: 1, testResults: [{ name: "store.test.ts", status: "passed", assertionResults }] };
}

describe("a run that is to be complete", () => {
  test("finds what was skipped, however a test says so (positive control)", () => {
    const report = reportOf(["opens", "passed"], ["keeps rows", "skipped"], ["a", "pending"], ["b", "todo"]);
    expect(unnamedSkips(report)).toEqual([
      "store.test.ts: [D12] keeps rows",
      "store.test.ts: [D12] a",
      "store.test.ts: [D12] b",
    ]);
  });

  test("accepts the tests that are named, and only those", () => {
    const [named] = MAY_SKIP;
    expect(unnamedSkips(reportOf([`${named?.title} at all`, "skipped"]))).toEqual([]);
    expect(unnamedSkips(reportOf([`it says ${named?.title}`, "skipped"]))).toHaveLength(1);
  });

  test("refuses a report that it does not know, instead of finding nothing in it", () => {
    expect(() => unnamedSkips({ results: [] })).toThrow(/testResults/);
  });

  test("names tests that exist", () => {
    const folder = join(root, "test/integration");
    const sources = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => readFileSync(join(folder, name), "utf8"));
    const unknown = MAY_SKIP.filter(({ title }) => !sources.some((source) => source.includes(`"${title}`)));
    expect(unknown).toEqual([]);
  });
});
