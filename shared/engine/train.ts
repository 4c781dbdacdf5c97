import * as tf from "@tensorflow/tfjs-core";
import { assert } from "../kernel/assert.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { lossGradients } from "../layers/chain.ts";
import type { AbortSignalLike, Training, TrainingJob, TrainProgress } from "../task/engine.ts";
import { seededUniform, shuffledIndices } from "../task/shuffle.ts";
import { breathe } from "./breathe.ts";
import { tfjsOps } from "./ops.ts";
import { type Optimizer, optimizerOf } from "./optimizer.ts";
import { gatherAim, gatherInputs } from "./rows.ts";
import { tensorsToWeights, weightsToTensors } from "./weights.ts";

const PROGRESS_EVERY_MS = 150;
/** Keeps the noise of layers apart from the order of rows, which has the same seed. "nois" in ASCII. */
const NOISE_SEED = 0x6e6f6973;

/**
 * Trains from `job.weights` on the backend in use. Deterministic for the same job and backend.
 *
 * The proximal term mu (w - w0) is added to the gradient. Source: Li et al. 2020, arXiv:1812.06127, equation 2.
 * Error: `cancelled` if `signal` is aborted.
 */
export async function train(
  job: TrainingJob,
  onProgress: (progress: TrainProgress) => void,
  signal: AbortSignalLike,
): Promise<Result<Training, { readonly type: "cancelled" }>> {
  const { task, plan, rows } = job;
  assert(rows.count > 0, "training needs rows");
  const stepsPerEpoch = Math.ceil(rows.count / plan.batchSize);
  const stepCount = stepsPerEpoch * plan.epochs;
  const start = weightsToTensors(task.model, job.weights);
  const variables = start.map((tensor) => tf.variable(tensor, true));
  const optimizer = optimizerOf(plan);
  const uniform = seededUniform((job.shuffleSeed ^ NOISE_SEED) >>> 0);
  const pause = breathe();
  const epochLosses: number[] = [];
  let epochLossSum: tf.Scalar = tf.scalar(0);
  let lastProgressMs = Number.NEGATIVE_INFINITY;
  try {
    for (let epoch = 1, step = 0; epoch <= plan.epochs; epoch++) {
      const order = shuffledIndices(rows.count, (job.shuffleSeed + epoch) >>> 0);
      for (let first = 0; first < rows.count; first += plan.batchSize) {
        if (signal.aborted) return err({ type: "cancelled" });
        const indices = order.subarray(first, first + plan.batchSize);
        const sum = trainStep(job, variables, start, optimizer, uniform, indices, epochLossSum);
        epochLossSum.dispose();
        epochLossSum = sum;
        step += 1;
        // Reading a loss waits for the GPU, so read it only a few times a second.
        if (performance.now() - lastProgressMs >= PROGRESS_EVERY_MS) {
          const loss = ((await epochLossSum.data())[0] as number) / (first + indices.length);
          onProgress({ epoch, step, stepCount, loss });
          lastProgressMs = performance.now();
        }
        await pause();
      }
      const loss = ((await epochLossSum.data())[0] as number) / rows.count;
      epochLosses.push(loss);
      onProgress({ epoch, step, stepCount, loss });
      epochLossSum.dispose();
      epochLossSum = tf.scalar(0);
    }
    return ok({ weights: await tensorsToWeights(variables), epochLosses });
  } finally {
    epochLossSum.dispose();
    optimizer.dispose();
    tf.dispose(start);
    for (const variable of variables) variable.dispose();
  }
}

/** One step. Returns the epoch's loss sum including this batch. */
function trainStep(
  job: TrainingJob,
  variables: tf.Variable[],
  start: readonly tf.Tensor[],
  optimizer: Optimizer,
  uniform: () => number,
  indices: Uint32Array,
  lossSum: tf.Scalar,
): tf.Scalar {
  const { task, plan, rows } = job;
  const { model } = task;
  return tf.tidy(() => {
    const batch = gatherInputs(rows, indices, model.inputShape);
    const aim = gatherAim(task, plan, rows, indices);
    const { lossSum: batchSum, gradients } = lossGradients(tfjsOps, model, variables, batch, aim, uniform);
    const pulled = gradients.map((gradient, index) => {
      if (plan.proximalMu === 0) return gradient;
      const distance = tf.sub(variables[index] as tf.Variable, start[index] as tf.Tensor);
      return tf.add(gradient, tf.mul(distance, plan.proximalMu));
    });
    optimizer.apply(variables, pulled);
    return tf.add(lossSum, batchSum) as tf.Scalar;
  });
}
