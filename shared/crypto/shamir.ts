import { assert } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { RandomBytes } from "../kernel/ports.ts";

/**
 * Shamir's secret sharing over GF(256), polynomial x^8 + x^4 + x^3 + x + 1 (0x11b), one polynomial per byte.
 *
 * Source: Shamir, "How to share a secret", 1979; the field of FIPS 197 section 4.
 * Arithmetic is free of tables and of branches on secrets, so neither index a cache line by a secret.
 * Does not protect: a wrong share is not noticed here and spoils the secret (commitments name its holder); the
 * length of the secret is public; a JavaScript engine gives no promise about time.
 * Above 255 holders the same scheme runs over GF(2^16), polynomial 0x1100b, on big-endian pairs, in a file of its own.
 */
export const HOLDER_COUNT_MAX = 255;

/**
 * Shares of `secret`, one for each of `xs`, of which any `threshold` rebuild it and fewer say nothing.
 *
 * @param xs           The holders' distinct x, 1 to 255 (their roster positions).
 * @param threshold    1 <= threshold <= xs.length.
 * @param randomBytes  Source of the (threshold - 1) coefficients per byte; zero coefficients stay, they must be uniform.
 * @returns Shares in the order of `xs`, each as long as the secret. x is not part of a share.
 */
export function splitSecret(
  secret: Uint8Array,
  threshold: number,
  xs: readonly number[],
  randomBytes: RandomBytes,
): Bytes[] {
  assertHolders(xs);
  assert(Number.isInteger(threshold) && threshold >= 1 && threshold <= xs.length, "threshold out of range");
  const byteCount = secret.length;
  const coefficients = randomBytes((threshold - 1) * byteCount);
  assert(coefficients.length === (threshold - 1) * byteCount, "the random source returned another length");
  const shares = xs.map((x) => {
    const share = new Uint8Array(byteCount);
    // Horner's rule from the highest power down to the secret.
    for (let power = threshold - 2; power >= 0; power--) {
      const row = power * byteCount;
      for (let i = 0; i < byteCount; i++) share[i] = multiply(share[i]! ^ coefficients[row + i]!, x); // hot loop
    }
    for (let i = 0; i < byteCount; i++) share[i]! ^= secret[i]!; // hot loop
    return share;
  });
  coefficients.fill(0);
  return shares;
}

/**
 * The Lagrange basis at zero for a set of holders: compute it once, then `combineShares` for each of their secrets.
 *
 * @returns One field element per x, in order.
 */
export function lagrangeBasisAtZero(xs: readonly number[]): Bytes {
  assertHolders(xs);
  return Uint8Array.from(xs, (xi) => {
    let numerator = 1;
    let denominator = 1;
    for (const xj of xs) {
      if (xj === xi) continue;
      numerator = multiply(numerator, xj);
      denominator = multiply(denominator, xj ^ xi);
    }
    return multiply(numerator, inverse(denominator));
  });
}

/**
 * The secret behind `shares`, which lie in the order of the basis. Exactly as many shares as the basis has elements;
 * with fewer than the threshold the result is unrelated to the secret.
 */
export function combineShares(basis: Bytes, shares: readonly Uint8Array[]): Bytes {
  assert(basis.length === shares.length && shares.length > 0, "one share for each basis element");
  const byteCount = (shares[0] as Uint8Array).length;
  const secret = new Uint8Array(byteCount);
  shares.forEach((share, holder) => {
    assert(share.length === byteCount, "shares of one secret have one length");
    const factor = basis[holder] as number;
    for (let i = 0; i < byteCount; i++) secret[i]! ^= multiply(share[i]!, factor); // hot loop
  });
  return secret;
}

function assertHolders(xs: readonly number[]): void {
  assert(xs.length >= 1 && xs.length <= HOLDER_COUNT_MAX, `1 to 255 holders, not ${xs.length}`);
  const inRange = xs.every((x) => Number.isInteger(x) && x >= 1 && x <= HOLDER_COUNT_MAX);
  // x = 0 is the secret itself; two equal x make the system singular.
  assert(inRange && new Set(xs).size === xs.length, "x must be distinct and from 1 to 255");
}

/** Product in GF(256) by shift and add, every step taken whatever the bits are. */
function multiply(left: number, right: number): number {
  let product = 0;
  for (let bit = 0; bit < 8; bit++) {
    product ^= left & -((right >>> bit) & 1);
    left = (left << 1) ^ (0x11b & -(left >>> 7));
  }
  return product;
}

/** a^254, which is the inverse for every a but 0. */
function inverse(a: number): number {
  let result = 1;
  let square = a;
  // 254 = 2 + 4 + ... + 128.
  for (let bit = 1; bit < 8; bit++) {
    square = multiply(square, square);
    result = multiply(result, square);
  }
  return result;
}
