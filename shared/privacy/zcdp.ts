import { assert } from "../kernel/assert.ts";
import { valleyMin } from "./search.ts";

/*
 * Zero-concentrated differential privacy: r(a) <= rho a for every order a > 1. Rho adds up over rounds.
 * Source: Bun and Steinke 2016, arXiv:1605.02065.
 */

/** rho of one sum: D^2 / (2 sigma^2). @param sensitivity  D. @param sigma  In the same unit. */
export function zcdpRho(sensitivity: number, sigma: number): number {
  assert(sensitivity >= 0 && sigma >= 0, "sensitivity and noise are not negative");
  if (sensitivity === 0) return 0;
  return (sensitivity * sensitivity) / (2 * sigma * sigma);
}

/**
 * The smallest epsilon for `delta`: min over real a > 1 of rho a + ln(1 - 1/a) - ln(delta a)/(a - 1). A list of orders
 * would be off by up to 1e-3.
 *
 * Source: Canonne, Kamath and Steinke 2020, arXiv:2004.00010, corollary 13.
 */
export function zcdpEpsilon(rho: number, delta: number): number {
  assert(rho >= 0 && delta > 0 && delta <= 1, "rho is not negative, delta is above 0 and at most 1");
  if (rho === 0 || delta === 1) return 0;
  if (rho === Number.POSITIVE_INFINITY) return rho;
  const epsilonAt = (lnExcess: number) => {
    const excess = Math.exp(lnExcess);
    const order = 1 + excess;
    return rho * order + Math.log(excess / order) - Math.log(delta * order) / excess;
  };
  return Math.max(0, valleyMin(epsilonAt, Math.log(1e-6), Math.log(1e9)));
}
