import type { RandomBytes } from "#shared/kernel/ports.ts";

/*
 * The exact sampler of the discrete Gaussian, as the oracle of the table. Whole numbers throughout, so its distribution is
 * exact whatever doubles do. Source: Canonne, Kamath and Steinke 2020, arXiv:2004.00010, algorithms 1 to 3.
 */

/** Draws from N_Z(0, variance). @param variance  sigma^2, whole; (2 sigma^2)^2 and every product stay below 2^53. */
export function exactGaussian(variance: number, random: RandomBytes): number {
  const scale = Math.floor(Math.sqrt(variance)) + 1;
  for (;;) {
    const y = exactLaplace(scale, random);
    const distance = Math.abs(Math.abs(y) * scale - variance);
    // Accept with e^{-(|y| - sigma^2/t)^2 / (2 sigma^2)}.
    if (bernoulliExp(safe(distance * distance), safe(2 * variance * scale * scale), random)) return y;
  }
}

/** P(y) proportional to e^{-|y| / scale}. */
function exactLaplace(scale: number, random: RandomBytes): number {
  for (;;) {
    const u = uniformBelow(scale, random);
    if (!bernoulliExp(u, scale, random)) continue;
    let v = 0;
    while (bernoulliExp(1, 1, random)) v++;
    const x = u + scale * v;
    const isNegative = uniformBelow(2, random) === 1;
    if (isNegative && x === 0) continue;
    return isNegative ? -x : x;
  }
}

/** True with probability e^{-numerator/denominator}. */
function bernoulliExp(numerator: number, denominator: number, random: RandomBytes): boolean {
  let left = numerator;
  for (; left > denominator; left -= denominator) {
    if (!bernoulliExpBelowOne(denominator, denominator, random)) return false;
  }
  return bernoulliExpBelowOne(left, denominator, random);
}

function bernoulliExpBelowOne(numerator: number, denominator: number, random: RandomBytes): boolean {
  let k = 1;
  while (uniformBelow(safe(denominator * k), random) < numerator) k++;
  return k % 2 === 1;
}

/** A whole number from 0 to `bound` - 1, by rejection of 53-bit numbers. */
function uniformBelow(bound: number, random: RandomBytes): number {
  const limit = Math.floor(2 ** 53 / bound) * bound;
  for (;;) {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0] = random(7);
    const value =
      a + 2 ** 8 * (b + 2 ** 8 * (c + 2 ** 8 * (d + 2 ** 8 * (e + 2 ** 8 * (f + 2 ** 8 * (g & 31))))));
    if (value < limit) return value % bound;
  }
}

function safe(product: number): number {
  if (!Number.isSafeInteger(product)) throw new Error("a product is not exact");
  return product;
}
