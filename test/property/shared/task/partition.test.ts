import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dirichlet, dirichletParts, holdOut } from "#shared/task/partition.ts";
import { seededUniform } from "#shared/task/shuffle.ts";

const labels = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 400 });
const seed = fc.integer({ min: 0, max: 2 ** 32 - 1 });

function countByLabel(labels: readonly number[], rows: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const row of rows) counts.set(labels[row] as number, (counts.get(labels[row] as number) ?? 0) + 1);
  return counts;
}

describe("hold-out", () => {
  test("[E1] every row is either held out or not; each class keeps its exact share", () => {
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
    // Two independent fifths share a fifth of their rows: 40 of 200, with a standard deviation of about 5.
    const shared = first.filter((row) => second.has(row)).length;
    expect(shared).toBeGreaterThan(15);
    expect(shared).toBeLessThan(65);
  });
});

describe("parts", () => {
  test("[E2] every row is in exactly one part, none is below the minimum size, and the seed decides", () => {
    const plan = fc.record({
      partCount: fc.integer({ min: 1, max: 8 }),
      alpha: fc.double({ min: 0.05, max: 50, noNaN: true }),
      seed,
      rowsMin: fc.integer({ min: 0, max: 10 }),
    });
    fc.assert(
      fc.property(labels, plan, (labels, plan) => {
        const parts = dirichletParts(labels, plan);
        if (!parts.ok) {
          expect(parts.error.type).toBe("too-few-rows");
          return;
        }
        expect(parts.value.length).toBe(plan.partCount);
        expect(parts.value.flat().sort((a, b) => a - b)).toEqual(labels.map((_, row) => row));
        for (const part of parts.value) expect(part.length).toBeGreaterThanOrEqual(plan.rowsMin);
        expect(dirichletParts(labels, plan)).toEqual(parts);
      }),
      { numRuns: 60 },
    );
  });

  test("[E2] too few rows for the parts are an error, not an endless search", () => {
    expect(dirichletParts([0, 1, 2], { partCount: 2, alpha: 1, seed: 1, rowsMin: 2 })).toEqual({
      ok: false,
      error: { type: "too-few-rows" },
    });
    // Enough rows, but with this alpha one class goes to one part.
    expect(
      dirichletParts(
        Array.from({ length: 40 }, () => 0),
        { partCount: 4, alpha: 1e-6, seed: 1, rowsMin: 10 },
      ).ok,
    ).toBe(false);
  });

  test("[E2] a smaller alpha gives each part fewer classes", () => {
    const many = Array.from({ length: 2_000 }, (_, row) => row % 10);
    const classesSeen = (alpha: number) => {
      const parts = dirichletParts(many, { partCount: 8, alpha, seed: 3, rowsMin: 10 });
      if (!parts.ok) throw new Error("no parts");
      return parts.value.map(
        (part) => [...countByLabel(many, part).values()].filter((count) => count > part.length / 50).length,
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
      // Five standard errors of the mean; the variance within 6 %.
      expect(Math.abs(mean - 1 / count)).toBeLessThan(5 * Math.sqrt(expected / draws));
      expect(Math.abs(variance / expected - 1)).toBeLessThan(0.06);
    },
  );

  test("[E2] a tiny alpha still gives shares that sum to 1", () => {
    const shares = dirichlet(8, 1e-4, seededUniform(1));
    expect(shares.reduce((total, share) => total + share, 0)).toBeCloseTo(1, 12);
  });
});
