import { expect, test } from "vitest";
import { type ComparedMeasure, type Comparison, comparisonSchema } from "#shared/task/report/comparison.ts";
import type { EvaluationReport } from "#shared/task/report/report.ts";
import {
  classesApart,
  comparisonLead,
  differenceWords,
  fourCounts,
  intervalWords,
  shownDifference,
  testWords,
} from "#web/words/comparison.ts";

const measure = (change: Partial<ComparedMeasure> = {}): ComparedMeasure => ({
  ...{ name: "accuracy", label: "Accuracy", unit: "share", better: "higher", first: 0.953, second: 0.964 },
  ...{ difference: 0.011, low: -0.008, high: 0.03, p: 0.388, test: "mcnemar-exact" },
  ...{ counts: { onlyFirst: 4, onlySecond: 8 }, verdict: "too-close" },
  ...change,
});
const compared = (...measures: ComparedMeasure[]): Comparison =>
  comparisonSchema.parse({
    comparable: true,
    heldOutHash: "ab".repeat(32),
    rowCount: 359,
    resampling: { seed: 1, times: 2_000 },
    measures,
  });
const PAIR = { first: 48, second: 78 };

test("[V11] a difference has its unit: points, nats, or that of the label", () => {
  expect(differenceWords(0.011, "share")).toBe("+1.1\u00a0points");
  expect(differenceWords(-0.033, "nats")).toBe("−0.033\u00a0nats");
  expect(differenceWords(0.41, "dollars")).toBe("+0.410\u00a0dollars");
  expect(intervalWords(measure())).toBe("+1.1\u00a0points (95\u00a0%: −0.8 to +3.0)");
});

test("[V11] an interval across 0 is too close to tell, and so it is said", () => {
  expect(comparisonLead(compared(measure()), PAIR, "drawings")).toBe(
    "Too close to tell. Version 78 against version 48, accuracy: +1.1\u00a0points (95\u00a0%: −0.8 to +3.0) on 359 drawings; chance alone often does as much.",
  );
  const better = compared(measure({ verdict: "better", low: 0.002 }));
  expect(comparisonLead(better, PAIR, "drawings")).toMatch(/^Version 78 is better\..*on 359 drawings\.$/);
  const apart: Comparison = { comparable: false, reason: "Version 48 has other columns." };
  expect(comparisonLead(apart, PAIR, "drawings")).toBe("Not comparable. Version 48 has other columns.");
});

test("[V11] the test is named with the rows that decide", () => {
  expect(testWords(measure())).toBe(
    "Only the 12 rows where one is right and the other wrong count. McNemar, exact: p = 0.39.",
  );
  expect(testWords(measure({ test: "paired-bootstrap", counts: null, p: 0.0004 }))).toContain("p < 0.001");
});

test("[V15] the four counts are all rows, by which of two versions is right", () => {
  // 0.953 of 359 rows are 342: 338 that both get right, and 4 that only the first does.
  const counts = fourCounts(measure(), 359, { second: 78 });
  expect(counts).toEqual([
    { name: "Version 78 right", right: 338, wrong: 8 },
    { name: "Version 78 wrong", right: 4, wrong: 9 },
  ]);
  expect(fourCounts(measure({ counts: null }), 359, { second: 78 })).toBeNull();
  expect(shownDifference("share")).toEqual({ unit: "points", scale: 100 });
  expect(shownDifference("nats")).toEqual({ unit: "nats", scale: 1 });
});

test("[V15] classes stand beside each other only on the same rows", () => {
  const report = (heldOutHash: string, count = 2, first = 0) =>
    ({
      heldOutHash,
      rows: {
        kind: "classes",
        byClass: Array.from({ length: count }, (_, index) => ({ name: `${(first + index) % count}` })),
      },
    }) as unknown as EvaluationReport;
  expect(classesApart(report("a"), report("a"))).toBeNull();
  expect(classesApart(report("a"), report("b"))).toContain("different held-out rows");
  expect(classesApart(report("a"), report("a", 2, 1))).toContain("same classes in the same order");
  expect(classesApart(report("a"), report("a", 3))).toContain("same classes in the same order");
  expect(classesApart(report("a"), null)).toContain("was not evaluated");
  expect(classesApart(report("a", 31), report("a", 31))).toContain("31 classes are too many");
});
