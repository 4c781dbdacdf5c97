// The quantizer against an independent oracle: exact rational arithmetic on the inputs.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { type VectorLayout, vectorLayout } from "#shared/vector/layout.ts";
import { meanUpdate, updateScale } from "#shared/vector/mean.ts";
import { decodeVector, encodeVector, quantizationBound, segmentOf } from "#test/kit/vectors.ts";

const primitives = webCryptoPrimitives(crypto.subtle);
const metrics = { count: 10, lossSum: 12.5, correct: 7 };
const keyOf = (seed: number): Bytes => new Uint8Array(32).fill(seed);

async function encode(layout: VectorLayout, update: Float32Array, numExamples: number, seed: number) {
  const contribution = { update, numExamples, metricsBefore: metrics, metricsAfter: metrics };
  const result = await encodeVector(primitives, layout, contribution, keyOf(seed));
  if (!result.ok) throw new Error(result.error.type);
  return result.value;
}

/** The exact value of a float64 as a fraction over 2^1074. */
function toRational(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = Number((bits >> 52n) & 2047n);
  const mantissa = (bits & ((1n << 52n) - 1n)) | (exponent === 0 ? 0n : 1n << 52n);
  const magnitude = mantissa << BigInt(Math.max(exponent, 1) - 1);
  return bits >> 63n === 1n ? -magnitude : magnitude;
}

const finite = fc.float({
  noNaN: true,
  noDefaultInfinity: true,
  min: Math.fround(-1e3),
  max: Math.fround(1e3),
});
const cohort = fc
  .record({
    parameterCount: fc.integer({ min: 1, max: 20 }),
    clipNormL2: fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
    weightCap: fc.integer({ min: 1, max: 5000 }),
    survivorCount: fc.integer({ min: 1, max: 12 }),
    spare: fc.integer({ min: 0, max: 100 }),
  })
  .chain((terms) =>
    fc.record({
      terms: fc.constant(terms),
      clients: fc.array(
        fc.record({
          update: fc.array(finite, { minLength: terms.parameterCount, maxLength: terms.parameterCount }),
          numExamples: fc.integer({ min: 1, max: 8000 }),
        }),
        { minLength: terms.survivorCount, maxLength: terms.survivorCount },
      ),
    }),
  );

