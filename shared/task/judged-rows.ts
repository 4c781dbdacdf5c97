import type { NumberTarget } from "./target.ts";

/*
 * What a model says of every row, from which all figures of a report follow. It stays with whoever has the rows: nothing of a
 * single row leaves the thread that judges.
 */

export type JudgedRows = JudgedClasses | JudgedNumbers;

export interface JudgedClasses {
  readonly kind: "classes";
  readonly classes: readonly string[];
  readonly count: number;
  /** Index of each row's class. */
  readonly labels: Uint32Array;
  /** Index of the class that the model puts each row into. */
  readonly said: Uint32Array;
  /** [count, classes]. */
  readonly probabilities: Float32Array;
  /** Cross-entropy of each row, in nats. */
  readonly losses: Float64Array;
}

export interface JudgedNumbers {
  readonly kind: "number";
  readonly target: NumberTarget;
  readonly count: number;
  /** In the label's unit. */
  readonly labels: Float64Array;
  /** In the label's unit, within its range. Where a model has diverged, the farther end of the range. */
  readonly answers: Float64Array;
  /** In scaled units. */
  readonly losses: Float64Array;
}

/** A row's probability of a class. */
export function probabilityOf({ probabilities, classes }: JudgedClasses, row: number, index: number): number {
  return probabilities[row * classes.length + index] as number;
}

/** How sure the model is of what it says of a row. */
export function confidenceOf(rows: JudgedClasses, row: number): number {
  return probabilityOf(rows, row, rows.said[row] as number);
}
