import { describe, expect, test } from "vitest";
import { addNoise } from "#shared/privacy/draw-noise.ts";
import { buildNoiseTable, discreteGaussianProbabilities } from "#shared/privacy/noise-table.ts";
import { exactGaussian } from "#test/kit/exact-gaussian.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";

const draws = (variance: number, count: number, seed: string) => {
  const numbers = new Int32Array(count);
  addNoise(numbers, buildNoiseTable(variance), seededRandom(seed));
  return numbers;
};

/** floor(2^128 P(|X| <= k)) at sigma^2 = 16, from mpmath with 80 digits. */
const EXACT_ENTRIES = [
  [0, 33938255859959058040647751793946365487n],
  [1, 99726426859226770559586017641250631382n],
  [7, 319824036416389645086004326326917479921n],
  [20, 340282272551130675652612980069146737709n],
  [40, 340282366920938463463373482168208438273n],
  [52, 340282366920938463463374607431768211455n],
] as const;

/** Cells of about equal weight and the counts that fall in them. The ends are open. */
function cellsOf(variance: number): readonly number[] {
  const sigma = Math.sqrt(variance);
  const ends = [-2, -1.5, -1, -0.6, -0.3, 0, 0.3, 0.6, 1, 1.5, 2].map((z) => Math.round(z * sigma));
  return [...new Set(ends)];
}

function counted(values: Iterable<number>, ends: readonly number[]): number[] {
  const counts = Array<number>(ends.length + 1).fill(0);
  for (const value of values) {
    let cell = 0;
    while (cell < ends.length && value > (ends[cell] as number)) cell++;
    counts[cell] = (counts[cell] as number) + 1;
  }
  return counts;
}

function expectedIn(variance: number, ends: readonly number[], total: number): number[] {
  const { probabilities } = discreteGaussianProbabilities(variance);
  const counts = Array<number>(ends.length + 1).fill(0);
  for (let k = 1 - probabilities.length; k < probabilities.length; k++) {
    let cell = 0;
    while (cell < ends.length && k > (ends[cell] as number)) cell++;
    counts[cell] = (counts[cell] as number) + total * (probabilities[Math.abs(k)] as number);
  }
  return counts;
}

const chiSquare = (seen: readonly number[], expected: readonly number[]) => {
  return seen.reduce(
    (sum, count, i) => sum + (count - (expected[i] as number)) ** 2 / (expected[i] as number),
    0,
  );
};
/** 1e-6 quantile of chi-square with 9 to 11 degrees of freedom is at most this. */
const CHI_SQUARE_MAX = 50;

describe("the table", () => {
  test("[P12] each entry is the exact probability to 128 bits", () => {
    const table = buildNoiseTable(16);
    const entry = (k: number) => {
      return (
        (BigInt(table.high[k] as number) << 76n) +
        (BigInt(table.middle[k] as number) << 32n) +
        BigInt(table.low[k] as number)
      );
    };
    for (const [k, expected] of EXACT_ENTRIES) expect(entry(k)).toBe(expected);
    expect(table.noiseMax).toBe(53);
    for (let k = 1; k < table.noiseMax; k++) expect(entry(k) >= entry(k - 1)).toBe(true);
  });

  test("[P12] what is beyond it has a probability below 2^-126", () => {
    for (const variance of [16, 1000, 40_000]) {
      const { noiseMax } = buildNoiseTable(variance);
      expect(Math.exp(-((noiseMax + 1) ** 2) / (2 * variance))).toBeLessThan(2 ** -125);
    }
  });
});

