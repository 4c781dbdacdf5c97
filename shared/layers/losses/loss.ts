import type { ActivationName } from "../activations/table.ts";
import type { Ops } from "../ops.ts";

/** What training makes small, with what follows from it for the last layer's output. */
export interface Loss {
  readonly name: string;
  /** The activation of the last layer, which the loss applies itself: its gradient is simpler with it than without. */
  readonly activation: ActivationName;
  /** One row's target, [outputCount], into `target`, which is zeroed. */
  writeTarget(label: number, target: Float32Array): void;
  /**
   * @param outputs  [rows, outputCount], before the activation.
   * @param targets  [rows, outputCount], as `writeTarget` makes them.
   * @returns `sum`, a scalar: the sum of the rows' losses; `gradient` of their mean by `outputs`.
   */
  ofBatch<Tensor extends object>(
    ops: Ops<Tensor>,
    outputs: Tensor,
    targets: Tensor,
  ): { readonly sum: Tensor; readonly gradient: Tensor };
  /** The loss of one row in double precision. */
  ofRow(outputs: Float32Array, label: number): number;
  /** What a model of zeros loses on any row: a backend that finds another number does not compute. */
  ofZeros(outputCount: number): number;
  /** What the model answers for one row: `outputs` through the activation, in double precision. */
  answer(outputs: Float32Array): Float32Array;
}
