import type { BackendName, TrainProgress } from "#shared/task/engine.ts";
import type { ModelSpec } from "#shared/task/model.ts";
import type { TrainingPlan } from "#shared/task/task.ts";
import type { Calibration, Examples, LossCause, Trained } from "../ports.ts";

/*
 * Trainer and engine. The engine lives in a worker (page) or a thread (edge) of its own, so that one that hangs can be
 * ended and takes its memory along. One request at a time, but for `cancel`.
 *
 * | from    | kind     | carries                                                                             |
 * | ------- | -------- | ----------------------------------------------------------------------------------- |
 * | trainer | time     | a backend; answered by done with its Calibration                                    |
 * | trainer | use      | a backend; answered by done with null, or with the reason why it does not start     |
 * | trainer | train    | a job; beats and progress, then done with what was trained, or null after cancel    |
 * | trainer | cancel   | the id of a train                                                                   |
 * | trainer | predict  | weights and one row; answered by done with the probabilities                        |
 * | trainer | count    | answered by done with the number of live tensors                                    |
 * | engine  | ready    | once, when it listens                                                               |
 * | engine  | beat     | id; numbers came out of the backend                                                 |
 * | engine  | progress | id, how far the training is; a beat too                                             |
 * | engine  | done     | id, value                                                                           |
 * | engine  | failed   | id, the text of what was thrown                                                     |
 * | engine  | lost     | a backend that has ended, whether in use or not                                     |
 */

export type EngineRequest =
  | {
      readonly kind: "time";
      readonly backend: BackendName;
      readonly model: ModelSpec;
      readonly plan: TrainingPlan;
      readonly allowSoftware: boolean;
    }
  | { readonly kind: "use"; readonly backend: BackendName; readonly allowSoftware: boolean }
  | { readonly kind: "train"; readonly job: EngineJob }
  | {
      readonly kind: "predict";
      readonly model: ModelSpec;
      readonly weights: Float32Array;
      readonly input: Float32Array;
    }
  | { readonly kind: "count" };
export type ToEngine =
  | (EngineRequest & { readonly id: number })
  | { readonly kind: "cancel"; readonly id: number };

/** Rows cross once: later jobs name them by their id. */
export interface SentRows {
  readonly id: number;
  /** Null where the engine holds them already. */
  readonly rows: Examples | null;
}

export interface EngineJob {
  readonly model: ModelSpec;
  readonly plan: TrainingPlan;
  readonly weights: Float32Array;
  readonly train: SentRows;
  readonly local: SentRows;
  readonly shuffleSeed: number;
}

/** What `done` carries, by the request's kind. */
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
  | { readonly kind: "done"; readonly id: number; readonly value: EngineAnswers[EngineRequest["kind"]] }
  | { readonly kind: "failed"; readonly id: number; readonly note: string }
  | {
      readonly kind: "lost";
      readonly backend: BackendName;
      readonly cause: LossCause;
      readonly note: string;
    };

/** A worker or a thread with an engine in it. */
export interface EngineWorker {
  post(message: ToEngine): void;
  /** Ends it, whatever it does; nothing is heard of it from now on. Resolves when it is gone, as far as that can be waited for. */
  terminate(): Promise<void>;
}

export interface EngineListener {
  onMessage(message: FromEngine): void;
  /** It ended by itself: out of memory, a fault outside of any request, or taken away by the platform. */
  onEnd(cause: LossCause, note: string): void;
}

export type OpenEngineWorker = (listener: EngineListener) => EngineWorker;
