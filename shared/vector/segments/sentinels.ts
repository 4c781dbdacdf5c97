import { ok } from "../../kernel/result.ts";
import { addWhole, type Segment } from "../segment.ts";

export type SentinelClip = { readonly kind: "constant"; readonly value: 1 };

export const SENTINEL_COUNT = 4;

/**
 * Each word is 1, so a correct sum reads |U3|. Reveals a missing or wrong mask, though not whose it is, and does not detect
 * poisoning. Always the last segment.
 */
export const sentinels: Segment<SentinelClip, null, null> = {
  name: "sentinels",

  layout: () => ({
    length: SENTINEL_COUNT,
    ring: 32,
    publish: "public",
    clip: { kind: "constant", value: 1 },
    noise: null,
  }),

  encode(_, { clip }, words) {
    words.fill(clip.value);
    return ok(null);
  },

  check({ clip }, numbers, survivorCount) {
    const index = numbers.findIndex((value) => value !== survivorCount * clip.value);
    return index < 0 ? null : { index, value: numbers[index] as number };
  },

  add: addWhole,

  read: () => null,
};
