import type { TrackedMetric } from "../ports/tracking-store.ts";

/** Of each key the metric with the highest step, then the latest time, then the highest value, as MLflow has it. */
export function newestOfEach<Metric extends TrackedMetric>(metrics: readonly Metric[]): readonly Metric[] {
  const newest = new Map<string, Metric>();
  for (const metric of metrics) {
    const known = newest.get(metric.key);
    if (known === undefined || isNewer(metric, known)) newest.set(metric.key, metric);
  }
  return [...newest.values()];
}

function isNewer(metric: TrackedMetric, known: TrackedMetric): boolean {
  if (metric.step !== known.step) return metric.step > known.step;
  if (metric.timestamp !== known.timestamp) return metric.timestamp > known.timestamp;
  return comparable(metric.value) > comparable(known.value);
}

/** As stores keep it: NaN counts as 0. */
function comparable(value: number): number {
  return Number.isNaN(value) ? 0 : value;
}
