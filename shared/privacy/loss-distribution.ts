import { assert, present } from "../kernel/assert.ts";
import { type Complex, rootsOfUnity, transform, transformBack } from "./fft.ts";
import { LOSS_MAX, type LossMasses, lossMasses, type SampledGaussian } from "./loss-masses.ts";

/*
 * The privacy loss distribution (PLD) of many sums. The losses of independent sums add up, so their distribution is a
 * convolution, by FFT. Source: Koskela, Jaelkoe and Honkela 2020, arXiv:1906.03049; the grid in loss-masses.ts.
 */

/** Sums with the same mechanism. */
export interface Rounds {
  readonly mechanism: SampledGaussian;
  /** At least 1. */
  readonly count: number;
}

/** Mass of composed losses that is counted as an infinite loss instead of being kept. */
const CUT_MASS = 1e-15;
const TILT_SHARE = 0.25;
const STEP_FIRST = 0.01;
/** Numbers in one transform: 2 arrays of 32 MiB. */
const LENGTH_MAX = 2 ** 22;
/** Below it CUT_MASS would count. */
export const LOSS_DELTA_MIN = 1e-9;

export interface LossOptions {
  /**
   * Refine the grid until a halving of its step would move epsilon by less. Default 1e-3. What is left of the error is
   * then about a third of it.
   */
  readonly tolerance?: number;
  /** Use this step alone. */
  readonly step?: number;
}

/**
 * An upper bound on the smallest epsilon for `delta`: the grid rounds losses up, and a finer one gives a smaller bound.
 *
 * @param rounds  At least one.
 * @param delta   Above 0, at most 1.
 * @returns Null if the losses do not fit (below delta 1e-9, losses above 700, or a grid of more than 2^22); then only RDP
 * has a bound. Infinity if no epsilon reaches delta.
 */
export function lossEpsilon(
  rounds: readonly Rounds[],
  delta: number,
  { tolerance = 1e-3, step }: LossOptions = {},
): number | null {
  assert(rounds.length > 0 && delta > 0 && delta <= 1, "rounds, and a delta above 0 and at most 1");
  if (delta < LOSS_DELTA_MIN) return null;
  const tilts = new Map<string, number>();
  const epsilonAt = (h: number) => {
    const losses = composed(rounds, h, { delta }, tilts);
    return losses === null ? null : Math.max(...losses.map((loss) => epsilonOf(loss, delta)));
  };
  if (step !== undefined) return epsilonAt(step);
  let coarse = epsilonAt(STEP_FIRST);
  let halvings = 1;
  for (let h = STEP_FIRST / 2; coarse !== null; h /= 2 ** halvings) {
    const fine = epsilonAt(h);
    if (fine === null || fine === coarse) return fine ?? coarse;
    // The error goes with h^2, so the way from the coarser grid tells what error is left. A way that is too long for two
    // halvings is gone in one step; the coarsest grids would tell too much.
    const left = Math.abs(coarse - fine) / (4 ** halvings - 1);
    if (left < tolerance / 3) return fine;
    coarse = fine;
    halvings = (3 * left) / tolerance > 4 ? 2 : 1;
  }
  return null;
}

/** Delta for `epsilon` on one grid, an upper bound; null as in `lossEpsilon`. */
export function lossDelta(rounds: readonly Rounds[], epsilon: number, step: number): number | null {
  assert(rounds.length > 0 && epsilon >= 0, "rounds, and an epsilon of at least 0");
  const losses = composed(rounds, step, { epsilon }, new Map());
  return losses === null ? null : Math.max(...losses.map((loss) => deltaOf(loss, epsilon)));
}

type Direction = "remove" | "add";
const DIRECTIONS: readonly Direction[] = ["remove", "add"];

/** What is asked of the composed loss, so that its digits are spent there. */
type Target = { readonly delta: number } | { readonly epsilon: number };

/**
 * The composed loss in both directions.
 *
 * The FFT rounds relative to the largest masses, and those that matter are the smallest. So each mass p_l is first
 * weighted with e^{t l}, and the weights are taken off at the end. A quarter of the t that would centre the weighted losses
 * on the answer is enough, and hardly widens their distribution.
 *
 * @param tilts  Values of t that were good on a coarser grid.
 */
