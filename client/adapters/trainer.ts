import * as tf from "@tensorflow/tfjs-core";
import { type BackendTiming, type EngineAssets, timeBackends, useBackend } from "#shared/engine/backends.ts";
import { evaluate, predict } from "#shared/engine/evaluate.ts";
import { train } from "#shared/engine/train.ts";
import { assert } from "#shared/kernel/assert.ts";
import { err, ok } from "#shared/kernel/result.ts";
import type { Task } from "#shared/task/task.ts";
import type { BackendName, Calibration, LocalMetrics, Trainer } from "../core/ports.ts";

export interface TrainerOptions {
  readonly assets: EngineAssets;
  /** Tried in this order. */
  readonly candidates: readonly BackendName[];
}

/** Training on tfjs, in the process or worker that calls it. tfjs has one backend at a time, so use one trainer each. */
export function createTrainer({ assets, candidates }: TrainerOptions): Trainer {
  let backend: BackendName | null = null;
  // The work of two callers would share tfjs' scopes, so it runs one behind the other.
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work);
    queue = result.catch(() => undefined);
    return result;
  };

  return {
    get backend() {
      return backend;
    },
    calibrate: (task, force) =>
      inTurn(async () => {
        const tried = force === undefined ? candidates : [force];
        const timings = await timeBackends(tried, task.model, task.training, assets, force !== undefined);
        const fastest = fastestOf(timings);
        backend = null;
        if (fastest === null) return timings;
        const used = await useBackend(fastest, assets, force !== undefined);
        if (used.ok) backend = fastest;
        return timings;
      }),
    train: (job, onProgress, signal) =>
      inTurn(async () => {
        if (backend === null)
          return err({ type: "no-backend", reason: "no engine runs this task on this device" });
        const beganMs = performance.now();
        const { model } = job.task;
        const before = await metricsOf(job.task, job.weights, job.local);
        const trained = await train(
          { model, plan: job.plan, weights: job.weights, rows: job.train, shuffleSeed: job.shuffleSeed },
          onProgress,
          signal,
        );
        if (!trained.ok) return trained;
        const { weights, epochLosses } = trained.value;
        return ok({
          delta: weights.map((weight, index) => weight - (job.weights[index] as number)),
          numExamples: job.train.count,
          before,
          after: await metricsOf(job.task, weights, job.local),
          epochLosses,
          seconds: (performance.now() - beganMs) / 1_000,
        });
      }),
    evaluate: (task, weights, examples) => inTurn(() => metricsOf(task, weights, examples)),
    predict: (task, weights, input) => inTurn(() => predict(task.model, weights, input)),
    liveTensorCount: async () => tf.memory().numTensors,
    dispose: () => {
      assert(backend === null || tf.getBackend() === backend, "one trainer a process");
      backend = null;
    },
  };
}

function fastestOf(timings: readonly BackendTiming[]): BackendName | null {
  let best: Calibration | null = null;
  for (const timing of timings) {
    if (timing.msPerStep !== null && timing.msPerStep < (best?.msPerStep ?? Number.POSITIVE_INFINITY))
      best = timing;
  }
  // On a busy machine even the plainest engine may start too late to be timed; it must not cost the device its part.
  return best?.backend ?? timings.findLast(({ untimed }) => untimed === "late")?.backend ?? null;
}

async function metricsOf(
  task: Task,
  weights: Float32Array,
  rows: Parameters<typeof evaluate>[2],
): Promise<LocalMetrics> {
  if (rows.count === 0) return { count: 0, lossSum: 0, correct: 0 };
  const { count, lossSum, correct } = await evaluate(task.model, weights, rows);
  return { count, lossSum, correct };
}
