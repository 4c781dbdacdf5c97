import { assert, present } from "#shared/kernel/assert.ts";
import { type AttackBound, epsilonLowerBound } from "#shared/privacy/audit-bounds.ts";
import { nextClip, shareWithin } from "#shared/privacy/clip-bit.ts";
import { gaussianEpsilon } from "#shared/privacy/gaussian.ts";
import { placeOf, type VectorLayout } from "#shared/vector/layout.ts";
import { update } from "#shared/vector/segments/update.ts";
import {
  type AuditSetting,
  type AuditTools,
  auditLayout,
  type DeviceInput,
  releasedMean,
} from "./audited-sum.ts";

/*
 * An audit of the mechanism as it is built: many sums with and without a canary of norm exactly C. What the sums show must
 * be what the noise multiplier claims. Whoever attacks knows everything except whether the canary is in.
 */

/** Statistics may be this many standard errors from their claim: 6e-7 for one that is right. */
const ERRORS_MAX = 5;
const SIGNIFICANCE = 0.05;
const DELTA = 1e-5;
/** Of the clip. Fixed before any sum was seen. */
const THRESHOLD = 1.75;

export const AUDIT_SETTING: AuditSetting = {
  dimension: 16,
  clipNormL2: 2,
  noiseMultiplier: 1,
  // Not three, so that a division by the survivors shows.
  expectedCohort: 6,
};

/** One statistic beside its claim. */
export interface AuditCheck {
  readonly name: string;
  readonly value: number;
  readonly claim: number;
  /** Largest distance from the claim that passes. */
  readonly tolerance: number;
  readonly passed: boolean;
}

export interface AuditReport {
  readonly checks: readonly AuditCheck[];
  /** What the attack proves. `claim` is the exact epsilon of the Gaussian at delta 1e-5, below every accountant's. */
  readonly attack: AttackBound & { readonly claim: number };
  readonly passed: boolean;
}

/**
 * @param runs  Sums with the canary, and as many without.
 */
export async function auditMechanism(
  tools: AuditTools,
  runs: number,
  setting: AuditSetting = AUDIT_SETTING,
): Promise<AuditReport> {
  assert(Number.isSafeInteger(runs) && runs >= 100, "an audit takes at least 100 sums each");
  const layout = auditLayout(setting);
  const sigma = claimedSigma(layout, setting);
  const withCanary: number[] = [];
  const without: number[] = [];
  const broken: number[] = [];
  const rounds = new Correlation();
  for (let run = 0; run < runs; run++) {
    withCanary.push(first(await attacked(tools, layout, setting, "canary")));
    const residual = await attacked(tools, layout, setting, "absent");
    without.push(first(residual));
    // Sixteen coordinates each, so a part of the rounds is enough for these.
    if (run % 4 === 0) rounds.add(residual, await attacked(tools, layout, setting, "absent"));
    if (run % 10 === 0) broken.push(first(await attacked(tools, layout, setting, "broken")));
  }
  const { clipNormL2: clip } = setting;
  const pooled = [
    ...withCanary.map((value) => value - mean(withCanary)),
    ...without.map((value) => value - mean(without)),
  ];
  const variance = pooled.reduce((sum, value) => sum + value ** 2, 0) / (pooled.length - 2);
  const checks = [
    checked(
      "gap of the means, over the clip",
      (mean(withCanary) - mean(without)) / clip,
      1,
      (sigma / clip) * Math.sqrt(2 / runs),
    ),
    checked(
      "standard deviation of the sum, over the claim",
      Math.sqrt(variance) / sigma,
      1,
      1 / Math.sqrt(4 * runs),
    ),
    checked(
      "mean with a canary that is not finite, over the clip",
      mean(broken) / clip,
      0,
      sigma / clip / Math.sqrt(broken.length),
    ),
    checked("correlation of the noise of two rounds", rounds.value(), 0, 1 / Math.sqrt(rounds.count)),
    ...convergenceChecks(),
  ];
  const falseNegatives = withCanary.filter((value) => value <= THRESHOLD * clip).length;
  const falsePositives = without.filter((value) => value > THRESHOLD * clip).length;
  const counts = { inCount: runs, falseNegatives, outCount: runs, falsePositives };
  const bound = epsilonLowerBound(counts, DELTA, SIGNIFICANCE);
  const attack = { ...bound, claim: gaussianEpsilon(setting.noiseMultiplier, DELTA) };
  const passed = checks.every((check) => check.passed) && attack.epsilonLower <= attack.claim;
  return { checks, attack, passed };
}

