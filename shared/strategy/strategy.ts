import { z } from "zod";
import type { RoundParams } from "../task/config.ts";

/*
 * How a sum becomes the next model. Pure, and bit-exact wherever it runs, so that anyone who has the published sum
 * computes the same next modelHash: only + - * / and square root in double precision, which IEEE 754 fixes to the last
 * bit, and one rounding to float32 (`Math.fround`) for what is kept. No pow, exp or log. Arithmetic stands as written:
 * another order of the same operations is another strategy. Rule A6.
 */

export interface Strategy {
  readonly name: string;
  /** Segments that it needs in the vector, by name. A launch is refused if the task's vector lacks one. */
  readonly segments: readonly string[];
  /** What devices are asked to do in a round, given what was planned: within the plan that they agreed to (R22). */
  clientPlan(planned: RoundParams): RoundParams;
  /** @param parameterCount  Number of weights. */
  initialState(parameterCount: number): StrategyState;
  /**
   * One server step. Neither `state` nor `model` is modified.
   *
   * @param model  The round's model, [parameterCount].
   * @param mean   The mean update in the unit of the weights, [parameterCount].
   * @returns The next state and model. A step that overflows float32 gives infinities; check before publishing.
   */
  next(state: StrategyState, model: Float32Array, mean: Float64Array): StrategyStep;
}

/** Moments by name, each [parameterCount] and of float32, so that keeping it loses nothing. */
export type StrategyState = Readonly<Record<string, Float32Array<ArrayBuffer>>>;

export interface StrategyStep {
  readonly state: StrategyState;
  readonly model: Float32Array<ArrayBuffer>;
}

/** What a task says of its strategy: which one, and its options. */
type Options = { readonly kind: string };

/** A strategy before its options are known: one file, one entry in `list.ts`. */
export interface StrategyDefinition<Schema extends z.ZodType<Options> = z.ZodType<Options>> {
  /** As people read it. */
  readonly title: string;
  /** Of its options, all with defaults, under its own `kind`. */
  readonly schema: Schema;
  create(options: z.output<Schema>): Omit<Strategy, "name">;
}

/** Gives `create` the options' own types. */
export function defineStrategy<Schema extends z.ZodType<Options>>(
  definition: StrategyDefinition<Schema>,
): StrategyDefinition<Schema> {
  return definition;
}

/** @param start  To start from; 1 takes the mean as it is. */
export const serverLearningRate = (start: number) => z.number().gt(0).max(100).default(start);
