import { describe, expect, test } from "vitest";
import { javascriptPrimitives } from "#shared/crypto/primitives-javascript.ts";
import type { RandomBytes } from "#shared/kernel/ports.ts";
import { decodeSum } from "#shared/vector/decode.ts";
import { encodeContribution } from "#shared/vector/encode.ts";
import { layoutData, placeOf, vectorLayout } from "#shared/vector/layout.ts";
import { meanDivisor } from "#shared/vector/mean.ts";
import { noiseCode } from "#shared/vector/noise-code.ts";
import type { LayoutTerms } from "#shared/vector/segment.ts";
import { update } from "#shared/vector/segments/update.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";

const primitives = javascriptPrimitives();
const TERMS: LayoutTerms = { parameterCount: 40, cohortSizeMax: 5, clipNormL2: 2, weightCap: 1 };
const NOISY: LayoutTerms = { ...TERMS, noise: { code: noiseCode, noiseMultiplier: 1, shareCount: 3 } };
const layout = vectorLayout(NOISY);
const place = placeOf(layout, update);
const noise = place.noise ?? { kind: "discrete-gaussian", variance: 0, max: 0, squaredNormMax: 0 };
const NO_METRICS = { count: 0, lossSum: 0, correct: 0 };

/** Without noise of its own: the smallest draws are 0. */
const silent: RandomBytes = (byteCount) => new Uint8Array(byteCount);

async function encode(
  delta: Float32Array,
  { seed = "seed", random = seededRandom(seed) as RandomBytes, numExamples = 7 } = {},
) {
  const encoded = await encodeContribution(
    layout,
    { update: delta, numExamples, metricsBefore: NO_METRICS, metricsAfter: NO_METRICS },
    { primitives, roundingKey: seededRandom(`rounding ${seed}`)(32), random, noiseCode },
  );
  if (!encoded.ok) throw new Error(encoded.error.type);
  const { words, kept } = encoded.value;
  return { words, numbers: new Int32Array(words.buffer, 0, place.length), kept: kept(update) };
}

const squared = (numbers: Int32Array) => numbers.reduce((sum, value) => sum + value * value, 0);
const ramp = (factor: number) => Float32Array.from({ length: 40 }, (_, i) => factor * (i - 20));

