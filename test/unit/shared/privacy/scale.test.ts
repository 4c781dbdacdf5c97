import { describe, expect, test } from "vitest";
import {
  BIT_SENSITIVITY,
  bitSigma,
  nextClip,
  shareWithin,
  updateNoiseMultiplier,
} from "#shared/privacy/clip-bit.ts";
import { unsampledEpsilon } from "#shared/privacy/figures.ts";
import { BETA, roundedNormBound } from "#shared/privacy/integer-sum.ts";
import { integerSumOf, type NoiseTerms, noiseRefusalSentence, planNoise } from "#shared/privacy/scale.ts";
import { zcdpEpsilon, zcdpRho } from "#shared/privacy/zcdp.ts";

const TERMS: NoiseTerms = { dimension: 650, noiseMultiplier: 1, shareCount: 11, cohortSizeMax: 28 };

function planned(terms: NoiseTerms) {
  const plan = planNoise(terms);
  if (!plan.ok) throw new Error(noiseRefusalSentence(plan.error));
  return plan.value;
}

describe("steps and noise", () => {
  test("[P11] every plan fits the ring, has enough steps, and covers the sensitivity after rounding", () => {
    let count = 0;
    for (const dimension of [1, 16, 650, 65_536, 2 ** 20, 2 ** 24]) {
      for (const noiseMultiplier of [0.01, 0.5, 1, 4]) {
        for (const [shareCount, cohortSizeMax] of [
          [1, 3],
          [11, 28],
          [70, 128],
          [700, 1000],
        ] as const) {
          const plan = planned({ dimension, noiseMultiplier, shareCount, cohortSizeMax });
          const bound = roundedNormBound(plan.clipSteps, dimension, BETA);
          expect(cohortSizeMax * (plan.clipSteps + 1 + plan.noiseMax)).toBeLessThan(2 ** 31);
          expect(bound / plan.clipSteps).toBeLessThan(1.02);
          expect(plan.squaredNormMax).toBe(Math.floor(bound * bound));
          expect(plan.variance).toBeGreaterThanOrEqual(16);
          expect(plan.noiseMax).toBeGreaterThanOrEqual(13.2 * Math.sqrt(plan.variance));
          // The shares that are certainly there give the noise multiplier of the whole sum.
          expect(shareCount * plan.variance).toBeGreaterThanOrEqual(
            noiseMultiplier ** 2 * plan.squaredNormMax,
          );
          expect(Number.isInteger(plan.variance) && Number.isInteger(plan.clipSteps)).toBe(true);
          count++;
        }
      }
    }
    expect(count).toBe(96);
  });

  test("[P11] the plan costs what its noise multiplier costs, and never more", () => {
    const plan = planned(TERMS);
    const event = { type: "discrete-gaussian-sum", ...integerSumOf(plan, 650, 11) } as const;
    const epsilon = unsampledEpsilon(event, 40, 1e-5);
    const continuous = zcdpEpsilon(40 * zcdpRho(1, 1), 1e-5);
    expect(epsilon).toBeLessThanOrEqual(continuous);
    expect(epsilon).toBeGreaterThan(0.999 * continuous);
  });

  test("[P11] a cohort that overflows the ring is refused with one that does not", () => {
    for (const terms of [
      { ...TERMS, dimension: 2 ** 20, noiseMultiplier: 10, shareCount: 2, cohortSizeMax: 10_000 },
      { ...TERMS, cohortSizeMax: 50_000_000 },
      { ...TERMS, noiseMultiplier: 0.001, cohortSizeMax: 3_000_000 },
    ]) {
      const refused = planNoise(terms);
      if (refused.ok || refused.error.type === "too-much-noise")
        throw new Error("not refused for its cohort");
      const { cohortSizeMax } = refused.error;
      expect(cohortSizeMax).toBeLessThan(terms.cohortSizeMax);
      expect(noiseRefusalSentence(refused.error)).toContain(`at most ${cohortSizeMax}`);
      expect(planNoise({ ...terms, cohortSizeMax }).ok).toBe(true);
    }
  });

  test("[P11] more noise than can be drawn is refused with the most that can", () => {
    const terms = { ...TERMS, dimension: 2 ** 20, noiseMultiplier: 60, shareCount: 2, cohortSizeMax: 10 };
    const refused = planNoise(terms);
    if (refused.ok || refused.error.type !== "too-much-noise") throw new Error("not refused for its noise");
    const { noiseMultiplierMax } = refused.error;
    expect(noiseRefusalSentence(refused.error)).toContain(`at most ${noiseMultiplierMax}`);
    expect(planNoise({ ...terms, noiseMultiplier: noiseMultiplierMax }).ok).toBe(true);
  });
});

