import { describe, expect, test } from "vitest";
import { present } from "#shared/kernel/assert.ts";
import type { GateEvidence, MeasuredFigure, Paired } from "#shared/task/gates/evidence.ts";
import {
  allOpen,
  type Gate,
  gateResultSchema,
  gateSchema,
  judgeGates,
  needsOf,
  promotionRulesSchema,
} from "#shared/task/gates/index.ts";
import { NOTHING_KNOWN } from "./evidence.ts";

const accuracy: MeasuredFigure = {
  ...{ name: "accuracy", label: "accuracy", unit: "share", better: "higher" },
  ...{ value: 0.9, low: 0.87, high: 0.93 },
};
const loss: MeasuredFigure = {
  ...{ name: "loss", label: "log loss", unit: "nats", better: "lower" },
  ...{ value: 0.3, low: 0.27, high: 0.33 },
};
const differing = (name: string, difference: number, half: number, first: number): Paired => ({
  comparable: true,
  measures: [
    { name, first, second: first + difference, difference, low: difference - half, high: difference + half },
  ],
});

const judge = (gate: unknown, known: Partial<GateEvidence> = {}) => {
  const evidence = { ...NOTHING_KNOWN, measures: [accuracy, loss], ...known };
  const result = present(judgeGates([gateSchema.parse(gate)], evidence)[0], "a result");
  expect(gateResultSchema.parse(result)).toEqual(result);
  return result;
};

describe("[G5] a gate of a measure", () => {
  const atLeast = (threshold: number) => ({ kind: "measure", name: "accuracy", threshold });

  test("is open from its threshold on, in the direction that is better", () => {
    expect(judge(atLeast(0.9))).toEqual({
      ...{ kind: "measure", title: "accuracy", state: "open", required: "at least 90.0 %" },
      candidate: { value: 0.9, low: 0.87, high: 0.93, unit: "share" },
      ...{ champion: null, difference: null, reason: "Accuracy is 90.0 %." },
    });
    expect(judge(atLeast(0.9001))).toMatchObject({
      state: "shut",
      reason: "Accuracy is 90.0 %, and at least 90.0 % is required.",
    });
    const lossAtMost = (threshold: number) => judge({ kind: "measure", name: "loss", threshold });
    expect(lossAtMost(0.3)).toMatchObject({ state: "open", required: "at most 0.3 nats" });
    expect(lossAtMost(0.25)).toMatchObject({
      state: "shut",
      reason: "Log loss is 0.3 nats, and at most 0.25 nats is required.",
    });
  });

  test("cannot be told without a figure", () => {
    expect(judge(atLeast(0.1), { measures: [] })).toMatchObject({
      state: "cannot-tell",
      candidate: null,
      reason: "This version has no figure of accuracy on the task’s held-out rows.",
    });
  });

  const noWorse = { kind: "measure", name: "accuracy", minAbsoluteChange: 0 };
  test.each([
    [0.05, 0.02, "open", "Accuracy is 5.0 points higher than the champion's."],
    [-0.05, 0.02, "shut", "Accuracy is 5.0 points lower than the champion's."],
    [0.01, 0.02, "cannot-tell", "Too close to tell. Accuracy is 1.0 points higher than the champion's."],
    [-0.01, 0.02, "cannot-tell", "Too close to tell. Accuracy is 1.0 points lower than the champion's."],
    [0.02, 0.02, "open", "Accuracy is 2.0 points higher than the champion's."],
  ])("that compares wants the whole interval: %d ± %d is %s", (difference, half, state, reason) => {
    const paired = differing("accuracy", difference, half, 0.85);
    expect(judge(noWorse, { paired })).toMatchObject({
      ...{ state, reason, required: "no worse than the champion" },
      champion: { value: 0.85, unit: "share" },
      difference: { value: difference },
    });
  });

  test("may allow to be a little worse, or ask for a part of the champion's figure", () => {
    const worse = { kind: "measure", name: "accuracy", minAbsoluteChange: -0.02 };
    const slightly = differing("accuracy", -0.005, 0.01, 0.9);
    expect(judge(worse, { paired: slightly })).toMatchObject({
      state: "open",
      required: "worse than the champion by 2.0 points at most",
    });
    const tenth = { kind: "measure", name: "loss", minRelativeChange: 0.1 };
    expect(judge(tenth, { paired: differing("loss", -0.05, 0.015, 0.35) })).toMatchObject({
      state: "open",
      required: "better than the champion by 10 %",
      reason: "Log loss is 0.05 nats lower than the champion's.",
    });
    expect(judge(tenth, { paired: differing("loss", -0.02, 0.01, 0.35) }).state).toBe("shut");
    expect(judge(tenth, { paired: differing("loss", -0.05, 0.03, 0.35) }).state).toBe("cannot-tell");
  });

  test("that compares is open without a champion, and cannot be told of what is not comparable", () => {
    expect(judge(noWorse)).toMatchObject({
      state: "open",
      reason: "No version is in use yet to compare with.",
    });
    const reason = "The models have other classes.";
    expect(judge(noWorse, { paired: { comparable: false, reason } })).toMatchObject({
      state: "cannot-tell",
      reason,
    });
    expect(judge(noWorse, { paired: { comparable: true, measures: [] } }).state).toBe("cannot-tell");
  });

  test("says its worst part, whichever it is", () => {
    const both = { ...atLeast(0.95), minAbsoluteChange: 0 };
    const better = differing("accuracy", 0.05, 0.02, 0.85);
    expect(judge(both, { paired: better })).toMatchObject({
      state: "shut",
      required: "at least 95.0 %, and no worse than the champion",
      reason: "Accuracy is 90.0 %, and at least 95.0 % is required.",
    });
    const low = { ...atLeast(0.5), minAbsoluteChange: 0 };
    expect(judge(low, { paired: differing("accuracy", 0.01, 0.02, 0.89) }).state).toBe("cannot-tell");
  });
});

