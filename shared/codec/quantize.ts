import { keystreamWords } from "../crypto/mask-stream.ts";
import { assert, present } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { coordinatesOf, segmentOf, type UpdateSegment, type VectorLayout } from "./layout.ts";
import { type LocalMetrics, writeMetrics } from "./metrics.ts";
import { packPairs } from "./packing.ts";
import { rotate } from "./rotation.ts";

/** What a device has after training. */
export interface Contribution {
  /** Trained weights minus received weights, [parameterCount]. Not modified. */
  readonly update: Float32Array;
  /** Rows trained on, at least 1. */
  readonly numExamples: number;
  /** The received model on the local validation rows. */
  readonly metricsBefore: LocalMetrics;
  /** The trained model on the same rows. */
  readonly metricsAfter: LocalMetrics;
}

export interface EncodedContribution {
  /** The whole vector, still unmasked: it must not leave the device. [layout.length] */
  readonly words: Uint32Array<ArrayBuffer>;
  /** The update after clipping, before any rotation; for the page's "what left" and for a test's oracle. */
  readonly clippedUpdate: Float32Array<ArrayBuffer>;
  /** L2 norm of the update before clipping. */
  readonly normL2Before: number;
  /** w', the weight that counts. */
  readonly weight: number;
}

/** 256 KiB of key stream at a time. */
const ROUNDING_BLOCK_WORDS = 64 * 1024;
/** A word of the key stream times this is uniform on [0, 1). */
const WORD_TO_UNIFORM = 2 ** -32;

/**
 * Clips, weights and quantizes one device's contribution:
 * x = SR(Q (w'/W) clip(rotate(delta min(1, L/|delta|)), +-B) / B), packed in twos on the 16-bit ring.
 *
 * @param roundingKey  32 fresh random bytes, used for nothing else: the seed of the stochastic rounding.
 * @param rotationKey  Of the round; a layout that is rotated needs it.
 * Errors: `non-finite-update` with the first bad index; `no-examples`.
 * Source: McMahan et al. 2018, arXiv:1710.06963, algorithm 1 (clipping); stochastic rounding with 32-bit uniforms,
 * whose bias is below 2^-32 of a step.
 */
export async function encodeContribution(
  primitives: Primitives,
  layout: VectorLayout,
  contribution: Contribution,
  roundingKey: Bytes,
  rotationKey?: Bytes,
): Promise<Result<EncodedContribution, EncodeError>> {
  const { update, numExamples } = contribution;
  const segment = segmentOf(layout, "update");
  const { parameterCount, count, rotated } = coordinatesOf(layout);
  assert(update.length === parameterCount, `an update of ${update.length} for a model of ${parameterCount}`);
  if (!(Number.isSafeInteger(numExamples) && numExamples >= 1)) return err({ type: "no-examples" });
  const normL2Before = normL2(update);
  if (!Number.isFinite(normL2Before)) {
    return err({ type: "non-finite-update", index: update.findIndex((value) => !Number.isFinite(value)) });
  }
  const weightCap = segmentOf(layout, "weight").clip.max;
  const weight = Math.min(numExamples, weightCap);
  const clippedUpdate = clipUpdate(update, normL2Before, segment.clip);

  const words = new Uint32Array(layout.length);
  const place = words.subarray(segment.offset, segment.offset + segment.length);
  const isPacked = segment.ring === 16;
  const quantized = isPacked ? new Int32Array(count) : new Int32Array(place.buffer, place.byteOffset, count);
  const values = rotated
    ? await rotate(primitives, clippedUpdate, count, present(rotationKey, "a key for the rotation"))
    : clippedUpdate;
  await quantize(primitives, quantized, values, weight / weightCap, segment.clip, roundingKey);
  if (isPacked) packPairs(quantized, place);
  words[segmentOf(layout, "weight").offset] = weight;
  writeMetrics(layout, words, contribution.metricsBefore, contribution.metricsAfter);
  const sentinels = segmentOf(layout, "sentinels");
  words.fill(sentinels.clip.value, sentinels.offset, sentinels.offset + sentinels.length);
  return ok({ words, clippedUpdate, normL2Before, weight });
}

export type EncodeError =
  | { readonly type: "non-finite-update"; readonly index: number }
  | { readonly type: "no-examples" };

/** In double precision; not finite exactly where an element is not, since squares of float32 cannot overflow it. */
export function normL2(vector: Float32Array): number {
  let sumOfSquares = 0;
  for (let i = 0; i < vector.length; i++) {
    const value = vector[i]!; // hot loop
    sumOfSquares += value * value;
  }
  return Math.sqrt(sumOfSquares);
}

function clipUpdate(
  update: Float32Array,
  norm: number,
  clip: UpdateSegment["clip"],
): Float32Array<ArrayBuffer> {
  // No coordinate is above the norm, so within it nothing has to be clipped.
  if (norm <= clip.normL2) return new Float32Array(update);
  const factor = clip.normL2 / norm;
  // A bound for coordinates below L is one for rotated ones, and `quantize` holds it.
  const bound = floatAtMost(clip.normL2);
  const clipped = new Float32Array(update.length);
  for (let i = 0; i < update.length; i++) {
    const scaled = update[i]! * factor; // hot loop
    clipped[i] = Math.max(-bound, Math.min(bound, scaled));
  }
  return clipped;
}

/** The largest float32 that is not above a positive `value`: rounding to nearest could leave the bound. */
function floatAtMost(value: number): number {
  const nearest = Float32Array.of(value);
  if ((nearest[0] as number) > value) {
    const bits = new Uint32Array(nearest.buffer);
    bits[0] = (bits[0] as number) - 1;
  }
  return nearest[0] as number;
}

/** @param share  w'/W, at most 1. */
async function quantize(
  primitives: Primitives,
  quantized: Int32Array,
  values: Float32Array | Float64Array,
  share: number,
  clip: UpdateSegment["clip"],
  roundingKey: Bytes,
): Promise<void> {
  const limit = clip.quantizedMax * share;
  const factor = limit / clip.coordinate;
  for (let start = 0; start < quantized.length; start += ROUNDING_BLOCK_WORDS) {
    const count = Math.min(ROUNDING_BLOCK_WORDS, quantized.length - start);
    const uniforms = await keystreamWords(primitives, roundingKey, start, count);
    const target = quantized.subarray(start, start + count);
    for (let i = 0; i < count; i++) {
      // The product may lie a last bit above Q w'/W, and Q + 1 would be out of range.
      let exact = values[start + i]! * factor; // hot loop
      if (exact > limit) exact = limit;
      else if (exact < -limit) exact = -limit;
      const below = Math.floor(exact);
      target[i] = exact - below > uniforms[i]! * WORD_TO_UNIFORM ? below + 1 : below;
    }
  }
}
