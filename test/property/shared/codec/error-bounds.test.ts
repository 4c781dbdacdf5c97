// PROTOCOL.md section 7: the precision of a mean on each ring, with and without rotation, at d = 2^16 and n = 100.
import { describe, expect, test } from "vitest";
import { rotationKey } from "#shared/codec/rotation.ts";
import { webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { vectorLayout } from "#shared/vector/layout.ts";
import { meanUpdate, updateSumOf } from "#shared/vector/mean.ts";
import type { Ring } from "#shared/vector/ring.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";
import { decodeVector, encodeVector } from "#test/kit/vectors.ts";

const primitives = webCryptoPrimitives(crypto.subtle);
const D = 2 ** 16;
const N = 100;
const metrics = { count: 0, lossSum: 0, correct: 0 };

/** Unrelated updates, each of norm 1: Box and Muller over a seeded stream, scaled. */
function independentUpdates(): Float32Array[] {
  return Array.from({ length: N }, (_, device) => {
    const draws = new DataView(seededRandom(`update ${device}`)(8 * D).buffer);
    const uniform = (index: number) => (draws.getUint32(4 * index) + 0.5) / 2 ** 32;
    const values = Float64Array.from(
      { length: D },
      (_, i) => Math.sqrt(-2 * Math.log(uniform(2 * i))) * Math.cos(2 * Math.PI * uniform(2 * i + 1)),
    );
    const norm = Math.sqrt(values.reduce((total, value) => total + value * value, 0));
    return Float32Array.from(values, (value) => value / norm);
  });
}

/** |mean - exact| / |exact|. The exact mean is computed in doubles, without any ring. */
async function relativeError(updates: readonly Float32Array[], ring: Ring, rotated: boolean) {
  // Above 1, so that rounding to float32 never causes clipping.
  const clipNormL2 = 1.0001;
  const layout = vectorLayout({
    parameterCount: D,
    cohortSizeMax: N,
    clipNormL2,
    weightCap: 1,
    ring,
    rotated,
  });
  const key = await rotationKey(primitives, "0190b4a8d2f07cc1a0b1c2d3e4f50617", 1);
  const sum = new Uint32Array(layout.length);
  const exact = new Float64Array(D);
  for (const [device, update] of updates.entries()) {
    const contribution = { update, numExamples: 1, metricsBefore: metrics, metricsAfter: metrics };
    const rounding = seededRandom(`rounding ${device}`)(32);
    const encoded = await encodeVector(primitives, layout, contribution, rounding, key);
    if (!encoded.ok) throw new Error(encoded.error.type);
    const { words } = encoded.value;
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (words[i] as number);
    for (let i = 0; i < D; i++) exact[i] = (exact[i] as number) + (update[i] as number) / N;
  }
  const decoded = decodeVector(layout, sum, N);
  if (!decoded.ok) throw new Error(decoded.error.type);
  const { coordinateSum, weightSum } = decoded.value;
  const mean = meanUpdate(layout, await updateSumOf(primitives, layout, coordinateSum, key), weightSum);
  let error = 0;
  let size = 0;
  for (let i = 0; i < D; i++) {
    error += ((mean[i] as number) - (exact[i] as number)) ** 2;
    size += (exact[i] as number) ** 2;
  }
  return Math.sqrt(error / size);
}

describe("[S23] the relative L2 error of a mean", () => {
  const updates = independentUpdates();

  // Stochastic rounding to whole steps has an error of step / sqrt(6) on average. Over n devices it shrinks to 1 /
  // sqrt(n) of that, and the mean of n independent updates of norm 1 has norm 1 / sqrt(n).
  const theory = (bound: number, quantizedMax: number) => (Math.sqrt(D / 6) * bound) / quantizedMax;
  const rotatedBound = Math.sqrt((2 * Math.log(2 ** 34)) / D);

  test.each([
    [16, false, 0.32, theory(1, 327)],
    [16, true, 0.0085, theory(rotatedBound, 327)],
    [32, false, 5e-6, theory(1, 21_474_836)],
    // The 1e-7 of section 7, with one more digit.
    [32, true, 1.3e-7, theory(rotatedBound, 21_474_836)],
  ] as const)("on %i bits, rotated: %s, is %d", async (ring, rotated, figure, expected) => {
    const error = await relativeError(updates, ring, rotated);
    expect(error / figure).toBeGreaterThan(0.95);
    expect(error / figure).toBeLessThan(1.05);
    expect(error / expected).toBeGreaterThan(0.98);
    expect(error / expected).toBeLessThan(1.02);
  });
});
