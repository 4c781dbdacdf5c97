import type { Bytes } from "#shared/kernel/bytes.ts";
import type { StrategySpec } from "#shared/strategy/index.ts";
import type { RoundParams } from "#shared/task/round-params.ts";
import type { Task } from "#shared/task/task.ts";

/*
 * Making a model, as data: job and result can cross to another thread. The same job always makes the same
 * bytes.
 */

/** A job's vectors are transferred, so the caller cannot use them afterwards. */
export type ModelJob = InitialModelJob | VoidStepJob | NextModelJob;

/** The model before the first round. The same seed and architecture give the same model. */
interface InitialModelJob {
  readonly kind: "initial";
  readonly task: Task;
  readonly seed: number;
}
interface VoidStepJob {
  readonly kind: "void-step";
  readonly task: Task;
  readonly modelBytes: Bytes;
  readonly runId: string;
  readonly round: number;
}
export interface NextModelJob {
  readonly kind: "next";
  readonly task: Task;
  readonly strategy: StrategySpec;
  readonly roundParams: RoundParams;
  /** The strategy's state before this round; null at the beginning of a run. */
  readonly stateBytes: Bytes | null;
  readonly modelBytes: Bytes;
  readonly runId: string;
  readonly round: number;
  /** See `OpenedSum`. */
  readonly coordinateSum: Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
  readonly weightSum: number;
}

export interface MadeModel {
  /** Safetensors; null if any weight is not finite. */
  readonly modelBytes: Bytes | null;
  /** Null if the strategy is stateless. */
  readonly stateBytes: Bytes | null;
  /** L2 norm of the mean update, in the unit of the weights; 0 if there was no update. */
  readonly updateNormL2: number;
}
