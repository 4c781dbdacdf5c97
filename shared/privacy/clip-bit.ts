import { assert } from "../kernel/assert.ts";
import { err, ok, type Result } from "../kernel/result.ts";

/*
 * Adaptive clipping: the clip follows a quantile of the updates' norms. Each device says with one bit whether its norm is
 * at most the clip, and the bits are summed and noised like the update.
 * Source: Andrew, Thakkar, McMahan and Ramaswamy 2021, arXiv:1905.03871.
 */

/** What a device adds for its bit: b - 1/2, so the sensitivity is 1/2. */
export const BIT_SENSITIVITY = 0.5;
/** Exponent of one step at a distance of 1 from the quantile. */
const LEARNING_RATE = 0.2;

/** sigma_b: standard deviation of the noise on the summed bits of `count` devices. */
export function bitSigma(count: number): number {
  return count / 20;
}

/**
 * Noise multiplier of the update that leaves both sums together at `noiseMultiplier` z: (z^-2 - (2 sigma_b)^-2)^(-1/2).
 *
 * Errors: `cohort-too-small` if the bits alone use up z, with the least number of devices. Source: theorem 1 there.
 */
export function updateNoiseMultiplier(
  noiseMultiplier: number,
  sigmaOfBits: number,
): Result<number, { readonly type: "cohort-too-small"; readonly countMin: number }> {
  assert(noiseMultiplier > 0 && sigmaOfBits > 0, "both sums have noise");
  const left = noiseMultiplier ** -2 - (2 * sigmaOfBits) ** -2;
  // bitSigma(n) > z/2.
  if (!(left > 0)) return err({ type: "cohort-too-small", countMin: Math.floor(10 * noiseMultiplier) + 1 });
  return ok(left ** -0.5);
}

/** The noisy share of devices whose norm is at most the clip. @param bitSum  Sum of b - 1/2. @param expectedCount  The public constant. */
export function shareWithin(bitSum: number, expectedCount: number): number {
  return bitSum / expectedCount + 0.5;
}

/** Bounds that a task's configuration fixes, in the unit of the weights. */
export interface ClipBounds {
  readonly min: number;
  readonly max: number;
}

/**
 * The next round's clip: C e^{-0.2 (share - quantile)}, within the bounds. If more devices than wanted are within the clip,
 * it shrinks.
 *
 * @param share  From `shareWithin`; noise may have moved it out of [0, 1].
 */
export function nextClip(clipNormL2: number, share: number, quantile: number, bounds: ClipBounds): number {
  assert(clipNormL2 > 0 && Number.isFinite(share), "a clip is positive and a share finite");
  assert(quantile > 0 && quantile < 1, "a quantile is between 0 and 1");
  assert(bounds.min > 0 && bounds.min <= bounds.max, "the bounds of a clip are positive and in order");
  const moved = clipNormL2 * Math.exp(-LEARNING_RATE * (share - quantile));
  return Math.min(bounds.max, Math.max(bounds.min, moved));
}
