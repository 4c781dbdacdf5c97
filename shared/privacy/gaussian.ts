import { assert } from "../kernel/assert.ts";
import { lnNormalTail, normalTail } from "./normal.ts";
import { increasingRoot } from "./search.ts";

/*
 * The Gaussian mechanism without sampling, exactly. T rounds of it are one round with sigma / sqrt(T).
 * Source: Balle and Wang 2018, arXiv:1805.06530, theorem 8.
 */

/**
 * The smallest delta for `epsilon`.
 *
 * @param sigma  Noise over sensitivity, at least 0.
 */
export function gaussianDelta(sigma: number, epsilon: number): number {
  assert(sigma >= 0, "a noise multiplier is not negative");
  if (sigma === 0) return 1;
  if (sigma === Number.POSITIVE_INFINITY) return 0;
  const first = normalTail(epsilon * sigma - 1 / (2 * sigma));
  const second = Math.exp(epsilon + lnNormalTail(epsilon * sigma + 1 / (2 * sigma)));
  return Math.max(0, first - second);
}

/** The smallest epsilon for `delta`, at least 0. Infinity for sigma = 0 unless delta is 1. */
export function gaussianEpsilon(sigma: number, delta: number): number {
  assert(delta > 0 && delta <= 1, "delta is above 0 and at most 1");
  if (gaussianDelta(sigma, 0) <= delta) return 0;
  if (sigma === 0) return Number.POSITIVE_INFINITY;
  return increasingRoot((epsilon) => delta - gaussianDelta(sigma, epsilon), 0);
}

/** The smallest sigma that gives (epsilon, delta). @param epsilon  Above 0. @param delta  Above 0 and below 1. */
export function gaussianSigma(epsilon: number, delta: number): number {
  assert(epsilon > 0 && delta > 0 && delta < 1, "epsilon and delta are above 0, and delta is below 1");
  return Math.exp(
    increasingRoot((lnSigma) => delta - gaussianDelta(Math.exp(lnSigma), epsilon), Math.log(1e-3)),
  );
}
