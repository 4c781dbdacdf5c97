import { assert, present } from "../kernel/assert.ts";

/*
 * The segment layout of the one vector that leaves a device. Offsets and lengths count words of the ring 2^32.
 *
 * | segment   | words          | content of one device                                                       |
 * | --------- | -------------- | --------------------------------------------------------------------------- |
 * | update    | parameterCount | stochastic rounding of Q (w'/W) clip(delta) / B, signed; see below for 16 bits |
 * | weight    | 1              | w' = min(numExamples, W)                                                    |
 * | metrics   | 6              | count, lossSum, correct of the local validation rows, before and after training |
 * | sentinels | 4              | 1 each; a sum must read |U3|                                                |
 *
 * Sentinels stay last. A new segment goes before them and makes a new version.
 *
 * On the 16-bit ring the update is rotated first, which takes it to a power of two of coordinates (`rotation.ts`), and
 * two coordinates share a word (`packing.ts`): 2 bytes each. Everything else keeps its own words.
 */

export type Ring = 16 | 32;

export type MetricsSlot = {
  readonly name: string;
  /** Words of the ring for 1 in the metric's own unit. */
  readonly scale: number;
  /** Largest value of one device, in words. */
  readonly max: number;
};

// Types and not interfaces: only those are known to be plain data.
type SegmentOf<Name extends string, Clip, Bits extends Ring = 32> = {
  readonly name: Name;
  readonly offset: number;
  readonly length: number;
  readonly ring: Bits;
  readonly clip: Clip;
  readonly noise: null;
};

export type UpdateSegment = SegmentOf<
  "update",
  {
    readonly kind: "l2";
    /** L, in the unit of the weights. */
    readonly normL2: number;
    /** B, in the unit of the weights; equal to L unless the update is rotated. */
    readonly coordinate: number;
    /** Q: what stands for B at full weight. */
    readonly quantizedMax: number;
  },
  Ring
> & {
  /** Absent where each weight has a word of its own, so that such a layout keeps the text that it always had. */
  readonly coordinates?: Coordinates;
};

/** What the words of the update hold, where that is not simply one weight each. */
export type Coordinates = {
  readonly parameterCount: number;
  /** A power of two where the update is rotated, else the number of weights. */
  readonly count: number;
  readonly rotated: boolean;
};
/** `max` is W, the largest `numExamples` that counts. */
export type WeightSegment = SegmentOf<"weight", { readonly kind: "cap"; readonly max: number }>;
export type MetricsSegment = SegmentOf<
  "metrics",
  {
    readonly kind: "slots";
    /** More validation rows than this count as this many; lossSum and correct shrink with them. */
    readonly countMax: number;
    readonly lossPerExampleMax: number;
    readonly slots: readonly MetricsSlot[];
  }
>;
export type SentinelSegment = SegmentOf<"sentinels", { readonly kind: "constant"; readonly value: 1 }>;
export type Segment = UpdateSegment | WeightSegment | MetricsSegment | SentinelSegment;

/** Plain data: its canonical JSON is what layoutHash, and so configHash, covers. */
export type VectorLayout = {
  readonly version: 1;
  readonly cohortSizeMax: number;
  /** Words of the whole vector. */
  readonly length: number;
  readonly segments: readonly Segment[];
};

export interface LayoutTerms {
  readonly parameterCount: number;
  readonly cohortSizeMax: number;
  /** L, in the unit of the weights. */
  readonly clipNormL2: number;
  /** W. */
  readonly weightCap: number;
  /** Default 32. */
  readonly ring?: Ring;
  /** Default: on the 16-bit ring only, where it costs 40 times in accuracy to do without. SECAGG section 7. */
  readonly rotated?: boolean;
}

export const SENTINEL_COUNT = 4;
export const METRICS_SLOT_NAMES = [
  "before.count",
  "before.lossSum",
  "before.correct",
  "after.count",
  "after.lossSum",
  "after.correct",
] as const;

