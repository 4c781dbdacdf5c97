import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import { assert } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";

/*
 * The rotation that spreads an update evenly over all coordinates, so that a narrow ring clips and rounds little:
 * y = (1 / sqrt d) H D x. H is the Walsh-Hadamard matrix in its natural (Hadamard) order, H[i][j] = (-1)^popcount(i & j),
 * D are random signs that everyone can recompute, and x is padded with zeros to a power of two d.
 *
 * Its inverse is D H (1 / sqrt d). A sum of quantized coordinates is a vector of integers, and H and D only add and
 * subtract, which is exact in doubles. Only one scale factor of the inverse remains. So everyone who has the published
 * sum computes the same next model to the last bit.
 *
 * Does not protect: the rotation is public. It is neither noise nor a mask.
 * Source: Suresh et al. 2017, arXiv:1611.00429, section 3.
 */

/** SHA-256(E("chorus/1/rotation", runId, round)), the same for all devices and attempts of a round. */
export function rotationKey(primitives: Primitives, runId: string, round: number): Promise<Bytes> {
  return primitives.sha256(E(DOMAINS.rotation, runId, round));
}

/**
 * Rotates an update.
 *
 * @param update     Not modified.
 * @param dimension  d, a power of two, at least the update's length.
 * @returns [d], of the same L2 norm.
 */
export async function rotate(
  primitives: Primitives,
  update: Float32Array,
  dimension: number,
  key: Bytes,
): Promise<Float64Array<ArrayBuffer>> {
  assert(update.length <= dimension, "an update is padded, not cut");
  const rotated = new Float64Array(dimension);
  rotated.set(update);
  await applySigns(primitives, rotated.subarray(0, update.length), key);
  walshHadamard(rotated);
  const scale = 1 / Math.sqrt(dimension);
  for (let i = 0; i < dimension; i++) rotated[i]! *= scale; // hot loop
  return rotated;
}

/**
 * Undoes the rotation of a sum, except for the factor 1 / sqrt(d): applies D H, which is exact.
 *
 * @param sum             Integers, [d], whose absolute values add up to less than 2^53. Not modified.
 * @param parameterCount  Length of the update before padding.
 * @returns Integers, [parameterCount]. `updateScale` contains the missing factor 1 / sqrt(d).
 */
export async function unrotateSum(
  primitives: Primitives,
  sum: Int32Array | Float64Array,
  parameterCount: number,
  key: Bytes,
): Promise<Float64Array<ArrayBuffer>> {
  const values = new Float64Array(sum);
  walshHadamard(values);
  const update = values.slice(0, parameterCount);
  await applySigns(primitives, update, key);
  return update;
}

/**
 * x <- H x, in place and unscaled.
 *
 * @param values  [d], d a power of two.
 */
export function walshHadamard(values: Float64Array): void {
  const dimension = values.length;
  assert(Number.isInteger(Math.log2(dimension)), "a power of two");
  for (let half = 1; half < dimension; half *= 2) {
    for (let start = 0; start < dimension; start += 2 * half) {
      for (let i = start; i < start + half; i++) {
        const left = values[i]!; // hot loop
        const right = values[i + half]!;
        values[i] = left + right;
        values[i + half] = left - right;
      }
    }
  }
}

/** Sign i is bit i mod 8, least significant first, of byte floor(i / 8) of the AES-256-CTR stream. A set bit means minus. */
async function applySigns(primitives: Primitives, values: Float64Array, key: Bytes): Promise<void> {
  const signs = await primitives.aes256CtrKeystream(key, 0, Math.ceil(values.length / 8));
  for (let i = 0; i < values.length; i++) {
    // `0 - x` never gives -0, which integers do not have and which would change the bits of a weight.
    if (((signs[i >>> 3]! >>> (i & 7)) & 1) === 1) values[i] = 0 - values[i]!; // hot loop
  }
}
