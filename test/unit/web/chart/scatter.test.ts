import { expect, test } from "vitest";
import { plotFrame } from "#web/chart/scale.ts";
import { acrossScale, focusLow, nameHeights } from "#web/chart/scatter.ts";

const WIDE = { left: 0, right: 256 };

test("[V14] a scatter is linear or a logarithm across; every tick is a value of a point", () => {
  const linear = acrossScale([2, 4, 3], false, WIDE);
  expect([2, 3, 4].map(linear.at)).toEqual([28, 128, 228]);
  const log = acrossScale([0.01, 0.1, 1], true, WIDE);
  expect([0.01, 0.1, 1].map((value) => Math.round(log.at(value)))).toEqual([28, 128, 228]);
  expect(log.ticks).toEqual([0.01, 0.1, 1]);
});

test("[V14] a single value stands in the middle, and close ticks thin out", () => {
  expect(acrossScale([5, 5], false, { left: 0, right: 100 }).at(5)).toBe(50);
  expect(acrossScale([1, 1.01, 2], false, WIDE).ticks).toEqual([1, 2]);
});

test("[V12] names of points that coincide stand under each other; those apart keep their height", () => {
  const at = (x: number, y: number) => ({ x, y, width: 40 });
  expect(nameHeights([at(10, 50), at(10, 50), at(12, 55), at(300, 50)])).toEqual([50, 63, 81, 50]);
});

test("[V14] an axis begins above points that are far below the others, unless these are many or few", () => {
  expect(focusLow([0.94, 0.415, 0.95, 0.96, 0.93, 0.964])).toBe(0.93);
  expect(focusLow([0.94, 0.92, 0.95, 0.96, 0.93])).toBeNull();
  expect(focusLow([0.1, 0.9, 0.91])).toBeNull();
  expect(focusLow([0.1, 0.1, 0.1, 0.9, 0.9])).toBeNull();
});

test("[V14] a logarithm upwards keeps ratios, and has few ticks", () => {
  const frame = (y: readonly [number, number]) =>
    plotFrame({ width: 500, height: 300, x: [0, 1], y, isLogY: true });
  const { y, bottom, top } = frame([0.01, 1]);
  expect(y(0.1)).toBeCloseTo((top + bottom) / 2);
  expect(frame([0.1, 1]).yTicks).toEqual([0.1, 0.2, 0.5, 1]);
  expect(frame([0.3, 0.4]).yTicks).toEqual([0.3, 0.4]);
  expect(frame([1e-6, 1]).yTicks).toHaveLength(7);
  expect(frame([3, 3]).yTicks).toEqual([3]);
});
