import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { useBackend } from "#shared/engine/backends.ts";
import { evaluate, predict } from "#shared/engine/evaluate.ts";
import type { LearnedTask } from "#shared/task/engine.ts";
import { deviceMeasuresFrom, measuresFrom } from "#shared/task/measures/index.ts";
import { fourthMomentMax } from "#shared/task/measures/moments.ts";
import { modelSchema } from "#shared/task/model.ts";
import { scale } from "#shared/task/scaling.ts";
import { seededUniform } from "#shared/task/shuffle.ts";
import { type NumberTarget, targetOf } from "#shared/task/target.ts";
import { vectorLayout } from "#shared/vector/layout.ts";
import { localMetricsOf, metrics } from "#shared/vector/segments/metrics.ts";

/** See `source` in the file. */
const { cases } = JSON.parse(readFileSync("test/vectors/number-measures.json", "utf8")) as {
  readonly cases: readonly {
    readonly name: string;
    readonly range: [number, number];
    readonly labels: readonly number[];
    readonly answers: readonly number[];
    readonly mae: [number, number];
    readonly rmse: [number, number];
    readonly r2: [number, number];
  }[];
};

const model = modelSchema.parse({
  format: "tfjs-layers",
  inputShape: [1],
  layers: [{ className: "Dense", name: "out", units: 1, activation: "linear" }],
});
/** The model whose answer is its input. */
const IDENTITY = Float32Array.of(1, 0);

function taskOf(range: [number, number], scaling: NumberTarget["scaling"]): LearnedTask {
  const column = { name: "x", type: "numeric", range: [0, 1], protected: false, input: true } as const;
  const label = { name: "y", unit: "dollars", range, ...(scaling !== undefined && { scaling }) };
  return {
    model,
    features: { kind: "tabular", columns: [{ ...column, range: [0, 1] }], label },
    training: {
      epochs: 1,
      batchSize: 8,
      optimizer: { kind: "sgd", learningRate: 0.1, momentum: 0 },
      proximalMu: 0,
    },
  };
}

async function sumsOf(one: (typeof cases)[number], scaling?: NumberTarget["scaling"]) {
  const task = taskOf(one.range, scaling);
  const target = targetOf(task.features);
  if (target.kind !== "number") throw new Error("a number");
  const rows = {
    inputs: Float32Array.from(one.answers, (answer) => scale(target, answer)),
    labels: Float32Array.from(one.labels),
    count: one.labels.length,
  };
  return { sums: await evaluate(task, IDENTITY, rows), target, task };
}

beforeAll(async () => {
  expect(await useBackend("cpu", { wasmPaths: null }, false)).toMatchObject({ ok: true });
});

describe.each(cases)("[E43] a model that gives a number: $name", (one) => {
  test.each([
    ["range", undefined],
    ["standard", { kind: "standard", mean: (one.range[0] + one.range[1]) / 2, deviation: 7 }],
    ...(one.range[0] > -1 ? ([["log1p", { kind: "log1p" }]] as const) : []),
  ] as const)("has the figures of its rows in the label's unit, scaled by %s", async (_, scaling) => {
    const { sums, target } = await sumsOf(one, scaling);
    const measures = measuresFrom(sums, target);
    expect(Object.keys(measures)).toEqual(["mae", "rmse", "r2", "scaledLoss"]);
    for (const name of ["mae", "rmse", "r2"] as const) {
      const [value, halfWidth] = one[name];
      // Labels and answers pass through float32.
      const near = Math.max(Math.abs(value), 0.1) * 3e-4;
      expect(Math.abs((measures[name]?.value ?? Number.NaN) - value)).toBeLessThan(near);
      expect(Math.abs((measures[name]?.halfWidth95 ?? Number.NaN) - halfWidth)).toBeLessThan(
        near + halfWidth * 3e-3,
      );
      expect(measures[name]?.count).toBe(one.labels.length);
    }
    expect([measures["mae"]?.unit, measures["rmse"]?.unit]).toEqual(["dollars", "dollars"]);
    expect(Object.keys(measures["r2"] ?? {})).not.toContain("unit");
  });

  test("has the same figures from the sums of devices, with intervals at least as wide", async () => {
    const { sums, target } = await sumsOf(one);
    const local = localMetricsOf(sums);
    const central = measuresFrom(sums, target);
    const { before, after } = deviceMeasuresFrom({ before: local, after: { ...local, count: 0 } }, target);
    expect(after).toEqual({});
    for (const name of ["mae", "rmse", "r2"]) {
      expect(before[name]?.value).toBeCloseTo(central[name]?.value ?? Number.NaN, 9);
      const own = before[name]?.halfWidth95 ?? Number.NaN;
      expect(own).toBeGreaterThanOrEqual((central[name]?.halfWidth95 ?? Number.NaN) - 1e-9);
    }
    // The squares are among the sums, so this one takes no bound.
    expect(before["mae"]?.halfWidth95).toBeCloseTo(central["mae"]?.halfWidth95 ?? Number.NaN, 9);
  });

  test("keeps its figures through the vector", async () => {
    const { sums, target } = await sumsOf(one);
    const terms = {
      parameterCount: 2,
      cohortSizeMax: 20,
      clipNormL2: 1,
      weightCap: 1_000,
      labels: "number",
    } as const;
    const place = vectorLayout(terms).segments.find(({ name }) => name === "metrics");
    if (place === undefined) throw new Error("metrics travel");
    const words = new Uint32Array(place.length);
    const local = localMetricsOf(sums);
    const contribution = {
      update: new Float32Array(2),
      numExamples: 1,
      metricsBefore: local,
      metricsAfter: local,
    };
    await metrics.encode(contribution, place as never, words, {} as never);
    const numbers = new Int32Array(words.buffer);
    expect(metrics.check(place as never, numbers, 1)).toBeNull();
    const read = metrics.read(place as never, numbers);
    const [exact, sent] = [
      deviceMeasuresFrom({ before: local, after: local }, target),
      deviceMeasuresFrom(read, target),
    ];
    for (const name of ["mae", "rmse", "r2"]) {
      const value = exact.before[name]?.value ?? Number.NaN;
      expect(Math.abs((sent.after[name]?.value ?? Number.NaN) - value)).toBeLessThan(
        Math.max(Math.abs(value), 0.1) * 5e-3,
      );
    }
  });
});