/** A sum of the ring is read as a signed number of its width. */
const SUM_MAX = 2 ** 31 - 1;
const SUM_MAX_16 = 2 ** 15 - 1;
const QUANTIZED_MAX = 2 ** 26;
/**
 * Least Q. At full weights the rounding of a rotated update errs by about 2.8 / Q of the mean of independent updates at
 * 2^20 coordinates of 100 devices, and by 3.3 / Q at 2^26 of 511, for B grows with the root of ln(d n); 64 keeps that at
 * 5 % or so.
 */
const QUANTIZED_MIN = 64;
/** beta = 2^-10: how likely at most some coordinate of a whole cohort is cut off at B after the rotation. */
const ROTATION_FAILURE_BITS = 10;
/** Nats; a cross-entropy of 32 gives the true class a probability of 1e-14. */
const LOSS_PER_EXAMPLE_MAX = 32;
/** Coarsest and finest step of a loss sum: 1/16 and 1/65536 of a nat. */
const LOSS_SCALE_MIN = 16;
const LOSS_SCALE_MAX = 2 ** 16;

/**
 * The layout of a task's vector.
 *
 * @throws AssertionFault where the terms do not fit the ring; a task's schema refuses such terms before.
 */
export function vectorLayout(terms: LayoutTerms): VectorLayout {
  const { parameterCount, cohortSizeMax, clipNormL2, weightCap, ring = 32 } = terms;
  assert(
    isCount(parameterCount) && isCount(cohortSizeMax) && isCount(weightCap),
    "counts are whole and positive",
  );
  assert(Number.isFinite(clipNormL2) && clipNormL2 > 0, "the clip is positive");
  assert(weightCap * cohortSizeMax <= SUM_MAX, "a sum of weights fits the ring");

  const place = { ring: 32, noise: null } as const;
  const update = updateSegment(terms, ring, terms.rotated ?? ring === 16);
  const weight: WeightSegment = {
    ...place,
    name: "weight",
    offset: update.length,
    length: 1,
    clip: { kind: "cap", max: weightCap },
  };
  const metrics: MetricsSegment = {
    ...place,
    name: "metrics",
    offset: weight.offset + 1,
    length: METRICS_SLOT_NAMES.length,
    clip: metricsClip(cohortSizeMax, weightCap),
  };
  const sentinels: SentinelSegment = {
    ...place,
    name: "sentinels",
    offset: metrics.offset + metrics.length,
    length: SENTINEL_COUNT,
    clip: { kind: "constant", value: 1 },
  };
  const length = sentinels.offset + sentinels.length;
  return { version: 1, cohortSizeMax, length, segments: [update, weight, metrics, sentinels] };
}

/**
 * Why a sum of so many devices does not fit the ring, and what to do; null where it fits. A task's schema asks this
 * before anything starts. Rule S21.
 */
export function ringRefusal(ring: Ring, cohortSizeMax: number): string | null {
  const most = Math.floor(sumMaxOf(ring) / QUANTIZED_MIN);
  if (cohortSizeMax <= most) return null;
  return `a sum of ${cohortSizeMax} devices leaves each fewer than ${QUANTIZED_MIN} steps of ${ring} bits: set cohortSizeMax to at most ${most}${ring === 16 ? ", or ring to 32" : ""}`;
}

function sumMaxOf(ring: Ring): number {
  return ring === 16 ? SUM_MAX_16 : SUM_MAX;
}

