import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { present } from "#shared/kernel/assert.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import type { LearnedTask } from "#shared/task/engine.ts";
import type { JudgedClasses, JudgedNumbers } from "#shared/task/judged-rows.ts";
import { rowMeasuresOf } from "#shared/task/measures/of-rows/list.ts";
import { figureValue, type RowMeasureSpec } from "#shared/task/measures/row-measure.ts";
import { compareJudged } from "#shared/task/report/compare-judged.ts";
import { makeReport } from "#shared/task/report/make-report.ts";
import { evaluationReportSchema } from "#shared/task/report/report.ts";
import type { Target } from "#shared/task/target.ts";

/** See `source` in the file. */
const { classes, number } = JSON.parse(readFileSync("test/vectors/row-measures.json", "utf8")) as {
  readonly classes: readonly (Readonly<Record<string, number>> & {
    readonly k: number;
    readonly n: number;
    readonly confusion: readonly (readonly number[])[];
    readonly byClass: readonly (readonly [precision: number, recall: number, f1: number])[];
  })[];
  readonly number: Readonly<Record<string, number>>;
};

/** The rows that the vectors are about. */
function rowsOf(k: number, n: number): JudgedClasses {
  const labels = Uint32Array.from({ length: n }, (_, row) => ((row * 5) % 17) % k);
  const probabilities = new Float32Array(n * k);
  const said = new Uint32Array(n);
  const losses = new Float64Array(n);
  for (let row = 0; row < n; row++) {
    const raw = Array.from(
      { length: k },
      (_, index) =>
        ((row * 31 + index * 17 + ((row * index) % 5)) % 23) +
        (index === labels[row] ? 14 : 0) +
        index / 100 +
        1,
    );
    const sum = raw.reduce((left, right) => left + right);
    probabilities.set(
      raw.map((value) => value / sum),
      row * k,
    );
    said[row] = raw.indexOf(Math.max(...raw));
    losses[row] = -Math.log(present(probabilities[row * k + (labels[row] ?? 0)], "a probability"));
  }
  const names = Array.from({ length: k }, (_, index) => `class ${index}`);
  return { kind: "classes", classes: names, count: n, labels, said, probabilities, losses };
}

const numbers: JudgedNumbers = {
  kind: "number",
  target: { kind: "number", name: "y", title: "y", unit: "m", range: [-10, 50] },
  count: 50,
  labels: Float64Array.from({ length: 50 }, (_, row) => (row * 37) % 41),
  answers: Float64Array.from({ length: 50 }, (_, row) => ((row * 37) % 41) + (((row * 13) % 17) - 8) * 0.7),
  losses: new Float64Array(50).fill(0.5),
};

const digits = bundledTask("digits", 8, 1);
const SOURCE = {
  task: digits,
  modelHash: "ab".repeat(32) as HashHex,
  heldOutHash: "cd".repeat(32) as HashHex,
  environment: { code: "1", runtime: "test", engine: "none" },
};

describe.each(classes)("[E61] $n rows of $k classes", (expected) => {
  const rows = rowsOf(expected.k, expected.n);
  const target: Target = { kind: "classes", classes: rows.classes };

  test("have the measures that scikit-learn computes", () => {
    const specs = rowMeasuresOf(target);
    const found = Object.fromEntries(
      specs.map((spec) => [spec.name, figureValue(present(spec.figure(rows), spec.name), rows.count)]),
    );
    const { k: _k, n: _n, confusion: _confusion, byClass: _byClass, ...measures } = expected;
    expect(Object.keys(found).sort()).toEqual(Object.keys(measures).sort());
    for (const [name, value] of Object.entries(measures)) expect(found[name], name).toBeCloseTo(value, 6);
  });

  test("have its confusion matrix and table of classes, and curves of few points", () => {
    const report = makeReport({ ...SOURCE, judged: rows, measures: [] });
    if (report.rows.kind !== "classes") throw new Error("classes");
    expect(report.rows.confusion).toEqual(expected.confusion);
    for (const [index, { precision, recall, f1 }] of report.rows.byClass.entries()) {
      const [p, r, f] = present(expected.byClass[index], "a class");
      expect(precision.value ?? 0).toBeCloseTo(p, 10);
      expect(recall.value ?? 0).toBeCloseTo(r, 10);
      expect(f1.value ?? 0).toBeCloseTo(f, 10);
    }
    const { reliability, roc } = report.rows;
    expect(reliability.reduce((sum, { count }) => sum + count, 0)).toBe(rows.count);
    expect(roc === null).toBe(expected.k > 2);
    expect(roc?.at(-1) ?? { falsePositiveRate: 1, truePositiveRate: 1 }).toEqual({
      falsePositiveRate: 1,
      truePositiveRate: 1,
    });
  });
});

test("[E61] a number's measures are those of scikit-learn, and its residuals are counted", () => {
  const wages = { ...SOURCE, task: bundledTask("cps1998", 8, 1), judged: numbers };
  const report = makeReport(wages);
  expect(evaluationReportSchema.parse(report)).toEqual(report);
  for (const [name, value] of Object.entries(number))
    expect(report.measures.find((measure) => measure.name === name)?.value).toBeCloseTo(value, 10);
  if (report.rows.kind !== "number") throw new Error("a number");
  expect(report.rows.residuals.reduce((sum, { count }) => sum + count, 0)).toBe(50);
});

