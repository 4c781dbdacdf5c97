import type { Ops } from "../ops.ts";

/** What a model is trained to make small, and the answer that goes with it. */
export interface Loss {
  /** Writes one row's target into `target`, [outputCount], all zero. @param label  A class's index, or a scaled number. */
  writeTarget(label: number, target: Float32Array): void;
  /**
   * The loss includes the last activation, because the gradient of both together is simpler.
   *
   * @param outputs     [rows, outputCount], before the activation.
   * @param targets     [rows, outputCount], as `writeTarget` makes them.
   * @param rowWeights  [rows, 1], how much each row counts; null for 1 each.
   * @returns `sum`, a scalar, the sum of the rows' losses; `gradient` of their mean over the rows by `outputs`.
   */
  ofBatch<Tensor extends object>(
    ops: Ops<Tensor>,
    outputs: Tensor,
    targets: Tensor,
    rowWeights: Tensor | null,
  ): { readonly sum: Tensor; readonly gradient: Tensor };
  /** The loss of one row in double precision, unweighted. */
  ofRow(outputs: Float32Array, label: number): number;
  /** The model's answer for one row in double precision: a probability for each class, or the scaled number. */
  answer(outputs: Float32Array): Float32Array;
}

/** What a batch is trained towards. */
export interface Aim<Tensor> {
  readonly loss: Loss;
  readonly targets: Tensor;
  readonly rowWeights: Tensor | null;
}

/** @param values  [rows, n]. */
export function weighted<Tensor extends object>(
  ops: Ops<Tensor>,
  values: Tensor,
  rowWeights: Tensor | null,
): Tensor {
  return rowWeights === null ? values : ops.multiply(values, rowWeights);
}