describe("draws", () => {
  test.each([16, 100, 2500])("[P12] moments at variance %i are those of the distribution", (variance) => {
    const count = 400_000;
    const numbers = draws(variance, count, `moments ${variance}`);
    let [sum, squares, fourths] = [0, 0, 0];
    for (const value of numbers) {
      sum += value;
      squares += value ** 2;
      fourths += value ** 4;
    }
    const exact = discreteGaussianProbabilities(variance);
    expect(Math.abs(sum / count)).toBeLessThan(5 * Math.sqrt(variance / count));
    expect(Math.abs(squares / count / exact.variance - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
    expect(Math.abs(fourths / count / (3 * exact.variance ** 2) - 1)).toBeLessThan(
      5 * Math.sqrt(96 / 9 / count),
    );
  });

  test.each([16, 25, 900])(
    "[P12] table, exact sampler and probabilities agree at variance %i",
    (variance) => {
      const ends = cellsOf(variance);
      const many = 300_000;
      expect(
        chiSquare(counted(draws(variance, many, "table"), ends), expectedIn(variance, ends, many)),
      ).toBeLessThan(CHI_SQUARE_MAX);
      const few = 20_000;
      const random = seededRandom("exact");
      const exact = Array.from({ length: few }, () => exactGaussian(variance, random));
      expect(chiSquare(counted(exact, ends), expectedIn(variance, ends, few))).toBeLessThan(CHI_SQUARE_MAX);
    },
  );

  test("[P12] the test catches noise of three quarters, and a sign that is always the same (positive control)", () => {
    const ends = cellsOf(900);
    const expected = expectedIn(900, ends, 300_000);
    const scaled = draws(900, 300_000, "table").map((value) => Math.round(0.75 * value));
    expect(chiSquare(counted(scaled, ends), expected)).toBeGreaterThan(10 * CHI_SQUARE_MAX);
    const signless = draws(900, 300_000, "table").map(Math.abs);
    expect(chiSquare(counted(signless, ends), expected)).toBeGreaterThan(10 * CHI_SQUARE_MAX);
  });

  test("[P12] single values at a small variance, both signs", () => {
    const numbers = draws(16, 400_000, "values");
    const { probabilities } = discreteGaussianProbabilities(16);
    for (const k of [-9, -3, -1, 0, 1, 3, 9]) {
      const expected = 400_000 * (probabilities[Math.abs(k)] as number);
      const seen = numbers.reduce((count, value) => count + (value === k ? 1 : 0), 0);
      expect(Math.abs(seen - expected)).toBeLessThan(5 * Math.sqrt(expected));
    }
  });

  test("[P12] the ends of the random numbers give the ends of the distribution", () => {
    const table = buildNoiseTable(16);
    const drawn = (fill: number, signs: number) => {
      const numbers = new Int32Array(8);
      addNoise(numbers, table, (byteCount) => {
        return new Uint8Array(byteCount).fill(fill, 0, 128).fill(signs, 128);
      });
      return [...numbers];
    };
    expect(drawn(0, 0xff)).toEqual(Array(8).fill(0));
    expect(drawn(0xff, 0)).toEqual(Array(8).fill(table.noiseMax));
    expect(drawn(0xff, 0b0101_0101)).toEqual([-53, 53, -53, 53, -53, 53, -53, 53]);
  });

  test("[P12] equal highest bits are settled by the lower ones, to the last", () => {
    const table = buildNoiseTable(16);
    for (const k of [0, 5, 30, 50]) {
      const bound =
        (BigInt(table.high[k] as number) << 76n) +
        (BigInt(table.middle[k] as number) << 32n) +
        BigInt(table.low[k] as number);
      const magnitudeOf = (bits: bigint) => {
        const numbers = new Int32Array(1);
        addNoise(numbers, table, () => {
          const bytes = new Uint8Array(17);
          const view = new DataView(bytes.buffer);
          for (let word = 0; word < 4; word++) {
            view.setUint32(4 * word, Number((bits >> BigInt(96 - 32 * word)) & 0xffff_ffffn), true);
          }
          return bytes;
        });
        return numbers[0];
      };
      expect([magnitudeOf(bound - 1n), magnitudeOf(bound)]).toEqual([k, k + 1]);
    }
  });

  test("[P12] noise is added modulo 2^32, in blocks, and the random bytes are wiped", () => {
    const given: Uint8Array[] = [];
    const source = seededRandom("blocks");
    const numbers = new Int32Array(10_000).fill(2 ** 31 - 1);
    const table = buildNoiseTable(100);
    addNoise(numbers, table, (byteCount) => {
      const bytes = source(byteCount);
      given.push(bytes);
      return bytes;
    });
    const plain = new Int32Array(10_000);
    addNoise(plain, table, seededRandom("blocks"));
    expect(numbers.some((value) => value < 0)).toBe(true);
    expect([...numbers]).toEqual([...plain].map((value) => (value + 2 ** 31 - 1) | 0));
    expect(given.length).toBe(3);
    for (const bytes of given) expect(bytes.every((byte) => byte === 0)).toBe(true);
    expect(() => addNoise(numbers, table, () => new Uint8Array(5))).toThrow("another length");
  });
});
