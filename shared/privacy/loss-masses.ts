import { assert } from "../kernel/assert.ts";
import { normalTail } from "./normal.ts";

/*
 * The privacy loss of one Gaussian sum on a grid of losses i h, rounded so that it is never less than the true one
 * ("connect the dots"). Source: Doroshenko, Ghazi, Kamath, Kumar and Manurangsi 2022, arXiv:2207.04380.
 *
 * Let P be the output with the participant (or the group) and Q without. REMOVE is the loss ln P/Q under P, ADD is
 * ln Q/P under Q. Within each cell of the grid the masses of P and Q are moved to the cell's two ends so that both
 * totals stay as they are. That leaves the curve delta(epsilon) exact on the grid and linear in e^epsilon between.
 */

/** A Gaussian sum in which k of a group's members take part with a given probability. */
export interface SampledGaussian {
  /** Noise over the sensitivity to one member, above 0. */
  readonly sigma: number;
  /** [group + 1]: the probability that k members are in the sample. `[1 - q, q]` for a single participant. */
  readonly weights: readonly number[];
}

/** Masses of the losses (first + i) h. */
export interface LossMasses {
  readonly first: number;
  readonly masses: Float64Array;
  /** Mass at an infinite loss. */
  readonly infinite: number;
}

/** Tails beyond this many sigmas (8e-24) go to the ends of the grid. */
const SIGMAS = 10;
/** Losses above it would overflow e^loss. */
export const LOSS_MAX = 700;

/**
 * Both directions of the loss of one sum.
 *
 * @param step  h, the grid's step.
 * @returns Null if losses above 700 occur.
 */
export function lossMasses(
  mechanism: SampledGaussian,
  step: number,
): { readonly remove: LossMasses; readonly add: LossMasses } | null {
  const { sigma, weights } = mechanism;
  const group = weights.length - 1;
  assert(sigma > 0 && group >= 1, "noise and a participant");
  const lossAt = (x: number) => lossOf(mechanism, x);
  const outside = weights[0] as number;
  const floor = outside > 0 ? Math.log(outside) : Number.NEGATIVE_INFINITY;
  const first = Math.floor(Math.max(floor, lossAt(-SIGMAS * sigma)) / step);
  const last = Math.ceil(lossAt(group + SIGMAS * sigma) / step);
  if (last * step > LOSS_MAX || -first * step > LOSS_MAX) return null;
  const count = last - first + 1;
  const remove = new Float64Array(count);
  const add = new Float64Array(count);
  const spread = -Math.expm1(-step);

  const bottom = tailsAt(mechanism, Number.NEGATIVE_INFINITY);
  const top = tailsAt(mechanism, Number.POSITIVE_INFINITY);
  let below = tailsAt(mechanism, thresholdOf(mechanism, first * step, -SIGMAS * sigma));
  const lowerIn = mixtureBetween(weights, bottom, below);
  const lowerOut = outsideBetween(bottom, below);
  remove[0] = lowerIn;
  // Index i of `remove` is index count - 1 - i of `add`, because the loss changes its sign.
  const addTop = Math.min(lowerOut, lowerIn * Math.exp(-first * step));
  add[count - 1] = addTop;
  for (let i = 1; i < count; i++) {
    const loss = (first + i) * step;
    const above = tailsAt(mechanism, thresholdOf(mechanism, loss, below.x));
    const massIn = mixtureBetween(weights, below, above);
    const massOut = outsideBetween(below, above);
    const up = clamp((massIn - massOut * Math.exp(loss - step)) / spread, massIn);
    remove[i] = remove[i]! + up; // hot loop
    remove[i - 1] = remove[i - 1]! + massIn - up;
    const upAdd = clamp((massOut - massIn * Math.exp(-loss)) / spread, massOut);
    add[count - i] = add[count - i]! + upAdd;
    add[count - 1 - i] = add[count - 1 - i]! + massOut - upAdd;
    below = above;
  }
  const upperIn = mixtureBetween(weights, below, top);
  const upperOut = outsideBetween(below, top);
  const removeTop = Math.min(upperIn, upperOut * Math.exp(last * step));
  remove[count - 1] = remove[count - 1]! + removeTop;
  add[0] = add[0]! + upperOut;
  return {
    remove: { first, masses: remove, infinite: upperIn - removeTop },
    add: { first: -last, masses: add, infinite: lowerOut - addTop },
  };
}

function clamp(value: number, max: number): number {
  return Math.max(0, Math.min(max, value));
}

/** ln P/Q at x. Non-decreasing. */
function lossOf({ sigma, weights }: SampledGaussian, x: number): number {
  let max = Number.NEGATIVE_INFINITY;
  const variance = sigma * sigma;
  for (let k = 0; k < weights.length; k++) {
    const exponent = (k * (2 * x - k)) / (2 * variance);
    if (weights[k]! > 0 && exponent > max) max = exponent; // hot loop
  }
  let sum = 0;
  for (let k = 0; k < weights.length; k++) {
    if (weights[k]! > 0) sum += weights[k]! * Math.exp((k * (2 * x - k)) / (2 * variance) - max);
  }
  return max + Math.log(sum);
}

/** The x at which the loss is `loss`; -Infinity if every loss is above it. @param near  Where to begin to look. */
function thresholdOf(mechanism: SampledGaussian, loss: number, near: number): number {
  const { sigma, weights } = mechanism;
  const outside = weights[0] as number;
  if (weights.length === 2) {
    const inside = weights[1] as number;
    const excess = Math.expm1(loss) + inside;
    return excess <= 0 ? Number.NEGATIVE_INFINITY : 0.5 + sigma * sigma * Math.log(excess / inside);
  }
  if (outside > 0 && loss <= Math.log(outside)) return Number.NEGATIVE_INFINITY;
  let low = Number.isFinite(near) ? near : -SIGMAS * sigma;
  let width = sigma;
  while (lossOf(mechanism, low) > loss) {
    low -= width;
    width *= 2;
  }
  let high = low + sigma;
  while (lossOf(mechanism, high) < loss) high += sigma;
  for (let turn = 0; turn < 100; turn++) {
    const middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    if (lossOf(mechanism, middle) < loss) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * The end of a cell: for each k, the smaller tail of N(k, sigma^2) at x, which is the lower one if x < k. A mass between
 * two ends is then a difference of small numbers, with full relative accuracy.
 */
interface CellEnd {
  readonly x: number;
  readonly tails: Float64Array;
}

function tailsAt({ sigma, weights }: SampledGaussian, x: number): CellEnd {
  const tails = new Float64Array(weights.length);
  for (let k = 0; k < tails.length; k++) tails[k] = normalTail(Math.abs(x - k) / sigma);
  return { x, tails };
}

/** N(k, sigma^2)'s mass between two ends. */
function massBetween(low: CellEnd, high: CellEnd, k: number): number {
  const a = low.tails[k]!; // hot loop
  const b = high.tails[k]!;
  if (high.x < k) return b - a;
  return low.x < k ? 1 - a - b : a - b;
}

/** P's mass on (low, high]. */
function mixtureBetween(weights: readonly number[], low: CellEnd, high: CellEnd): number {
  let mass = 0;
  for (let k = 0; k < weights.length; k++) {
    if (weights[k]! > 0) mass += weights[k]! * massBetween(low, high, k); // hot loop
  }
  return mass;
}

/** Q's mass on (low, high]. */
function outsideBetween(low: CellEnd, high: CellEnd): number {
  return massBetween(low, high, 0);
}
