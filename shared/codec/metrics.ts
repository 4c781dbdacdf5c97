import { present } from "../kernel/assert.ts";
import { type MetricsSegment, segmentOf, type VectorLayout } from "./layout.ts";

/** Sums over validation rows: of one device, or of all survivors. */
export interface LocalMetrics {
  readonly count: number;
  /** Nats. */
  readonly lossSum: number;
  readonly correct: number;
}

export interface SummedMetrics {
  readonly before: LocalMetrics;
  readonly after: LocalMetrics;
}

/** Writes the metrics segment of one device: fixed point, each slot within its bound. */
export function writeMetrics(
  layout: VectorLayout,
  words: Uint32Array,
  before: LocalMetrics,
  after: LocalMetrics,
): void {
  const segment = segmentOf(layout, "metrics");
  words.set([...metricsToWords(segment, 0, before), ...metricsToWords(segment, 3, after)], segment.offset);
}

/** Reads the metrics segment of a sum, in the metrics' own units. */
export function readMetrics(layout: VectorLayout, sum: Int32Array): SummedMetrics {
  const segment = segmentOf(layout, "metrics");
  const slot = (index: number) => (sum[segment.offset + index] as number) / scaleOf(segment, index);
  const metricsAt = (first: number) => ({
    count: slot(first),
    lossSum: slot(first + 1),
    correct: slot(first + 2),
  });
  return { before: metricsAt(0), after: metricsAt(3) };
}

/**
 * A device with more rows than `countMax` counts as one with `countMax` rows and the same means. A loss that is no
 * number, as a diverged model has it, counts as the largest.
 */
function metricsToWords(segment: MetricsSegment, first: number, metrics: LocalMetrics): number[] {
  const { countMax, lossPerExampleMax } = segment.clip;
  if (!(metrics.count > 0)) return [0, 0, 0];
  const shrink = Math.min(1, countMax / metrics.count);
  const count = Math.round(metrics.count * shrink);
  const lossMax = lossPerExampleMax * count;
  const loss = Number.isNaN(metrics.lossSum) ? lossMax : clamp(metrics.lossSum * shrink, lossMax);
  const correct = Math.round(clamp(metrics.correct * shrink, count));
  return [count, Math.round(loss * scaleOf(segment, first + 1)), correct];
}

function clamp(value: number, max: number): number {
  return Math.max(0, Math.min(max, value));
}

function scaleOf(segment: MetricsSegment, index: number): number {
  return present(segment.clip.slots[index], "a metrics slot").scale;
}
