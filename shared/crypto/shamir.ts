import { assert } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { RandomBytes } from "../kernel/ports.ts";

/*
 * Shamir's secret sharing, one polynomial per field element of the secret. Up to 255 holders it works byte by byte over
 * GF(256) with polynomial x^8 + x^4 + x^3 + x + 1 (0x11b); above that, on big-endian pairs of bytes over GF(2^16) with
 * polynomial x^16 + x^12 + x^3 + x + 1 (0x1100b).
 *
 * Source: Shamir, "How to share a secret", 1979; the field of FIPS 197 section 4; 0x1100b is the first primitive
 * polynomial of degree 16 in the tables of Lidl and Niederreiter, "Finite Fields", and its order is counted in the tests.
 * Multiplies whole 32-bit words, four or two elements at a time. A factor is always public (an x or an element of a
 * Lagrange basis), so neither the steps nor the addresses depend on a secret.
 * By hand, because libraries stop at 255 holders and draw their own randomness (S12).
 * Does not protect: a wrong share goes unnoticed here and spoils the secret (commitments name its holder). The length of
 * the secret is public. No JavaScript engine guarantees constant time.
 */

/** A field of characteristic 2. Its elements lie side by side in a 32-bit word. */
export interface Field {
  /** Bytes of one element. The length of a secret is a multiple of it. */
  readonly elementBytes: 1 | 2;
  /** Largest x, and so the largest number of holders. */
  readonly holderCountMax: number;
  /** The polynomial without its highest term. */
  readonly reduction: number;
  /** Mask of the lowest bit of each element in a 32-bit word. */
  readonly lanes: number;
}

export const GF_256: Field = {
  elementBytes: 1,
  holderCountMax: 255,
  reduction: 0x1b,
  lanes: 0x01010101,
};

export const GF_65536: Field = {
  elementBytes: 2,
  holderCountMax: 65_535,
  reduction: 0x100b,
  lanes: 0x00010001,
};

/** The field for sharing a secret among `holderCount` holders. Everyone computes it from the roster. */
export function fieldFor(holderCount: number): Field {
  return holderCount <= GF_256.holderCountMax ? GF_256 : GF_65536;
}

/**
 * Splits `secret` into one share for each of `xs`. Any `threshold` shares rebuild it; fewer reveal nothing about it.
 *
 * @param secret       A whole number of elements of `field`.
 * @param xs           The holders' distinct x, from 1 to `field.holderCountMax`.
 * @param threshold    1 <= threshold <= xs.length.
 * @param randomBytes  Source of the (threshold - 1) coefficients per element. They must be uniform, so zero is allowed.
 * @returns Shares in the order of `xs`, each as long as the secret. A share does not contain its x.
 */
export function splitSecret(
  secret: Uint8Array,
  threshold: number,
  xs: readonly number[],
  randomBytes: RandomBytes,
  field: Field = GF_256,
): Bytes[] {
  assertHolders(xs, field);
  assert(Number.isInteger(threshold) && threshold >= 1 && threshold <= xs.length, "threshold out of range");
  const byteCount = secret.length;
  assert(byteCount % field.elementBytes === 0, "a secret is a whole number of elements");
  const coefficients = randomBytes((threshold - 1) * byteCount);
  assert(coefficients.length === (threshold - 1) * byteCount, "the random source returned another length");
  // Rows of words: first the secret, then the coefficients in order of rising power.
  const wordCount = Math.ceil(byteCount / 4);
  const rows = new Int32Array(threshold * wordCount);
  readWords(secret, rows, 0);
  for (let power = 1; power < threshold; power++) {
    const row = coefficients.subarray((power - 1) * byteCount, power * byteCount);
    readWords(row, rows, power * wordCount);
  }
  coefficients.fill(0);
  const words = new Int32Array(wordCount);
  const shares = xs.map((x) => {
    words.fill(0);
    // Horner's rule from the highest power down to the secret.
    for (let power = threshold - 1; power >= 0; power--) {
      const row = power * wordCount;
      for (let i = 0; i < wordCount; i++) words[i] = multiplyWord(field, words[i]!, x) ^ rows[row + i]!; // hot loop
    }
    return writeWords(words, byteCount);
  });
  rows.fill(0);
  words.fill(0);
  return shares;
}

