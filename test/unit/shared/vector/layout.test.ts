import { describe, expect, test } from "vitest";
import { AssertionFault, present } from "#shared/kernel/assert.ts";
import type { RoundParams } from "#shared/task/round-params.ts";
import { vectorLayout } from "#shared/vector/layout.ts";
import type { Segment } from "#shared/vector/segment.ts";
import { SEGMENTS } from "#shared/vector/segments/index.ts";
import { sentinels } from "#shared/vector/segments/sentinels.ts";
import { update } from "#shared/vector/segments/update.ts";
import { ages } from "#test/kit/dummies/ages.ts";
import { visits } from "#test/kit/dummies/visits.ts";
import { TEST_TRAINING } from "#test/kit/secagg-fixtures.ts";

const terms = { parameterCount: 3, cohortSizeMax: 20, clipNormL2: 2, weightCap: 100 };
const [first, ...rest] = SEGMENTS as readonly [Segment, ...Segment[]];
const others = rest.slice(0, -1);

/** A segment with a changed layout. */
function changed(segment: Segment, change: Partial<ReturnType<Segment["layout"]>>): Segment {
  return {
    ...segment,
    layout: (own) => ({ ...present(segment.layout(own), "a segment"), ...change }),
  };
}

describe("[S24] any list of segments", () => {
  test("keeps its order, contiguous and without gaps", () => {
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
    // Without an update, like a vector of figures only.
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

  test("may have its update on the 16-bit ring, but nothing else", () => {
    const { segments } = vectorLayout({ ...terms, ring: 16 }, [update as Segment, ages, visits, sentinels]);
    expect(segments.map(({ name, ring }) => [name, ring])).toEqual([
      ["update", 16],
      ["ages", 32],
      ["visits", 32],
      ["sentinels", 32],
    ]);
  });

  test("[S25] depends on the purpose, and a round may change its bounds but not its length", () => {
    const names = (purpose: "train" | "evaluate") =>
      vectorLayout({ ...terms, purpose }).segments.map(({ name }) => name);
    expect(names("train")).toEqual(["update", "weight", "metrics", "sentinels"]);
    expect(names("evaluate")).toEqual(["metrics", "sentinels"]);
    const byRound: Segment = {
      ...visits,
      layout: (own) => {
        const layout = visits.layout(own);
        const epochs = own.roundParams?.training.epochs ?? 7;
        return layout === null ? null : { ...layout, clip: { kind: "count", max: epochs } };
      },
    };
    const roundParams = { purpose: "train", training: { ...TEST_TRAINING, epochs: 3 } } as const;
    const of = (change: { readonly roundParams?: RoundParams }) =>
      vectorLayout({ ...terms, ...change }, [byRound, sentinels]).segments[0]?.clip;
    expect([of({}), of({ roundParams })]).toEqual([
      { kind: "count", max: 7 },
      { kind: "count", max: 3 },
    ]);
  });
});
