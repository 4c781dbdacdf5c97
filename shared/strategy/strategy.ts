import { z } from "zod";
import type { RoundParams } from "../task/round-params.ts";

/*
 * How a sum becomes the next model. Strategies are pure and bit-exact on every platform, so everyone who has the published
 * sum computes the same next modelHash. They use only + - * / and square root in double precision, which IEEE 754 fixes to
 * the last bit, and round each kept value once to float32 (`Math.fround`). No pow, exp or log. Do not reorder the
 * arithmetic: the same operations in another order are another strategy. Rule A6.
 */

export interface Strategy {
  readonly name: string;
  /** Names of the segments that it needs. A launch is refused if the task's vector lacks one. */
  readonly segments: readonly string[];
  /** Turns the planned parameters of a round into those sent to devices, within the plan that they agreed to (R22). */
  clientPlan(planned: RoundParams): RoundParams;
  /** @param parameterCount  Number of weights. */
  initialState(parameterCount: number): StrategyState;
  /**
   * One server step. Neither `state` nor `model` is modified.
   *
   * @param model  The round's model, [parameterCount].
   * @param mean   The mean update in the unit of the weights, [parameterCount].
   * @returns The next state and model. They contain infinities if the step overflows float32: check before publishing.
   */
  next(state: StrategyState, model: Float32Array, mean: Float64Array): StrategyStep;
}

/** Moments by name, each [parameterCount]. They are float32, so storing them loses nothing. */
export type StrategyState = Readonly<Record<string, Float32Array<ArrayBuffer>>>;

export interface StrategyStep {
  readonly state: StrategyState;
  readonly model: Float32Array<ArrayBuffer>;
}

/** A task's choice of strategy, with its options. */
type Options = { readonly kind: string };

/** A strategy before its options are known: one file and one entry in `list.ts`. */
export interface StrategyDefinition<Schema extends z.ZodType<Options> = z.ZodType<Options>> {
  /** Shown to people. */
  readonly title: string;
  /** Schema of its options, all of which have defaults, under its own `kind`. */
  readonly schema: Schema;
  create(options: z.output<Schema>): Omit<Strategy, "name">;
}

/** Infers the types of the options for `create`. */
export function defineStrategy<Schema extends z.ZodType<Options>>(
  definition: StrategyDefinition<Schema>,
): StrategyDefinition<Schema> {
  return definition;
}

/** @param start  The default. 1 applies the mean unchanged. */
export const serverLearningRate = (start: number) => z.number().gt(0).max(100).default(start);
