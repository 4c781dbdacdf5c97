import { unrotateSum } from "../codec/rotation.ts";
import { assert } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { placeOf, type VectorLayout } from "./layout.ts";
import type { Numbers } from "./segment.ts";
import { coordinateCount, update } from "./segments/update.ts";

/**
 * The sum over the survivors for each weight, from the sum for each coordinate: whole numbers, exact.
 *
 * @param coordinateSum  As the update's segment reads, of one shard or of several: exact as long as all its numbers together
 *                       stay below 2^53.
 * @param rotationKey    Of the round; not used unless the layout is rotated.
 * @returns [parameterCount]; `updateScale` times it over the sum of weights is the mean update.
 */
export async function updateSumOf(
  primitives: Primitives,
  layout: VectorLayout,
  coordinateSum: Numbers,
  rotationKey: Bytes,
): Promise<Numbers> {
  const place = placeOf(layout, update);
  const { parameterCount, rotated } = place.clip;
  const count = coordinateCount(place);
  assert(coordinateSum.length === count, `a sum of ${coordinateSum.length} numbers for ${count} coordinates`);
  if (rotated) return unrotateSum(primitives, coordinateSum, parameterCount, rotationKey);
  return coordinateSum.subarray(0, parameterCount);
}

/**
 * (B/Q) W, and over sqrt(d) if a rotation was taken off, so that the mean update is the update's sum times this over the
 * sum of weights. Always in this order: bit-exact.
 */
export function updateScale(layout: VectorLayout): number {
  const place = placeOf(layout, update);
  const { coordinate, quantizedMax, weightCap, rotated } = place.clip;
  const scale = (coordinate / quantizedMax) * weightCap;
  return rotated ? scale / Math.sqrt(coordinateCount(place)) : scale;
}

/**
 * The mean of the survivors' clipped updates, in the unit of the weights. [parameterCount]
 *
 * The one place that divides: sum times scale, then over the divisor, in doubles, so that every strategy starts from the
 * same bits. Rule A6.
 *
 * @param updateSum  What `updateSumOf` gave.
 * @param divisor    The sum of weights, at least 1. With noise it would be a constant that everyone knows.
 */
export function meanUpdate(
  layout: VectorLayout,
  updateSum: Int32Array | Float64Array,
  divisor: number,
): Float64Array<ArrayBuffer> {
  assert(divisor >= 1, "a mean needs weight");
  const scale = updateScale(layout);
  // Not Float64Array.from: it makes a list of all values first, 70 MB of heap for a million.
  const mean = new Float64Array(updateSum.length);
  for (let i = 0; i < mean.length; i++) mean[i] = (updateSum[i]! * scale) / divisor; // hot loop
  return mean;
}

/**
 * How far a coordinate of `meanUpdate` may lie from the exact weighted mean of the survivors' clipped updates: each
 * device's rounding moves it by less than one step. Taking a rotation off adds the errors of all d coordinates, though
 * by chance only sqrt(d) of them. It does not count what the rotation's bound cut off, which is almost always nothing.
 */
export function quantizationBound(layout: VectorLayout, survivorCount: number, weightSum: number): number {
  const place = placeOf(layout, update);
  const errors = place.clip.rotated ? coordinateCount(place) : 1;
  return (errors * survivorCount * updateScale(layout)) / weightSum;
}
