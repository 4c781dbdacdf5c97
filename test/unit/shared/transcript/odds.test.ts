import { describe, expect, test } from "vitest";
import { oddsLine } from "#shared/transcript/odds.ts";
import { detectionProbability, drawChunks } from "#shared/transcript/spot-check.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";

/** n choose k, exact. */
function choose(n: number, k: number): bigint {
  if (k > n) return 0n;
  let value = 1n;
  for (let i = 1n; i <= BigInt(k); i++) value = (value * (BigInt(n) - BigInt(k) + i)) / i;
  return value;
}

describe("[A4] the odds of a spot check", () => {
  test.for([
    [9, 1, 3],
    [64, 1, 16],
    [64, 6, 16],
    [100, 100, 1],
    [100, 0, 50],
    [10, 5, 6],
    [4_096, 41, 100],
  ] as const)("of %i chunks, %i of them wrong, %i drawn are hypergeometric", ([total, wrong, drawn]) => {
    const missed = Number((choose(total - wrong, drawn) * 10n ** 18n) / choose(total, drawn)) / 1e18;
    expect(detectionProbability(total, wrong, drawn)).toBeCloseTo(1 - missed, 12);
  });

  test("a draw has distinct chunks, each equally often", () => {
    const counts = new Array<number>(10).fill(0);
    const random = seededRandom("draws");
    for (let draw = 0; draw < 6_000; draw++) {
      const chunks = drawChunks(random, 3, 10);
      expect(new Set(chunks).size).toBe(3);
      for (const chunk of chunks) counts[chunk] = (counts[chunk] as number) + 1;
    }
    // 1,800 each, with a standard deviation of 35.
    for (const count of counts) expect(Math.abs(count - 1_800)).toBeLessThan(5 * 35.5);
    expect(drawChunks(random, 10, 10)).toEqual([...Array(10).keys()]);
  });

  test.for([
    [
      1_000_000,
      4,
      "one wrong chunk is found with a probability of 0.0004 %, at least one of 100000 wrong chunks with 34.4 %.",
    ],
    [
      10_000,
      4,
      "one wrong chunk is found with a probability of 0.04 %, at least one of 1000 wrong chunks with 34.4 %.",
    ],
    [
      1_000,
      200,
      "one wrong chunk is found with a probability of 20.0 %, at least one of 100 wrong chunks with over 99.9 %.",
    ],
    [
      10_000,
      9_999,
      "one wrong chunk is found with a probability of over 99.9 %, at least one of 1000 wrong chunks with 100 %.",
    ],
    [9, 3, "one wrong chunk is found with a probability of 33.3 %."],
    [
      20,
      19,
      "one wrong chunk is found with a probability of 95.0 %, at least one of 2 wrong chunks with 100 %.",
    ],
  ] as const)("of %i chunks, %i drawn, are not rounded to what is certain", ([total, drawn, words]) => {
    expect(oddsLine(total, drawn)).toBe(
      `${drawn} of ${total} chunks of 64 KiB of the sum recomputed: ${words}`,
    );
  });
});
