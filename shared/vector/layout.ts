import type { Json } from "../codec/canonical-json.ts";
import { assert, present } from "../kernel/assert.ts";
import type { Clip, LayoutTerms, Place, Segment } from "./segment.ts";
import { SEGMENTS } from "./segments/index.ts";
import { sentinels } from "./segments/sentinels.ts";
import { update } from "./segments/update.ts";

/*
 * The layout of the vector that leaves a device: segments one after the other, in words of the ring 2^32. Masking and
 * adding ignore segments; the mask stream is consumed by byte offset.
 */

/** A segment with its place in the vector. */
export type PlacedSegment = Place & { readonly code: Segment };

export interface VectorLayout {
  readonly cohortSizeMax: number;
  /** Words of the whole vector. */
  readonly length: number;
  readonly segments: readonly PlacedSegment[];
}

/**
 * The layout of a task's vector.
 *
 * @param segments  In the order of the vector, the sentinels last.
 * @throws AssertionFault if the terms do not fit the ring (a task's schema has refused such terms already), or if the list
 * is invalid: only the update may be rotated or on the 16-bit ring, and the sentinels must be public.
 */
export function vectorLayout(terms: LayoutTerms, segments: readonly Segment[] = SEGMENTS): VectorLayout {
  const { parameterCount, cohortSizeMax, clipNormL2, weightCap } = terms;
  assert(
    isCount(parameterCount) && isCount(cohortSizeMax) && isCount(weightCap),
    "counts are whole and positive",
  );
  assert(Number.isFinite(clipNormL2) && clipNormL2 > 0, "the clip is positive");
  assert(new Set(segments.map(({ name }) => name)).size === segments.length, "segments have different names");
  assert(segments.at(-1)?.name === sentinels.name, "the sentinels are the last segment");

  let offset = 0;
  const placed = segments.flatMap((code): PlacedSegment[] => {
    const layout = code.layout(terms);
    if (layout === null) return [];
    const { length, ring, publish, clip, noise } = layout;
    const { name } = code;
    assert(isCount(length), `segment ${name} has words`);
    const isPlain = ring === 32 && clip["rotated"] !== true;
    assert(name === update.name || isPlain, `segment ${name} is neither rotated nor on the 16-bit ring`);
    assert(name !== sentinels.name || publish === "public", "the sentinels are public");
    const place = { name, length, ring, publish, clip, noise, offset, code };
    offset += length;
    return [place];
  });
  return { cohortSizeMax, length: offset, segments: placed };
}

/** The part of a layout that is hashed: all except the code and the offsets, which follow from the lengths. */
export function layoutData({ cohortSizeMax, segments }: VectorLayout): Json {
  const data = segments.map(({ name, length, ring, publish, clip, noise }) => {
    return { name, length, ring, publish, clip, noise };
  });
  return { version: 2, cohortSizeMax, segments: data };
}

/** A segment's place in the layout. */
export function placeOf<C extends Clip, Kept, Value>(
  layout: VectorLayout,
  { name }: Segment<C, Kept, Value>,
): Place<C> {
  const place = layout.segments.find((candidate) => candidate.name === name);
  return present(place, `no segment ${name}`) as Place as Place<C>;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}