describe("[G5] a gate with a bound", () => {
  const unknown = "Nobody looked.";
  test.each([
    [
      { kind: "cohort", devicesMin: 5 },
      { cohortSizeLeast: 5 },
      "open",
      "The smallest round of its run had 5 devices.",
    ],
    [
      { kind: "cohort", devicesMin: 6 },
      { cohortSizeLeast: 5 },
      "shut",
      "The smallest round of its run had 5 devices, and at least 6 devices are required.",
    ],
    [{ kind: "cohort", devicesMin: 6 }, {}, "cannot-tell", unknown],
    [{ kind: "size", byteCountMax: 9_640 }, { byteCount: 9_640 }, "open", "Its weights take 9.6 kB."],
    [
      ...[{ kind: "size", byteCountMax: 9_000 }, { byteCount: 9_640 }],
      ...["shut", "Its weights take 9.6 kB, and at most 9.0 kB is allowed."],
    ],
    [{ kind: "size", byteCountMax: 9_000 }, {}, "cannot-tell", unknown],
    [
      { kind: "latency", medianMsMax: 5 },
      { latency: { medianMs: 4.321, where: "in a thread of the coordinator" } },
      ...["open", "A prediction takes 4.32 ms. It is a median, measured in a thread of the coordinator."],
    ],
    [{ kind: "latency", medianMsMax: 5 }, {}, "cannot-tell", unknown],
    [
      { kind: "onnx-parity", tolerance: 1e-5 },
      { parity: { difference: 2e-5, rowCount: 300 } },
      "shut",
      "On 300 rows, the answers of the ONNX file differ by 0.00002, and at most 0.00001 is allowed.",
    ],
    [{ kind: "onnx-parity", tolerance: 1e-5 }, {}, "cannot-tell", unknown],
  ] as [unknown, Partial<GateEvidence>, string, string][])(
    "%j with %j is %s",
    (gate, known, state, reason) => {
      expect(judge(gate, known)).toMatchObject({ state, reason });
    },
  );
});

describe("[G5] gates of a task", () => {
  test("ask only for the evidence that they need; what cannot be told is shut", () => {
    const gates: Gate[] = [
      { kind: "measure", name: "accuracy", threshold: 0.5 },
      { kind: "size", byteCountMax: 1 },
    ];
    expect([...needsOf(gates)]).toEqual(["figures", "size"]);
    expect([...needsOf([{ kind: "measure", name: "accuracy", minRelativeChange: 0 }])]).toEqual([
      "figures",
      "paired",
    ]);
    expect([...needsOf([{ kind: "cohort", devicesMin: 1 }])]).toEqual(["cohort"]);
    const results = judgeGates(gates, { ...NOTHING_KNOWN, measures: [accuracy] });
    expect(results.map(({ state }) => state)).toEqual(["open", "cannot-tell"]);
    expect([allOpen(results), allOpen(results.slice(0, 1)), allOpen([])]).toEqual([false, true, true]);
  });

  test.each([
    { kind: "measure", name: "accuracy" },
    { kind: "measure", name: "", threshold: 1 },
    { kind: "measure", name: "x".repeat(65), threshold: 1 },
    { kind: "measure", name: "accuracy", threshold: Number.NaN },
    { kind: "measure", name: "accuracy", threshold: 1, minimum: 2 },
    { kind: "cohort", devicesMin: 0 },
    { kind: "size", byteCountMax: 1.5 },
    { kind: "latency", medianMsMax: 0 },
    { kind: "onnx-parity", tolerance: -1 },
    { kind: "__proto__" },
    { kind: "constructor", name: "accuracy", threshold: 1 },
    {},
  ])("refuse %j", (gate) => {
    expect(gateSchema.safeParse(gate).success).toBe(false);
  });

  test("promote by themselves only if there is one, and are twenty at most", () => {
    const rules = (count: number, promoteByItself: boolean) =>
      promotionRulesSchema.safeParse({
        gates: Array.from({ length: count }, () => ({ kind: "cohort", devicesMin: 3 })),
        promoteByItself,
      });
    expect(rules(0, false).success).toBe(true);
    expect(rules(0, true).error?.issues[0]?.message).toContain("needs a gate");
    expect(rules(20, true).success).toBe(true);
    expect(rules(21, false).success).toBe(false);
  });
});
