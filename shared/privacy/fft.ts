import { assert } from "../kernel/assert.ts";

/* The fast Fourier transform of Cooley and Tukey 1965, of 2^k complex numbers, in place. */

export interface Complex {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/** e^{-2 pi i k / length} for k < length / 2. */
export type Roots = Complex;

/** @param length  A power of two, at least 2. */
export function rootsOfUnity(length: number): Roots {
  assert(length >= 2 && Number.isInteger(Math.log2(length)), "a transform has a power of two of numbers");
  const re = new Float64Array(length / 2);
  const im = new Float64Array(length / 2);
  for (let k = 0; k < length / 2; k++) {
    const angle = (-2 * Math.PI * k) / length;
    re[k] = Math.cos(angle);
    im[k] = Math.sin(angle);
  }
  return { re, im };
}

/**
 * Replaces x by X[k] = sum of x[j] e^{-2 pi i jk / length}.
 *
 * @param x  [length] each of real and imaginary parts.
 */
export function transform({ re, im }: Complex, roots: Roots): void {
  const length = re.length;
  assert(im.length === length && roots.re.length === length / 2, "the roots are those of this length");
  reverseBits(re, im);
  for (let half = 1; half < length; half *= 2) {
    const stride = length / (2 * half);
    for (let start = 0; start < length; start += 2 * half) {
      for (let k = 0, root = 0; k < half; k++, root += stride) {
        const a = start + k;
        const b = a + half;
        const wr = roots.re[root]!; // hot loop
        const wi = roots.im[root]!;
        const br = re[b]! * wr - im[b]! * wi;
        const bi = re[b]! * wi + im[b]! * wr;
        re[b] = re[a]! - br;
        im[b] = im[a]! - bi;
        re[a] = re[a]! + br;
        im[a] = im[a]! + bi;
      }
    }
  }
}

/** The inverse, with its factor 1/length. */
export function transformBack(x: Complex, roots: Roots): void {
  // Swapping the parts before and after turns one direction into the other.
  transform({ re: x.im, im: x.re }, roots);
  const factor = 1 / x.re.length;
  for (let i = 0; i < x.re.length; i++) {
    x.re[i] = x.re[i]! * factor; // hot loop
    x.im[i] = x.im[i]! * factor;
  }
}

function reverseBits(re: Float64Array, im: Float64Array): void {
  const length = re.length;
  for (let i = 1, j = 0; i < length; i++) {
    let bit = length >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i >= j) continue;
    const r = re[i]!; // hot loop
    re[i] = re[j]!;
    re[j] = r;
    const s = im[i]!;
    im[i] = im[j]!;
    im[j] = s;
  }
}
