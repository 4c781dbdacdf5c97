import { assert, present } from "../kernel/assert.ts";

/*
 * The segment layout of the one vector that leaves a device. Offsets and lengths count words of the ring 2^32.
 *
 * | segment   | words          | content of one device                                                       |
 * | --------- | -------------- | --------------------------------------------------------------------------- |
 * | update    | parameterCount | stochastic rounding of Q (w'/W) clip(delta) / B, signed                      |
 * | weight    | 1              | w' = min(numExamples, W)                                                    |
 * | metrics   | 6              | count, lossSum, correct of the local validation rows, before and after training |
 * | sentinels | 4              | 1 each; a sum must read |U3|                                                |
 *
 * Sentinels stay last. A new segment goes before them and makes a new version.
 */

export type MetricsSlot = {
  readonly name: string;
  /** Words of the ring for 1 in the metric's own unit. */
  readonly scale: number;
  /** Largest value of one device, in words. */
  readonly max: number;
};

// Types and not interfaces: only those are known to be plain data.
type SegmentOf<Name extends string, Clip> = {
  readonly name: Name;
  readonly offset: number;
  readonly length: number;
  readonly ring: 32;
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
    /** Q: the word that stands for B at full weight. */
    readonly quantizedMax: number;
  }
>;
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

/** A sum of the ring is read as a signed word. */
const SUM_MAX = 2 ** 31 - 1;
const QUANTIZED_MAX = 2 ** 26;
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
  const { parameterCount, cohortSizeMax, clipNormL2, weightCap } = terms;
  assert(
    isCount(parameterCount) && isCount(cohortSizeMax) && isCount(weightCap),
    "counts are whole and positive",
  );
  assert(Number.isFinite(clipNormL2) && clipNormL2 > 0, "the clip is positive");
  assert(weightCap * cohortSizeMax <= SUM_MAX, "a sum of weights fits the ring");

  const quantizedMax = Math.min(QUANTIZED_MAX, Math.floor(SUM_MAX / cohortSizeMax));
  assert(cohortSizeMax * quantizedMax <= SUM_MAX, "a sum of updates fits the ring");

  const place = { ring: 32, noise: null } as const;
  const update: UpdateSegment = {
    ...place,
    name: "update",
    offset: 0,
    length: parameterCount,
    clip: { kind: "l2", normL2: clipNormL2, coordinate: clipNormL2, quantizedMax },
  };
  const weight: WeightSegment = {
    ...place,
    name: "weight",
    offset: parameterCount,
    length: 1,
    clip: { kind: "cap", max: weightCap },
  };
  const metrics: MetricsSegment = {
    ...place,
    name: "metrics",
    offset: parameterCount + 1,
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

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}
