import { assert } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { coordinatesOf, segmentOf, type VectorLayout } from "./layout.ts";
import { readMetrics, type SummedMetrics } from "./metrics.ts";
import { unpackPairs } from "./packing.ts";
import { unrotateSum } from "./rotation.ts";

/** An opened sum over the survivors. */
export interface DecodedSum {
  /**
   * One number for each coordinate of the layout, still rotated where the layout is. In steps of the quantizer, weighted
   * by w'/W. A view into the sum that was decoded, or on the 16-bit ring a list of its own.
   */
  readonly coordinateSum: Int32Array<ArrayBuffer>;
  /** Sum of w'. */
  readonly weightSum: number;
  readonly metrics: SummedMetrics;
  readonly survivorCount: number;
}

/**
 * Reads an unmasked sum.
 *
 * @param sum            The ring sum over U3, all masks removed. [layout.length]
 * @param survivorCount  |U3|, at most cohortSizeMax.
 * Errors: `sentinel` where a mask is missing or wrong (it names nobody and does not detect poisoning); `range` where
 * no honest inputs could give that sum, with the first number that says so. One malicious input within the range
 * passes: the sum cannot bound it. Rule S2.
 */
export function decodeSum(
  layout: VectorLayout,
  sum: Uint32Array<ArrayBuffer>,
  survivorCount: number,
): Result<DecodedSum, DecodeError> {
  assert(sum.length === layout.length, `a sum of ${sum.length} words for a layout of ${layout.length}`);
  assert(survivorCount >= 1 && survivorCount <= layout.cohortSizeMax, "survivors are a part of the cohort");
  const signed = new Int32Array(sum.buffer, sum.byteOffset, sum.length);

  const sentinels = segmentOf(layout, "sentinels");
  for (let slot = 0; slot < sentinels.length; slot++) {
    const value = signed[sentinels.offset + slot] as number;
    if (value !== survivorCount * sentinels.clip.value) return err({ type: "sentinel", slot, value });
  }
  const update = segmentOf(layout, "update");
  const [from, to] = [update.offset, update.offset + update.length];
  const coordinateSum =
    update.ring === 16
      ? unpackPairs(sum.subarray(from, to), coordinatesOf(layout).count)
      : signed.subarray(from, to);
  const bound = update.clip.quantizedMax * survivorCount;
  for (let i = 0; i < coordinateSum.length; i++) {
    const value = coordinateSum[i]!; // hot loop
    if (value > bound || value < -bound) return err({ type: "range", segment: "update", index: i, value });
  }
  const weight = segmentOf(layout, "weight");
  const weightSum = signed[weight.offset] as number;
  if (weightSum < 1 || weightSum > weight.clip.max * survivorCount) {
    return err({ type: "range", segment: "weight", index: 0, value: weightSum });
  }
  const metrics = segmentOf(layout, "metrics");
  for (const [index, slot] of metrics.clip.slots.entries()) {
    const value = signed[metrics.offset + index] as number;
    if (value < 0 || value > slot.max * survivorCount) {
      return err({ type: "range", segment: "metrics", index, value });
    }
  }
  return ok({ coordinateSum, weightSum, metrics: readMetrics(layout, signed), survivorCount });
}

export type DecodeError =
  | { readonly type: "sentinel"; readonly slot: number; readonly value: number }
  | {
      readonly type: "range";
      readonly segment: "update" | "weight" | "metrics";
      readonly index: number;
      readonly value: number;
    };

/**
 * The sum over the survivors for each weight, from the sum for each coordinate: whole numbers, exact.
 *
 * @param coordinateSum  As `decodeSum` gave it, or several added: exact as long as `count` of them stay below 2^53.
 * @param rotationKey    Of the round; not used where the layout is not rotated.
 * @returns [parameterCount]; `updateScale` times it over the sum of weights is the mean update.
 */
export async function updateSumOf<Sum extends Int32Array | Float64Array>(
  primitives: Primitives,
  layout: VectorLayout,
  coordinateSum: Sum,
  rotationKey: Bytes,
): Promise<Sum | Float64Array<ArrayBuffer>> {
  const { parameterCount, count, rotated } = coordinatesOf(layout);
  assert(coordinateSum.length === count, `a sum of ${coordinateSum.length} numbers for ${count} coordinates`);
  return rotated ? unrotateSum(primitives, coordinateSum, parameterCount, rotationKey) : coordinateSum;
}

/**
 * (B/Q) W, and over sqrt(d) where a rotation was taken off, so that the mean update is the update's sum times this over
 * weightSum. Always in this order: bit-exact.
 */
export function updateScale(layout: VectorLayout): number {
  const { coordinate, quantizedMax } = segmentOf(layout, "update").clip;
  const { count, rotated } = coordinatesOf(layout);
  const scale = (coordinate / quantizedMax) * segmentOf(layout, "weight").clip.max;
  return rotated ? scale / Math.sqrt(count) : scale;
}

/**
 * The weighted mean of the survivors' clipped updates, in the unit of the weights. [parameterCount]
 *
 * @param updateSum  What `updateSumOf` gave.
 */
export function meanUpdate(
  layout: VectorLayout,
  updateSum: Int32Array | Float64Array,
  weightSum: number,
): Float64Array<ArrayBuffer> {
  const scale = updateScale(layout);
  // Not Float64Array.from: it makes a list of all values first, 70 MB of heap for a million.
  const mean = new Float64Array(updateSum.length);
  for (let i = 0; i < mean.length; i++) mean[i] = (updateSum[i]! * scale) / weightSum; // hot loop
  return mean;
}

/**
 * How far a coordinate of `meanUpdate` may lie from the exact weighted mean of the survivors' clipped updates: each
 * device's rounding moves it by less than one step. Taking a rotation off adds the errors of all d coordinates, though
 * by chance only sqrt(d) of them; it does not count what the rotation's bound cut off, which is nothing almost always.
 */
export function quantizationBound(layout: VectorLayout, survivorCount: number, weightSum: number): number {
  const { count, rotated } = coordinatesOf(layout);
  return ((rotated ? count : 1) * survivorCount * updateScale(layout)) / weightSum;
}