function composed(
  rounds: readonly Rounds[],
  step: number,
  target: Target,
  tilts: Map<string, number>,
): readonly ComposedLoss[] | null {
  const parts: Part[] = [];
  for (const { mechanism, count } of rounds) {
    assert(Number.isSafeInteger(count) && count >= 1, "rounds are counted");
    const both = lossMasses(mechanism, step);
    if (both === null) return null;
    parts.push({ ...both, count });
  }
  const tilted = DIRECTIONS.map((direction) => tiltedRounds(parts, direction, step, target, tilts));
  const widest = Math.max(...tilted.map(({ low, high }) => high - low + 1));
  // e^-l must not underflow.
  if (widest > LENGTH_MAX || tilted.some(({ high }) => high * step > LOSS_MAX)) return null;
  const [remove, add] = tilted as [TiltedRounds, TiltedRounds];
  const { re, im } = convolved(remove, add, Math.max(2, 2 ** Math.ceil(Math.log2(widest))));
  return [
    { ...remove, masses: re, step },
    { ...add, masses: im, step },
  ];
}

type Part = Readonly<Record<Direction, LossMasses>> & { readonly count: number };

/** Rounds in one direction, their masses weighted with e^{tilt l} and scaled to a sum of 1. */
interface TiltedRounds {
  readonly parts: readonly {
    readonly first: number;
    readonly masses: Float64Array;
    readonly count: number;
  }[];
  readonly tilt: number;
  /** ln of what all rounds were divided by. */
  readonly lnScale: number;
  /** Grid indices between which the composed weighted loss has all but CUT_MASS. */
  readonly low: number;
  readonly high: number;
  readonly infinite: number;
}

function tiltedRounds(
  parts: readonly Part[],
  direction: Direction,
  step: number,
  target: Target,
  tilts: Map<string, number>,
): TiltedRounds {
  let lnFinite = 0;
  const losses = parts.map((part) => {
    const { first, masses, infinite } = part[direction];
    lnFinite += part.count * Math.log1p(-infinite);
    return { first, count: part.count, lnMasses: masses.map(Math.log) };
  });
  const lnMoment = (t: number) => {
    let total = 0;
    for (const { first, lnMasses, count } of losses) total += count * lnMomentOf(first, lnMasses, t * step);
    return total;
  };
  const remembered = (name: string, boundAt: (t: number) => number) => {
    const tilt = tilts.get(`${direction} ${name}`) ?? bestTilt(boundAt);
    tilts.set(`${direction} ${name}`, tilt);
    return tilt;
  };
  const centring = remembered("target", (t) =>
    "delta" in target ? (lnMoment(t) - Math.log(target.delta)) / t : lnMoment(t) - t * target.epsilon,
  );
  const tilt = centring * TILT_SHARE;
  const lnScale = lnMoment(tilt);
  // P(side L >= x) <= E[e^{t side L}] e^{-t x}, for any t > 0.
  const bound = (side: 1 | -1) => {
    const boundAt = (t: number) => (lnMoment(tilt + side * t) - lnScale + Math.log(2 / CUT_MASS)) / t;
    return Math.ceil(boundAt(remembered(`side ${side}`, boundAt)) / step);
  };
  const weighted = losses.map(({ first, lnMasses, count }) => {
    const lnSum = lnMomentOf(first, lnMasses, tilt * step);
    const masses = lnMasses.map((lnMass, i) => Math.exp(lnMass + tilt * step * (first + i) - lnSum));
    return { first, masses, count };
  });
  const infinite = -Math.expm1(lnFinite) + CUT_MASS;
  return { parts: weighted, tilt, lnScale, low: -bound(-1), high: bound(1), infinite };
}

/** The power of sqrt(2) with the smallest bound. The bounds have one valley. */
function bestTilt(boundAt: (t: number) => number): number {
  let best = 1;
  let bound = boundAt(best);
  for (const factor of [Math.SQRT2, Math.SQRT1_2]) {
    for (let t = best * factor; t > 1e-6 && t < 1e6; t *= factor) {
      const next = boundAt(t);
      if (!(next < bound)) break;
      [best, bound] = [t, next];
    }
  }
  return best;
}

/** ln of the sum of p_i e^{shift (first + i)}. */
function lnMomentOf(first: number, lnMasses: Float64Array, shift: number): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < lnMasses.length; i++) {
    const exponent = lnMasses[i]! + shift * (first + i); // hot loop
    if (exponent > max) max = exponent;
  }
  let sum = 0;
  for (let i = 0; i < lnMasses.length; i++) sum += Math.exp(lnMasses[i]! + shift * (first + i) - max); // hot loop
  return max + Math.log(sum);
}

/**
 * All rounds convolved, on a circle of `length` indices: REMOVE in the real parts, ADD in the imaginary parts. One
 * transform does both, since a real sequence's transform X is symmetric: X[-k] is the conjugate of X[k].
 */
