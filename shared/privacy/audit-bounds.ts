import { assert } from "../kernel/assert.ts";
import { lnChoose, lnGamma } from "./log-space.ts";

/* What attacks on a mechanism prove about its epsilon. They bound it from below: a bound above the claim refutes it. */

/** Outcomes of an attack that guesses whether a canary was in the sum. */
export interface AttackCounts {
  readonly inCount: number;
  readonly falseNegatives: number;
  readonly outCount: number;
  readonly falsePositives: number;
}

export interface AttackBound {
  readonly tprLower: number;
  readonly fprUpper: number;
  /** ln((tprLower - delta) / fprUpper), at least 0. */
  readonly epsilonLower: number;
}

/**
 * A lower bound on epsilon that holds with probability 1 - `significance`, half of it for each rate.
 *
 * Source: Clopper and Pearson 1934; Nasr et al. 2021, arXiv:2101.04535.
 */
export function epsilonLowerBound(counts: AttackCounts, delta: number, significance: number): AttackBound {
  const { inCount, falseNegatives, outCount, falsePositives } = counts;
  const tprLower = 1 - proportionUpper(falseNegatives, inCount, significance / 2);
  const fprUpper = proportionUpper(falsePositives, outCount, significance / 2);
  const ratio = (tprLower - delta) / fprUpper;
  return { tprLower, fprUpper, epsilonLower: ratio > 1 ? Math.log(ratio) : 0 };
}

/** The largest proportion p at which `hits` or fewer of `count` have a probability of at least `tail`. */
export function proportionUpper(hits: number, count: number, tail: number): number {
  assert(hits >= 0 && hits <= count && count > 0, "hits are among those counted");
  if (hits === count) return 1;
  let [low, high] = [hits / count, 1];
  for (let turn = 0; turn < 200; turn++) {
    const middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    // P(X <= hits) = 1 - I_p(hits + 1, count - hits).
    if (1 - regularizedBeta(middle, hits + 1, count - hits) > tail) low = middle;
    else high = middle;
  }
  return high;
}

/** I_x(a, b), by the continued fraction of Lentz. Source: DLMF 8.17.22. */
function regularizedBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - regularizedBeta(1 - x, b, a);
  const lnFront = lnGamma(a + b) - lnGamma(a) - lnGamma(b) + a * Math.log(x) + b * Math.log1p(-x);
  let c = 1;
  let d = 1 / (1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m < 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / (1 + even * d);
    c = 1 + even / c;
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + odd * d);
    c = 1 + odd / c;
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return (Math.exp(lnFront) * fraction) / a;
}

/** Guesses about many canaries of one training. */
export interface OneRunGuesses {
  readonly canaries: number;
  /** Canaries about which the attack dared to guess. */
  readonly guesses: number;
  readonly correct: number;
}

/**
 * Probability that a training with (epsilon, delta) lets an attack guess so well. A small one refutes the claim.
 *
 * Source: Steinke, Nasr and Jagielski 2023, arXiv:2305.08846, theorem 5.2 and appendix D.
 */
export function oneRunPValue(
  { canaries, guesses, correct }: OneRunGuesses,
  epsilon: number,
  delta: number,
): number {
  assert(
    correct <= guesses && guesses <= canaries,
    "correct guesses are guesses, and guesses are of canaries",
  );
  const success = 1 / (1 + Math.exp(-epsilon));
  const massAt = (k: number) =>
    Math.exp(lnChoose(guesses, k) + k * Math.log(success) + (guesses - k) * Math.log1p(-success));
  let tail = 0;
  for (let k = correct; k <= guesses; k++) tail += massAt(k);
  let alpha = 0;
  let sum = 0;
  for (let i = 1; i <= correct; i++) {
    sum += massAt(correct - i);
    alpha = Math.max(alpha, sum / i);
  }
  return Math.min(1, tail + 2 * canaries * delta * alpha);
}
