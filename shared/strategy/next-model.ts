import { rotationKey } from "../codec/rotation.ts";
import type { Primitives } from "../kernel/ports.ts";
import type { VectorLayout } from "../vector/layout.ts";
import { meanUpdate, updateSumOf } from "../vector/mean.ts";
import type { Strategy, StrategyState, StrategyStep } from "./strategy.ts";

/** The opened sum of a round. */
export interface OpenedSum {
  readonly runId: string;
  readonly round: number;
  /** One integer for each coordinate of the layout, summed over the shards. */
  readonly coordinateSum: Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
  readonly weightSum: number;
}

export interface NextModel extends StrategyStep {
  /** The mean update in the unit of the weights, not rotated. */
  readonly mean: Float64Array<ArrayBuffer>;
}

/**
 * Computes the next model from published data only, so everyone who computes it gets the same bytes. The coordinator makes
 * models with it, and `verify` repeats it. Rule A6.
 *
 * @param state  The strategy's state before this round. Not modified.
 * @param model  The round's model, [parameterCount]. Not modified.
 */
export async function nextModel(
  primitives: Primitives,
  layout: VectorLayout,
  strategy: Strategy,
  state: StrategyState,
  model: Float32Array,
  { runId, round, coordinateSum, weightSum }: OpenedSum,
): Promise<NextModel> {
  const rotation = await rotationKey(primitives, runId, round);
  const updateSum = await updateSumOf(primitives, layout, coordinateSum, rotation);
  const mean = meanUpdate(layout, updateSum, weightSum);
  return { ...strategy.next(state, model, mean), mean };
}