function convolved(remove: TiltedRounds, add: TiltedRounds, length: number): Complex {
  const roots = rootsOfUnity(length);
  /** Logarithms of the product of the transforms, for the first half of the circle. */
  const sums = { remove: zeros(length / 2 + 1), add: zeros(length / 2 + 1) };
  const placed = zeros(length);
  for (const [index, part] of remove.parts.entries()) {
    placed.re.fill(0);
    placed.im.fill(0);
    place(placed.re, part);
    place(placed.im, present(add.parts[index], "both directions have the same rounds"));
    transform(placed, roots);
    addLogarithms(sums, placed, part.count);
  }
  for (let k = 0; k <= length / 2; k++) {
    const mirror = (length - k) & (length - 1);
    const removeSize = Math.exp(sums.remove.re[k]!); // hot loop
    const removeRe = removeSize * Math.cos(sums.remove.im[k]!);
    const removeIm = removeSize * Math.sin(sums.remove.im[k]!);
    const addSize = Math.exp(sums.add.re[k]!);
    const addRe = addSize * Math.cos(sums.add.im[k]!);
    const addIm = addSize * Math.sin(sums.add.im[k]!);
    placed.re[k] = removeRe - addIm;
    placed.im[k] = removeIm + addRe;
    placed.re[mirror] = removeRe + addIm;
    placed.im[mirror] = addRe - removeIm;
  }
  transformBack(placed, roots);
  return placed;
}

function zeros(length: number): Complex {
  return { re: new Float64Array(length), im: new Float64Array(length) };
}

function place(circle: Float64Array, { first, masses }: TiltedRounds["parts"][number]): void {
  const mask = circle.length - 1;
  for (let i = 0; i < masses.length; i++) {
    const at = (first + i) & mask;
    circle[at] = circle[at]! + masses[i]!; // hot loop
  }
}

/** Adds `count` ln(1 + x) for the transforms x of both directions. */
function addLogarithms(
  { remove, add }: Readonly<Record<Direction, Complex>>,
  { re, im }: Complex,
  count: number,
): void {
  const length = re.length;
  for (let k = 0; k <= length / 2; k++) {
    const mirror = (length - k) & (length - 1);
    addLogarithm(remove, k, (re[k]! + re[mirror]!) / 2, (im[k]! - im[mirror]!) / 2, count); // hot loop
    addLogarithm(add, k, (im[k]! + im[mirror]!) / 2, (re[mirror]! - re[k]!) / 2, count);
  }
}

function addLogarithm({ re, im }: Complex, k: number, x: number, y: number, count: number): void {
  re[k] = re[k]! + (count / 2) * Math.log(x * x + y * y); // hot loop
  im[k] = im[k]! + count * Math.atan2(y, x);
}

interface ComposedLoss extends TiltedRounds {
  /** Weighted, on a circle. */
  readonly masses: Float64Array;
  readonly step: number;
}

/** p_l at an index of the window. Rounding may have made it negative. */
function massAt({ masses, tilt, lnScale, step }: ComposedLoss, index: number): number {
  const weighted = masses[index & (masses.length - 1)]!; // hot loop
  return weighted > 0 ? weighted * Math.exp(lnScale - tilt * index * step) : 0;
}

/** The smallest epsilon >= 0 with delta(epsilon) <= delta, where delta(e) = infinite + sum over l > e of (1 - e^{e-l}) p_l. */
function epsilonOf(loss: ComposedLoss, delta: number): number {
  const { low, high, infinite, step } = loss;
  if (infinite > delta) return Number.POSITIVE_INFINITY;
  /** Sum of p_l, and of p_l e^{-l}, over the losses above. */
  let above = infinite;
  let scaled = 0;
  for (let index = high; index >= Math.max(0, low); index--) {
    const value = index * step;
    if (above - scaled * Math.exp(value) > delta) return Math.log((above - delta) / scaled);
    const mass = massAt(loss, index);
    above += mass;
    scaled += mass * Math.exp(-value);
  }
  // Below the window's low end there is no more mass.
  return above - scaled > delta ? Math.log((above - delta) / scaled) : 0;
}

function deltaOf(loss: ComposedLoss, epsilon: number): number {
  const { low, high, infinite, step } = loss;
  let delta = infinite;
  for (let index = high; index >= low && index * step > epsilon; index--) {
    delta -= massAt(loss, index) * Math.expm1(epsilon - index * step);
  }
  return Math.min(1, delta);
}
