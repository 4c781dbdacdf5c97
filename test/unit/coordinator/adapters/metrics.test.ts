import { afterEach, expect, test } from "vitest";
import { type MetricsRegistry, openMetrics } from "#coordinator/adapters/metrics.ts";

let metrics: MetricsRegistry | undefined;
afterEach(() => metrics?.close());

test("rounds, phases, dropouts, folds and uploads are counted in Prometheus' text format", async () => {
  metrics = openMetrics();
  metrics.roundEnded("committed", 4);
  metrics.roundEnded("committed", 20);
  metrics.roundEnded("failed", 1);
  metrics.phaseEnded("training", 3);
  metrics.dropouts("collecting", 2);
  metrics.dropouts("collecting", 1);
  metrics.askedLast(3);
  metrics.folded(4_000_000, 0.02);
  metrics.uploaded(400);
  metrics.uploaded(600);
  const lines = (await metrics.text()).split("\n");
  for (const line of [
    'chorus_rounds_total{outcome="committed"} 2',
    'chorus_rounds_total{outcome="voided"} 0',
    'chorus_rounds_total{outcome="failed"} 1',
    'chorus_round_seconds_sum{outcome="committed"} 24',
    'chorus_round_seconds_bucket{le="5",outcome="committed"} 1',
    'chorus_phase_seconds_count{phase="training"} 1',
    'chorus_dropouts_total{phase="collecting"} 3',
    "chorus_asked_last_total 3",
    "chorus_folds_total 1",
    "chorus_folded_bytes_total 4000000",
    "chorus_fold_seconds_sum 0.02",
    "chorus_uploads_total 2",
    "chorus_upload_bytes_total 1000",
  ]) {
    expect(lines).toContain(line);
  }
  expect(metrics.contentType).toContain("text/plain");
});

test("a blocked event loop shows as lag, and the next scrape starts afresh", async () => {
  metrics = openMetrics();
  const lag = async () => {
    const text = (await metrics?.text()) ?? "";
    return Number(/chorus_event_loop_lag_seconds\{quantile="1"\} (\S+)/.exec(text)?.[1]);
  };
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  await pause(50);
  await lag();
  // The first interval after a scrape only starts the count.
  await pause(50);
  const end = performance.now() + 300;
  while (performance.now() < end);
  await pause(50);
  expect(await lag()).toBeGreaterThan(0.2);
  await pause(50);
  expect(await lag()).toBeLessThan(0.2);
});

test("two registries in one process are independent", async () => {
  metrics = openMetrics();
  const other = openMetrics();
  other.uploaded(5);
  expect(await metrics.text()).toContain("chorus_uploads_total 0");
  other.close();
});
