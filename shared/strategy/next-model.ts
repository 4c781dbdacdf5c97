import { rotationKey } from "../codec/rotation.ts";
import type { Primitives } from "../kernel/ports.ts";
import type { VectorLayout } from "../vector/layout.ts";
import { meanUpdate, updateSumOf } from "../vector/mean.ts";
import type { Strategy, StrategyState, StrategyStep } from "./strategy.ts";

/** Which sum of which round. */
export interface OpenedSum {
  readonly runId: string;
  readonly round: number;
  /** One whole number for each coordinate of the layout; of several shards added. */
  readonly coordinateSum: Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
  readonly weightSum: number;
}

export interface NextModel extends StrategyStep {
  /** The mean update in the unit of the weights, whatever rotation was on its sum. */
  readonly mean: Float64Array<ArrayBuffer>;
}

/**
 * The next model from the published sum, and from nothing else that is not published too: whoever computes it gets the
 * same bytes. The coordinator makes models with it, `verify` makes them again. Rule A6.
 *
 * @param state  Of the strategy before this round. @param model  The round's model, [parameterCount]. Neither is modified.
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