test("[E43] an answer never lies outside the label's range, and a model that diverged is as wrong as it can be", async () => {
  const task = taskOf([0, 10], undefined);
  expect([...(await predict(task, IDENTITY, Float32Array.of(3)))]).toEqual([10]);
  expect([...(await predict(task, IDENTITY, Float32Array.of(0.25)))]).toEqual([2.5]);
  const rows = { inputs: Float32Array.of(9, 0), labels: Float32Array.of(4, 2), count: 2 };
  const sums = await evaluate(task, Float32Array.of(Number.NaN, 0), rows);
  expect(sums).toMatchObject({ count: 2, errorSum: 0.6 + 0.8 });
});

test("[E43] labels that are all equal have no variance to explain", async () => {
  const task = taskOf([0, 10], undefined);
  const rows = { inputs: Float32Array.of(0.1, 0.2), labels: Float32Array.of(4, 4), count: 2 };
  const measures = measuresFrom(await evaluate(task, IDENTITY, rows), targetOf(task.features));
  expect(Object.keys(measures)).toEqual(["mae", "rmse", "scaledLoss"]);
});

test("[E43] the bound on a fourth moment holds, and is reached", () => {
  const uniform = seededUniform(3);
  for (let draw = 0; draw < 200; draw++) {
    const values = Array.from({ length: 5 }, () => uniform() ** 3);
    const mean = (power: number) => values.reduce((sum, value) => sum + value ** power, 0) / values.length;
    expect(fourthMomentMax(mean(1), mean(2))).toBeGreaterThanOrEqual(mean(4) - 1e-12);
  }
  // One of four at 1, the others at 0.2.
  const [mean, square] = [(1 + 0.6) / 4, (1 + 3 * 0.04) / 4];
  expect(fourthMomentMax(mean, square)).toBeCloseTo((1 + 3 * 0.0016) / 4, 12);
});

describe("[E43] the sums of numbers fit the ring", () => {
  test.each([
    [3, 1],
    [20, 1_000],
    [600, 1_000_000],
  ])("for %d devices with up to %d rows", async (cohortSizeMax, weightCap) => {
    const terms = { parameterCount: 2, cohortSizeMax, clipNormL2: 1, weightCap, labels: "number" } as const;
    const place = vectorLayout(terms).segments.find(({ name }) => name === "metrics");
    if (place === undefined) throw new Error("metrics travel");
    const { slots } = place.clip as unknown as { slots: { name: string; max: number }[] };
    expect(slots).toHaveLength(12);
    for (const { max } of slots) expect(max * cohortSizeMax).toBeLessThan(2 ** 31);
    // A device that reports nonsense still stays within its bounds, on either side.
    const nonsense = { count: 1e9, lossSum: Number.NaN, errorSum: 1e30, errorSquareSum: Number.NaN } as const;
    for (const labelSum of [-1e30, 1e30]) {
      const local = { ...nonsense, labelSum, labelSquareSum: -1 };
      const words = new Uint32Array(12);
      const contribution = {
        update: new Float32Array(2),
        numExamples: 1,
        metricsBefore: local,
        metricsAfter: local,
      };
      await metrics.encode(contribution, place as never, words, {} as never);
      const numbers = new Int32Array(words.buffer);
      expect(metrics.check(place as never, numbers, 1)).toBeNull();
      expect(numbers[4]).toBe(Math.sign(labelSum) * (slots[4]?.max ?? Number.NaN));
      // The check sees a sum that no honest device could cause.
      const forged = Int32Array.from(numbers, (value) => value + Math.sign(labelSum));
      expect(metrics.check(place as never, forged, 1)).not.toBeNull();
    }
  });
});
