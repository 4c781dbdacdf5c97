import type { Result } from "../kernel/result.ts";
import type { Dataset } from "./dataset.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Task } from "./task.ts";
import type { TrainingPlan } from "./training-plan.ts";

/*
 * The port of an engine, which trains, evaluates and runs a task's model. Weights are flat, in the order of `tensorShapes`.
 */

/** What an engine computes on. webgpu and webgl use the GPU, wasm and cpu the processor. */
export type BackendName = "webgpu" | "webgl" | "wasm" | "cpu";

export interface Engine {
  /**
   * Switches to `backend`.
   *
   * @param allowSoftware  Accepts a GPU interface that is emulated on the CPU.
   * Error: the reason, as a part of a sentence.
   */
  use(backend: BackendName, allowSoftware: boolean): Promise<Result<void, string>>;
  /**
   * Times training steps of `backend` on rows of zeros, and leaves it in use. If the loss is not that of zeros, the backend
   * computes wrongly, and the result says so.
   *
   * @param onStart  Called once the backend is in use, before it computes.
   */
  time(
    backend: BackendName,
    task: LearnedTask,
    allowSoftware: boolean,
    onStart?: () => void,
  ): Promise<BackendTiming>;
  /**
   * Trains from `job.weights`. Deterministic for the same job and backend.
   *
   * Error: `cancelled` if `signal` is aborted.
   */
  train(
    job: TrainingJob,
    onProgress: (progress: TrainProgress) => void,
    signal: AbortSignalLike,
  ): Promise<Result<Training, { readonly type: "cancelled" }>>;
  /** @param onProgress  Called after every batch of rows. */
  evaluate(
    task: LearnedTask,
    weights: Float32Array,
    rows: Dataset,
    onProgress?: () => void,
  ): Promise<Evaluation>;
  /**
   * The model's answer for one row: a probability for each class, or one number in the label's unit.
   *
   * @param input  [...inputShape], flat.
   */
  predict(task: LearnedTask, weights: Float32Array, input: Float32Array): Promise<Float32Array>;
  /** The answers for all rows, one after the other, each as `predict` gives it. */
  answers(
    task: LearnedTask,
    weights: Float32Array,
    rows: Dataset,
    onProgress?: () => void,
  ): Promise<Float32Array>;
  /** Calls `onLoss`, maybe more than once, if the backend in use is lost. A second call for the same backend does nothing. */
  watch(onLoss: (loss: BackendLoss) => void): void;
  /** Buffers of numbers that it keeps between jobs, whatever it calls them; for the leak check. */
  heldBufferCount(): number;
  /** Releases the GPU, if one is in use. Pending work on it fails. */
  close(): void;
}

/** The part of `AbortSignal` in use; shared/ has no platform types. */
export interface AbortSignalLike {
  readonly aborted: boolean;
}

export interface BackendTiming {
  readonly backend: BackendName;
  /** Milliseconds per training step; null if the backend cannot be used, with the reason in `note`. */
  readonly msPerStep: number | null;
  readonly note: string | null;
  /** Not timed because its GPU is emulated on the processor. It may work, and a person may choose it. */
  readonly untimed?: "software";
}

/** The platform took the GPU away or ran out of its memory. */
export interface BackendLoss {
  readonly backend: BackendName;
  readonly cause: "context-lost" | "device-lost" | "out-of-memory";
  /** The platform's message; may be empty. */
  readonly note: string;
}

/** What an engine needs to know of a task. */
export type LearnedTask = Pick<Task, "model" | "features" | "training">;

export interface TrainingJob {
  readonly task: LearnedTask;
  /** The round's, within that of the task. */
  readonly plan: TrainingPlan;
  /** Not modified. */
  readonly weights: Float32Array;
  readonly rows: Dataset;
  /** u32. Determines the order of rows in every epoch, and the noise of layers that have some. */
  readonly shuffleSeed: number;
}

export interface TrainProgress {
  /** From 1. */
  readonly epoch: number;
  /** From 1, over all epochs. */
  readonly step: number;
  readonly stepCount: number;
  /** Mean loss of the epoch so far: in nats, or in scaled units of a number. */
  readonly loss: number;
}

export interface Training {
  /** The new weights. */
  readonly weights: Float32Array;
  /** Mean loss of each epoch, over its batches as they were trained. */
  readonly epochLosses: readonly number[];
}
