import { assert } from "../kernel/assert.ts";

/*
 * Sums of rounded updates in which every honest device adds its own discrete noise. The sum of n discrete Gaussians is not
 * quite a discrete Gaussian, and rounding makes updates longer; both bounds know this.
 */

/**
 * Upper bound on the L2 norm of a stochastically rounded vector, in rounding steps.
 *
 * @param scaledClip  c, the norm before rounding.
 * @param dimension   d, the number of coordinates.
 * @param beta        0: always holds, c + sqrt(d). Above 0: holds with probability at least 1 - beta; the rounding is drawn
 *                    again until it does.
 * Source: Kairouz, Liu and Steinke 2021, arXiv:2102.06387, proposition 26.
 */
export function roundedNormBound(scaledClip: number, dimension: number, beta: number): number {
  assert(scaledClip >= 0 && dimension >= 1 && beta >= 0 && beta < 1, "a clip, a dimension and a probability");
  const always = scaledClip + Math.sqrt(dimension);
  if (beta === 0) return always;
  // At beta = e^-1/2 the root is 1. It is set so, because logarithms differ between platforms.
  const spread = beta === BETA ? 1 : Math.sqrt(2 * Math.log(1 / beta));
  const likely = Math.sqrt(
    scaledClip ** 2 + dimension / 4 + spread * (scaledClip + Math.sqrt(dimension) / 2),
  );
  return Math.min(always, likely);
}

/** e^-1/2. */
export const BETA = Math.exp(-0.5);

/** A sum of integer vectors with noise from several devices, in integer units. */
export interface IntegerSum {
  /** D2: how far one device's vector may move the sum, as an L2 norm. */
  readonly sensitivityL2: number;
  /** sigma_int: standard deviation that each device adds to each coordinate. */
  readonly localSigma: number;
  /** n: noise shares that are certainly in the sum. Those of colluding devices do not count. */
  readonly shareCount: number;
  readonly dimension: number;
}

/** Upper bound on the L1 norm of an integer vector: sqrt(d) D2, and D2^2, since every integer is at most its square. */
function sensitivityL1({ sensitivityL2, dimension }: IntegerSum): number {
  return Math.min(Math.sqrt(dimension) * sensitivityL2, sensitivityL2 ** 2);
}

/**
 * r(a) of a sum with discrete Gaussian noise from n devices, for any order above 1.
 *
 * Source: Kairouz, Liu and Steinke 2021, arXiv:2102.06387, proposition 14 and corollary 12.
 */
export function discreteGaussianSumRenyi(sum: IntegerSum, order: number): number {
  const { localSigma, shareCount, dimension } = sum;
  assertSum(sum);
  if (sum.sensitivityL2 === 0) return 0;
  if (localSigma === 0 || shareCount === 0) return Number.POSITIVE_INFINITY;
  const sigma = Math.sqrt(shareCount) * localSigma;
  const l2 = sum.sensitivityL2 / sigma;
  const l1 = sensitivityL1(sum) / sigma;
  const tau = closureGap(localSigma, shareCount);
  const half = order / 2;
  return Math.min(
    half * l2 ** 2 + tau * dimension,
    half * (l2 ** 2 + 2 * l1 * tau + tau ** 2 * dimension),
    half * (l2 + Math.sqrt(dimension) * tau) ** 2,
  );
}

/** tau: how far the sum of n discrete Gaussians is from one. 1e-10 for sigma_int = 1.6, and far below from 4 on. */
function closureGap(localSigma: number, shareCount: number): number {
  let sum = 0;
  for (let k = 1; k < shareCount; k++) {
    const term = Math.exp((-2 * Math.PI ** 2 * localSigma ** 2 * k) / (k + 1));
    if (term === 0) break;
    sum += term;
  }
  return 10 * sum;
}

/**
 * r(a) of a sum with Skellam noise, for comparison with what others publish. `localSigma` is the root of the variance
 * that each device adds. Skellam noise is closed under addition.
 *
 * Source: Agarwal, Kairouz and Liu 2021, arXiv:2110.04995, theorem 3.
 */
export function skellamSumRenyi(sum: IntegerSum, order: number): number {
  assertSum(sum);
  if (sum.sensitivityL2 === 0) return 0;
  const variance = sum.shareCount * sum.localSigma ** 2;
  if (variance === 0) return Number.POSITIVE_INFINITY;
  const l1 = sensitivityL1(sum);
  const squared = sum.sensitivityL2 ** 2;
  const excess = Math.min(
    ((2 * order - 1) * squared + 6 * l1) / (4 * variance ** 2),
    (3 * l1) / (2 * variance),
  );
  return (order * squared) / (2 * variance) + excess;
}

function assertSum({ sensitivityL2, localSigma, shareCount, dimension }: IntegerSum): void {
  assert(sensitivityL2 >= 0 && localSigma >= 0, "sensitivity and noise are not negative");
  assert(Number.isSafeInteger(shareCount) && shareCount >= 0, "noise shares are counted");
  assert(Number.isSafeInteger(dimension) && dimension >= 1, "a sum has coordinates");
}
