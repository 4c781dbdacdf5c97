import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cutOf, focusOf, markEvery, marked, valuedCuts } from "#web/chart/many-rounds.ts";
import { beyondWords } from "#web/words/charts.ts";

const points = (count: number, y: (round: number) => number) =>
  Array.from({ length: count }, (_, index) => ({ x: index, y: y(index), halfWidth: 0.01 }));

describe("[V4] marks over many rounds", () => {
  test("are at least 14 px apart, and the last round always has one", () => {
    const any = fc.record({
      count: fc.integer({ min: 1, max: 1_000 }),
      roundPx: fc.double({ min: 0.3, max: 60, noNaN: true }),
    });
    fc.assert(
      fc.property(any, ({ count, roundPx }) => {
        const line = points(count, () => 0.5);
        const kept = marked(line, roundPx);
        expect(kept.at(-1)).toBe(line.at(-1));
        for (const [index, point] of kept.entries()) {
          const before = kept[index - 1];
          if (before !== undefined) expect((point.x - before.x) * roundPx).toBeGreaterThanOrEqual(14);
        }
      }),
    );
  });
  test("thin out by 1, 2, 5, 10, 20 and 50", () => {
    expect([20, 7, 3, 1.4, 0.7, 0.28].map(markEvery)).toEqual([1, 2, 5, 10, 20, 50]);
  });
});

describe("[V4] an axis over many rounds", () => {
  const whole = { low: 0.09, high: 0.98 };
  test("leaves out the first rounds of a long run that has settled", () => {
    const long = points(107, (round) => (round < 3 ? 0.1 + 0.3 * round : 0.95));
    const focus = focusOf(long, whole);
    expect(focus?.low).toBeGreaterThan(0.9);
    expect(focus?.high).toBeLessThanOrEqual(0.98);
  });
  test("shows all of a short run, and of a long one that never settles", () => {
    expect(
      focusOf(
        points(15, (round) => (round < 3 ? 0.1 : 0.95)),
        whole,
      ),
    ).toBeNull();
    expect(
      focusOf(
        points(107, (round) => 0.09 + 0.008 * round),
        whole,
      ),
    ).toBeNull();
  });
  test("names what it leaves out, by round if there are few, and the level of guessing", () => {
    const below = points(3, (round) => [0.1, 0.7, 0.87][round] ?? 0);
    expect(beyondWords(below, [{ label: "0.100 guessing" }], true)).toEqual([
      "rounds 0 to 2: 0.100, 0.700, 0.870",
      "0.100 guessing lies below",
    ]);
    expect(
      beyondWords(
        points(6, () => 2),
        [],
        false,
      ),
    ).toEqual(["6 rounds lie above"]);
    expect(
      beyondWords(
        points(1, () => 2),
        [],
        false,
      ),
    ).toEqual(["round 0: 2.000"]);
    expect(beyondWords([], [], true)).toEqual([]);
  });
});

describe("[V4] bars over many rounds", () => {
  test("are cut if a few would flatten all others", () => {
    const usual = Array.from({ length: 100 }, (_, index) => 3 + (index % 10) / 10);
    expect(cutOf(usual)).toBeNull();
    expect(cutOf([...usual, 15])).toBeLessThan(6);
    expect(cutOf([3, 3, 15])).toBeNull();
  });
  test("that are cut carry their values, the larger where two are close", () => {
    const bars = [
      { at: 100, total: 8 },
      { at: 130, total: 15 },
      { at: 200, total: 9 },
    ];
    expect(valuedCuts(bars).map(({ total }) => total)).toEqual([15, 9]);
  });
});
