import { assert } from "../../kernel/assert.ts";
import { err, ok, type Result } from "../../kernel/result.ts";
import { assertSumFits } from "../ring.ts";
import { addWhole, type EncodeError, type Segment } from "../segment.ts";

/** `max` is W, the largest `numExamples` that counts. */
export type WeightClip = { readonly kind: "cap"; readonly max: number };

/** w' = min(numExamples, W), in one word. A device keeps its own. The sum of weights is the divisor of the mean update. */
export const weight: Segment<WeightClip, number, number> = {
  name: "weight",

  layout({ weightCap, cohortSizeMax, purpose = "train" }) {
    if (purpose !== "train") return null;
    assertSumFits(weightCap, cohortSizeMax, 32, "weights");
    const clip = { kind: "cap", max: weightCap } as const;
    return { length: 1, ring: 32, publish: "public", clip, noise: null };
  },

  encode({ numExamples }, { clip }, words) {
    const counted = countedWeight(numExamples, clip.max);
    if (counted.ok) words[0] = counted.value;
    return counted;
  },

  check({ clip }, numbers, survivorCount) {
    const value = numbers[0] as number;
    return value < 1 || value > clip.max * survivorCount ? { index: 0, value } : null;
  },

  add: addWhole,

  read(_, numbers) {
    const sum = numbers[0] as number;
    assert(Number.isSafeInteger(sum), "a sum of whole numbers is exact");
    return sum;
  },
};

/** The weight of a device with `numExamples` rows. */
export function countedWeight(numExamples: number, weightCap: number): Result<number, EncodeError> {
  if (!(Number.isSafeInteger(numExamples) && numExamples >= 1)) return err({ type: "no-examples" });
  return ok(Math.min(numExamples, weightCap));
}
