import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Metrics } from "#coordinator/core/ports/ports.ts";
import type { PublicLog } from "#coordinator/core/ports/public-log.ts";
import type { MonotonicClock } from "#shared/kernel/ports.ts";
import { END_PHASES } from "#shared/round/phases.ts";

/** For phases and rounds: a demo's take a second, an overnight run's take hours. */
const PHASE_BUCKETS_S = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200];
const FOLD_BUCKETS_S = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const LAG_RESOLUTION_MS = 10;

export interface MetricsRegistry extends Metrics {
  readonly contentType: string;
  /** All metrics in Prometheus' text format. */
  text(): Promise<string>;
  /** Adds the figures of the public log. */
  watchLog(log: Pick<PublicLog, "state" | "witnesses">, clock: MonotonicClock): void;
  /** Stops background measurements. */
  close(): void;
}

/**
 * Counts and times for Prometheus. No label names a device, a run or a round.
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
 * | chorus_log_entries                  |                |
 * | chorus_log_checkpoint_age_seconds   |                |
 * | chorus_log_signing                  |                |
 */
export function openMetrics(): MetricsRegistry {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const series = openSeries(registers);
  const lag = watchLoopLag(registers);

  return {
    roundEnded: (outcome, seconds) => {
      series.rounds.inc({ outcome });
      series.roundSeconds.observe({ outcome }, seconds);
    },
    phaseEnded: (phase, seconds) => series.phaseSeconds.observe({ phase }, seconds),
    dropouts: (phase, count) => series.dropouts.inc({ phase }, count),
    askedLast: (count) => series.askedLast.inc(count),
    folded: (byteCount, seconds) => {
      series.folds.inc();
      series.foldedBytes.inc(byteCount);
      series.foldSeconds.observe(seconds);
    },
    uploaded: (byteCount) => {
      series.uploads.inc();
      series.uploadBytes.inc(byteCount);
    },
    evaluated: (outcome, seconds) => {
      series.evaluations.inc({ outcome });
      series.evaluationSeconds.observe({ outcome }, seconds);
    },
    watchLog: (log, clock) => watchLog(registers, log, clock),
    contentType: registry.contentType,
    text: () => registry.metrics(),
    close: () => lag.disable(),
  };
}

function openSeries(registers: Registry[]) {
  const rounds = new Counter({
    name: "chorus_rounds_total",
    help: "Ended rounds by outcome: committed, voided (opened and discarded), failed (never opened)",
    labelNames: ["outcome"],
    registers,
  });
  for (const outcome of END_PHASES) rounds.inc({ outcome }, 0);
  const roundSeconds = new Histogram({
    name: "chorus_round_seconds",
    help: "Time from the opening of a round to its end",
    labelNames: ["outcome"],
    buckets: PHASE_BUCKETS_S,
    registers,
  });
  const phaseSeconds = new Histogram({
    name: "chorus_phase_seconds",
    help: "Duration of a round's phase",
    labelNames: ["phase"],
    buckets: PHASE_BUCKETS_S,
    registers,
  });
  const dropouts = new Counter({
    name: "chorus_dropouts_total",
    help: "Devices lost from rounds, by phase",
    labelNames: ["phase"],
    registers,
  });
  const askedLast = new Counter({
    name: "chorus_asked_last_total",
    help: "Check-ins that came last because their devices had recently left several rounds",
    registers,
  });
  const folds = new Counter({ name: "chorus_folds_total", help: "Folded sums", registers });
  const foldSeconds = new Histogram({
    name: "chorus_fold_seconds",
    help: "Duration of a fold",
    buckets: FOLD_BUCKETS_S,
    registers,
  });
  const foldedBytes = new Counter({
    name: "chorus_folded_bytes_total",
    help: "Bytes of folded masked inputs",
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
    help: "Central evaluations of models by outcome: evaluated, failed (no figures)",
    labelNames: ["outcome"],
    registers,
  });
  for (const outcome of ["evaluated", "failed"]) evaluations.inc({ outcome }, 0);
  const evaluationSeconds = new Histogram({
    name: "chorus_evaluation_seconds",
    help: "Duration of a central evaluation",
    labelNames: ["outcome"],
    buckets: PHASE_BUCKETS_S,
    registers,
  });
  return {
    rounds,
    roundSeconds,
    phaseSeconds,
    dropouts,
    askedLast,
    folds,
    foldSeconds,
    foldedBytes,
    uploads,
    uploadBytes,
    evaluations,
    evaluationSeconds,
  };
}

/** Lag of the event loop behind its timers, as quantiles since the last scrape. */
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
        // The histogram counts whole intervals in nanoseconds, and has no value before the first.
        const seconds = delay.percentile(quantile * 100) / 1e9 - LAG_RESOLUTION_MS / 1e3;
        this.set({ quantile: String(quantile) }, delay.count === 0 ? 0 : Math.max(0, seconds));
      }
      delay.reset();
    },
  });
  return delay;
}

/** By witness: whether it signs, and how many entries it signed last. No line without witnesses. */
function watchWitnesses(registers: Registry[], log: Pick<PublicLog, "witnesses">): void {
  new Gauge({
    name: "chorus_log_witness_signing",
    help: "1 while this witness signs the public log",
    labelNames: ["witness"],
    registers,
    collect() {
      for (const { key, trouble } of log.witnesses())
        this.set({ witness: key.name }, trouble === null ? 1 : 0);
    },
  });
  new Gauge({
    name: "chorus_log_witness_entries",
    help: "Entries under the newest checkpoint that this witness signed",
    labelNames: ["witness"],
    registers,
    collect() {
      for (const { key, signed } of log.witnesses()) this.set({ witness: key.name }, signed?.size ?? 0);
    },
  });
}

/** Read when somebody asks. A log that waits or has halted shows in `chorus_log_signing`, and in its checkpoint's age. */
function watchLog(
  registers: Registry[],
  log: Pick<PublicLog, "state" | "witnesses">,
  clock: MonotonicClock,
): void {
  watchWitnesses(registers, log);
  let [size, publishedAtMs] = [0, clock.nowMs()];
  const look = () => {
    const state = log.state();
    if (state.type !== "signing") return state;
    size = state.size;
    publishedAtMs = state.publishedAtMs ?? publishedAtMs;
    return state;
  };
  const gauges = [
    ["chorus_log_entries", "Entries under the newest checkpoint of the public log", () => size],
    [
      "chorus_log_checkpoint_age_seconds",
      "Time since a checkpoint of the public log was published; it grows while nothing is logged",
      () => (clock.nowMs() - publishedAtMs) / 1_000,
    ],
    [
      "chorus_log_signing",
      "1 while the public log signs what is staged",
      () => (log.state().type === "signing" ? 1 : 0),
    ],
  ] as const;
  for (const [name, help, value] of gauges)
    new Gauge({
      name,
      help,
      registers,
      collect() {
        look();
        this.set(value());
      },
    });
}
