/** Sums over rows, so that the results of several devices can be added. */
export type Evaluation = ClassSums | NumberSums;

/** Losses are in nats. */
export interface ClassSums {
  readonly count: number;
  readonly correct: number;
  readonly lossSum: number;
  /** Sum of the squares of the row losses, for an interval of the mean. */
  readonly lossSquareSum: number;
}

/**
 * For a label with the range from a to b: e = (answer - label) / (b - a), and y = the label, with a as -1 and b as 1. Both
 * are bounded, so that their sums fit a ring.
 */
export interface NumberSums {
  readonly count: number;
  /** In scaled units. */
  readonly lossSum: number;
  readonly lossSquareSum: number;
  /** Sum of |e|. */
  readonly errorSum: number;
  /** Of e^2. */
  readonly errorSquareSum: number;
  /** Of y and y^2. */
  readonly labelSum: number;
  readonly labelSquareSum: number;
  /** For intervals: sums of e^4, e^2 y, e^2 y^2, y^3 and y^4. */
  readonly errorFourthSum: number;
  readonly errorSquareLabelSum: number;
  readonly errorSquareLabelSquareSum: number;
  readonly labelCubeSum: number;
  readonly labelFourthSum: number;
}
