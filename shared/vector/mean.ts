import { unrotateSum } from "../codec/rotation.ts";
import { assert } from "../kernel/assert.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { placeOf, type VectorLayout } from "./layout.ts";
import type { Numbers } from "./segment.ts";
import { coordinateCount, update } from "./segments/update.ts";

/**
 * Converts the survivors' sum for each coordinate into their sum for each weight. The numbers are integers, and exact.
 *
 * @param coordinateSum  As the update's segment reads it, from one shard or several. Exact as long as the absolute values
 *                       add up to less than 2^53.
 * @param rotationKey    The round's key. Used only if the layout is rotated.
 * @returns [parameterCount]. The mean update is this times `updateScale`, divided by the sum of weights.
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
 * (B/Q) W, divided by sqrt(d) if the layout is rotated. The mean update is the update's sum times this, divided by the sum
 * of weights. The order of the operations is fixed, so the result is bit-exact.
 */
export function updateScale(layout: VectorLayout): number {
  const place = placeOf(layout, update);
  const { coordinate, quantizedMax, weightCap, rotated } = place.clip;
  const scale = (coordinate / quantizedMax) * weightCap;
  return rotated ? scale / Math.sqrt(coordinateCount(place)) : scale;
}

/**
 * What a sum of updates is divided by: the sum of weights, or with noise the expected cohort. That is a constant of the task,
 * so the mean does not tell how many took part and one device moves it by at most its clip over the constant. Rule P15.
 *
 * @param expectedCohort  At least 1. Used only if the update has noise.
 */
export function meanDivisor(layout: VectorLayout, weightSum: number, expectedCohort: number): number {
  return placeOf(layout, update).noise === null ? weightSum : expectedCohort;
}

/**
 * The mean of the survivors' clipped updates, in the unit of the weights. [parameterCount]
 *
 * The only code that divides: sum times scale, then divided by the divisor, in doubles. So every strategy starts from the
 * same bits. Rule A6.
 *
 * @param updateSum  From `updateSumOf`.
 * @param divisor    From `meanDivisor`, at least 1.
 */
export function meanUpdate(
  layout: VectorLayout,
  updateSum: Int32Array | Float64Array,
  divisor: number,
): Float64Array<ArrayBuffer> {
  assert(divisor >= 1, "a mean needs weight");
  const scale = updateScale(layout);
  // Float64Array.from would first make a list of all values: 70 MB of heap for a million.
  const mean = new Float64Array(updateSum.length);
  for (let i = 0; i < mean.length; i++) mean[i] = (updateSum[i]! * scale) / divisor; // hot loop
  return mean;
}
