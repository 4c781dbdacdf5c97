import { expect, test } from "vitest";
import { bootstrapP, resampled } from "#shared/stats/bootstrap.ts";
import { wilsonBounds } from "#shared/stats/intervals.ts";
import { mcnemarExact, pairedShareBounds } from "#shared/stats/mcnemar.ts";
import { comparePaired, comparePairedShares, meanOf, verdictOf } from "#shared/stats/paired.ts";

/*
 * Expected values by scipy 1.17.1, statsmodels 0.15.0 and NumPy 2.4.6:
 *   statsmodels.stats.contingency_tables.mcnemar([[0, b], [c, 0]], exact=True).pvalue
 *   statsmodels.stats.proportion.proportion_confint(hits, n, method="wilson")
 *   p1, p2 = (b+1)/(n+2), (c+1)/(n+2); d = p2-p1; d -+ 1.959963984540054*sqrt((p1+p2-d*d)/(n+2))
 *   splitmix32 written in Python; idx = [int(next(g)*n) ...]; numpy.percentile(b[idx].mean() - a[idx].mean(), [2.5, 97.5])
 */

test.each([
  [0, 0, 1],
  [0, 5, 0.0625],
  [1, 9, 0.021484375],
  [10, 10, 1],
  [12, 30, 0.007915897334896727],
  [430, 512, 0.008277919871296693],
  [1, 1_000_000, 0],
])("[E60] McNemar's exact p of %i and %i rows is %d, in either order", (onlyFirst, onlySecond, p) => {
  expect(mcnemarExact({ onlyFirst, onlySecond })).toBeCloseTo(p, 12);
  expect(mcnemarExact({ onlyFirst: onlySecond, onlySecond: onlyFirst })).toBeCloseTo(p, 12);
});

test.each([
  [12, 30, 359, 0.014217032169114442, 0.08550595952063625],
  [0, 0, 50, -0.053303993244218376, 0.053303993244218376],
  [3, 40, 100, 0.25476512970217335, 0.4707250663762581],
])(
  "[E60] of %i and %i among %i rows the difference lies from %d to %d",
  (onlyFirst, onlySecond, count, ...ends) => {
    const { low, high } = pairedShareBounds({ onlyFirst, onlySecond }, count);
    expect(low).toBeCloseTo(ends[0], 12);
    expect(high).toBeCloseTo(ends[1], 12);
  },
);

test.each([
  [0, 10, 0, 0.27753279986288926],
  [10, 10, 0.7224672001371106, 1],
  [7, 10, 0.39677814746114537, 0.8922087325936989],
  [331, 359, 0.8895860304814558, 0.9454894346674536],
])("Wilson's interval of %i of %i is %d to %d", (hits, count, low, high) => {
  expect(wilsonBounds(hits, count).low).toBeCloseTo(low, 12);
  expect(wilsonBounds(hits, count).high).toBeCloseTo(high, 12);
});

const index = Array.from({ length: 40 }, (_, row) => row);
const first = index.map((row) => ((row * 37) % 101) / 101);
const second = index.map((row) => (((row * 53 + 7) % 97) / 97) * 0.9);

test("[E60] a paired bootstrap draws the same rows for both, and again the same", () => {
  const compare = () => comparePaired(meanOf(first), meanOf(second), 40, { seed: 7, times: 500 });
  const found = compare();
  expect(found?.first).toBeCloseTo(0.4935643564356436, 12);
  expect(found?.second).toBeCloseTo(0.42912371134020616, 12);
  expect(found?.bounds.low).toBeCloseTo(-0.17458892390527714, 12);
  expect(found?.bounds.high).toBeCloseTo(0.05016737266510158, 12);
  expect(found?.p).toBeCloseTo(0.2435129740518962, 12);
  expect(compare()).toEqual(found);
});

test("[E60] two models that are right about the same rows, or that differ on few, are too close to tell", () => {
  const right = Uint8Array.from(index, (row) => Number(row % 4 > 0));
  const same = comparePairedShares(right, right);
  expect(same).toMatchObject({ difference: 0, p: 1, counts: { onlyFirst: 0, onlySecond: 0 } });
  if (same !== null) expect(verdictOf(same, "higher")).toBe("too-close");
  // Five rows more of forty are 12.5 points, and yet p is 0.0625.
  const better = right.map((hit, row) => (row % 4 === 0 && row < 20 ? 1 : hit));
  const close = comparePairedShares(right, better);
  expect(close).toMatchObject({ difference: 0.125, p: 0.0625, counts: { onlyFirst: 0, onlySecond: 5 } });
  if (close !== null) expect(verdictOf(close, "higher")).toBe("too-close");
});

test("[E60] a clear difference is better or worse as the measure says", () => {
  const all = new Uint8Array(40).fill(1);
  const half = all.map((_, row) => row % 2);
  const found = comparePairedShares(half, all);
  expect(found).not.toBeNull();
  if (found === null) return;
  expect(found.difference).toBe(0.5);
  expect(verdictOf(found, "higher")).toBe("better");
  expect(verdictOf(found, "lower")).toBe("worse");
});

test("without rows, or without a figure in too many resamples, there is no comparison", () => {
  expect(comparePairedShares(new Uint8Array(0), new Uint8Array(0))).toBeNull();
  expect(comparePaired(meanOf([]), meanOf([]), 0, { seed: 1, times: 200 })).toBeNull();
  // The figure needs the first row, which 36 % of the resamples do not have.
  const needsFirst = (draws: Uint32Array) => (draws[0] === 0 ? Number.NaN : 1);
  expect(resampled(needsFirst, 40, { seed: 1, times: 200 })).toBeNull();
});

test("the p of a bootstrap is never 0", () => {
  expect(bootstrapP(new Float64Array(999).fill(1))).toBe(2 / 1000);
  expect(bootstrapP(new Float64Array(999).fill(0))).toBe(1);
});
