import { packPairs } from "../codec/packing.ts";
import { assert, present } from "../kernel/assert.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import type { DecodedSum } from "./decode.ts";
import type { PlacedSegment, VectorLayout } from "./layout.ts";
import type { OutOfRange } from "./segment.ts";

/*
 * The published part of a session's sum: the numbers of its public segments, one after the other, as signed words. To
 * evidence segments the session only commits (`transcript/evidence.ts`).
 */

/** The published numbers of one session. [publishedLength] */
export function publishedWords(
  layout: VectorLayout,
  { numbersByName }: DecodedSum,
): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(publishedLength(layout));
  let at = 0;
  for (const { name } of thoseOf(layout, "public")) {
    const numbers = present(numbersByName.get(name), `numbers of ${name}`);
    words.set(numbers, at);
    at += numbers.length;
  }
  return words;
}

/** The numbers of one session by public segment, the inverse of `publishedWords`. Views. */
export function publishedNumbers(
  layout: VectorLayout,
  published: Int32Array<ArrayBuffer>,
): DecodedSum["numbersByName"] {
  assert(published.length === publishedLength(layout), "a published sum has its length");
  let at = 0;
  return new Map(
    thoseOf(layout, "public").map((place) => {
      const numbers = published.subarray(at, at + numberCount(place));
      at += numbers.length;
      return [place.name, numbers];
    }),
  );
}

/** The layout without what is committed to but not published. */
export function publicPart({ cohortSizeMax, length, segments }: VectorLayout): VectorLayout {
  return { cohortSizeMax, length, segments: segments.filter(({ publish }) => publish === "public") };
}

/** How many numbers of one session's sum are published. */
export function publishedLength(layout: VectorLayout): number {
  return thoseOf(layout, "public").reduce((sum, place) => sum + numberCount(place), 0);
}

/** A copy of the words of a sum that are not published, in the order of the layout. */
export function evidenceWords(layout: VectorLayout, sum: Uint32Array): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(evidenceLength(layout));
  let at = 0;
  for (const { offset, length } of thoseOf(layout, "evidence")) {
    words.set(sum.subarray(offset, offset + length), at);
    at += length;
  }
  return words;
}

export function evidenceLength(layout: VectorLayout): number {
  return thoseOf(layout, "evidence").reduce((sum, { length }) => sum + length, 0);
}

/**
 * Rebuilds the ring words of a session's sum from its published numbers and its evidence.
 *
 * @param published  [publishedLength], signed words. @param evidence  [evidenceLength]
 * Error: the first published number outside the range of the 16-bit ring. It would pack into the same word as another pair
 * of numbers, but the next model is made from the numbers. Rules A4, S20.
 */
export function ringWords(
  layout: VectorLayout,
  published: Int32Array,
  evidence: Uint32Array,
): Result<Uint32Array<ArrayBuffer>, OutOfRange> {
  assert(published.length === publishedLength(layout), "a published sum has its length");
  assert(evidence.length === evidenceLength(layout), "evidence has its length");
  const words = new Uint32Array(layout.length);
  let [publicAt, evidenceAt] = [0, 0];
  for (const place of layout.segments) {
    const own = words.subarray(place.offset, place.offset + place.length);
    if (place.publish === "evidence") {
      own.set(evidence.subarray(evidenceAt, evidenceAt + place.length));
      evidenceAt += place.length;
      continue;
    }
    const numbers = published.subarray(publicAt, publicAt + numberCount(place));
    if (place.ring === 16) {
      const index = numbers.findIndex((value) => value < -(2 ** 15) || value >= 2 ** 15);
      if (index >= 0) return err({ index: publicAt + index, value: numbers[index] as number });
      packPairs(numbers, own);
    } else own.set(numbers);
    publicAt += numbers.length;
  }
  return ok(words);
}

/** The segment that a word of the vector belongs to. */
export function segmentAt(layout: VectorLayout, word: number): PlacedSegment {
  const place = layout.segments.find(({ offset, length }) => word >= offset && word < offset + length);
  return present(place, `a segment at word ${word}`);
}

function thoseOf(layout: VectorLayout, publish: PlacedSegment["publish"]): readonly PlacedSegment[] {
  return layout.segments.filter((place) => place.publish === publish);
}

function numberCount({ length, ring }: PlacedSegment): number {
  return length * (32 / ring);
}