test("[E61] the same rows give the same report, whose intervals hold their values", () => {
  const judged = rowsOf(10, 200);
  const report = makeReport({ ...SOURCE, judged });
  expect(makeReport({ ...SOURCE, judged })).toEqual(report);
  expect(evaluationReportSchema.parse(report)).toEqual(report);
  expect(report.measures.map(({ name }) => name)).toEqual([
    ...["accuracy", "top3", "top5", "loss", "macroF1", "balancedAccuracy", "auc", "calibrationError"],
  ]);
  for (const { name, value, low, high } of report.measures) {
    expect(low, name).not.toBeNull();
    expect(high, name).not.toBeNull();
    // A calibration error is biased upwards in resamples, so its interval may lie above it.
    if (name !== "calibrationError") {
      expect(value, name).toBeGreaterThanOrEqual(low ?? 1);
      expect(value, name).toBeLessThanOrEqual(high ?? 0);
    }
  }
});

test("[E61] rows of one class, and a model that has diverged, leave figures out instead of breaking the report", () => {
  const one = rowsOf(2, 40);
  one.labels.fill(0);
  const report = makeReport({ ...SOURCE, judged: one });
  expect(report.measures.find(({ name }) => name === "auc")).toMatchObject({ value: null, interval: "none" });
  const diverged = rowsOf(4, 40);
  diverged.probabilities.fill(Number.NaN);
  diverged.losses.fill(Number.POSITIVE_INFINITY);
  const other = makeReport({ ...SOURCE, judged: diverged });
  expect(other.measures.find(({ name }) => name === "loss")).toMatchObject({ value: null });
  expect(evaluationReportSchema.safeParse(other).success).toBe(true);
});

test("[E61] a model that has diverged ranks nothing: it has no top-k hit, no area and no sensitivity", () => {
  const judged = rowsOf(6, 60);
  judged.probabilities.fill(Number.NaN);
  const { measures } = makeReport({ ...SOURCE, judged });
  const figureNamed = (name: string) => measures.find((measure) => measure.name === name)?.value;
  expect(figureNamed("top3")).toBe(figureNamed("accuracy"));
  expect(figureNamed("auc")).toBeUndefined();
  const two = rowsOf(2, 60);
  two.probabilities[0] = Number.NaN;
  const names = makeReport({ ...SOURCE, judged: two }).measures.map(({ name }) => name);
  expect(names).not.toContain("auc");
  expect(names).not.toContain("sensitivity");
});

test("[E61] no confidence of a single row can be read off a report", () => {
  const judged = rowsOf(2, 60);
  // One row is alone in its bin and at the end of the ranking.
  judged.probabilities.set([0.001, 0.999], 0);
  judged.said[0] = 1;
  const { rows } = makeReport({ ...SOURCE, judged, measures: [] });
  if (rows.kind !== "classes") throw new Error("classes");
  for (const { count, meanProbability, share } of rows.reliability) {
    if (count < 5) expect([meanProbability, share.value]).toEqual([null, null]);
    else expect(meanProbability).not.toBeNull();
  }
  expect(rows.reliability.some(({ count }) => count > 0 && count < 5)).toBe(true);
  const roc = rows.roc ?? [];
  expect(roc.length).toBeGreaterThan(3);
  const negatives = judged.labels.filter((label) => label === 0).length;
  for (const [index, point] of roc.slice(1).entries()) {
    const before = roc[index] ?? point;
    const passed =
      (point.falsePositiveRate - before.falsePositiveRate) * negatives +
      (point.truePositiveRate - before.truePositiveRate) * (60 - negatives);
    expect(Math.round(passed)).toBeGreaterThanOrEqual(5);
  }
});

test("[E62] losses of two kinds, or of labels that are scaled differently, are not compared", () => {
  const task = bundledTask("cps1998", 8, 1);
  const names = (other: LearnedTask) =>
    compareJudged({ task, judged: numbers }, { task: other, judged: numbers }, { seed: 1, times: 200 }).map(
      ({ name }) => name,
    );
  expect(names(task)).toEqual(["mae", "rmse", "r2", "scaledLoss"]);
  const huber = {
    ...task,
    training: { ...task.training, loss: { kind: "huber", delta: 0.5 } },
  } as LearnedTask;
  expect(names(huber)).toEqual(["mae", "rmse", "r2"]);
});

test("a measure that the list gets is in the report", () => {
  const mistakes: RowMeasureSpec = {
    of: "classes",
    name: "mistakes",
    label: "Mistakes",
    unit: "share",
    better: "lower",
    about: "The share of rows in a wrong class.",
    figure: (rows) =>
      rows.kind === "classes"
        ? {
            kind: "share",
            hits: Uint8Array.from(rows.labels, (label, row) => Number(label !== rows.said[row])),
          }
        : null,
  };
  const judged = rowsOf(4, 90);
  const [found] = makeReport({ ...SOURCE, judged, measures: [mistakes] }).measures;
  expect(found).toMatchObject({ name: "mistakes", interval: "wilson" });
  expect(found?.value).toBeCloseTo(1 - (present(classes[1], "four classes")["accuracy"] ?? 0), 10);
});
