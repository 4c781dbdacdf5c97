import type { Result } from "../kernel/result.ts";
import type { Dataset } from "./dataset.ts";
import type { ModelSpec } from "./model.ts";
import type { TrainingPlan } from "./task.ts";

/*
 * The port of an engine: what trains, evaluates and runs a task's model. Weights are flat, in the order of `tensorShapes`.
 */

/** What an engine computes on. webgpu and webgl are GPUs, wasm and cpu the processor. */
export type BackendName = "webgpu" | "webgl" | "wasm" | "cpu";

export interface Engine {
  /**
   * Makes `backend` the one in use.
   *
   * @param allowSoftware  Takes a GPU interface that a CPU emulates; refused otherwise.
   * Errors: the reason, as a part of a sentence.
   */
  use(backend: BackendName, allowSoftware: boolean): Promise<Result<void, string>>;
  /**
   * Times training steps of `backend` on rows of zeros, and leaves it in use. A backend that finds another loss than zeros
   * have does not compute; its row says so.
   *
   * @param onStart  Called when the backend is in use, before it computes.
   */
  time(
    backend: BackendName,
    model: ModelSpec,
    plan: TrainingPlan,
    allowSoftware: boolean,
    onStart?: () => void,
  ): Promise<BackendTiming>;
  /**
   * Trains from `job.weights`. The same job on the same backend gives the same weights.
   *
   * Errors: `cancelled` once `signal` is aborted.
   */
  train(
    job: TrainingJob,
    onProgress: (progress: TrainProgress) => void,
    signal: AbortSignalLike,
  ): Promise<Result<Training, { readonly type: "cancelled" }>>;
  /** @param onProgress  Called after every few rows, when their numbers are here. */
  evaluate(
    model: ModelSpec,
    weights: Float32Array,
    rows: Dataset,
    onProgress?: () => void,
  ): Promise<Evaluation>;
  /** What the model answers for one row: class probabilities, [classCount]. `input` is [...inputShape] flat. */
  predict(model: ModelSpec, weights: Float32Array, input: Float32Array): Promise<Float32Array>;
  /** Tells when the backend in use has ended; it may tell more than once. A second call for one backend does nothing. */
  watch(onLoss: (loss: BackendLoss) => void): void;
  /** For the leak check. */
  liveTensorCount(): number;
  /** Gives the GPU back, if there is one: what still waits for it fails. */
  close(): void;
}

/** `AbortSignal`, which shared/ has no type of. */
export interface AbortSignalLike {
  readonly aborted: boolean;
}

export interface BackendTiming {
  readonly backend: BackendName;
  /** Milliseconds that a training step takes; null if the backend cannot be used, with the reason in `note`. */
  readonly msPerStep: number | null;
  readonly note: string | null;
  /** It may well work, but a processor plays its GPU, so it was not timed. A person may choose it. */
  readonly untimed?: "software";
}

/** The platform took the GPU away, or refused it memory. */
export interface BackendLoss {
  readonly backend: BackendName;
  readonly cause: "context-lost" | "device-lost" | "out-of-memory";
  /** What the platform says of it; may be empty. */
  readonly note: string;
}

export interface TrainingJob {
  readonly model: ModelSpec;
  readonly plan: TrainingPlan;
  /** Not modified. */
  readonly weights: Float32Array;
  readonly rows: Dataset;
  /** u32; orders the batches of every epoch. */
  readonly shuffleSeed: number;
}

export interface TrainProgress {
  /** From 1. */
  readonly epoch: number;
  /** From 1, over all epochs. */
  readonly step: number;
  readonly stepCount: number;
  /** Mean loss of the epoch so far, in nats. */
  readonly loss: number;
}

export interface Training {
  /** The new weights. */
  readonly weights: Float32Array;
  /** Mean loss of each epoch, in nats, as its batches went by. */
  readonly epochLosses: readonly number[];
}

/** Sums over rows, so that the sums of several devices may be added. Losses are in nats. */
export interface Evaluation {
  readonly count: number;
  readonly correct: number;
  readonly lossSum: number;
  /** Sum of the squares of the row losses, for an interval of the mean. */
  readonly lossSquareSum: number;
}
