import { assert, present } from "../../kernel/assert.ts";
import { ok } from "../../kernel/result.ts";
import type { Evaluation } from "../../task/evaluation.ts";
import { assertSumFits, sumMaxOf } from "../ring.ts";
import {
  addWhole,
  type ClassMetrics,
  type LocalMetrics,
  type NumberMetrics,
  type Segment,
} from "../segment.ts";

export type MetricsSlot = {
  readonly name: string;
  /** Ring steps for 1 in the metric's own unit. */
  readonly scale: number;
  /** Largest value of one device, in ring steps. */
  readonly max: number;
  /** Present if the value may be negative, down to -max. */
  readonly signed?: true;
};

export type MetricsClip = {
  readonly kind: "slots";
  /** Cap on the validation rows of one device. Above it, all sums are scaled down with the count. */
  readonly countMax: number;
  readonly lossPerExampleMax: number;
  readonly slots: readonly MetricsSlot[];
};

export interface SummedMetrics {
  readonly before: LocalMetrics;
  readonly after: LocalMetrics;
}

/** In nats, where a cross-entropy of 32 means that the true class has probability 1e-14, or in scaled units of a number. */
const LOSS_PER_EXAMPLE_MAX = 32;
/** The coarsest and finest step of a sum are 1/16 and 1/65536 of its unit. */
const SCALE_MIN = 16;
const SCALE_MAX = 2 ** 16;

interface SumsByLabels {
  readonly classes: ClassMetrics;
  readonly number: NumberMetrics;
}
type LabelKind = keyof SumsByLabels;

/** A slot after the count, on either side of the training. A row adds at most `rowMax` to it, in the sum's unit. */
interface SlotPlan {
  readonly rowMax: number;
  readonly step: "whole" | "fine";
  readonly signed?: true;
}
const LOSS: SlotPlan = { rowMax: LOSS_PER_EXAMPLE_MAX, step: "fine" };
/** Each sum has its slot, in the order of the vector. */
const SLOTS: {
  readonly [Kind in LabelKind]: Readonly<Record<Exclude<keyof SumsByLabels[Kind], "count">, SlotPlan>>;
} = {
  classes: { lossSum: LOSS, correct: { rowMax: 1, step: "whole" } },
  number: {
    lossSum: LOSS,
    errorSum: { rowMax: 1, step: "fine" },
    errorSquareSum: { rowMax: 1, step: "fine" },
    labelSum: { rowMax: 1, step: "fine", signed: true },
    labelSquareSum: { rowMax: 1, step: "fine" },
  },
};
/** Puts the sums of one side together. */
const SUMS: {
  readonly [Kind in LabelKind]: (sum: (name: keyof SumsByLabels[Kind]) => number) => SumsByLabels[Kind];
} = {
  classes: (sum) => ({ count: sum("count"), lossSum: sum("lossSum"), correct: sum("correct") }),
  number: (sum) => ({
    count: sum("count"),
    lossSum: sum("lossSum"),
    errorSum: sum("errorSum"),
    errorSquareSum: sum("errorSquareSum"),
    labelSum: sum("labelSum"),
    labelSquareSum: sum("labelSquareSum"),
  }),
};

/**
 * Sums over the local validation rows, before and after training. Fixed point, one word each.
 *
 * | labels  | slots, on each side                                                    |
 * | ------- | ---------------------------------------------------------------------- |
 * | classes | count, lossSum, correct                                                |
 * | number  | count, lossSum, sums of abs(e), e^2, y and y^2 as `NumberSums` has them |
 */
