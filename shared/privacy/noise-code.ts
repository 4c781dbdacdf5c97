import { addNoise } from "./draw-noise.ts";
import { buildNoiseTable } from "./noise-table.ts";
import { noiseRefusalSentence, planNoise } from "./scale.ts";

/** What noise needs beside its numbers. It is handed in, so that a page whose task has no noise does not fetch it. */
export const noiseCode = {
  plan: planNoise,
  refusal: noiseRefusalSentence,
  table: buildNoiseTable,
  add: addNoise,
};
export type NoiseCode = typeof noiseCode;
