import { modelByteCount } from "../codec/model-bytes.ts";
import { elementCount } from "../kernel/shape.ts";
import { stepCost } from "../layers/cost.ts";
import { modelTensors } from "../task/model.ts";
import type { Task } from "../task/task.ts";
import type { TrainingPlan } from "../task/training-plan.ts";
import { type Ring, ringRefusal } from "../vector/ring.ts";
import { shownLayoutOf } from "../vector/task-layout.ts";
import { keysDownByteCount, keysUpByteCount, sessionSizeOf } from "./message-sizes.ts";

/** What a task's model costs a device. Byte counts are decimal. */
export interface ModelFacts {
  readonly parameterCount: number;
  /** Of one training step with a full batch: forward pass and gradient. */
  readonly multiplyAddsPerStep: number;
  /** Bytes that an engine holds at most during a step: weights, optimizer, batch and all results on the way. */
  readonly memoryByteCount: number;
  /** By the bits of the ring. */
  readonly rounds: Readonly<Record<Ring, RoundBytes>>;
}

/** What one device sends and is sent in a round without dropouts. */
export interface RoundBytes {
  /** Why this ring cannot hold the cohort, and what to change; null if it can. Rule S21. */
  readonly refusal: string | null;
  /** Words of 32 bits in the masked list; 0 if the ring cannot hold the cohort. */
  readonly listLength: number;
  readonly listByteCount: number;
  /** About: keys, shares and signatures. */
  readonly keysUpByteCount: number;
  readonly modelByteCount: number;
  /** About: rules, keys, shares and signatures. */
  readonly keysDownByteCount: number;
}

export function modelFacts(task: Task): ModelFacts {
  const { model, training } = task;
  const tensors = modelTensors(model);
  const step = stepCost(model, training.batchSize);
  const batchByteCount = 4 * training.batchSize * elementCount(model.inputShape);
  const size = sessionSizeOf(task);
  const shared = {
    keysUpByteCount: keysUpByteCount(size),
    keysDownByteCount: keysDownByteCount(size),
    modelByteCount: modelByteCount(tensors),
  };
  const round = (ring: Ring): RoundBytes => {
    const refusal = ringRefusal(ring, task.aggregation.cohortSizeMax);
    const aggregation = { ...task.aggregation, ring };
    const listLength = refusal === null ? shownLayoutOf({ ...task, aggregation }).length : 0;
    return { refusal, listLength, listByteCount: 4 * listLength, ...shared };
  };
  return {
    parameterCount: tensors.parameterCount,
    multiplyAddsPerStep: step.multiplyAdds,
    memoryByteCount: step.byteCount + batchByteCount + 4 * tensors.parameterCount * copiesOfWeights(training),
    rounds: { 16: round(16), 32: round(32) },
  };
}

/** Arrays as long as the weights that a training holds beside the gradients, at the end of a step. */
function copiesOfWeights({ optimizer, proximalMu }: TrainingPlan): number {
  const startAndNow = 2;
  const proximal = proximalMu === 0 ? 0 : 3;
  // What the optimizer keeps, and its results on the way.
  if (optimizer.kind === "adam") return startAndNow + proximal + 2 + 14;
  return startAndNow + proximal + (optimizer.momentum === 0 ? 2 : 1 + 4);
}