function updateSegment(terms: LayoutTerms, ring: Ring, rotated: boolean): UpdateSegment {
  const { parameterCount, cohortSizeMax, clipNormL2 } = terms;
  const sumMax = sumMaxOf(ring);
  const quantizedMax = Math.min(QUANTIZED_MAX, Math.floor(sumMax / cohortSizeMax));
  assert(cohortSizeMax * quantizedMax <= sumMax, "a sum of updates fits the ring");
  const refusal = ringRefusal(ring, cohortSizeMax);
  assert(refusal === null, refusal ?? "a sum fits the ring");
  const count = rotated ? powerOfTwoAtLeast(Math.max(2, parameterCount)) : parameterCount;
  const coordinate = rotated ? rotatedBound(clipNormL2, count, cohortSizeMax) : clipNormL2;
  return {
    name: "update",
    offset: 0,
    length: ring === 16 ? Math.ceil(count / 2) : count,
    ring,
    noise: null,
    clip: { kind: "l2", normL2: clipNormL2, coordinate, quantizedMax },
    ...(ring === 32 && !rotated ? {} : { coordinates: { parameterCount, count, rotated } }),
  };
}

/**
 * B = L sqrt(2 ln(2 d n / beta) / d), and never above L: with random signs a rotated coordinate of one device is beyond
 * B with a probability of at most beta / (d n).
 *
 * The logarithm is taken of the next power of two, by counting bits: `Math.log` may differ by a last bit from one
 * browser to the next, and every device hashes this number.
 * Source: Hoeffding 1963, theorem 2; Suresh et al. 2017, arXiv:1611.00429, section 3.
 */
function rotatedBound(clipNormL2: number, dimension: number, cohortSizeMax: number): number {
  const bits = 1 + ROTATION_FAILURE_BITS + bitCount(dimension) + bitCount(cohortSizeMax);
  return clipNormL2 * Math.min(1, Math.sqrt((2 * Math.LN2 * bits) / dimension));
}

function powerOfTwoAtLeast(value: number): number {
  return 2 ** bitCount(value);
}

/** The smallest k with 2^k >= value. */
function bitCount(value: number): number {
  let bits = 0;
  while (2 ** bits < value) bits++;
  return bits;
}

function metricsClip(cohortSizeMax: number, weightCap: number): MetricsSegment["clip"] {
  const coarsest = LOSS_PER_EXAMPLE_MAX * LOSS_SCALE_MIN * cohortSizeMax;
  const countMax = Math.min(weightCap, Math.floor(SUM_MAX / coarsest));
  assert(countMax >= 1, "a cohort this large leaves no room for a loss sum");
  let lossScale = LOSS_SCALE_MIN;
  const fits = (scale: number) => LOSS_PER_EXAMPLE_MAX * countMax * scale * cohortSizeMax <= SUM_MAX;
  while (lossScale < LOSS_SCALE_MAX && fits(2 * lossScale)) lossScale *= 2;
  const slots = METRICS_SLOT_NAMES.map((name) =>
    name.endsWith("lossSum")
      ? { name, scale: lossScale, max: LOSS_PER_EXAMPLE_MAX * countMax * lossScale }
      : { name, scale: 1, max: countMax },
  );
  for (const { max } of slots) assert(max * cohortSizeMax <= SUM_MAX, "a sum of metrics fits the ring");
  return { kind: "slots", countMax, lossPerExampleMax: LOSS_PER_EXAMPLE_MAX, slots };
}

/** The segment of that name. */
export function segmentOf<Name extends Segment["name"]>(
  layout: VectorLayout,
  name: Name,
): Extract<Segment, { name: Name }> {
  const segment = layout.segments.find((candidate) => candidate.name === name);
  return present(segment, `no segment ${name}`) as Extract<Segment, { name: Name }>;
}

/** What the words of the update hold, said for every layout. */
export function coordinatesOf(layout: VectorLayout): Coordinates {
  const { length, coordinates } = segmentOf(layout, "update");
  return coordinates ?? { parameterCount: length, count: length, rotated: false };
}

/** Bits of the masked list for each weight of the model: the width of the ring, and what a rotation pads. */
export function bitsPerWeight(layout: VectorLayout): number {
  return (32 * segmentOf(layout, "update").length) / coordinatesOf(layout).parameterCount;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}
