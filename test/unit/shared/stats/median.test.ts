import { expect, test } from "vitest";
import { lowerMedian } from "#shared/stats/median.ts";

test.each([
  [[], null],
  [[4], 4],
  [[10, 9, 100], 10],
  [[3, 1, 2, 100], 2],
])("the median of %j is %j", (values, expected) => {
  expect(lowerMedian(values)).toBe(expected);
});
