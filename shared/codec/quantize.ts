import { keystreamWords } from "../crypto/mask-stream.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";

/** Key stream taken at a time: 256 KiB. */
const ROUNDING_BLOCK_WORDS = 64 * 1024;
/** Scales a word of the key stream to a uniform number in [0, 1). */
const WORD_TO_UNIFORM = 2 ** -32;

/** L2 norm in doubles, which squares of float32 cannot overflow. Finite if and only if every element is. */
export function normL2(vector: Float32Array): number {
  let sumOfSquares = 0;
  for (let i = 0; i < vector.length; i++) {
    const value = vector[i]!; // hot loop
    sumOfSquares += value * value;
  }
  return Math.sqrt(sumOfSquares);
}

/**
 * Scales an update so that its L2 norm is at most `clipNormL2`. Always returns a new vector.
 *
 * @param norm  L2 norm of `update`.
 * Source: McMahan et al. 2018, arXiv:1710.06963, algorithm 1.
 */
export function clipToNorm(
  update: Float32Array,
  norm: number,
  clipNormL2: number,
): Float32Array<ArrayBuffer> {
  // No coordinate exceeds the norm, so none needs clipping either.
  if (norm <= clipNormL2) return new Float32Array(update);
  const factor = clipNormL2 / norm;
  // Keep each coordinate within L despite rounding. `quantize` applies the tighter bound of rotated coordinates.
  const bound = floatAtMost(clipNormL2);
  const clipped = new Float32Array(update.length);
  for (let i = 0; i < update.length; i++) {
    const scaled = update[i]! * factor; // hot loop
    clipped[i] = Math.max(-bound, Math.min(bound, scaled));
  }
  return clipped;
}

/** The largest float32 that is at most a positive `value`. Rounding to nearest could exceed it. */
function floatAtMost(value: number): number {
  const nearest = Float32Array.of(value);
  if ((nearest[0] as number) > value) {
    const bits = new Uint32Array(nearest.buffer);
    bits[0] = (bits[0] as number) - 1;
  }
  return nearest[0] as number;
}

/**
 * Computes SR(Q share clip(value, +-B) / B) for each value. SR is stochastic rounding with 32-bit uniforms; its bias is
 * below 2^-32 of a step.
 *
 * @param quantized    Output, one number for each value.
 * @param share        w'/W, at most 1.
 * @param roundingKey  32 fresh random bytes, used for nothing else.
 */
export async function quantize(
  primitives: Primitives,
  quantized: Int32Array,
  values: Float32Array | Float64Array,
  share: number,
  clip: { readonly coordinate: number; readonly quantizedMax: number },
  roundingKey: Bytes,
): Promise<void> {
  const limit = clip.quantizedMax * share;
  const factor = limit / clip.coordinate;
  for (let start = 0; start < quantized.length; start += ROUNDING_BLOCK_WORDS) {
    const count = Math.min(ROUNDING_BLOCK_WORDS, quantized.length - start);
    const uniforms = await keystreamWords(primitives, roundingKey, start, count);
    const target = quantized.subarray(start, start + count);
    for (let i = 0; i < count; i++) {
      // The product may exceed Q w'/W by a last bit, and Q + 1 would be out of range.
      let exact = values[start + i]! * factor; // hot loop
      if (exact > limit) exact = limit;
      else if (exact < -limit) exact = -limit;
      const below = Math.floor(exact);
      target[i] = exact - below > uniforms[i]! * WORD_TO_UNIFORM ? below + 1 : below;
    }
  }
}
