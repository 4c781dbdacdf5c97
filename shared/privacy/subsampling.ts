import { assert } from "../kernel/assert.ts";
import { lnChoose, lnExpm1, lnOnePlusExp, logSumExp } from "./log-space.ts";
import type { RenyiBound } from "./renyi.ts";

/* Amplification by sampling, of mechanisms that have a Renyi bound. Only whole orders have one. */

/**
 * r(a) over a Poisson sample, never more than without sampling. Neighbours differ by one participant added or removed.
 *
 * @param q      Each participant joins with this probability, by its own secret coin.
 * @param renyi  Of one round without sampling, non-decreasing in the order.
 * @returns Infinity at fractional orders.
 * Source: Zhu and Wang 2019, theorem 5. The factor 3 is needed unless the mechanism is Gaussian.
 */
export function poissonSampledRenyi(q: number, renyi: RenyiBound, order: number): number {
  assert(q >= 0 && q <= 1, "a sampling probability is between 0 and 1");
  if (q === 0) return 0;
  if (q === 1) return renyi(order);
  if (!Number.isInteger(order)) return Number.POSITIVE_INFINITY;
  const lnIn = Math.log(q);
  const lnOut = Math.log1p(-q);
  const terms = new Float64Array(order);
  terms[0] = (order - 1) * lnOut + Math.log1p((order - 1) * q);
  for (let j = 2; j <= order; j++) {
    const lnFactor = j === 2 ? 0 : Math.log(3);
    terms[j - 1] = lnFactor + lnChoose(order, j) + j * lnIn + (order - j) * lnOut + (j - 1) * renyi(j);
  }
  return Math.min(renyi(order), Math.max(0, logSumExp(terms)) / (order - 1));
}

/**
 * r(a) of the Gaussian mechanism over a sample of fixed size. Neighbours differ by one participant replaced, which doubles
 * the sensitivity: r(j) = 2j/sigma^2 without sampling.
 *
 * @param q  Sample over population.
 * @returns Infinity at fractional orders.
 * Source: Wang, Balle and Kasiviswanathan 2019, arXiv:1808.00087, theorem 9.
 */
export function fixedSizeSampledRenyi(q: number, sigma: number, order: number): number {
  assert(q >= 0 && q <= 1, "a sample is a share of its population");
  assert(sigma >= 0, "a noise multiplier is not negative");
  if (q === 0 || sigma === Number.POSITIVE_INFINITY) return 0;
  if (sigma === 0) return Number.POSITIVE_INFINITY;
  const unsampled = (j: number) => (2 * j) / (sigma * sigma);
  if (q === 1) return unsampled(order);
  if (!Number.isInteger(order)) return Number.POSITIVE_INFINITY;
  const lnShare = Math.log(q);
  const terms = new Float64Array(order - 1);
  const second = Math.min(Math.log(4) + lnExpm1(unsampled(2)), Math.LN2 + unsampled(2));
  terms[0] = 2 * lnShare + lnChoose(order, 2) + second;
  for (let j = 3; j <= order; j++) {
    terms[j - 2] = Math.LN2 + j * lnShare + lnChoose(order, j) + (j - 1) * unsampled(j);
  }
  return Math.min(unsampled(order), lnOnePlusExp(logSumExp(terms)) / (order - 1));
}
