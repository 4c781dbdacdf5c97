import { ok } from "#shared/kernel/result.ts";
import { addWhole, type Segment } from "#shared/vector/segment.ts";

/** An evidence segment that no real task has: each device counts 1 in one of three groups. */
export const ages: Segment<{ readonly kind: "one-of" }, null, readonly number[]> = {
  name: "ages",
  layout: () => ({
    length: 3,
    ring: 32,
    publish: "evidence",
    clip: { kind: "one-of" },
    noise: null,
  }),
  encode({ numExamples }, _, words) {
    words[numExamples % 3] = 1;
    return ok(null);
  },
  check(_, numbers, survivorCount) {
    const index = numbers.findIndex((value) => value < 0 || value > survivorCount);
    return index < 0 ? null : { index, value: numbers[index] as number };
  },
  add: addWhole,
  read: (_, numbers) => [...numbers],
};