describe("an update with noise", () => {
  test("[P10] whole numbers before the noise are within the sensitivity, whatever comes in", async () => {
    for (const delta of [ramp(0), ramp(0.001), ramp(1), ramp(1e30), ramp(1).fill(2 / Math.sqrt(40))]) {
      for (let seed = 0; seed < 20; seed++) {
        const { numbers } = await encode(delta, { seed: `${seed}`, random: silent });
        expect(squared(numbers)).toBeLessThanOrEqual(noise.squaredNormMax);
      }
    }
  });

  test("[P10] a rounding that is too long is drawn again, with fresh randomness", async () => {
    // As long as the clip allows and between two steps everywhere, so the rounding decides.
    const delta = new Float32Array(40).fill(2 / Math.sqrt(40));
    const asked: number[] = [];
    let again = 0;
    for (let seed = 0; seed < 150; seed++) {
      const source = seededRandom(`again ${seed}`);
      const before = asked.length;
      const { numbers } = await encode(delta, {
        seed: `${seed}`,
        random: (byteCount) => {
          asked.push(byteCount);
          return byteCount === 32 ? source(byteCount) : new Uint8Array(byteCount);
        },
      });
      expect(squared(numbers)).toBeLessThanOrEqual(noise.squaredNormMax);
      if (asked.length - before > 1) again++;
    }
    expect(again).toBeGreaterThan(0);
    expect(again).toBeLessThan(150);
  });

  test("[P10] an update that is not finite is sent as zeros with noise, and counted", async () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const delta = ramp(1e6);
      delta[3] = bad;
      const { numbers, kept } = await encode(delta, { random: silent });
      expect([...numbers]).toEqual(Array(40).fill(0));
      expect(kept).toEqual({ clippedUpdate: new Float32Array(40), normL2Before: 0, zeroed: true });
      const zero = await encode(new Float32Array(40));
      expect((await encode(delta)).words).toEqual(zero.words);
    }
    expect((await encode(ramp(1))).kept.zeroed).toBe(false);
  });

  test("[P10] rows do not weigh: a device with more moves the sum no further", async () => {
    const few = await encode(ramp(1), { numExamples: 1, random: silent });
    const many = await encode(ramp(1), { numExamples: 1_000_000, random: silent });
    expect(many.words).toEqual(few.words);
    expect(() => vectorLayout({ ...NOISY, weightCap: 10 })).toThrow("weights are 1");
  });

  test("[P13] noise comes from the device's own randomness, fresh for each encoding, or not at all", async () => {
    const one = await encode(ramp(1), { seed: "a" });
    expect((await encode(ramp(1), { seed: "a" })).words).toEqual(one.words);
    const source = seededRandom("kept");
    const first = await encode(ramp(1), { random: source });
    const second = await encode(ramp(1), { random: source });
    expect(second.words).not.toEqual(first.words);
    const contribution = {
      update: ramp(1),
      numExamples: 1,
      metricsBefore: NO_METRICS,
      metricsAfter: NO_METRICS,
    };
    await expect(
      encodeContribution(layout, contribution, { primitives, roundingKey: new Uint8Array(32), noiseCode }),
    ).rejects.toThrow("randomness for noise");
  });

  test("[P13] three shares have the variance of the noise multiplier", async () => {
    let [sum, count] = [0, 0];
    const source = seededRandom("variance");
    for (let run = 0; run < 600; run++) {
      const parts = await Promise.all([1, 2, 3].map(() => encode(new Float32Array(40), { random: source })));
      for (let i = 0; i < 40; i++) {
        sum += parts.reduce((total, { numbers }) => total + (numbers[i] as number), 0) ** 2;
        count++;
      }
    }
    const ratio = sum / count / noise.squaredNormMax;
    expect(Math.abs(ratio - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
  });

  test("[P15] a mean with noise is divided by the expected cohort, one without by the weights", () => {
    expect(meanDivisor(layout, 3, 20)).toBe(20);
    expect(meanDivisor(vectorLayout(TERMS), 3, 20)).toBe(3);
  });

  test("[P16] decoding takes sums that noise makes larger, up to the largest draws, and none beyond", () => {
    const most = place.clip.quantizedMax + noise.max;
    const words = new Uint32Array(layout.length);
    const sum = new Int32Array(words.buffer);
    sum.fill(2, layout.length - 5);
    sum[0] = -2 * most;
    expect(decodeSum(layout, words, 2).ok).toBe(true);
    sum[0] = -2 * most - 1;
    expect(decodeSum(layout, words, 2)).toEqual({
      ok: false,
      error: { type: "range", segment: "update", index: 0, value: -2 * most - 1 },
    });
  });

  test("[P16] exact metrics are not released beside it, and devices agree to the noise", () => {
    expect(layout.segments.map(({ name }) => name)).toEqual(["update", "weight", "sentinels"]);
    expect(JSON.stringify(layoutData(layout))).toContain(`"variance":${noise.variance}`);
    const other = vectorLayout({ ...NOISY, noise: { code: noiseCode, noiseMultiplier: 2, shareCount: 3 } });
    expect(layoutData(other)).not.toEqual(layoutData(layout));
    expect(layoutData(vectorLayout(TERMS))).toMatchObject({ segments: [{ noise: null }, {}, {}, {}] });
    expect(() => vectorLayout({ ...NOISY, ring: 16 })).toThrow("32-bit");
    expect(() => vectorLayout({ ...NOISY, cohortSizeMax: 100_000_000 })).toThrow(
      "Set cohortSizeMax to at most",
    );
  });
});
