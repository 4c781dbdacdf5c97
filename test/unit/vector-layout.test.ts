import { describe, expect, test } from "vitest";
import { AssertionFault } from "#shared/kernel/assert.ts";
import { vectorLayout } from "#shared/vector/layout.ts";
import type { Segment } from "#shared/vector/segment.ts";
import { SEGMENTS } from "#shared/vector/segments/index.ts";
import { sentinels } from "#shared/vector/segments/sentinels.ts";
import { update } from "#shared/vector/segments/update.ts";
import { ages } from "#test/kit/dummies/ages.ts";
import { visits } from "#test/kit/dummies/visits.ts";

const terms = { parameterCount: 3, cohortSizeMax: 20, clipNormL2: 2, weightCap: 100 };
const [first, ...rest] = SEGMENTS as readonly [Segment, ...Segment[]];
const others = rest.slice(0, -1);

/** A segment whose layout says something else. */
function changed(segment: Segment, change: Partial<ReturnType<Segment["layout"]>>): Segment {
  return { ...segment, layout: (own) => ({ ...segment.layout(own), ...change }) };
}

describe("[S24] any list of segments", () => {
  test("lies in its own order, one after the other, without a gap", () => {
    const { segments, length } = vectorLayout(terms, [visits, ages, first, ...others, sentinels]);
    expect(segments.map(({ name, offset, length: own }) => [name, offset, own])).toEqual([
      ["visits", 0, 2],
      ["ages", 2, 3],
      ["update", 5, 3],
      ["weight", 8, 1],
      ["metrics", 9, 6],
      ["sentinels", 15, 4],
    ]);
    expect(length).toBe(19);
    // Without an update, as a vector of figures alone would be.
    expect(vectorLayout(terms, [ages, sentinels]).length).toBe(7);
  });

  test.for<[string, readonly Segment[]]>([
    ["the sentinels are not last", [first, sentinels, ages]],
    ["there are no sentinels", [first, ages]],
    ["there is nothing", []],
    ["one is there twice", [ages, ages, sentinels]],
    ["evidence is on the 16-bit ring", [changed(ages, { ring: 16 }), sentinels]],
    ["a public one is on the 16-bit ring", [changed(visits, { ring: 16 }), sentinels]],
    ["evidence is rotated", [changed(ages, { clip: { kind: "l2", rotated: true } }), sentinels]],
    ["the sentinels are on the 16-bit ring", [first, changed(sentinels as Segment, { ring: 16 })]],
    ["the sentinels are evidence", [first, changed(sentinels as Segment, { publish: "evidence" })]],
    ["one has no words", [changed(ages, { length: 0 }), sentinels]],
    ["one has half a word", [changed(ages, { length: 1.5 }), sentinels]],
  ])("is a fault if %s", ([, segments]) => {
    expect(() => vectorLayout(terms, segments)).toThrow(AssertionFault);
  });

  test("may have its update on the 16-bit ring, and nothing else is", () => {
    const { segments } = vectorLayout({ ...terms, ring: 16 }, [update as Segment, ages, visits, sentinels]);
    expect(segments.map(({ name, ring }) => [name, ring])).toEqual([
      ["update", 16],
      ["ages", 32],
      ["visits", 32],
      ["sentinels", 32],
    ]);
  });
});
