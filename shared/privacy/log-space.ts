/* Sums and binomials as logarithms: the moments of a subsampled mechanism exceed what a double holds. */

/** ln Gamma(x), x > 0. Stirling's series after shifting to x >= 16: absolute error about 1e-14 of the result. */
export function lnGamma(x: number): number {
  let shift = 0;
  let y = x;
  while (y < 16) {
    shift += Math.log(y);
    y += 1;
  }
  const inverse = 1 / y;
  const square = inverse * inverse;
  const series =
    inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188))));
  return (y - 0.5) * Math.log(y) - y + 0.5 * Math.log(2 * Math.PI) + series - shift;
}

/** Up to 1024, the largest order. */
const LN_FACTORIALS = lnFactorialsUpTo(1024);

function lnFactorialsUpTo(max: number): Float64Array {
  const table = new Float64Array(max + 1);
  for (let n = 2; n <= max; n++) table[n] = n < 16 ? (table[n - 1] as number) + Math.log(n) : lnGamma(n + 1);
  return table;
}

/** ln of "n choose k", 0 <= k <= n. */
export function lnChoose(n: number, k: number): number {
  if (k === 0 || k === n) return 0;
  const lnFactorial = (m: number) => LN_FACTORIALS[m] ?? lnGamma(m + 1);
  return lnFactorial(n) - lnFactorial(k) - lnFactorial(n - k);
}

/** ln(e^x - 1), x > 0. */
export function lnExpm1(x: number): number {
  return x > 36 ? x + Math.log1p(-Math.exp(-x)) : Math.log(Math.expm1(x));
}

/** ln(1 + e^x). */
export function lnOnePlusExp(x: number): number {
  return x > 36 ? x : Math.log1p(Math.exp(x));
}

/** ln of the sum of e^x over `exponents`; -Infinity if there are none. */
export function logSumExp(exponents: readonly number[] | Float64Array): number {
  let max = Number.NEGATIVE_INFINITY;
  for (const exponent of exponents) if (exponent > max) max = exponent;
  if (!Number.isFinite(max)) return max;
  let sum = 0;
  for (const exponent of exponents) sum += Math.exp(exponent - max);
  return max + Math.log(sum);
}
