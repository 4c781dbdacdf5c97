import { ok } from "#shared/kernel/result.ts";
import { assertSumFits } from "#shared/vector/ring.ts";
import { addWhole, type Segment } from "#shared/vector/segment.ts";

/** A public segment that no real task has: two words, the second one negative. */
export const visits: Segment<{ readonly kind: "count"; readonly max: number }, number, number> = {
  name: "visits",
  layout({ cohortSizeMax }) {
    assertSumFits(7, cohortSizeMax, 32, "visits");
    return { length: 2, ring: 32, publish: "public", clip: { kind: "count", max: 7 }, noise: null };
  },
  encode({ numExamples }, { clip }, words) {
    const own = numExamples % (clip.max + 1);
    words.set([own, -own]);
    return ok(own);
  },
  check({ clip }, numbers, survivorCount) {
    const index = numbers.findIndex((value) => Math.abs(value) > clip.max * survivorCount);
    return index < 0 ? null : { index, value: numbers[index] as number };
  },
  add: addWhole,
  read: (_, numbers) => numbers[0] as number,
};
