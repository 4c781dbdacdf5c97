import { describe, expect, test } from "vitest";
import type { Loss } from "#shared/layers/losses/loss.ts";
import { lossOf } from "#shared/layers/losses/table.ts";
import { type ModelSpec, modelSchema } from "#shared/task/model.ts";
import { checkGradients } from "#test/kit/gradient-check.ts";
import { plainOps, plainTensor } from "#test/kit/plain-ops.ts";

const ending = (units: number, activation: string, classCount?: number): ModelSpec =>
  modelSchema.parse({
    format: "tfjs-layers",
    inputShape: [3],
    ...(classCount !== undefined && { classCount }),
    layers: [
      { className: "Dense", name: "hidden", units: 4, activation: "tanh" },
      { className: "Dense", name: "out", units, activation },
    ],
  });
const softmax = ending(3, "softmax", 3);
const sigmoid = ending(1, "sigmoid", 2);
const linear = ending(1, "linear");
const HUBER = { kind: "huber", delta: 0.3 } as const;

describe("[E42] losses and their gradients", () => {
  test.each([
    ["cross-entropy", softmax, {}],
    ["cross-entropy, weighted by class", softmax, { rowWeights: [0.5, 3, 1] }],
    ["binary cross-entropy", sigmoid, {}],
    ["binary cross-entropy, weighted by class", sigmoid, { rowWeights: [2, 0.1, 1] }],
    ["squared", linear, { labels: [0.4, -2, 7] }],
    // Within delta, and beyond it on either side.
    ["Huber", linear, { labels: [0.1, -2, 7], ofNumbers: HUBER }],
  ] as const)("the gradient equals finite differences: %s", (_, model, change) => {
    const { error, largest } = checkGradients(model, change);
    expect(largest).toBeGreaterThan(1e-2);
    expect(error).toBeLessThan(1e-7);
  });

  const batchLoss = (
    loss: Loss,
    outputs: readonly number[],
    labels: readonly number[],
    weights?: number[],
  ) => {
    const rows = outputs.length;
    const targets = new Float32Array(rows);
    for (const [row, label] of labels.entries()) loss.writeTarget(label, targets.subarray(row, row + 1));
    const rowWeights = weights === undefined ? null : plainTensor([rows, 1], weights);
    const { sum } = loss.ofBatch(
      plainOps,
      plainTensor([rows, 1], outputs),
      plainTensor([rows, 1], targets),
      rowWeights,
    );
    return sum.data[0] ?? Number.NaN;
  };

  test("a batch's loss is the sum of its rows', each times its weight", () => {
    const outputs = [0.3, -4, 2.5];
    for (const [loss, labels] of [
      [lossOf(sigmoid), [0, 1, 1]],
      [lossOf(linear), [0.5, 2, -1]],
      [lossOf(linear, HUBER), [0.5, 2, -1]],
    ] as const) {
      const each = outputs.map((output, row) => loss.ofRow(Float32Array.of(output), labels[row] ?? 0));
      const sumWith = (weights: readonly number[]) =>
        each.reduce((sum, value, row) => sum + value * (weights[row] ?? 0), 0);
      expect(batchLoss(loss, outputs, labels)).toBeCloseTo(sumWith([1, 1, 1]), 5);
      expect(batchLoss(loss, outputs, labels, [2, 0.5, 7])).toBeCloseTo(sumWith([2, 0.5, 7]), 5);
    }
  });

  test("one output is the same as two, the first of which is 0", () => {
    const two = lossOf(ending(2, "softmax", 2));
    const one = lossOf(sigmoid);
    for (const output of [-90, -3, -0.1, 0, 0.1, 3, 90]) {
      for (const label of [0, 1]) {
        expect(one.ofRow(Float32Array.of(output), label)).toBeCloseTo(
          two.ofRow(Float32Array.of(0, output), label),
          5,
        );
      }
      const [own, other] = [one.answer(Float32Array.of(output)), two.answer(Float32Array.of(0, output))];
      expect(own[0]).toBeCloseTo(other[0] ?? Number.NaN, 6);
      expect(own[1]).toBeCloseTo(other[1] ?? Number.NaN, 6);
    }
  });

  test("no loss overflows where its neighbours do not", () => {
    expect(lossOf(sigmoid).ofRow(Float32Array.of(800), 0)).toBe(800);
    expect(lossOf(sigmoid).ofRow(Float32Array.of(-800), 0)).toBe(0);
  });

  test("Huber's loss is squared near the label and linear far from it", () => {
    const loss = lossOf(linear, HUBER);
    expect(loss.ofRow(Float32Array.of(1.2), 1)).toBeCloseTo(0.02, 6);
    expect(loss.ofRow(Float32Array.of(3), 1)).toBeCloseTo(0.3 * (2 - 0.15), 6);
    expect(loss.ofRow(Float32Array.of(-1), 1)).toBeCloseTo(0.3 * (2 - 0.15), 6);
  });
});
