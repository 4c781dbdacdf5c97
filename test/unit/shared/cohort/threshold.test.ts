import { describe, expect, test } from "vitest";
import { thresholds } from "#shared/cohort/threshold.ts";
import { completeGraph } from "#shared/secagg/graph.ts";
import { positionNo } from "#test/kit/places.ts";

describe("thresholds", () => {
  test("[S8] the published table of the active model", () => {
    const published = [
      [3, 3],
      [4, 3],
      [5, 4],
      [6, 5],
      [7, 5],
      [8, 6],
      [9, 7],
      [10, 7],
      [20, 14],
      [50, 34],
      [100, 67],
    ];
    expect(published.map(([n]) => [n, thresholds(n as number, "active", 3).t])).toEqual(published);
  });

  test("[S6] in the active model no two survivor sets can both be confirmed, and c colluders learn nothing alone", () => {
    for (let n = 3; n <= 255; n++) {
      const { c, t, q } = thresholds(n, "active", 3);
      // Two sets need t signatures each; an honest device signs once, a colluder twice.
      expect(2 * t).toBeGreaterThan(n - c + 2 * c);
      expect(t).toBeGreaterThan(c + 1);
      expect(q).toBeGreaterThanOrEqual(t);
      expect(t).toBeLessThanOrEqual(n);
      expect(3 * c).toBeLessThan(n);
    }
  });

  test("[S6] a lower t is enough against a server that follows the protocol, but would not stop a split (positive control)", () => {
    const split = Array.from({ length: 253 }, (_, index) => index + 3).filter((n) => {
      const { c, t } = thresholds(n, "honest-but-curious", 3);
      expect(2 * t).toBeGreaterThan(n);
      return 2 * t <= n + c;
    });
    expect(split.length).toBeGreaterThan(200);
  });

  test("[S8] q is the largest of t, c + 2 and the agreed minimum", () => {
    expect(thresholds(10, "active", 3)).toEqual({ rosterSize: 10, c: 3, t: 7, q: 7 });
    expect(thresholds(10, "active", 9).q).toBe(9);
    expect(thresholds(10, "honest-but-curious", 3)).toEqual({ rosterSize: 10, c: 3, t: 6, q: 6 });
    // Fewer than two devices can never reach c + 2.
    expect(thresholds(1, "active", 1).t).toBeGreaterThan(1);
  });
});

test("in the complete graph everyone is a neighbour, and a dealer holds a share of its own secrets", () => {
  expect(completeGraph(4).neighbours(positionNo(2))).toEqual([1, 3, 4]);
  expect(completeGraph(4).holders(positionNo(2))).toEqual([1, 2, 3, 4]);
  expect(completeGraph(4).rankOf(positionNo(2), positionNo(3))).toBe(3);
  expect(completeGraph(4).rankOf(positionNo(2), positionNo(5))).toBe(0);
});