export const metrics: Segment<MetricsClip, null, SummedMetrics> = {
  name: "metrics",

  layout({ cohortSizeMax, weightCap, noise, labels = "classes" }) {
    // Exact metrics beside a noisy update would give away what its noise protects.
    if (noise !== undefined) return null;
    const clip = metricsClip(cohortSizeMax, weightCap, labels);
    return { length: clip.slots.length, ring: 32, publish: "evidence", clip, noise: null };
  },

  encode({ metricsBefore, metricsAfter }, { clip }, words) {
    const half = clip.slots.length / 2;
    const numbers = Int32Array.of(
      ...metricsToNumbers(clip, clip.slots.slice(0, half), metricsBefore),
      ...metricsToNumbers(clip, clip.slots.slice(half), metricsAfter),
    );
    words.set(new Uint32Array(numbers.buffer));
    return ok(null);
  },

  check({ clip }, numbers, survivorCount) {
    for (const [index, { max, signed = false }] of clip.slots.entries()) {
      const value = numbers[index] as number;
      const bound = max * survivorCount;
      if (value < (signed ? -bound : 0) || value > bound) return { index, value };
    }
    return null;
  },

  add: addWhole,

  read({ clip }, numbers) {
    const values = new Map(
      clip.slots.map(({ name, scale }, index) => [name, (numbers[index] as number) / scale]),
    );
    const sumsOf = (side: string) => {
      const sum = (name: string) => present(values.get(`${side}.${name}`), `a slot for ${side}.${name}`);
      return values.has(`${side}.correct`) ? SUMS.classes(sum) : SUMS.number(sum);
    };
    return { before: sumsOf("before"), after: sumsOf("after") };
  },
};

/** The part of an evaluation that the vector carries. */
export function localMetricsOf(sums: Evaluation): LocalMetrics {
  return "correct" in sums ? SUMS.classes((name) => sums[name]) : SUMS.number((name) => sums[name]);
}

/** "before.lossSum" without its side. */
function sumOf(slotName: string): string {
  return present(slotName.split(".")[1], "a slot has a side and a sum");
}

function metricsClip(cohortSizeMax: number, weightCap: number, labels: LabelKind): MetricsClip {
  const sumMax = sumMaxOf(32);
  const coarsest = LOSS_PER_EXAMPLE_MAX * SCALE_MIN * cohortSizeMax;
  const countMax = Math.min(weightCap, Math.floor(sumMax / coarsest));
  assert(countMax >= 1, "a cohort this large leaves no room for a loss sum");
  const scaleOf = ({ rowMax, step }: SlotPlan) => {
    if (step === "whole") return 1;
    let scale = SCALE_MIN;
    while (scale < SCALE_MAX && rowMax * countMax * 2 * scale * cohortSizeMax <= sumMax) scale *= 2;
    return scale;
  };
  const side = (name: string): MetricsSlot[] => [
    { name: `${name}.count`, scale: 1, max: countMax },
    ...Object.entries<SlotPlan>(SLOTS[labels]).map(([sum, plan]) => {
      const scale = scaleOf(plan);
      const slot = { name: `${name}.${sum}`, scale, max: plan.rowMax * countMax * scale };
      return plan.signed === undefined ? slot : { ...slot, signed: plan.signed };
    }),
  ];
  const slots = [...side("before"), ...side("after")];
  for (const { max } of slots) assertSumFits(max, cohortSizeMax, 32, "metrics");
  return { kind: "slots", countMax, lossPerExampleMax: LOSS_PER_EXAMPLE_MAX, slots };
}

/**
 * A device with more than `countMax` rows counts as one with `countMax` rows and the same means. A sum of NaN, as the loss of
 * a diverged model, counts as the largest.
 */
function metricsToNumbers(
  { countMax }: MetricsClip,
  slots: readonly MetricsSlot[],
  local: LocalMetrics,
): number[] {
  if (!(local.count > 0)) return slots.map(() => 0);
  const shrink = Math.min(1, countMax / local.count);
  const count = Math.round(local.count * shrink);
  const sums = new Map(Object.entries<number>(local));
  return slots.map(({ name, scale, max, signed = false }) => {
    const key = sumOf(name);
    if (key === "count") return count;
    const most = (max / countMax) * count;
    const value = present(sums.get(key), `a sum ${key} for its slot`) * shrink * scale;
    return Math.round(Number.isNaN(value) ? most : Math.max(signed ? -most : 0, Math.min(most, value)));
  });
}