describe("[S2] the sum that is opened", () => {
  test("is the exact sum of what each device quantized, and its mean is within the bound of the exact mean", async () => {
    await fc.assert(
      fc.asyncProperty(cohort, async ({ terms, clients }) => {
        const layout = vectorLayout({ ...terms, cohortSizeMax: terms.survivorCount + terms.spare });
        const encoded = [];
        for (const [index, { update, numExamples }] of clients.entries()) {
          encoded.push(await encode(layout, Float32Array.from(update), numExamples, index));
        }
        const sum = new Uint32Array(layout.length);
        for (const { words } of encoded)
          for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (words[i] ?? 0);

        const decoded = decodeVector(layout, sum, clients.length);
        if (!decoded.ok) throw new Error(decoded.error.type);
        const weights = clients.map(({ numExamples }) => Math.min(numExamples, terms.weightCap));
        const weightSum = weights.reduce((total, weight) => total + weight, 0);
        expect(decoded.value.weightSum).toBe(weightSum);
        expect(decoded.value.metrics.before).toEqual({
          count: clients.length * Math.min(10, terms.weightCap),
          lossSum: decoded.value.metrics.after.lossSum,
          correct: clients.length * Math.round(7 * Math.min(1, terms.weightCap / 10)),
        });

        const mean = meanUpdate(layout, decoded.value.coordinateSum, weightSum);
        const bound = quantizationBound(layout, clients.length, weightSum);
        for (let i = 0; i < terms.parameterCount; i++) {
          // Weighted mean of the clipped updates as a fraction, compared without rounding.
          const numerator = encoded.reduce(
            (total, { clippedUpdate }, client) =>
              total + BigInt(weights[client] as number) * toRational(clippedUpdate[i] as number),
            0n,
          );
          const error = toRational(mean[i] as number) * BigInt(weightSum) - numerator;
          // 1e-12 allows for rounding of the mean itself.
          const allowed =
            toRational(bound * (1 + 1e-9) + Math.abs(mean[i] as number) * 1e-12) * BigInt(weightSum);
          expect(error < 0n ? -error <= allowed : error <= allowed).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("stays in range even if every device sends its largest value", async () => {
    for (const cohortSizeMax of [1, 3, 33, 100, 255]) {
      const layout = vectorLayout({ parameterCount: 3, cohortSizeMax, clipNormL2: 0.1, weightCap: 1000 });
      const sum = new Uint32Array(layout.length);
      const update = Float32Array.of(5, 0, 0);
      for (let client = 0; client < cohortSizeMax; client++) {
        const { words } = await encode(layout, update, 1000, client);
        for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (words[i] ?? 0);
      }
      const decoded = decodeVector(layout, sum, cohortSizeMax);
      if (!decoded.ok) throw new Error(JSON.stringify(decoded.error));
      // float32 has a relative precision of 2^-24.
      const largest = cohortSizeMax * segmentOf(layout, "update").clip.quantizedMax;
      expect((decoded.value.coordinateSum[0] as number) / largest).toBeGreaterThan(1 - 2 ** -22);
      expect(decoded.value.coordinateSum[0]).toBeLessThanOrEqual(largest);
    }
  });
});

describe("clipping", () => {
  test("leaves an update within the norm untouched, and scales a larger one to norm L in the same direction", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(finite, { minLength: 1, maxLength: 50 }),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        async (values, clipNormL2) => {
          const update = Float32Array.from(values);
          const layout = vectorLayout({
            parameterCount: update.length,
            cohortSizeMax: 10,
            clipNormL2,
            weightCap: 10,
          });
          const { clippedUpdate, normL2Before } = await encode(layout, update, 10, 1);
          const norm = Math.hypot(...update);
          expect(normL2Before).toBeCloseTo(norm, 6);
          if (norm <= clipNormL2 * (1 - 1e-9)) expect(clippedUpdate).toEqual(update);
          if (norm < clipNormL2 * (1 + 1e-9)) return;
          expect(Math.hypot(...clippedUpdate) / clipNormL2).toBeCloseTo(1, 5);
          for (const [index, value] of clippedUpdate.entries()) {
            expect(value).toBeCloseTo(((update[index] as number) * clipNormL2) / norm, 4);
          }
        },
      ),
    );
  });
});

describe("stochastic rounding", () => {
  test("is unbiased, within six standard errors over 400,000 draws", async () => {
    const count = 400_000;
    // cohortSizeMax 255 and one example out of a cap of 1,000 make a coarse grid.
    const terms = { parameterCount: count, cohortSizeMax: 255, clipNormL2: 1, weightCap: 1000 };
    const layout = vectorLayout(terms);
    const step = updateScale(layout);
    for (const fraction of [0.1, 0.5, 0.9, -0.3]) {
      const value = Math.fround(fraction * step);
      if (Math.abs(value) * Math.sqrt(count) >= 1) throw new Error("would be clipped");
      const { words } = await encode(layout, new Float32Array(count).fill(value), 1, 7);
      const signed = new Int32Array(words.buffer, 0, count);
      let total = 0;
      for (const word of signed) {
        if (word !== Math.floor(fraction) && word !== Math.ceil(fraction))
          throw new Error(`not a neighbour: ${word}`);
        total += word;
      }
      const deviation = Math.sqrt((Math.abs(fraction) * (1 - Math.abs(fraction))) / count);
      expect(Math.abs(total / count - value / step)).toBeLessThan(6 * deviation);
    }
  });

  test("gives the same words for the same key and others for another key, and leaves whole values unchanged", async () => {
    const layout = vectorLayout({ parameterCount: 70_000, cohortSizeMax: 10, clipNormL2: 1, weightCap: 10 });
    const update = Float32Array.from({ length: 70_000 }, (_, index) => Math.sin(index) / 300);
    const [first, again, other] = [
      await encode(layout, update, 3, 1),
      await encode(layout, update, 3, 1),
      await encode(layout, update, 3, 2),
    ];
    expect(Buffer.from(first.words.buffer).equals(Buffer.from(again.words.buffer))).toBe(true);
    expect(Buffer.from(first.words.buffer).equals(Buffer.from(other.words.buffer))).toBe(false);
    const zero = await encode(layout, new Float32Array(70_000), 3, 1);
    expect(zero.words.subarray(0, 70_000).every((word) => word === 0)).toBe(true);
  });
});
