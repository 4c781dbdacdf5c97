import { assert, present } from "../../kernel/assert.ts";
import { ok } from "../../kernel/result.ts";
import { assertSumFits, sumMaxOf } from "../ring.ts";
import { addWhole, type LocalMetrics, type Segment } from "../segment.ts";

export type MetricsSlot = {
  readonly name: string;
  /** Words of the ring for 1 in the metric's own unit. */
  readonly scale: number;
  /** Largest value of one device, in words. */
  readonly max: number;
};

export type MetricsClip = {
  readonly kind: "slots";
  /** More validation rows than this count as this many; lossSum and correct shrink with them. */
  readonly countMax: number;
  readonly lossPerExampleMax: number;
  readonly slots: readonly MetricsSlot[];
};

export interface SummedMetrics {
  readonly before: LocalMetrics;
  readonly after: LocalMetrics;
}

export const METRICS_SLOT_NAMES = [
  "before.count",
  "before.lossSum",
  "before.correct",
  "after.count",
  "after.lossSum",
  "after.correct",
] as const;

/** Nats; a cross-entropy of 32 gives the true class a probability of 1e-14. */
const LOSS_PER_EXAMPLE_MAX = 32;
/** Coarsest and finest step of a loss sum: 1/16 and 1/65536 of a nat. */
const LOSS_SCALE_MIN = 16;
const LOSS_SCALE_MAX = 2 ** 16;

/** Count, lossSum and correct of the local validation rows, before and after the training: fixed point, one word each. */
export const metrics: Segment<MetricsClip, null, SummedMetrics> = {
  name: "metrics",

  layout({ cohortSizeMax, weightCap }) {
    const clip = metricsClip(cohortSizeMax, weightCap);
    return { length: METRICS_SLOT_NAMES.length, ring: 32, publish: "evidence", clip, noise: null };
  },

  encode({ metricsBefore, metricsAfter }, { clip }, words) {
    words.set([...metricsToWords(clip, 0, metricsBefore), ...metricsToWords(clip, 3, metricsAfter)]);
    return ok(null);
  },

  check({ clip }, numbers, survivorCount) {
    for (const [index, slot] of clip.slots.entries()) {
      const value = numbers[index] as number;
      if (value < 0 || value > slot.max * survivorCount) return { index, value };
    }
    return null;
  },

  add: addWhole,

  read({ clip }, numbers) {
    const slot = (index: number) => (numbers[index] as number) / scaleOf(clip, index);
    const metricsAt = (first: number) => ({
      count: slot(first),
      lossSum: slot(first + 1),
      correct: slot(first + 2),
    });
    return { before: metricsAt(0), after: metricsAt(3) };
  },
};

function metricsClip(cohortSizeMax: number, weightCap: number): MetricsClip {
  const sumMax = sumMaxOf(32);
  const coarsest = LOSS_PER_EXAMPLE_MAX * LOSS_SCALE_MIN * cohortSizeMax;
  const countMax = Math.min(weightCap, Math.floor(sumMax / coarsest));
  assert(countMax >= 1, "a cohort this large leaves no room for a loss sum");
  let lossScale = LOSS_SCALE_MIN;
  const fits = (scale: number) => LOSS_PER_EXAMPLE_MAX * countMax * scale * cohortSizeMax <= sumMax;
  while (lossScale < LOSS_SCALE_MAX && fits(2 * lossScale)) lossScale *= 2;
  const slots = METRICS_SLOT_NAMES.map((name) =>
    name.endsWith("lossSum")
      ? { name, scale: lossScale, max: LOSS_PER_EXAMPLE_MAX * countMax * lossScale }
      : { name, scale: 1, max: countMax },
  );
  for (const { max } of slots) assertSumFits(max, cohortSizeMax, 32, "metrics");
  return { kind: "slots", countMax, lossPerExampleMax: LOSS_PER_EXAMPLE_MAX, slots };
}

/**
 * A device with more rows than `countMax` counts as one with `countMax` rows and the same means. A loss that is not a
 * number, as a diverged model has it, counts as the largest.
 */
function metricsToWords(clip: MetricsClip, first: number, local: LocalMetrics): number[] {
  const { countMax, lossPerExampleMax } = clip;
  if (!(local.count > 0)) return [0, 0, 0];
  const shrink = Math.min(1, countMax / local.count);
  const count = Math.round(local.count * shrink);
  const lossMax = lossPerExampleMax * count;
  const loss = Number.isNaN(local.lossSum) ? lossMax : clamp(local.lossSum * shrink, lossMax);
  const correct = Math.round(clamp(local.correct * shrink, count));
  return [count, Math.round(loss * scaleOf(clip, first + 1)), correct];
}

function clamp(value: number, max: number): number {
  return Math.max(0, Math.min(max, value));
}

function scaleOf({ slots }: MetricsClip, index: number): number {
  return present(slots[index], "a metrics slot").scale;
}
