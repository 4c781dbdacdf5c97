import { expect, test } from "vitest";
import { sampledIndexes } from "#coordinator/core/tracking/metric-samples.ts";

test("[L9] a history is sampled evenly, with its first and its last value, and never has more than was asked for", () => {
  // By hand: ten values in five parts of two, and the last value instead of the last part's first.
  expect(sampledIndexes(10, 5)).toEqual([0, 2, 4, 6, 9]);
  // Twenty values in parts of four; eleven in parts of 3, 2, 2, 2 and 2.
  expect(sampledIndexes(20, 5)).toEqual([0, 4, 8, 12, 19]);
  expect(sampledIndexes(11, 5)).toEqual([0, 3, 5, 7, 10]);
  expect(sampledIndexes(3, 5)).toEqual([0, 1, 2]);
  expect(sampledIndexes(0, 5)).toEqual([]);
  expect(sampledIndexes(7, 1)).toEqual([6]);
});
