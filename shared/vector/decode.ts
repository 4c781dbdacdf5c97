import { unpackPairs } from "../codec/packing.ts";
import { assert, present } from "../kernel/assert.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import type { PlacedSegment, VectorLayout } from "./layout.ts";
import type { OutOfRange } from "./segment.ts";

/** An opened sum over the survivors. */
export interface DecodedSum {
  /**
   * The integers of each segment, by its name. Views into the decoded sum, except for segments on the 16-bit ring, whose
   * numbers are copied.
   */
  readonly numbersByName: ReadonlyMap<string, Int32Array<ArrayBuffer>>;
  readonly survivorCount: number;
}

/**
 * Reads an unmasked sum.
 *
 * @param sum            The ring sum over U3, with all masks removed. [layout.length]
 * @param survivorCount  |U3|, at most cohortSizeMax.
 * Errors: `sentinel` if a mask is missing or wrong (it does not tell whose, and does not detect poisoning); `range` if no
 * honest inputs could add up to this sum, with the first such number. A malicious input within the range passes, because
 * a sum cannot bound single inputs. Rule S2.
 */
export function decodeSum(
  layout: VectorLayout,
  sum: Uint32Array<ArrayBuffer>,
  survivorCount: number,
): Result<DecodedSum, DecodeError> {
  assert(sum.length === layout.length, `a sum of ${sum.length} words for a layout of ${layout.length}`);
  assert(survivorCount >= 1 && survivorCount <= layout.cohortSizeMax, "survivors are a part of the cohort");
  const numbersByName = new Map<string, Int32Array<ArrayBuffer>>();
  const last = present(layout.segments.at(-1), "the sentinels");
  // Check the sentinels first: under a wrong mask all other numbers are wrong too.
  for (const place of [last, ...layout.segments.slice(0, -1)]) {
    const numbers = numbersOf(place, sum);
    const wrong = place.code.check(place, numbers, survivorCount);
    if (wrong !== null)
      return err({ type: place === last ? "sentinel" : "range", segment: place.name, ...wrong });
    numbersByName.set(place.name, numbers);
  }
  return ok({ numbersByName, survivorCount });
}

export interface DecodeError extends OutOfRange {
  readonly type: "sentinel" | "range";
  readonly segment: string;
}

/** The integers that a segment of a sum holds. */
function numbersOf(
  { offset, length, ring }: PlacedSegment,
  sum: Uint32Array<ArrayBuffer>,
): Int32Array<ArrayBuffer> {
  if (ring === 16) return unpackPairs(sum.subarray(offset, offset + length), 2 * length);
  return new Int32Array(sum.buffer, sum.byteOffset + 4 * offset, length);
}