describe("adaptive clip", () => {
  const bounds = { min: 1e-3, max: 1e3 };
  /** Norms from 0.02 to 2: their median is 1.01. */
  const norms = Array.from({ length: 100 }, (_, i) => 0.02 * (i + 1));

  function settled(start: number, rounds: number, quantile = 0.5): number {
    let clip = start;
    for (let round = 0; round < rounds; round++) {
      const sum = norms.reduce((total, norm) => total + (norm <= clip ? 0.5 : -0.5), 0);
      clip = nextClip(clip, shareWithin(sum, norms.length), quantile, bounds);
    }
    return clip;
  }

  test("[P14] it goes to the quantile from below and from above", () => {
    for (const quantile of [0.2, 0.5, 0.8]) {
      for (const start of [0.01, 100]) {
        expect(Math.abs(settled(start, 300, quantile) - 2 * quantile)).toBeLessThan(0.05);
      }
    }
    expect(settled(0.01, 1)).toBeGreaterThan(0.01);
    expect(settled(100, 1)).toBeLessThan(100);
  });

  test("[P14] with the sign flipped it would run away from either side (positive control)", () => {
    for (const start of [0.5, 2]) {
      let clip = start;
      for (let round = 0; round < 300; round++) {
        const share = norms.filter((norm) => norm <= clip).length / norms.length;
        clip = nextClip(clip, 1 - share, 0.5, bounds);
      }
      expect([bounds.min, bounds.max]).toContain(clip);
    }
  });

  test("[P14] it stays within its bounds, also under noise that moves the share out of range", () => {
    expect(nextClip(1, -50, 0.5, { min: 0.5, max: 2 })).toBe(2);
    expect(nextClip(1, 50, 0.5, { min: 0.5, max: 2 })).toBe(0.5);
    expect(() => nextClip(0, 0.5, 0.5, bounds)).toThrow("positive");
    expect(() => nextClip(1, Number.NaN, 0.5, bounds)).toThrow("finite");
  });

  test("[P14] bit and update together cost what the noise multiplier says", () => {
    for (const [z, count] of [
      [1, 100],
      [0.5, 20],
      [3, 200],
    ] as const) {
      const split = updateNoiseMultiplier(z, bitSigma(count));
      if (!split.ok) throw new Error("too small");
      const rho = zcdpRho(1, split.value) + zcdpRho(BIT_SENSITIVITY, bitSigma(count));
      expect(rho).toBeCloseTo(zcdpRho(1, z), 12);
      expect(split.value).toBeGreaterThan(z);
    }
  });

  test("[P14] a cohort too small for the bits is refused with the size that works", () => {
    for (const z of [0.5, 1, 2.55]) {
      const refused = updateNoiseMultiplier(z, bitSigma(Math.floor(10 * z)));
      if (refused.ok) throw new Error("not refused");
      expect(updateNoiseMultiplier(z, bitSigma(refused.error.countMin)).ok).toBe(true);
      expect(updateNoiseMultiplier(z, bitSigma(refused.error.countMin - 1)).ok).toBe(false);
    }
  });
});
