import { assert } from "../kernel/assert.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { BETA, type IntegerSum, roundedNormBound } from "./integer-sum.ts";

/*
 * From a clip and a noise multiplier to integers: how many steps the clip has, and the variance of each device's discrete
 * noise. Both are computed, never configured: with too few steps, rounding inflates the sensitivity and silently destroys
 * the privacy. All devices hash the result, so it uses only operations that are exact in IEEE 754 (no logarithm, no power).
 */

/** No draw of the noise exceeds this many sigmas: what is beyond has a probability below 2^-128. */
export const NOISE_SIGMAS = 13.2;
/** Below it the sum of discrete Gaussians differs from one by more than 1e-130. */
const LOCAL_SIGMA_MIN = 4;
/** Beyond it the table of the noise takes more than 30 MB and a second. */
const LOCAL_SIGMA_MAX = 2 ** 16;
/** Refused above: rounding may raise the sensitivity by 2 %. */
const INFLATION_MAX = 1.02;
/** Aimed at: c = 5 sqrt(d) + 100 steps raise it by 0.6 %. */
const stepsWanted = (dimension: number) => 5 * Math.sqrt(dimension) + 100;
/** With these it is below 2 %, for every d. */
const stepsNeeded = (dimension: number) => 2.6 * Math.sqrt(dimension) + 26;
/** Sums of squares must stay exact. */
const NORM_MAX = 2 ** 26;
const RING_SUM_MAX = 2 ** 31;

export interface NoisePlan {
  /** c = s C: steps that stand for the clip. A whole number. */
  readonly clipSteps: number;
  /** Largest sum of squares of a rounded update, exact. Its root is the sensitivity. */
  readonly squaredNormMax: number;
  /** sigma_int^2 of each device's noise, a whole number. */
  readonly variance: number;
  /** Largest absolute value of one draw. */
  readonly noiseMax: number;
}

export interface NoiseTerms {
  readonly dimension: number;
  /** z: noise on a sum with exactly `shareCount` shares, over the clip. */
  readonly noiseMultiplier: number;
  /** tNoise: the fewest honest noise shares that an opened sum can hold. */
  readonly shareCount: number;
  /** Devices in one sum, at most. */
  readonly cohortSizeMax: number;
}

/**
 * The plan for an update.
 *
 * Each device adds the variance (z D)^2 / tNoise, rounded up, D being the sensitivity with rounding. So the ledger charges z.
 *
 * Errors: `overflow` if steps and noise do not fit the ring, with the largest cohort or noise that does; `inflation` if so
 * few steps fit that rounding would raise the sensitivity by more than 2 %, likewise; `too-much-noise` with the largest
 * noise multiplier.
 */
export function planNoise(terms: NoiseTerms): Result<NoisePlan, NoiseRefusal> {
  const { dimension, noiseMultiplier, shareCount, cohortSizeMax } = terms;
  assert(
    isCount(dimension) && isCount(shareCount) && isCount(cohortSizeMax),
    "counts are whole and positive",
  );
  assert(noiseMultiplier > 0 && Number.isFinite(noiseMultiplier), "a noise multiplier is positive");
  const needed = stepsNeeded(dimension);
  const perStep = noiseMultiplier / Math.sqrt(shareCount);
  if (perStep * needed > LOCAL_SIGMA_MAX) {
    const most = (LOCAL_SIGMA_MAX * Math.sqrt(shareCount)) / needed;
    return err({ type: "too-much-noise", noiseMultiplierMax: floorTo3(most) });
  }
  const wanted = Math.max(stepsWanted(dimension), LOCAL_SIGMA_MIN / perStep);
  const most = Math.min(LOCAL_SIGMA_MAX / perStep, NORM_MAX / 2, ringSteps(terms));
  const clipSteps = Math.floor(Math.min(Math.ceil(wanted), most));
  if (clipSteps < 1) return err({ type: "overflow", cohortSizeMax: cohortThatFits(terms, wanted) });
  if (inflation(clipSteps, dimension) > INFLATION_MAX) {
    return err({ type: "inflation", cohortSizeMax: cohortThatFits(terms, needed) });
  }
  const plan = planWith(clipSteps, terms);
  if (plan.variance < LOCAL_SIGMA_MIN ** 2) {
    return err({ type: "overflow", cohortSizeMax: cohortThatFits(terms, LOCAL_SIGMA_MIN / perStep) });
  }
  assert(cohortSizeMax * (clipSteps + 1 + plan.noiseMax) < RING_SUM_MAX, "a noisy sum fits the ring");
  return ok(plan);
}

