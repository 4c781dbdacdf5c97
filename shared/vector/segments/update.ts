import { packPairs } from "../../codec/packing.ts";
import { clipToNorm, normL2, quantize } from "../../codec/quantize.ts";
import { rotate } from "../../codec/rotation.ts";
import { assert, present } from "../../kernel/assert.ts";
import { err, ok } from "../../kernel/result.ts";
import { assertSumFits, type Ring, ringRefusal, sumMaxOf } from "../ring.ts";
import {
  addWhole,
  type LayoutTerms,
  type Numbers,
  type Place,
  type Segment,
  type UpdateClip,
} from "../segment.ts";
import { countedWeight } from "./weight.ts";

/*
 * x = SR(Q (w'/W) clip(rotate(delta min(1, L/|delta|)), +-B) / B), signed. On the 32-bit ring each number has its own word.
 * On the 16-bit ring the update is rotated first, which pads it to a power of two of coordinates (`rotation.ts`), and two
 * coordinates share a word (`packing.ts`).
 *
 * With noise, Q is the number of steps that `privacy/scale.ts` gives the clip. The rounding is drawn again until the whole
 * numbers are within the sensitivity, and each gets discrete Gaussian noise (`noise-code.ts`). All weights are 1.
 */

export type { UpdateClip };

/** The part of its update that a device keeps. */
export interface KeptUpdate {
  /** The update after clipping and before any rotation, for the page's "what left" and for a test's oracle. */
  readonly clippedUpdate: Float32Array<ArrayBuffer>;
  /** L2 norm before clipping. */
  readonly normL2Before: number;
  /** With noise, an update that was not finite is sent as zeros, so that nobody learns of it. */
  readonly zeroed: boolean;
}

const QUANTIZED_MAX = 2 ** 26;
/** beta = 2^-10: upper bound on the probability that any rotated coordinate of a whole cohort exceeds B. */
const ROTATION_FAILURE_BITS = 10;

/** A sum reads as one integer per coordinate, still rotated, in quantizer steps and weighted by w'/W. */
export const update: Segment<UpdateClip, KeptUpdate, Numbers> = {
  name: "update",

  layout(terms) {
    const { parameterCount, ring = 32, purpose = "train" } = terms;
    if (purpose !== "train") return null;
    const rotated = terms.rotated ?? ring === 16;
    const count = rotated ? powerOfTwoAtLeast(Math.max(2, parameterCount)) : parameterCount;
    const length = ring === 16 ? Math.ceil(count / 2) : count;
    if (terms.noise !== undefined) return terms.noise.code.layout(terms, ring, rotated);
    return { length, ring, publish: "public", clip: updateClip(terms, ring, rotated, count), noise: null };
  },

  async encode({ update: delta, numExamples }, place, words, tools) {
    const { clip, ring, noise } = place;
    const { primitives, roundingKey, rotationKey } = tools;
    assert(
      delta.length === clip.parameterCount,
      `an update of ${delta.length} for ${clip.parameterCount} weights`,
    );
    const counted = countedWeight(numExamples, clip.weightCap);
    if (!counted.ok) return counted;
    const norm = normL2(delta);
    const zeroed = noise !== null && !Number.isFinite(norm);
    if (!Number.isFinite(norm) && !zeroed) {
      return err({ type: "non-finite-update", index: delta.findIndex((value) => !Number.isFinite(value)) });
    }
    const normL2Before = zeroed ? 0 : norm;
    const clippedUpdate = clipToNorm(
      zeroed ? new Float32Array(delta.length) : delta,
      normL2Before,
      clip.normL2,
    );
    const count = coordinateCount(place);
    const values = clip.rotated
      ? await rotate(primitives, clippedUpdate, count, present(rotationKey, "a key for the rotation"))
      : clippedUpdate;
    const quantized =
      ring === 16 ? new Int32Array(count) : new Int32Array(words.buffer, words.byteOffset, count);
    // An odd number of weights on the 16-bit ring leaves half a word unused.
    const filled = quantized.subarray(0, values.length);
    await quantize(primitives, filled, values, counted.value / clip.weightCap, clip, roundingKey);
    if (noise !== null)
      await present(tools.noiseCode, "code for noise").make(filled, values, place, noise, tools);
    if (ring === 16) packPairs(quantized, words);
    return ok({ clippedUpdate, normL2Before, zeroed });
  },

  check({ clip, noise }, numbers, survivorCount) {
    const bound = (clip.quantizedMax + (noise?.max ?? 0)) * survivorCount;
    for (let index = 0; index < numbers.length; index++) {
      const value = numbers[index]!; // hot loop
      if (value > bound || value < -bound) return { index, value };
    }
    return null;
  },

  add: addWhole,

  read: (_, numbers) => numbers,
};

/** How many numbers the update's words hold: a power of two if it is rotated, else one for each weight. */
export function coordinateCount({ length, ring }: Place<UpdateClip>): number {
  return length * (32 / ring);
}

/** Bits of the masked update per weight of the model, including the padding of a rotation. */
export function bitsPerWeight({ length, clip }: Place<UpdateClip>): number {
  return (32 * length) / clip.parameterCount;
}

function updateClip(
  { parameterCount, cohortSizeMax, clipNormL2, weightCap }: LayoutTerms,
  ring: Ring,
  rotated: boolean,
  count: number,
): UpdateClip {
  const refusal = ringRefusal(ring, cohortSizeMax);
  assert(refusal === null, refusal ?? "a sum fits the ring");
  const quantizedMax = Math.min(QUANTIZED_MAX, Math.floor(sumMaxOf(ring) / cohortSizeMax));
  assertSumFits(quantizedMax, cohortSizeMax, ring, "updates");
  const coordinate = rotated ? rotatedBound(clipNormL2, count, cohortSizeMax) : clipNormL2;
  return { kind: "l2", parameterCount, rotated, normL2: clipNormL2, coordinate, quantizedMax, weightCap };
}

/**
 * B = L sqrt(2 ln(2 d n / beta) / d), at most L. With random signs, a rotated coordinate of one device exceeds B with a
 * probability of at most beta / (d n).
 *
 * Takes the logarithm of the next powers of two by counting bits. `Math.log` may differ in the last bit between browsers,
 * and every device hashes this number.
 * Source: Hoeffding 1963, theorem 2; Suresh et al. 2017, arXiv:1611.00429, section 3.
 */
function rotatedBound(clipNormL2: number, dimension: number, cohortSizeMax: number): number {
  const bits = 1 + ROTATION_FAILURE_BITS + bitCount(dimension) + bitCount(cohortSizeMax);
  return clipNormL2 * Math.min(1, Math.sqrt((2 * Math.LN2 * bits) / dimension));
}

function powerOfTwoAtLeast(value: number): number {
  return 2 ** bitCount(value);
}

/** The smallest k with 2^k >= value. */
function bitCount(value: number): number {
  let bits = 0;
  while (2 ** bits < value) bits++;
  return bits;
}