/** Standard deviation of a coordinate of the sum that the layout promises. At least z C, or the layout promises too little. */
function claimedSigma(layout: VectorLayout, { noiseMultiplier, clipNormL2 }: AuditSetting): number {
  const { clip, noise } = placeOf(layout, update);
  assert(noise !== null, "an audited layout has noise");
  const inSteps = noiseMultiplier * Math.sqrt(noise.squaredNormMax);
  const sigma = (inSteps * clipNormL2) / clip.quantizedMax;
  assert(sigma >= noiseMultiplier * clipNormL2, "the noise covers the sensitivity");
  return sigma;
}

type Canary = "canary" | "absent" | "broken";

/** One sum, times the public constant, less what the attacker knows to be in it. [dimension] */
async function attacked(
  tools: AuditTools,
  layout: VectorLayout,
  { dimension, clipNormL2, expectedCohort }: AuditSetting,
  canary: Canary,
): Promise<Float64Array> {
  const known = new Float32Array(dimension);
  known[dimension - 1] = clipNormL2 / 4;
  const inputs: DeviceInput[] = [
    { update: canaryOf(canary, dimension, clipNormL2), numExamples: 5 },
    { update: known, numExamples: 3 },
    { update: new Float32Array(dimension), numExamples: 1 },
  ];
  const released = await releasedMean(tools, layout, inputs, expectedCohort);
  return released.map((value, index) => value * expectedCohort - (known[index] as number));
}

function canaryOf(canary: Canary, dimension: number, clipNormL2: number): Float32Array {
  const vector = new Float32Array(dimension);
  if (canary === "canary") vector[0] = clipNormL2;
  if (canary === "broken") {
    vector[0] = 1000 * clipNormL2;
    vector[1] = Number.NaN;
  }
  return vector;
}

/** The canary's coordinate. */
function first(vector: Float64Array): number {
  return present(vector[0], "a coordinate");
}

class Correlation {
  count = 0;
  #products = 0;
  #squares = 0;

  add(one: Float64Array, other: Float64Array): void {
    for (const [index, value] of one.entries()) {
      const beside = other[index] as number;
      this.count += 1;
      this.#products += value * beside;
      this.#squares += (value ** 2 + beside ** 2) / 2;
    }
  }

  /** About the known mean of 0. */
  value(): number {
    return this.#products / this.#squares;
  }
}

/** An adaptive clip must come to the median of fixed norms, from below and from above. */
function convergenceChecks(): AuditCheck[] {
  const norms = Array.from({ length: 100 }, (_, i) => 0.02 * (i + 1));
  return [0.05, 20].map((start) => {
    let clip = start;
    for (let round = 0; round < 200; round++) {
      const bits = norms.reduce((sum, norm) => sum + (norm <= clip ? 0.5 : -0.5), 0);
      clip = nextClip(clip, shareWithin(bits, norms.length), 0.5, { min: 1e-3, max: 1e3 });
    }
    return checked(`adaptive clip after 200 rounds from ${start}`, clip, 1, 0.01);
  });
}

function checked(name: string, value: number, claim: number, standardError: number): AuditCheck {
  const tolerance = ERRORS_MAX * standardError;
  return { name, value, claim, tolerance, passed: Math.abs(value - claim) <= tolerance };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
