import type { DeviceMeasures, Measure, Measures } from "../../stats/measure.ts";
import type { LocalMetrics } from "../../vector/segment.ts";
import type { SummedMetrics } from "../../vector/segments/metrics.ts";
import type { Evaluation } from "../evaluation.ts";
import type { Target } from "../target.ts";
import { MEASURES } from "./list.ts";
import type { MeasureSpec } from "./measure-spec.ts";

export { MEASURES } from "./list.ts";
export type { MeasureSpec } from "./measure-spec.ts";

/** A measure of a model, and what it is. */
export interface ListedMeasure {
  readonly spec: MeasureSpec;
  readonly measure: Measure;
}

/**
 * The measures of a model, by name.
 *
 * @param sums  Sums over at least one held-out row.
 */
export function measuresFrom(sums: Evaluation, target: Target): Measures {
  return measuresBy(({ central }) => central(sums, target));
}

/** The measures that the sum of a round contains. A side without rows has none. */
export function deviceMeasuresFrom({ before, after }: SummedMetrics, target: Target): DeviceMeasures {
  const ofSide = (sums: LocalMetrics) =>
    measuresBy(({ onDevices }) => (sums.count > 0 ? (onDevices?.(sums, target) ?? null) : null));
  return { before: ofSide(before), after: ofSide(after) };
}

function measuresBy(measureOf: (spec: MeasureSpec) => Measure | null): Measures {
  return Object.fromEntries(
    MEASURES.flatMap((spec) => {
      const measure = measureOf(spec);
      return measure === null ? [] : [[spec.name, measure]];
    }),
  );
}

/** The measures that a model has, in the order of the list. Logs of earlier versions may lack some. */
export function listedMeasures(measures: Measures): readonly ListedMeasure[] {
  return MEASURES.flatMap((spec) => {
    const measure = measures[spec.name];
    return measure === undefined ? [] : [{ spec, measure }];
  });
}

/** The measure that represents a model if there is room for only one; null before it is evaluated. */
export function headlineOf(measures: Measures | null | undefined): ListedMeasure | null {
  return listedMeasures(measures ?? {})[0] ?? null;
}

/** The measures that any of several models has, in the order of the list. */
export function measuresIn(all: readonly (Measures | null)[]): readonly MeasureSpec[] {
  return MEASURES.filter(({ name }) => all.some((measures) => measures?.[name] !== undefined));
}

/** The measures that a model of this kind gets, in the order of the list. */
export function measuresOf(target: Target): readonly MeasureSpec[] {
  return MEASURES.filter(({ of }) => of === target.kind);
}