export type NoiseRefusal =
  | { readonly type: "overflow" | "inflation"; readonly cohortSizeMax: number }
  | { readonly type: "too-much-noise"; readonly noiseMultiplierMax: number };

/** A sentence that says what to change. */
export function noiseRefusalSentence(refusal: NoiseRefusal): string {
  switch (refusal.type) {
    case "overflow":
      return `A sum of updates with this noise does not fit the 32-bit ring. Set cohortSizeMax to at most ${refusal.cohortSizeMax}, or use less noise.`;
    case "inflation":
      return `The 32-bit ring leaves so few steps that rounding would raise the sensitivity by more than 2 %. Set cohortSizeMax to at most ${refusal.cohortSizeMax}, or use less noise.`;
    case "too-much-noise":
      return `This is more noise than a device can draw for so few noise shares. Set noiseMultiplier to at most ${refusal.noiseMultiplierMax}, or have more devices in a round.`;
  }
}

/** What an accountant takes for a sum under this plan. */
export function integerSumOf(plan: NoisePlan, dimension: number, shareCount: number): IntegerSum {
  const { squaredNormMax, variance } = plan;
  return {
    sensitivityL2: Math.sqrt(squaredNormMax),
    localSigma: Math.sqrt(variance),
    shareCount,
    dimension,
  };
}

function planWith(clipSteps: number, { dimension, noiseMultiplier, shareCount }: NoiseTerms): NoisePlan {
  const bound = roundedNormBound(clipSteps, dimension, BETA);
  const squaredNormMax = Math.floor(bound * bound);
  assert(squaredNormMax < 2 ** 53, "a sum of squares is exact");
  const variance = Math.ceil((noiseMultiplier * noiseMultiplier * squaredNormMax) / shareCount);
  return { clipSteps, squaredNormMax, variance, noiseMax: noiseMaxOf(variance) };
}

/** The largest absolute value of a draw with this variance. */
export function noiseMaxOf(variance: number): number {
  return Math.ceil(NOISE_SIGMAS * Math.sqrt(variance));
}

function inflation(clipSteps: number, dimension: number): number {
  return roundedNormBound(clipSteps, dimension, BETA) / clipSteps;
}

/** The most steps c with n (c + 1 + 13.2 sigma_int + 1) < 2^31, sigma_int being at most 1.02 c z / sqrt(tNoise) + 1. */
function ringSteps({ noiseMultiplier, shareCount, cohortSizeMax }: NoiseTerms): number {
  const perStep = noiseMultiplier / Math.sqrt(shareCount);
  const fixed = 3 + NOISE_SIGMAS;
  return (RING_SUM_MAX / cohortSizeMax - fixed) / (1 + NOISE_SIGMAS * INFLATION_MAX * perStep);
}

/** The largest cohort for which `steps` fit. */
function cohortThatFits({ noiseMultiplier, shareCount }: NoiseTerms, steps: number): number {
  const perStep = noiseMultiplier / Math.sqrt(shareCount);
  const each = Math.ceil(steps + 1) * (1 + NOISE_SIGMAS * INFLATION_MAX * perStep) + 3 + NOISE_SIGMAS;
  return Math.floor((RING_SUM_MAX - 1) / each);
}

function floorTo3(value: number): number {
  return Math.floor(value * 1000) / 1000;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

/**
 * The scale for a rotated update on a ring of `bits`, with which a sum stays within `sigmas` standard deviations of the
 * ring: a coordinate then wraps with the small probability of that. Only for 16 bits; the 32-bit plan never wraps.
 *
 * @param localSigma  Standard deviation of each device's noise, in the unit of the clip.
 * Source: Kairouz, Liu and Steinke 2021, arXiv:2102.06387, section 4.
 */
export function rotatedScale(
  bits: number,
  sigmas: number,
  { clipNormL2, localSigma, count, dimension }: RotatedTerms,
): number {
  const room = 2 ** (2 * bits) - count * sigmas ** 2;
  assert(room > 0, "the ring holds the rounding of a cohort");
  const spread = (count ** 2 * clipNormL2 ** 2) / dimension + count * localSigma ** 2;
  return Math.sqrt(room / (4 * sigmas ** 2 * spread));
}

interface RotatedTerms {
  readonly clipNormL2: number;
  readonly localSigma: number;
  readonly count: number;
  readonly dimension: number;
}
