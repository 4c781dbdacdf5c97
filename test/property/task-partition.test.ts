import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dirichlet, dirichletShards, holdOut } from "#shared/task/partition.ts";
import { seededUniform } from "#shared/task/shuffle.ts";

const labels = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 400 });
const seed = fc.integer({ min: 0, max: 2 ** 32 - 1 });

function countByLabel(labels: readonly number[], rows: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const row of rows) counts.set(labels[row] as number, (counts.get(labels[row] as number) ?? 0) + 1);
  return counts;
}

describe("hold-out", () => {
  test("[E1] every row is held out or not, once; each class keeps its share to the row", () => {
    fc.assert(
      fc.property(
        labels,
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        seed,
        (labels, fraction, seed) => {
          const { heldOut, rest } = holdOut(labels, fraction, seed);
          expect([...heldOut, ...rest].sort((a, b) => a - b)).toEqual(labels.map((_, row) => row));
          const all = countByLabel(
            labels,
            labels.map((_, row) => row),
          );
          const kept = countByLabel(labels, heldOut);
          for (const [label, count] of all) {
            expect(Math.abs((kept.get(label) ?? 0) - fraction * count)).toBeLessThanOrEqual(0.5 + 1e-9);
          }
          expect(holdOut(labels, fraction, seed)).toEqual({ heldOut, rest });
        },
      ),
    );
  });

  test("[E1] another seed holds out other rows", () => {
    const many = Array.from({ length: 1_000 }, (_, row) => row % 10);
    const first = holdOut(many, 0.2, 1).heldOut;
    const second = new Set(holdOut(many, 0.2, 2).heldOut);
    // Two independent fifths share a fifth of their rows: 40 of 200, standard deviation about 5.
    const shared = first.filter((row) => second.has(row)).length;
    expect(shared).toBeGreaterThan(15);
    expect(shared).toBeLessThan(65);
  });
});

describe("shards", () => {
  test("[E2] every row is in exactly one shard, none is below the least, and the seed decides", () => {
    const plan = fc.record({
      shardCount: fc.integer({ min: 1, max: 8 }),
      alpha: fc.double({ min: 0.05, max: 50, noNaN: true }),
      seed,
      rowsMin: fc.integer({ min: 0, max: 10 }),
    });
    fc.assert(
      fc.property(labels, plan, (labels, plan) => {
        const shards = dirichletShards(labels, plan);
        if (!shards.ok) {
          expect(shards.error.type).toBe("too-few-rows");
          return;
        }
        expect(shards.value.length).toBe(plan.shardCount);
        expect(shards.value.flat().sort((a, b) => a - b)).toEqual(labels.map((_, row) => row));
        for (const shard of shards.value) expect(shard.length).toBeGreaterThanOrEqual(plan.rowsMin);
        expect(dirichletShards(labels, plan)).toEqual(shards);
      }),
      { numRuns: 60 },
    );
  });

  test("[E2] fewer rows than the shards need are an error, not an endless search", () => {
    expect(dirichletShards([0, 1, 2], { shardCount: 2, alpha: 1, seed: 1, rowsMin: 2 })).toEqual({
      ok: false,
      error: { type: "too-few-rows" },
    });
    // Enough rows, but at this alpha one class goes to one shard.
    expect(
      dirichletShards(
        Array.from({ length: 40 }, () => 0),
        { shardCount: 4, alpha: 1e-6, seed: 1, rowsMin: 10 },
      ).ok,
    ).toBe(false);
  });

  test("[E2] a smaller alpha skews more: classes a shard sees", () => {
    const many = Array.from({ length: 2_000 }, (_, row) => row % 10);
    const classesSeen = (alpha: number) => {
      const shards = dirichletShards(many, { shardCount: 8, alpha, seed: 3, rowsMin: 10 });
      if (!shards.ok) throw new Error("no shards");
      return shards.value.map(
        (shard) =>
          [...countByLabel(many, shard).values()].filter((count) => count > shard.length / 50).length,
      );
    };
    expect(Math.min(...classesSeen(100))).toBe(10);
    const skewed = classesSeen(0.1);
    expect(skewed.reduce((sum, count) => sum + count, 0) / 8).toBeLessThan(6);
  });
});

describe("Dirichlet draws", () => {
  test.each([0.1, 0.5, 1, 5])(
    "[E2] alpha %d: mean 1/k and variance (1/k)(1 - 1/k)/(k alpha + 1)",
    (alpha) => {
      const count = 8;
      const draws = 20_000;
      const uniform = seededUniform(7);
      let sum = 0;
      let squares = 0;
      for (let draw = 0; draw < draws; draw++) {
        const shares = dirichlet(count, alpha, uniform);
        expect(Math.abs(shares.reduce((total, share) => total + share, 0) - 1)).toBeLessThan(1e-9);
        const [first] = shares as [number];
        sum += first;
        squares += first * first;
      }
      const mean = sum / draws;
      const variance = squares / draws - mean * mean;
      const expected = ((1 / count) * (1 - 1 / count)) / (count * alpha + 1);
      // Five standard errors of the mean; the variance to 6 %.
      expect(Math.abs(mean - 1 / count)).toBeLessThan(5 * Math.sqrt(expected / draws));
      expect(Math.abs(variance / expected - 1)).toBeLessThan(0.06);
    },
  );

  test("[E2] a tiny alpha still gives shares that sum to 1", () => {
    const shares = dirichlet(8, 1e-4, seededUniform(1));
    expect(shares.reduce((total, share) => total + share, 0)).toBeCloseTo(1, 12);
  });
});
