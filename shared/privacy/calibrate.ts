import { assert } from "../kernel/assert.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { lossEpsilon } from "./loss-distribution.ts";
import { epsilonFromRenyi, RENYI_ORDERS } from "./renyi.ts";
import { sampledGaussianRenyi } from "./sampled-gaussian.ts";

/* The noise that reaches a given epsilon. */

export interface CalibrationTarget {
  /** Above 0. */
  readonly epsilon: number;
  /** Above 0, at most 1. */
  readonly delta: number;
  /** Sampling probability, 0 to 1. */
  readonly q: number;
  readonly steps: number;
  readonly accountant: "rdp" | "pld";
}

/** Noise is looked for between these. With more, the model would be noise; with less, epsilon is in the thousands. */
const SIGMA_MIN = 0.01;
const SIGMA_MAX = 10_000;

/**
 * The smallest sigma of the sampled Gaussian mechanism with epsilon at most `epsilon`, and at least 0.01. The result is on
 * the private side: by RDP to 1e-10 of itself, by PLD to about 1e-4.
 *
 * Errors: `unreachable` with the least epsilon that some sigma up to 10,000 reaches.
 */
export function sigmaForEpsilon(target: CalibrationTarget): Result<number, Unreachable> {
  const { epsilon, delta, q, steps, accountant } = target;
  assert(epsilon > 0 && delta > 0 && delta <= 1, "epsilon and delta are above 0, and delta is at most 1");
  assert(Number.isSafeInteger(steps) && steps >= 0, "steps are counted");
  if (q === 0 || steps === 0 || delta === 1) return ok(0);
  const byRenyi = (sigma: number) => {
    const renyi = sampledGaussianRenyi(q, sigma, RENYI_ORDERS).map((bound) => steps * bound);
    return epsilonFromRenyi(RENYI_ORDERS, renyi, delta).epsilon;
  };
  if (accountant === "rdp") return smallestNoise(byRenyi, epsilon, 1e-10);
  const byLoss = (tolerance: number) => (sigma: number) => {
    const rounds = [{ mechanism: { sigma, weights: [1 - q, q] }, count: steps }];
    return lossEpsilon(rounds, delta, { tolerance }) ?? byRenyi(sigma);
  };
  const found = smallestNoise(byLoss(1e-3 * Math.min(1, Math.max(0.01, epsilon))), epsilon, 1e-5);
  // A coarser grid says a larger epsilon, so what it says can be asked for at any tolerance.
  return found.ok ? found : err({ type: "unreachable", epsilonMin: byLoss(1e-3)(SIGMA_MAX) });
}

export interface Unreachable {
  readonly type: "unreachable";
  /** The least epsilon that can be reached. */
  readonly epsilonMin: number;
}

interface Point {
  readonly ln: number;
  /** ln of epsilon over the epsilon that is looked for. */
  readonly value: number;
}

/**
 * The smallest noise from 0.01 to 10,000 with `epsilonAt(noise)` <= epsilon.
 *
 * @param epsilonAt  Non-increasing.
 * @param precision  The result may be larger by this share of itself.
 * Errors: `unreachable` if 10,000 is not enough.
 */
export function smallestNoise(
  epsilonAt: (noise: number) => number,
  epsilon: number,
  precision: number,
): Result<number, Unreachable> {
  const pointAt = (ln: number): Point => ({ ln, value: Math.log(epsilonAt(Math.exp(ln)) / epsilon) });
  const [lnMin, lnMax] = [Math.log(SIGMA_MIN), Math.log(SIGMA_MAX)];
  let enough = pointAt(0);
  let short = enough;
  while (!(enough.value <= 0)) {
    if (enough.ln >= lnMax) return err({ type: "unreachable", epsilonMin: epsilonAt(SIGMA_MAX) });
    short = enough;
    enough = pointAt(Math.min(lnMax, enough.ln + Math.LN2));
  }
  while (short.value <= 0) {
    if (short.ln <= lnMin) return ok(SIGMA_MIN);
    enough = short;
    short = pointAt(Math.max(lnMin, short.ln - Math.LN2));
  }
  return ok(Math.exp(closedIn(pointAt, short, enough, precision)));
}

/** Regula falsi with the weights of Illinois, from both sides; returns the side that is enough. */
function closedIn(pointAt: (ln: number) => Point, from: Point, to: Point, precision: number): number {
  let [short, enough] = [from, to];
  let [shortWeight, enoughWeight] = [1, 1];
  for (let turn = 0; turn < 200 && enough.ln - short.ln > precision; turn++) {
    const rise = short.value * shortWeight;
    const fall = -enough.value * enoughWeight;
    const share = rise / (rise + fall);
    const width = enough.ln - short.ln;
    const isUsable = share > 0 && share < 1;
    // A step across the root closes the interval.
    const slack = precision / (2 * width);
    const place = isUsable ? Math.min(1 - slack, Math.max(slack, share + slack)) : 0.5;
    const next = pointAt(short.ln + width * (turn % 8 === 7 ? 0.5 : place));
    if (next.value <= 0) {
      enough = next;
      [enoughWeight, shortWeight] = [1, shortWeight / 2];
    } else {
      short = next;
      [shortWeight, enoughWeight] = [1, enoughWeight / 2];
    }
  }
  return enough.ln;
}
