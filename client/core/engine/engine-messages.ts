import type { Answer, Call } from "#shared/kernel/calls.ts";
import type { Dataset } from "#shared/task/dataset.ts";
import type { BackendName, LearnedTask, TrainProgress } from "#shared/task/engine.ts";
import type { TrainingPlan } from "#shared/task/training-plan.ts";
import type { Trained } from "../ports.ts";
import type { Calibration, LossCause } from "../training-facts.ts";

/*
 * Messages between trainer and engine. The engine runs in its own worker (page) or thread (edge). If it hangs, the trainer
 * ends that worker, which also frees its memory. Requests run one at a time; only `cancel` may come in between.
 *
 * | from    | kind     | carries                                            |
 * | ------- | -------- | -------------------------------------------------- |
 * | trainer | call     | one of the requests below (shared/kernel/calls.ts) |
 * | trainer | cancel   | the id of a train                                  |
 * | engine  | ready    | once, when it listens                              |
 * | engine  | beat     | id; the backend has returned numbers               |
 * | engine  | progress | id, progress of the training; counts as a beat     |
 * | engine  | done     | the answer to a call                               |
 * | engine  | failed   | the error of a call                                |
 * | engine  | lost     | a backend that has ended, whether in use or not    |
 *
 * | request | answer                                                    |
 * | ------- | --------------------------------------------------------- |
 * | time    | the Calibration of a backend                              |
 * | use     | null, or the reason why the backend does not start        |
 * | train   | beats and progress, then the result, or null after cancel |
 * | predict | the model's answer                                        |
 * | count   | the number of live tensors                                |
 */

export type EngineRequest =
  | {
      readonly kind: "time";
      readonly backend: BackendName;
      readonly task: LearnedTask;
      readonly allowSoftware: boolean;
    }
  | { readonly kind: "use"; readonly backend: BackendName; readonly allowSoftware: boolean }
  | { readonly kind: "train"; readonly job: EngineJob }
  | {
      readonly kind: "predict";
      readonly task: LearnedTask;
      readonly weights: Float32Array;
      readonly input: Float32Array;
    }
  | { readonly kind: "count" };
export type ToEngine = Call<EngineRequest> | { readonly kind: "cancel"; readonly id: number };

/** Rows are sent once. Later jobs refer to them by id. */
export interface SentRows {
  readonly id: number;
  /** Null if the engine already holds them. */
  readonly rows: Dataset | null;
}

export interface EngineJob {
  readonly task: LearnedTask;
  readonly plan: TrainingPlan;
  readonly weights: Float32Array;
  readonly train: SentRows;
  readonly local: SentRows;
  readonly shuffleSeed: number;
  readonly wantsAnswers: boolean;
}

/** The answer to each kind of request. */
export interface EngineAnswers {
  readonly time: Calibration;
  readonly use: string | null;
  readonly train: Trained | null;
  readonly predict: Float32Array;
  readonly count: number;
}

export type FromEngine =
  | { readonly kind: "ready" }
  | { readonly kind: "beat"; readonly id: number }
  | { readonly kind: "progress"; readonly id: number; readonly progress: TrainProgress }
  | Answer<EngineAnswers[EngineRequest["kind"]]>
  | {
      readonly kind: "lost";
      readonly backend: BackendName;
      readonly cause: LossCause;
      readonly note: string;
    };

/** A worker or thread that runs an engine. */
export interface EngineWorker {
  post(message: ToEngine): void;
  /**
   * Ends it at once, whatever it is doing, and stops listening to it. Resolves when it is gone, as far as the platform
   * can tell.
   */
  terminate(): Promise<void>;
}

export interface EngineListener {
  onMessage(message: FromEngine): void;
  /** It ended by itself: out of memory, an error outside of any request, or taken away by the platform. */
  onEnd(cause: LossCause, note: string): void;
}

export type OpenEngineWorker = (listener: EngineListener) => EngineWorker;
