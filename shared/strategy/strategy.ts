/**
 * How a sum becomes the next model. Pure, and bit-exact wherever it runs, so that anyone who has the published sum
 * computes the same next modelHash: only + - * / and square root in double precision, which IEEE 754 fixes to the last
 * bit, and one rounding to float32 (`Math.fround`) for what is kept. No pow, exp or log. Arithmetic stands as written:
 * another order of the same operations is another strategy.
 */
export interface Strategy {
  readonly name: "fedavg" | "fedavgm" | "fedadam";
  /** What it needs from the vector. */
  readonly segments: readonly ("update" | "weight")[];
  /** @param parameterCount  Number of weights. */
  initialState(parameterCount: number): StrategyState;
  /**
   * One server step. Neither `state` nor `model` is modified.
   *
   * @param model  The round's model, [parameterCount].
   * @returns The next state and model. A step that overflows float32 gives infinities; check before publishing.
   */
  next(state: StrategyState, model: Float32Array, sums: StrategySums): StrategyStep;
}

/** Moments by name, each [parameterCount] and of float32, so that keeping it loses nothing. */
export type StrategyState = Readonly<Record<string, Float32Array<ArrayBuffer>>>;

export interface StrategySums {
  /** Whole numbers: the sum over the survivors, [parameterCount]. */
  readonly updateSum: Int32Array | Float64Array;
  /** Sum of the weights that counted, at least 1. */
  readonly weightSum: number;
  /** Of the layout: updateSum times this over weightSum is the mean update. */
  readonly updateScale: number;
}

export interface StrategyStep {
  readonly state: StrategyState;
  readonly model: Float32Array<ArrayBuffer>;
}
