import { assert } from "../kernel/assert.ts";
import { noiseMaxOf } from "./scale.ts";

/*
 * The discrete Gaussian N_Z(0, sigma^2): P(k) is proportional to e^{-k^2 / (2 sigma^2)} for whole numbers k.
 * Source: Canonne, Kamath and Steinke 2020, arXiv:2004.00010, definition 1.
 */

/** Bits behind the point while a table is built; rounding uses up about 40 of them in the largest one. */
const WORKING_BITS = 192n;
const ONE = 1n << WORKING_BITS;
const TABLE_BITS = 128n;

/**
 * P(|X| <= k) for each k, rounded down to 128 bits, in three columns so that a search compares one double at a time.
 * What is beyond 13.2 sigma has a probability below 2^-128 and is never drawn.
 */
export interface NoiseTable {
  /** sigma^2, a whole number. */
  readonly variance: number;
  /** Largest absolute value of a draw. */
  readonly noiseMax: number;
  /** The highest 52 bits. A power of two of entries, padded with 2^52. */
  readonly high: Float64Array;
  /** The next 44 bits. [noiseMax] */
  readonly middle: Float64Array;
  /** The last 32 bits. [noiseMax] */
  readonly low: Uint32Array;
}

/** About a microsecond for each of its 13.2 sigma entries. @param variance  sigma^2, a whole number above 0. */
export function buildNoiseTable(variance: number): NoiseTable {
  assert(Number.isSafeInteger(variance) && variance >= 1, "a variance is a whole number above 0");
  const noiseMax = noiseMaxOf(variance);
  const weights = weightsUpTo(noiseMax, variance);
  const total = totalOf(weights);
  let length = 1;
  while (length <= noiseMax) length *= 2;
  const high = new Float64Array(length).fill(2 ** 52);
  const middle = new Float64Array(noiseMax);
  const low = new Uint32Array(noiseMax);
  let sum = 0n;
  for (let k = 0; k < noiseMax; k++) {
    const weight = weights[k] as bigint;
    sum += k === 0 ? weight : 2n * weight;
    const bound = (sum << TABLE_BITS) / total;
    high[k] = Number(bound >> 76n);
    middle[k] = Number((bound >> 32n) & 0xfff_ffff_ffffn);
    low[k] = Number(bound & 0xffff_ffffn);
  }
  return { variance, noiseMax, high, middle, low };
}

/** e^{-k^2/(2 sigma^2)} for k = 0..max, as fixed-point numbers. */
function weightsUpTo(max: number, variance: number): readonly bigint[] {
  const { numerator, denominator } = fractionOf(variance);
  // The ratio of neighbours is e^{-(2k+1)/(2 sigma^2)}, and itself shrinks by e^{-1/sigma^2} at each step.
  let ratio = expOfMinus(denominator, 2n * numerator);
  const shrink = expOfMinus(denominator, numerator);
  const weights = [ONE];
  for (let k = 1, weight = ONE; k <= max; k++) {
    weight = (weight * ratio) >> WORKING_BITS;
    ratio = (ratio * shrink) >> WORKING_BITS;
    weights.push(weight);
  }
  return weights;
}

function totalOf(weights: readonly bigint[]): bigint {
  let sum = 0n;
  for (const weight of weights) sum += weight;
  return 2n * sum - ONE;
}

/** A double as an exact fraction. */
function fractionOf(value: number): { readonly numerator: bigint; readonly denominator: bigint } {
  let denominator = 1n;
  let scaled = value;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    denominator *= 2n;
  }
  return { numerator: BigInt(scaled), denominator };
}

/** e^{-numerator/denominator} as a fixed-point number, by its series after halving the exponent. */
function expOfMinus(numerator: bigint, denominator: bigint): bigint {
  const guard = 32n;
  const bits = WORKING_BITS + guard;
  let halvings = 0n;
  while (numerator << 8n > denominator << halvings) halvings++;
  const x = (numerator << bits) / (denominator << halvings);
  let term = 1n << bits;
  let sum = term;
  for (let n = 1n; term !== 0n; n++) {
    term = -((term * x) >> bits) / n;
    sum += term;
  }
  for (let i = 0n; i < halvings; i++) sum = (sum * sum) >> bits;
  return sum >> guard;
}

export interface DiscreteGaussian {
  /** P(k) for k = 0, 1, ... up to 13.2 sigma. P(-k) is the same. */
  readonly probabilities: Float64Array;
  /** Sum of e^{-k^2/(2 sigma^2)} over all k. */
  readonly normalizer: number;
  /** Slightly below sigma^2 if sigma is small. */
  readonly variance: number;
}

/** The distribution in doubles, for tests and figures. @param sigmaSquared  Above 0; need not be whole. */
export function discreteGaussianProbabilities(sigmaSquared: number): DiscreteGaussian {
  assert(sigmaSquared > 0 && Number.isFinite(sigmaSquared), "sigma^2 is above 0");
  const weights = weightsUpTo(noiseMaxOf(sigmaSquared), sigmaSquared).map((weight) => {
    // 64 bits are enough of a weight of at most 1.
    return Number(weight >> (WORKING_BITS - 128n)) / 2 ** 128;
  });
  const normalizer = weights.reduce((sum, weight) => sum + 2 * weight, -1);
  const probabilities = Float64Array.from(weights, (weight) => weight / normalizer);
  const variance = probabilities.reduce((sum, probability, k) => sum + 2 * k * k * probability, 0);
  return { probabilities, normalizer, variance };
}
