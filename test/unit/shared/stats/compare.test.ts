import { expect, test } from "vitest";
import { sideOf } from "#shared/stats/compare.ts";
import { looksUniform } from "#shared/stats/uniform.ts";

const measure = (value: number, halfWidth95: number) => ({ value, halfWidth95, count: 100 });

test("measures whose intervals overlap cannot be told apart", () => {
  const other = measure(0.67, 0.02);
  expect(sideOf(measure(0.7, 0.02), other)).toBeNull();
  expect(sideOf(measure(0.64, 0.02), other)).toBeNull();
  expect(sideOf(measure(0.72, 0.02), other)).toBe("higher");
  expect(sideOf(measure(0.62, 0.02), other)).toBe("lower");
});

test.each([
  // Upper 0.1 % points of the chi-square distribution, from tables: 27.877 for 9 degrees of freedom, 62.487 for 32.
  [10, 27.877],
  [33, 62.487],
])("%i bins pass for uniform up to Pearson's statistic of %f", (bins, point) => {
  // One bin has as many more as another has fewer, so that the statistic is 2 gap^2 / expected.
  const expected = 1_000_000;
  const countsAt = (statistic: number) => {
    const gap = Math.sqrt((statistic * expected) / 2);
    return Array.from({ length: bins }, (_, bin) => expected + (bin === 0 ? gap : bin === 1 ? -gap : 0));
  };
  expect(looksUniform(countsAt(0.99 * point))).toBe(true);
  expect(looksUniform(countsAt(1.01 * point))).toBe(false);
});

test("too few counts do not pass for uniform", () => {
  expect(looksUniform(new Array<number>(33).fill(4))).toBe(false);
  expect(looksUniform(new Array<number>(33).fill(5))).toBe(true);
});
