import { assert } from "../kernel/assert.ts";

/*
 * Tails of the normal distribution with full relative accuracy. Privacy parameters are differences of far tails, so an
 * approximation that is only absolutely accurate will not do.
 */

/**
 * (1 + 2x) erfcx(x) on [0, infinity) as a Chebyshev series in t = (x - 3.75)/(x + 3.75). Computed with 60 digits by
 * interpolation at 60 nodes; the first omitted term is below 3e-18.
 */
const ERFCX_SERIES = [
  1.1775789345674017, -0.004590054580646478, -0.08424913336651792, 0.05920993999819189, -0.026658668435305753,
  0.009074997670705265, -0.002413163540417608, 0.0004907758365258086, -6.916973302501207e-5,
  4.13902798607301e-6, 7.74038306619849e-7, -2.1886401049234397e-7, 1.076499946567091e-8,
  4.521959811218287e-9, -7.754400208831351e-10, -6.318088340886684e-11, 2.86879501093067e-11,
  1.9455868545777347e-13, -9.65469674843344e-13, 3.25254814814874e-14, 3.3478119482868056e-14,
  -1.864562880419313e-15, -1.2507950530688648e-15, 7.418235256624044e-17, 5.068148904796111e-17,
];
const SQRT_TWO = Math.SQRT2;

/** exp(x^2) erfc(x) for x >= 0, to about 1e-15 of its value. Source of the variable: Schonfelder 1978. */
function erfcx(x: number): number {
  const t = (x - 3.75) / (x + 3.75);
  let above = 0;
  let current = 0;
  for (let k = ERFCX_SERIES.length - 1; k >= 1; k--) {
    const next = 2 * t * current - above + (ERFCX_SERIES[k] as number);
    above = current;
    current = next;
  }
  return (t * current - above + (ERFCX_SERIES[0] as number)) / (1 + 2 * x);
}

/** P(Z > x) for a standard normal Z, to about 1e-15 of its value. */
export function normalTail(x: number): number {
  if (x < 0) return 1 - normalTail(-x);
  // Beyond 40 the tail is below the least double.
  if (x > 40) return 0;
  // x^2 rounds off digits that the exponential would magnify, so it is taken in two parts.
  const high = Math.fround(x);
  const density = Math.exp(-0.5 * high * high) * Math.exp(-0.5 * (x - high) * (x + high));
  return 0.5 * density * erfcx(x / SQRT_TWO);
}

/** ln P(Z > x), also where the tail itself is too small for a double. */
export function lnNormalTail(x: number): number {
  if (x < 0) return Math.log1p(-normalTail(-x));
  return -0.5 * x * x + Math.log(0.5 * erfcx(x / SQRT_TWO));
}

/** The x with P(Z > x) = `tail`. @param tail  Above 0 and below 1. */
export function normalTailQuantile(tail: number): number {
  assert(tail > 0 && tail < 1, "a tail is a probability between 0 and 1");
  if (tail > 0.5) return -normalTailQuantile(1 - tail);
  const target = Math.log(tail);
  let x = Math.sqrt(-2 * target);
  // ln of the tail is concave, and its slope is -phi(x)/tail(x).
  for (let turn = 0; turn < 60; turn++) {
    const value = lnNormalTail(x);
    const slope = Math.exp(-0.5 * x * x - 0.5 * Math.log(2 * Math.PI) - value);
    const step = (value - target) / slope;
    x += step;
    if (Math.abs(step) <= 1e-15 * Math.max(1, Math.abs(x))) break;
  }
  return x;
}