/** Factors that combine the shares of one set of holders: one for each x, in order. */
export interface LagrangeBasis {
  readonly field: Field;
  readonly factors: Uint16Array;
}

/** The Lagrange basis at zero for a set of holders. Compute it once and pass it to `combineShares` for each secret. */
export function lagrangeBasisAtZero(xs: readonly number[], field: Field = GF_256): LagrangeBasis {
  assertHolders(xs, field);
  const factors = Uint16Array.from(xs, (xi) => {
    let numerator = 1;
    let denominator = 1;
    for (const xj of xs) {
      if (xj === xi) continue;
      numerator = multiplyWord(field, numerator, xj);
      denominator = multiplyWord(field, denominator, xj ^ xi);
    }
    return multiplyWord(field, numerator, inverse(field, denominator));
  });
  return { field, factors };
}

/**
 * Rebuilds the secret from `shares`, one for each element of the basis and in its order. With fewer than the threshold
 * the result is unrelated to the secret.
 */
export function combineShares(basis: LagrangeBasis, shares: readonly Uint8Array[]): Bytes {
  const { field, factors } = basis;
  assert(factors.length === shares.length && shares.length > 0, "one share for each basis element");
  const byteCount = (shares[0] as Uint8Array).length;
  const wordCount = Math.ceil(byteCount / 4);
  const secret = new Int32Array(wordCount);
  const words = new Int32Array(wordCount);
  shares.forEach((share, holder) => {
    assert(share.length === byteCount, "shares of one secret have one length");
    const factor = factors[holder] as number;
    readWords(share, words, 0);
    for (let i = 0; i < wordCount; i++) secret[i]! ^= multiplyWord(field, words[i]!, factor); // hot loop
  });
  const bytes = writeWords(secret, byteCount);
  secret.fill(0);
  words.fill(0);
  return bytes;
}

function assertHolders(xs: readonly number[], { holderCountMax }: Field): void {
  assert(xs.length >= 1 && xs.length <= holderCountMax, `1 to ${holderCountMax} holders, not ${xs.length}`);
  const inRange = xs.every((x) => Number.isInteger(x) && x >= 1 && x <= holderCountMax);
  // The share at x = 0 would be the secret itself. Two equal x make the system singular.
  assert(inRange && new Set(xs).size === xs.length, `x must be distinct and from 1 to ${holderCountMax}`);
}

/** Multiplies each element of a word by the public `factor`, by shift and add over the bits of the factor. */
function multiplyWord(field: Field, word: number, factor: number): number {
  const { lanes, reduction } = field;
  const topBit = 8 * field.elementBytes - 1;
  let product = 0;
  for (let rest = factor; rest !== 0; rest >>>= 1) {
    if ((rest & 1) === 1) product ^= word;
    // Multiply every element by x. If a bit leaves at its top, the reduction is added.
    word = ((word & ~(lanes << topBit)) << 1) ^ Math.imul((word >>> topBit) & lanes, reduction);
  }
  return product;
}

/** a^(2^bits - 2), the inverse of every a except 0. `a` must be public. */
function inverse(field: Field, a: number): number {
  let result = 1;
  let square = a;
  for (let bit = 1; bit < 8 * field.elementBytes; bit++) {
    square = multiplyWord(field, square, square);
    result = multiplyWord(field, result, square);
  }
  return result;
}

/** Big-endian, so that a pair of bytes is one element of GF(2^16); padded with zeros to a whole word. */
function readWords(bytes: Uint8Array, words: Int32Array, at: number): void {
  // A bit shift takes what is beyond the end as zero.
  for (let i = 0; i < bytes.length; i += 4) {
    words[at + (i >>> 2)] =
      (bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | (bytes[i + 3]! << 0); // hot loop
  }
}

function writeWords(words: Int32Array, byteCount: number): Bytes {
  return Uint8Array.from({ length: byteCount }, (_, i) => (words[i >>> 2]! >>> (24 - 8 * (i & 3))) & 255); // hot loop
}
