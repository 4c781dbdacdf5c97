import { assert } from "../kernel/assert.ts";
import type { SecurityModel } from "./security-model.ts";

/*
 * Thresholds for devices that have only some of the others as neighbours. That too many of these collude or too few stay is
 * not impossible, but its probability is bounded. Everyone must compute the same numbers, so the code uses only +, -, x and
 * /, which IEEE 754 rounds the same everywhere. Logarithms and gamma functions differ between engines.
 */

/** A secret leaks with a probability of at most 2^-40, and a round fails to finish with at most 2^-30. */
const SECURITY_BITS = 40;
const CORRECTNESS_BITS = 30;
/** Added so that rounding does not turn a fraction such as 1/3 of the devices into one device too few. */
const ROUNDING = 1e-14;

/**
 * The smallest m with Pr[X > m] <= `chance`, for a binomial X with `trials` trials of probability `probability`.
 *
 * @param probability  Below 1. (1 - probability)^trials must not underflow, so the mean must stay below a few hundred.
 */
export function binomialQuantile(trials: number, probability: number, chance: number): number {
  assert(trials >= 0 && probability >= 0 && probability < 1, "a binomial distribution");
  const odds = probability / (1 - probability);
  let term = 1;
  for (let trial = 0; trial < trials; trial++) term *= 1 - probability;
  assert(term > 0, "the mean is too large to start from zero");
  const terms = [term];
  for (let count = 0; count < trials && term > 0; count++) {
    term *= ((trials - count) / (count + 1)) * odds;
    terms.push(term);
  }
  return upperQuantile(terms, chance);
}

/**
 * The probabilities of 0, 1, ... marked items among `draws` drawn without replacement from `population` items, `marked` of
 * them marked.
 */
export function hypergeometricTerms(population: number, marked: number, draws: number): readonly number[] {
  assert(marked <= population && draws <= population, "a hypergeometric distribution");
  const least = Math.max(0, draws + marked - population);
  let term = 1;
  if (least === 0) {
    for (let draw = 0; draw < draws; draw++) term *= (population - marked - draw) / (population - draw);
  } else {
    // All unmarked items are drawn: count the items that are not drawn.
    for (let draw = 0; draw < population - draws; draw++) term *= (marked - draw) / (population - draw);
  }
  const terms = Array.from({ length: least }, () => 0);
  terms.push(term);
  for (let count = least; count < Math.min(marked, draws); count++) {
    term *= ((marked - count) / (count + 1)) * ((draws - count) / (population - marked - draws + count + 1));
    terms.push(term);
  }
  return terms;
}

/** The smallest m for which the terms above m add up to at most `chance`. Sums from the far end, where terms are smallest. */
function upperQuantile(terms: readonly number[], chance: number): number {
  let tail = 0;
  for (let count = terms.length - 1; count >= 0; count--) {
    tail += terms[count] as number;
    if (tail > chance) return count;
  }
  return 0;
}

/** Upper bound on the devices of a roster that fall under the given fraction of it. */
export function partOf(rosterSize: number, share: number): number {
  return Math.floor((share + ROUNDING) * rosterSize);
}

export interface SparseNumbers {
  /** k, even. */
  readonly degree: number;
  /** t: number of shares that rebuild a secret, and of confirmations needed among a device's holders. */
  readonly threshold: number;
}

/**
 * The smallest degree of a shuffled ring graph of `rosterSize` devices, and its threshold, for which
 * - the honest devices that stay are connected,
 * - no device has t or more colluding neighbours (active: no two survivor sets can both reach t), and
 * - each device has at least t neighbours that stay,
 * except with a probability of 2^-41, 2^-41 and 2^-30, each over all devices.
 *
 * @returns Null if no degree below the complete graph's is enough.
 * Source: Bell et al. 2020 (CCS), sections 3 and 4 and appendix; the ring's cut sets as in its Harary graphs.
 */
export function sparseNumbers(
  rosterSize: number,
  corruptShare: number,
  dropoutShare: number,
  model: SecurityModel,
): SparseNumbers | null {
  const corrupt = partOf(rosterSize, corruptShare);
  const gone = partOf(rosterSize, dropoutShare);
  const security = 2 ** -(SECURITY_BITS + 1);
  for (let degree = 2; degree < rosterSize - 1; degree += 2) {
    if (disconnectedBound(rosterSize, corrupt + gone, degree) >= security) continue;
    const colluding = upperQuantile(hypergeometricTerms(rosterSize, corrupt, degree), security / rosterSize);
    const leaving = upperQuantile(
      hypergeometricTerms(rosterSize, gone, degree),
      2 ** -CORRECTNESS_BITS / rosterSize,
    );
    const threshold = model === "active" ? Math.floor((colluding + degree) / 2) + 1 : colluding + 1;
    if (threshold <= degree - leaving) return { degree, threshold: Math.max(threshold, 2) };
  }
  return null;
}

/**
 * A ring falls apart only if k/2 devices in a row are missing at two places. The bound counts the pairs of places.
 * Source: Bell et al. 2020, on the connectivity of Harary graphs.
 */
function disconnectedBound(rosterSize: number, missing: number, degree: number): number {
  if (degree > missing) return 0;
  let bound = (rosterSize * (rosterSize - degree - 1)) / 2;
  for (let place = 0; place < degree; place++) bound *= (missing - place) / (rosterSize - place);
  return bound;
}
