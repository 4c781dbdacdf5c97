/*
 * Sensitivities of mechanisms with correlated noise over rounds (DP-FTRL): prefix sums are released through a matrix C
 * with noise. No run uses one; these are the figures by which such a mechanism is chosen and charged.
 */

/** How often one participant may take part. */
export interface ParticipationPattern {
  readonly steps: number;
  readonly participationMax: number;
  /** Steps from one participation to the next, at least 1. */
  readonly separation: number;
}

/** First column of the lower-triangular Toeplitz matrix whose square sums prefixes: C(2k, k)/4^k. */
export function squareRootCoefficients(steps: number): Float64Array<ArrayBuffer> {
  const coefficients = new Float64Array(steps);
  coefficients[0] = 1;
  for (let k = 1; k < steps; k++) coefficients[k] = ((coefficients[k - 1] as number) * (2 * k - 1)) / (2 * k);
  return coefficients;
}

/** First column of a buffered linear Toeplitz matrix: 1, then sum of scale decay^(k-1). Source: arXiv:2404.16706. */
export function bufferedCoefficients(
  steps: number,
  decays: readonly number[],
  scales: readonly number[],
): Float64Array<ArrayBuffer> {
  const coefficients = new Float64Array(steps);
  coefficients[0] = 1;
  const powers = [...scales];
  for (let k = 1; k < steps; k++) {
    for (const [index, power] of powers.entries()) {
      coefficients[k] = (coefficients[k] as number) + power;
      powers[index] = power * (decays[index] as number);
    }
  }
  return coefficients;
}

/** First column of the inverse of a lower-triangular Toeplitz matrix with 1 on its diagonal. */
export function inverseCoefficients(coefficients: Float64Array): Float64Array<ArrayBuffer> {
  const inverse = new Float64Array(coefficients.length);
  inverse[0] = 1;
  for (let k = 1; k < inverse.length; k++) {
    let sum = 0;
    for (let j = 1; j <= k; j++) sum += (coefficients[j] as number) * (inverse[k - j] as number);
    inverse[k] = -sum;
  }
  return inverse;
}

/**
 * Squared L2 sensitivity of a lower-triangular Toeplitz matrix with non-negative, non-increasing coefficients: the earliest
 * participations, exactly `separation` apart, are the worst.
 *
 * @param coefficients  [steps]
 * Source: Kalinin and Lampert 2024, arXiv:2405.13763, theorem 2.
 */
export function toeplitzSensitivitySquared(
  coefficients: Float64Array,
  { participationMax, separation }: Omit<ParticipationPattern, "steps">,
): number {
  const column = new Float64Array(coefficients.length);
  for (let k = 0; k < participationMax && k * separation < column.length; k++) {
    const first = k * separation;
    for (let i = first; i < column.length; i++) {
      column[i] = (column[i] as number) + (coefficients[i - first] as number);
    }
  }
  return squaredNorm(column);
}

/** Largest variance of a released prefix sum, for noise of variance 1: the last row of A C^-1, squared. */
export function toeplitzErrorSquared(coefficients: Float64Array): number {
  const row = inverseCoefficients(coefficients);
  for (let k = 1; k < row.length; k++) row[k] = (row[k] as number) + (row[k - 1] as number);
  return squaredNorm(row);
}

function squaredNorm(vector: Float64Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return sum;
}
