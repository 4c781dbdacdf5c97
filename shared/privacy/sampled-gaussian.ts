import { assert } from "../kernel/assert.ts";
import { lnChoose, lnExpm1, lnOnePlusExp, logSumExp } from "./log-space.ts";

/*
 * RDP of the Gaussian mechanism over a Poisson sample: each participant joins with probability q by its own coin, and the
 * sum of the sample gets noise with standard deviation sigma times the sensitivity. With x ~ N(0, sigma^2) and
 * f(x) = 1 - q + q e^{(2x - 1)/(2 sigma^2)}, r(a) = ln E[f^a] / (a - 1).
 *
 * E[f] = 1, so E[f^a] - 1 = E[f^a - 1 - a (f - 1)], whose integrand is nowhere negative. Its sums do not cancel, and r(a)
 * keeps its relative accuracy however small it is.
 * Source: Mironov, Talwar and Zhang 2019, arXiv:1908.10530. Neither of the published series is used for fractional orders:
 * one drops signs and is loose, the other does not always converge.
 */

/**
 * r(a) for each order.
 *
 * @param q      Sampling probability, 0 to 1.
 * @param sigma  Noise multiplier, at least 0. With 0 and q > 0 nothing is protected: Infinity.
 * @param orders Each above 1.
 */
export function sampledGaussianRenyi(
  q: number,
  sigma: number,
  orders: readonly number[],
): Float64Array<ArrayBuffer> {
  assert(q >= 0 && q <= 1, "a sampling probability is between 0 and 1");
  assert(sigma >= 0, "a noise multiplier is not negative");
  const renyi = new Float64Array(orders.length);
  if (q === 0 || sigma === Number.POSITIVE_INFINITY) return renyi;
  if (sigma === 0) return renyi.fill(Number.POSITIVE_INFINITY);
  const fractional = orders.filter((order) => !Number.isInteger(order));
  const grid = q === 1 || fractional.length === 0 ? null : integrationGrid(q, sigma, Math.max(...fractional));
  for (const [index, order] of orders.entries()) {
    assert(order > 1, "an order is above 1");
    if (q === 1) renyi[index] = order / (2 * sigma * sigma);
    else if (Number.isInteger(order)) renyi[index] = lnMomentByBinomials(q, sigma, order) / (order - 1);
    else if (grid !== null) renyi[index] = lnMomentByIntegration(grid, order) / (order - 1);
  }
  return renyi;
}

/**
 * ln E[f^a] for an integer order: ln(1 + sum over k >= 2 of C(a,k) q^k (1-q)^(a-k) (e^{k(k-1)/(2 sigma^2)} - 1)). The
 * terms are those of the binomial theorem, and all are positive.
 */
function lnMomentByBinomials(q: number, sigma: number, order: number): number {
  const lnIn = Math.log(q);
  const lnOut = Math.log1p(-q);
  const terms = new Float64Array(order - 1);
  for (let k = 2; k <= order; k++) {
    const growth = lnExpm1((k * (k - 1)) / (2 * sigma * sigma));
    terms[k - 2] = lnChoose(order, k) + k * lnIn + (order - k) * lnOut + growth;
  }
  return lnOnePlusExp(logSumExp(terms));
}

/** Nodes of the trapezoid rule, shared by all fractional orders of one setting. */
interface IntegrationGrid {
  /** f - 1 at each node. Infinity where it exceeds a double. */
  readonly excess: Float64Array;
  /** ln f at each node. */
  readonly lnRatio: Float64Array;
  /** ln of the density times the step, at each node. */
  readonly lnWeight: Float64Array;
}

/** Below this, f^a - 1 - a (f - 1) is taken from its series, because the difference would cancel. */
const SERIES_MAX = 1e-3;
/** Above this exponent the 1 in E[f^a] = 1 + ... has no weight, and the integral is taken in log space. */
const PLAIN_EXPONENT_MAX = 600;

/** Step min(sigma/10, sigma^2/2.2) on [-13 sigma, a + 13 sigma]: the error of the rule is below 1e-10 of the integral. */
function integrationGrid(q: number, sigma: number, orderMax: number): IntegrationGrid {
  const step = Math.min(sigma / 10, (sigma * sigma) / 2.2);
  const count = Math.ceil((orderMax + 26 * sigma) / step) + 1;
  const excess = new Float64Array(count);
  const lnRatio = new Float64Array(count);
  const lnWeight = new Float64Array(count);
  const variance = sigma * sigma;
  const lnScale = Math.log(step / (sigma * Math.sqrt(2 * Math.PI)));
  const lnIn = Math.log(q);
  for (let i = 0; i < count; i++) {
    const x = -13 * sigma + i * step;
    const loss = (2 * x - 1) / (2 * variance);
    excess[i] = q * Math.expm1(loss);
    lnRatio[i] = loss > PLAIN_EXPONENT_MAX ? lnIn + loss : Math.log1p(excess[i]!); // hot loop
    lnWeight[i] = lnScale - (x * x) / (2 * variance);
  }
  return { excess, lnRatio, lnWeight };
}

function lnMomentByIntegration({ excess, lnRatio, lnWeight }: IntegrationGrid, order: number): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < lnRatio.length; i++) {
    const exponent = order * lnRatio[i]! + lnWeight[i]!; // hot loop
    if (exponent > max) max = exponent;
  }
  if (max > PLAIN_EXPONENT_MAX) {
    let sum = 0;
    for (let i = 0; i < lnRatio.length; i++) sum += Math.exp(order * lnRatio[i]! + lnWeight[i]! - max); // hot loop
    return max + Math.log(sum);
  }
  let sum = 0;
  const second = (order * (order - 1)) / 2;
  for (let i = 0; i < lnRatio.length; i++) {
    const u = excess[i]!; // hot loop
    if (Math.abs(u) * order < SERIES_MAX) {
      const series = 1 + ((order - 2) / 3) * u * (1 + ((order - 3) / 4) * u * (1 + ((order - 4) / 5) * u));
      sum += second * u * u * series * Math.exp(lnWeight[i]!);
    } else {
      const weight = Math.exp(lnWeight[i]!);
      const linear = u === Number.POSITIVE_INFINITY ? 0 : weight * (1 + order * u);
      sum += Math.exp(order * lnRatio[i]! + lnWeight[i]!) - linear;
    }
  }
  return Math.log1p(sum);
}
