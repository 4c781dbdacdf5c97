import { quantize } from "../codec/quantize.ts";
import { assert, present } from "../kernel/assert.ts";
import type { RandomBytes } from "../kernel/ports.ts";
import { addNoise } from "../privacy/draw-noise.ts";
import { buildNoiseTable, type NoiseTable } from "../privacy/noise-table.ts";
import { noiseRefusalSentence, planNoise } from "../privacy/scale.ts";
import type { Ring } from "./ring.ts";
import type { EncodeTools, LayoutTerms, NoiseCode, Place, SegmentNoise, UpdateClip } from "./segment.ts";

/* The noise of an update. It is handed in, so that a page whose task has none does not fetch it. */

/**
 * Rounds again until the numbers are within the sensitivity, then adds this device's share of the noise.
 *
 * One rounding does with a probability of at least 1 - e^-1/2. Rules P10, P13.
 */
async function make(
  numbers: Int32Array,
  values: Float32Array | Float64Array,
  { clip }: Place<UpdateClip>,
  noise: SegmentNoise,
  { primitives, random }: EncodeTools,
): Promise<void> {
  const source: RandomBytes = present(random, "randomness for noise");
  for (let turn = 0; squaredNorm(numbers) > noise.squaredNormMax; turn++) {
    // Failing so often has a probability of e^-500, so the clip or the plan is wrong.
    assert(turn < 1000, "a rounded update is within the sensitivity");
    await quantize(primitives, numbers, values, 1, clip, source(32));
  }
  addNoise(numbers, tableOf(noise), source);
}

/** Exact below 2^53; above, too large all the same. */
function squaredNorm(numbers: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < numbers.length; i++) sum += (numbers[i] as number) ** 2;
  return sum;
}

/** A table takes up to a second to build, and serves as long as its layout. */
const tables = new WeakMap<SegmentNoise, NoiseTable>();

function tableOf(noise: SegmentNoise): NoiseTable {
  const known = tables.get(noise);
  if (known !== undefined) return known;
  const table = buildNoiseTable(noise.variance);
  tables.set(noise, table);
  return table;
}

function layout(
  { parameterCount, cohortSizeMax, clipNormL2, weightCap, noise }: LayoutTerms,
  ring: Ring,
  rotated: boolean,
) {
  assert(ring === 32 && !rotated, "noise needs the 32-bit ring and no rotation");
  assert(weightCap === 1, "with noise all weights are 1");
  const { noiseMultiplier, shareCount } = present(noise, "noise that was asked for");
  const planned = planNoise({ dimension: parameterCount, cohortSizeMax, noiseMultiplier, shareCount });
  assert(planned.ok, planned.ok ? "" : noiseRefusalSentence(planned.error));
  const { clipSteps, squaredNormMax, variance, noiseMax } = planned.value;
  const clip: UpdateClip = {
    kind: "l2",
    parameterCount,
    rotated,
    normL2: clipNormL2,
    coordinate: clipNormL2,
    quantizedMax: clipSteps,
    weightCap,
  };
  const own: SegmentNoise = { kind: "discrete-gaussian", variance, max: noiseMax, squaredNormMax };
  return { length: parameterCount, ring, publish: "public", clip, noise: own } as const;
}

export const noiseCode: NoiseCode = { layout, make };
