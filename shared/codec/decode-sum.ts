import { assert } from "../kernel/assert.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { segmentOf, type VectorLayout } from "./layout.ts";
import { readMetrics, type SummedMetrics } from "./metrics.ts";

/** An opened sum over the survivors. */
export interface DecodedSum {
  /** [parameterCount], a view into the sum that was decoded. In steps of the quantizer, weighted by w'/W. */
  readonly updateSum: Int32Array;
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
 * no honest inputs could give that sum, with the first word that says so. One malicious input within the range
 * passes: the sum cannot bound it. Rule S2.
 */
export function decodeSum(
  layout: VectorLayout,
  sum: Uint32Array,
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
  const updateSum = signed.subarray(update.offset, update.offset + update.length);
  const bound = update.clip.quantizedMax * survivorCount;
  for (let i = 0; i < updateSum.length; i++) {
    const value = updateSum[i]!; // hot loop
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
  return ok({ updateSum, weightSum, metrics: readMetrics(layout, signed), survivorCount });
}

export type DecodeError =
  | { readonly type: "sentinel"; readonly slot: number; readonly value: number }
  | {
      readonly type: "range";
      readonly segment: "update" | "weight" | "metrics";
      readonly index: number;
      readonly value: number;
    };

/** (B/Q) W, so that the mean update is updateSum times this over weightSum. Always in this order: bit-exact. */
export function updateScale(layout: VectorLayout): number {
  const { coordinate, quantizedMax } = segmentOf(layout, "update").clip;
  return (coordinate / quantizedMax) * segmentOf(layout, "weight").clip.max;
}

/** The weighted mean of the survivors' clipped updates, in the unit of the weights. [parameterCount] */
export function meanUpdate(layout: VectorLayout, sum: DecodedSum): Float64Array<ArrayBuffer> {
  const scale = updateScale(layout);
  // Not Float64Array.from: it makes a list of all values first, 70 MB of heap for a million.
  const mean = new Float64Array(sum.updateSum.length);
  for (let i = 0; i < mean.length; i++) mean[i] = (sum.updateSum[i]! * scale) / sum.weightSum; // hot loop
  return mean;
}

/**
 * How far a coordinate of `meanUpdate` may lie from the exact weighted mean of the survivors' clipped updates: each
 * device's rounding moves it by less than one step.
 */
export function quantizationBound(layout: VectorLayout, survivorCount: number, weightSum: number): number {
  return (survivorCount * updateScale(layout)) / weightSum;
}
