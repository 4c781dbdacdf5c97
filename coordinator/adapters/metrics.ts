import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Metrics } from "#coordinator/core/ports.ts";

/** Of phases and rounds: a demo's take a second, a night's take hours. */
const PHASE_BUCKETS_S = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200];
const FOLD_BUCKETS_S = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const LAG_RESOLUTION_MS = 10;

export interface MetricsRegistry extends Metrics {
  readonly contentType: string;
  /** Everything in Prometheus' text format. */
  text(): Promise<string>;
  /** Stops what measures in the background. */
  close(): void;
}

/**
 * Counts and times for Prometheus. Nothing in them names a device, a run or a round.
 *
 * | name                                | labels         |
 * | ----------------------------------- | -------------- |
 * | chorus_rounds_total                 | outcome        |
 * | chorus_round_seconds                | outcome        |
 * | chorus_phase_seconds                | phase          |
 * | chorus_dropouts_total               | phase          |
 * | chorus_asked_last_total             |                |
 * | chorus_folds_total                  |                |
 * | chorus_fold_seconds                 |                |
 * | chorus_folded_bytes_total           |                |
 * | chorus_uploads_total                |                |
 * | chorus_upload_bytes_total           |                |
 * | chorus_evaluations_total            | outcome        |
 * | chorus_evaluation_seconds           | outcome        |
 * | chorus_event_loop_lag_seconds       | quantile       |
 */
export function openMetrics(): MetricsRegistry {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const rounds = new Counter({
    name: "chorus_rounds_total",
    help: "Rounds that ended, by how: committed, voided (opened and discarded), failed (never opened)",
    labelNames: ["outcome"],
    registers,
  });
  for (const outcome of ["committed", "voided", "failed"]) rounds.inc({ outcome }, 0);
  const roundSeconds = new Histogram({
    name: "chorus_round_seconds",
    help: "Time from the opening of a round to its end",
    labelNames: ["outcome"],
    buckets: PHASE_BUCKETS_S,
    registers,
  });
  const phaseSeconds = new Histogram({
    name: "chorus_phase_seconds",
    help: "Time that a phase of a round took",
    labelNames: ["phase"],
    buckets: PHASE_BUCKETS_S,
    registers,
  });
  const dropouts = new Counter({
    name: "chorus_dropouts_total",
    help: "Devices of a round that were lost, by the phase they were lost in",
    labelNames: ["phase"],
    registers,
  });
  const askedLast = new Counter({
    name: "chorus_asked_last_total",
    help: "Check-ins of devices that had left several rounds of late and came after the others",
    registers,
  });
  const folds = new Counter({ name: "chorus_folds_total", help: "Sums that were folded", registers });
  const foldSeconds = new Histogram({
    name: "chorus_fold_seconds",
    help: "Time that a fold took",
    buckets: FOLD_BUCKETS_S,
    registers,
  });
  const foldedBytes = new Counter({
    name: "chorus_folded_bytes_total",
    help: "Masked input that was folded",
    registers,
  });
  const uploads = new Counter({ name: "chorus_uploads_total", help: "Masked inputs accepted", registers });
  const uploadBytes = new Counter({
    name: "chorus_upload_bytes_total",
    help: "Bytes of accepted masked inputs",
    registers,
  });
  const evaluations = new Counter({
    name: "chorus_evaluations_total",
    help: "Central evaluations of a model, by how they ended: evaluated, failed (no figures)",
    labelNames: ["outcome"],
    registers,
  });
  for (const outcome of ["evaluated", "failed"]) evaluations.inc({ outcome }, 0);
  const evaluationSeconds = new Histogram({
    name: "chorus_evaluation_seconds",
    help: "Time that a central evaluation took",
    labelNames: ["outcome"],
    buckets: PHASE_BUCKETS_S,
    registers,
  });
  const lag = watchLoopLag(registers);

  return {
    roundEnded: (outcome, seconds) => {
      rounds.inc({ outcome });
      roundSeconds.observe({ outcome }, seconds);
    },
    phaseEnded: (phase, seconds) => phaseSeconds.observe({ phase }, seconds),
    dropouts: (phase, count) => dropouts.inc({ phase }, count),
    askedLast: (count) => askedLast.inc(count),
    folded: (byteCount, seconds) => {
      folds.inc();
      foldedBytes.inc(byteCount);
      foldSeconds.observe(seconds);
    },
    uploaded: (byteCount) => {
      uploads.inc();
      uploadBytes.inc(byteCount);
    },
    evaluated: (outcome, seconds) => {
      evaluations.inc({ outcome });
      evaluationSeconds.observe({ outcome }, seconds);
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
    close: () => lag.disable(),
  };
}

/** How late the event loop comes to a timer; the quantiles are of the time since the last scrape. */
function watchLoopLag(registers: Registry[]) {
  const delay = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  delay.enable();
  new Gauge({
    name: "chorus_event_loop_lag_seconds",
    help: "Lag of the event loop since the last scrape",
    labelNames: ["quantile"],
    registers,
    collect() {
      for (const quantile of [0.5, 0.99, 1]) {
        // The histogram counts whole intervals, in nanoseconds; before the first one it has no number.
        const seconds = delay.percentile(quantile * 100) / 1e9 - LAG_RESOLUTION_MS / 1e3;
        this.set({ quantile: String(quantile) }, delay.count === 0 ? 0 : Math.max(0, seconds));
      }
      delay.reset();
    },
  });
  return delay;
}
