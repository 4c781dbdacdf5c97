// Reference values of differential privacy, each entry a case with its id. `source` in the file says where a value is from.
import { describe, expect, test } from "vitest";
import { epsilonLowerBound, oneRunPValue } from "#shared/privacy/audit-bounds.ts";
import { sigmaForEpsilon } from "#shared/privacy/calibrate.ts";
import { nextClip, updateNoiseMultiplier } from "#shared/privacy/clip-bit.ts";
import { gaussianDelta, gaussianEpsilon, gaussianSigma } from "#shared/privacy/gaussian.ts";
import { discreteGaussianSumRenyi, roundedNormBound, skellamSumRenyi } from "#shared/privacy/integer-sum.ts";
import { lossDelta, lossEpsilon, type Rounds } from "#shared/privacy/loss-distribution.ts";
import {
  bufferedCoefficients,
  inverseCoefficients,
  squareRootCoefficients,
  toeplitzErrorSquared,
  toeplitzSensitivitySquared,
} from "#shared/privacy/matrix.ts";
import { discreteGaussianProbabilities } from "#shared/privacy/noise-table.ts";
import { normalTailQuantile } from "#shared/privacy/normal.ts";
import { epsilonFromRenyi, RENYI_ORDERS } from "#shared/privacy/renyi.ts";
import { sampledGaussianRenyi } from "#shared/privacy/sampled-gaussian.ts";
import { rotatedScale } from "#shared/privacy/scale.ts";
import { fixedSizeSampledRenyi, poissonSampledRenyi } from "#shared/privacy/subsampling.ts";
import { treeSensitivitySquared } from "#shared/privacy/tree.ts";
import { zcdpEpsilon } from "#shared/privacy/zcdp.ts";
import entries from "./data/privacy.json" with { type: "json" };

/** Fields by name, checked when they are read. */
class Entry {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(fields: Readonly<Record<string, unknown>>) {
    this.#fields = fields;
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined && this.#fields[name] !== null;
  }

  number(name: string): number {
    const value = this.#fields[name];
    if (typeof value !== "number") throw new Error(`${name} is not a number`);
    return value;
  }

  numbers(name: string): number[] {
    const value = this.#fields[name];
    if (!Array.isArray(value)) throw new Error(`${name} is not a list`);
    return value.map(Number);
  }

  /** Numbers by name; those that are null are left out. */
  table(name: string): [string, number][] {
    const value = this.#fields[name];
    if (typeof value !== "object" || value === null) throw new Error(`${name} is not a table`);
    return Object.entries(value).flatMap(([key, item]) => (typeof item === "number" ? [[key, item]] : []));
  }
}

/** Within a share of the expected value. */
function near(actual: number, expected: number, relative: number): void {
  expect(Math.abs(actual - expected), `${actual} for ${expected}`).toBeLessThanOrEqual(
    relative * Math.abs(expected),
  );
}

/** Within an absolute distance. */
function within(actual: number | null, expected: number, distance: number): void {
  expect(actual).not.toBeNull();
  expect(Math.abs((actual as number) - expected), `${actual} for ${expected}`).toBeLessThanOrEqual(distance);
}

/** Orders of the distributed values: 2..128 and 256. */
const WHOLE_ORDERS = [...Array.from({ length: 127 }, (_, index) => index + 2), 256];

function sampledRounds(entry: Entry, sigma = entry.number("sigma")): readonly Rounds[] {
  const q = entry.number("q");
  return [{ mechanism: { sigma, weights: [1 - q, q] }, count: entry.number("steps") }];
}

function epsilonByRenyi(entry: Entry) {
  const renyi = sampledGaussianRenyi(entry.number("q"), entry.number("sigma"), RENYI_ORDERS);
  const total = renyi.map((bound) => bound * entry.number("steps"));
  return epsilonFromRenyi(RENYI_ORDERS, total, entry.number("delta"));
}

function coefficientsOf(entry: Entry): Float64Array<ArrayBuffer> {
  const steps = entry.number("steps");
  if (!entry.has("buf_decay")) return squareRootCoefficients(steps);
  return bufferedCoefficients(steps, entry.numbers("buf_decay"), entry.numbers("output_scale"));
}

function checkMatrix(entry: Entry): void {
  const coefficients = coefficientsOf(entry);
  for (const [index, value] of entry.numbers("first_coefs").entries())
    near(coefficients[index] ?? 0, value, 1e-12);
  if (entry.has("inv_first_coefs")) {
    const inverse = inverseCoefficients(coefficients);
    for (const [index, value] of entry.numbers("inv_first_coefs").entries())
      near(inverse[index] ?? 0, value, 1e-12);
  }
  const once = toeplitzSensitivitySquared(coefficients, { participationMax: 1, separation: 1 });
  near(once, entry.number("sensitivity_squared_single"), 1e-12);
  near(toeplitzErrorSquared(coefficients), entry.number("max_error_per_query"), 1e-12);
  for (const [name, value] of entry.table("minsep")) {
    const [, separation, participationMax] = /^b=(\d+)(?:,k=(\d+))?$/.exec(name) ?? [];
    const pattern = {
      separation: Number(separation),
      participationMax: participationMax === undefined ? coefficients.length : Number(participationMax),
    };
    near(toeplitzSensitivitySquared(coefficients, pattern), value, 1e-12);
  }
}

function checkDistributed(entry: Entry): void {
  const sum = {
    sensitivityL2: roundedNormBound(
      entry.number("scale") * entry.number("clip"),
      entry.number("dim"),
      entry.number("beta"),
    ),
    localSigma: entry.number("local_sigma_int"),
    shareCount: entry.number("num_clients"),
    dimension: entry.number("dim"),
  };
  near(
    sum.sensitivityL2 / (entry.number("scale") * entry.number("clip")),
    entry.number("l2_inflation"),
    1e-12,
  );
  for (const [name, bound] of [
    ["ddgauss", discreteGaussianSumRenyi],
    ["skellam", skellamSumRenyi],
  ] as const) {
    const renyi = WHOLE_ORDERS.map((order) => {
      return entry.number("steps") * poissonSampledRenyi(entry.number("q"), (j) => bound(sum, j), order);
    });
    const { epsilon, order } = epsilonFromRenyi(WHOLE_ORDERS, renyi, entry.number("delta"));
    near(epsilon, entry.number(`epsilon_${name}`), 1e-9);
    expect(order).toBe(entry.number(`order_${name}`));
  }
}

function calibrated(entry: Entry, accountant: "rdp" | "pld"): number {
  const found = sigmaForEpsilon({
    epsilon: entry.number("epsilon"),
    delta: entry.number("delta"),
    q: entry.number("q"),
    steps: entry.number("steps"),
    accountant,
  });
  if (!found.ok) throw new Error(`unreachable below ${found.error.epsilonMin}`);
  return found.value;
}

/**
 * The reference's own rounding at dp-042: its transform gives epsilon 1.1797150 at h = 1e-3, with negative masses of 1e-12
 * at a delta of 1e-7. Convolving the same masses in 80-bit floating point, without a transform, gives this.
 */
const DP_042_AT_1E3 = 1.1797161999394163;

function checkLoss(id: string, entry: Entry): void {
  const rounds = sampledRounds(entry);
  const delta = entry.number("delta");
  within(lossEpsilon(rounds, delta), entry.number("epsilon"), 1e-3);
  for (const [name, step] of [
    ["ctd_1e3", 1e-3],
    ["ctd_1e4", 1e-4],
  ] as const) {
    const expected = id === "dp-042" && step === 1e-3 ? DP_042_AT_1E3 : entry.number(name);
    within(lossEpsilon(rounds, delta, { step }), expected, 1e-6);
  }
}

const CHECKS: Readonly<Record<string, { readonly rule: string; check(entry: Entry, id: string): void }>> = {
  "poisson_sampled_gaussian/rdp": {
    rule: "P1",
    check(entry) {
      const { epsilon, order } = epsilonByRenyi(entry);
      near(epsilon, entry.number("epsilon"), 1e-9);
      if (entry.has("optimal_order")) expect(order).toBe(entry.number("optimal_order"));
      if (!entry.has("epsilon_integer_orders_only")) return;
      const whole = RENYI_ORDERS.filter(Number.isInteger);
      const renyi = sampledGaussianRenyi(entry.number("q"), entry.number("sigma"), whole);
      const total = renyi.map((bound) => bound * entry.number("steps"));
      near(
        epsilonFromRenyi(whole, total, entry.number("delta")).epsilon,
        entry.number("epsilon_integer_orders_only"),
        1e-9,
      );
    },
  },
  sampled_gaussian_rdp_order: {
    rule: "P1",
    check(entry) {
      const [bound] = sampledGaussianRenyi(entry.number("q"), entry.number("sigma"), [entry.number("order")]);
      near(bound ?? Number.NaN, entry.number("rdp"), entry.number("rel_tol"));
    },
  },
  "gaussian/rdp": {
    rule: "P1",
    // The value has seven places.
    check: (entry) => within(epsilonByRenyi(entry).epsilon, entry.number("epsilon"), 5e-8),
  },
  "rdp_to_eps/constant_rdp_1.1_orders_2..32": {
    rule: "P1",
    check(entry) {
      const orders = Array.from({ length: 31 }, (_, index) => index + 2);
      const { epsilon, order } = epsilonFromRenyi(
        orders,
        orders.map(() => 1.1),
        entry.number("delta"),
      );
      near(epsilon, entry.number("epsilon"), 1e-9);
      expect(order).toBe(entry.number("optimal_order"));
    },
  },
  "poisson_sampled_gaussian/pld_add_remove": { rule: "P2", check: (entry, id) => checkLoss(id, entry) },
  "poisson_sampled_gaussian/prv_vs_pld": {
    rule: "P2",
    check(entry) {
      const epsilon = lossEpsilon(sampledRounds(entry), entry.number("delta"));
      within(epsilon, entry.number("pld_true"), 1e-3);
      // The published value is an upper bound, 0.010 to 0.012 above the truth.
      expect(epsilon).toBeLessThan(entry.number("epsilon"));
    },
  },
  "poisson_sampled_gaussian/prv": {
    rule: "P2",
    check(entry) {
      const epsilon = lossEpsilon(sampledRounds(entry), entry.number("delta"));
      within(epsilon, entry.number("pld_true"), 1e-3);
      expect(epsilon).toBeLessThan(entry.number("epsilon"));
    },
  },
  "poisson_sampled_gaussian/pld_calibrate": {
    rule: "P2",
    check(entry) {
      const rounds = sampledRounds(entry, entry.number("sigma") / entry.number("sensitivity"));
      within(lossEpsilon(rounds, entry.number("delta")), entry.number("epsilon"), 1e-3);
    },
  },
  "poisson_sampled_gaussian/pld": {
    rule: "P2",
    check(entry) {
      const delta = lossDelta(sampledRounds(entry), entry.number("epsilon"), 1e-3);
      within(delta, entry.number("delta"), entry.number("abs_tol"));
    },
  },
  "poisson_sampled_gaussian/one_step_delta": {
    rule: "P2",
    check(entry) {
      // Epsilon is on the grid, where the curve is exact; what is left is the cut mass of 1e-15.
      const delta = lossDelta(sampledRounds(entry), entry.number("epsilon"), 1e-3);
      within(delta, entry.number("delta_remove"), 1e-10 * entry.number("delta_remove") + 1.1e-15);
      expect(entry.number("delta_add")).toBeLessThanOrEqual(entry.number("delta_remove"));
    },
  },
  "dropout/noise_shortfall": {
    rule: "P2",
    check(entry) {
      const share = entry.number("survivors") / entry.number("planned");
      const sigma = entry.number("sigma") * Math.sqrt(share);
      near(sigma, entry.number("sigma_effective"), 1e-15);
      within(lossEpsilon(sampledRounds(entry, sigma), entry.number("delta")), entry.number("epsilon"), 1e-3);
    },
  },
  "group_privacy/poisson_sampled_gaussian_pld": {
    rule: "P2",
    check(entry) {
      const [q, group] = [entry.number("q"), entry.number("group")];
      expect(group).toBe(3);
      const weights = [(1 - q) ** 3, 3 * q * (1 - q) ** 2, 3 * q ** 2 * (1 - q), q ** 3];
      const rounds = [{ mechanism: { sigma: entry.number("sigma"), weights }, count: entry.number("steps") }];
      within(lossEpsilon(rounds, entry.number("delta")), entry.number("epsilon"), 1e-3);
    },
  },
  "gaussian/pld": {
    rule: "P2",
    check(entry) {
      within(lossEpsilon(sampledRounds(entry), entry.number("delta")), entry.number("epsilon"), 1e-3);
      const sigma = entry.number("sigma") / Math.sqrt(entry.number("steps"));
      within(gaussianEpsilon(sigma, entry.number("delta")), entry.number("epsilon"), 5e-8);
    },
  },
  "gaussian/exact": {
    rule: "P3",
    check(entry) {
      near(gaussianEpsilon(entry.number("sigma"), entry.number("delta")), entry.number("epsilon"), 1e-10);
      near(gaussianDelta(entry.number("sigma"), entry.number("epsilon")), entry.number("delta"), 1e-8);
    },
  },
  "gaussian/calibrate": {
    rule: "P3",
    check: (entry) =>
      near(gaussianSigma(entry.number("epsilon"), entry.number("delta")), entry.number("sigma"), 1e-9),
  },
  "gaussian/production": {
    rule: "P3",
    check(entry) {
      const epsilon = gaussianEpsilon(entry.number("sigma"), entry.number("delta"));
      near(epsilon, entry.number("epsilon_exact_here"), 1e-9);
      within(epsilon, entry.number("epsilon"), entry.number("abs_tol"));
      near(1 / (2 * entry.number("sigma") ** 2), entry.number("rho"), 1e-9);
    },
  },
  "group_privacy/gaussian": {
    rule: "P3",
    check(entry) {
      const sigma = entry.number("sigma") / (entry.number("group") * Math.sqrt(entry.number("steps")));
      near(gaussianEpsilon(sigma, entry.number("delta")), entry.number("epsilon"), 1e-9);
    },
  },
  "zcdp/eps": {
    rule: "P3",
    check(entry) {
      near(zcdpEpsilon(entry.number("rho"), entry.number("delta")), entry.number("epsilon"), 1e-9);
      const exact = gaussianEpsilon(1 / Math.sqrt(2 * entry.number("rho")), entry.number("delta"));
      near(exact, entry.number("epsilon_if_exactly_gaussian"), 1e-9);
    },
  },
  "dp_ftrl/tree_no_restart": {
    rule: "P19",
    check(entry) {
      const squared = treeSensitivitySquared({
        steps: entry.number("steps"),
        participationMax: entry.number("max_participation"),
        separation: entry.number("min_separation") + 1,
      });
      expect(squared).toBe(entry.number("tree_sensitivity_squared"));
      const rho = squared / (2 * entry.number("sigma") ** 2);
      near(rho, entry.number("rho"), 1e-12);
      const orders = RENYI_ORDERS.filter((order) => order < 64 && order !== 11);
      const renyi = orders.map((order) => rho * order);
      const { epsilon, order } = epsilonFromRenyi(orders, renyi, entry.number("delta"));
      near(epsilon, entry.number("epsilon"), 1e-9);
      expect(order).toBe(entry.number("optimal_order"));
      const exact = gaussianEpsilon(1 / Math.sqrt(2 * rho), entry.number("delta"));
      near(exact, entry.number("epsilon_gaussian_exact"), 1e-9);
    },
  },
  "dp_ftrl/tree_sensitivity": {
    rule: "P19",
    check(entry) {
      const squared = treeSensitivitySquared({
        steps: entry.number("steps"),
        participationMax: entry.number("max_participation"),
        separation: entry.number("min_separation") + 1,
      });
      expect(squared).toBe(entry.number("tree_sensitivity_squared"));
    },
  },
  "mf/toeplitz_sqrt": { rule: "P19", check: checkMatrix },
  "mf/blt": { rule: "P19", check: checkMatrix },
  sampling_assumption_comparison: {
    rule: "P5",
    check(entry) {
      const { q, sigma, steps, delta } = {
        q: entry.number("q"),
        sigma: entry.number("sigma"),
        steps: entry.number("steps"),
        delta: entry.number("delta"),
      };
      within(lossEpsilon(sampledRounds(entry), delta), entry.number("epsilon_poisson_pld"), 1e-3);
      within(epsilonByRenyi(entry).epsilon, entry.number("epsilon_poisson_rdp"), 5e-8);
      near(entry.number("cohort") / entry.number("population"), q, 1e-15);
      const renyi = RENYI_ORDERS.map((order) => steps * fixedSizeSampledRenyi(q, sigma, order));
      const fixed = epsilonFromRenyi(RENYI_ORDERS, renyi, delta).epsilon;
      near(fixed, entry.number("epsilon_fixed_size_wor_replace_one_rdp"), 1e-9);
      const always = gaussianEpsilon(sigma / Math.sqrt(steps), delta);
      near(always, entry.number("epsilon_no_amplification_every_round"), 1e-9);
      const capped = gaussianEpsilon(sigma / Math.sqrt(entry.number("participation_cap")), delta);
      near(capped, entry.number("epsilon_capped_participations"), 1e-9);
    },
  },
  "ddgauss+skellam/rdp": { rule: "P4", check: checkDistributed },
  "distributed_skellam/calibrate": {
    rule: "P4",
    check(entry) {
      const sum = {
        sensitivityL2: roundedNormBound(
          entry.number("scale") * entry.number("l2_clip"),
          entry.number("dim"),
          entry.number("beta"),
        ),
        localSigma: entry.number("sigma") * entry.number("scale"),
        shareCount: entry.number("num_clients"),
        dimension: entry.number("dim"),
      };
      const renyi = WHOLE_ORDERS.map((order) => entry.number("steps") * skellamSumRenyi(sum, order));
      near(
        epsilonFromRenyi(WHOLE_ORDERS, renyi, entry.number("delta")).epsilon,
        entry.number("epsilon"),
        1e-7,
      );
    },
  },
  "rounding/l2_bound": {
    rule: "P4",
    check(entry) {
      const bound = roundedNormBound(entry.number("scaled_clip"), entry.number("dim"), entry.number("beta"));
      near(bound, entry.number("bound"), 1e-12);
    },
  },
  "modulus/k_stddevs": {
    rule: "P11",
    check: (entry) =>
      near(normalTailQuantile(entry.number("modclip_prob") / 2), entry.number("k_stddevs"), 1e-12),
  },
  "modulus/scale_factor": {
    rule: "P11",
    check(entry) {
      const scale = rotatedScale(entry.number("bits"), entry.number("k_stddevs"), {
        clipNormL2: entry.number("l2_clip"),
        localSigma: entry.number("sigma"),
        count: entry.number("num_clients"),
        dimension: entry.number("dim"),
      });
      near(scale, entry.number("scale"), 1e-12);
    },
  },
  "adaptive_clip/noise_split": {
    rule: "P14",
    check(entry) {
      const split = updateNoiseMultiplier(entry.number("sigma"), entry.number("clipped_count_stddev"));
      near(split.ok ? split.value : Number.NaN, entry.number("value_noise_multiplier"), 1e-12);
    },
  },
  "adaptive_clip/update": {
    rule: "P14",
    check(entry) {
      expect(entry.number("lr")).toBe(0.2);
      const next = nextClip(entry.number("clip"), entry.number("fraction_below"), entry.number("target"), {
        min: 1e-6,
        max: 1e6,
      });
      near(next, entry.number("new_clip"), 1e-12);
    },
  },
  "discrete_gaussian/pmf": {
    rule: "P12",
    check(entry) {
      const { probabilities, normalizer, variance } = discreteGaussianProbabilities(entry.number("sigma2"));
      near(normalizer, entry.number("normalizing_constant"), 1e-12);
      near(variance, entry.number("variance"), 1e-12);
      for (const [k, value] of entry.numbers("pmf").entries()) near(probabilities[k] ?? 0, value, 1e-12);
    },
  },
  "discrete_gaussian/exact_delta": {
    rule: "P12",
    check(entry) {
      const [epsilon, distance] = [entry.number("epsilon"), entry.number("sensitivity")];
      const { probabilities } = discreteGaussianProbabilities(entry.number("sigma2"));
      const massAt = (k: number) => probabilities[Math.abs(k)] ?? 0;
      let delta = 0;
      for (let k = -probabilities.length; k < probabilities.length; k++) {
        delta += Math.max(0, massAt(k) - Math.exp(epsilon) * massAt(k + distance));
      }
      near(delta, entry.number("delta"), 1e-12);
      near(gaussianDelta(entry.number("sigma"), epsilon), entry.number("continuous_delta"), 1e-10);
    },
  },
  "poisson_sampled_gaussian/calibrate_rdp": {
    rule: "P8",
    check: (entry) => near(calibrated(entry, "rdp"), entry.number("sigma"), entry.number("rel_tol")),
  },
  "poisson_sampled_gaussian/calibrate_prv": {
    rule: "P8",
    check: (entry) => near(calibrated(entry, "pld"), entry.number("sigma"), entry.number("rel_tol")),
  },
  "poisson_sampled_gaussian/calibrate_pld": {
    rule: "P8",
    check: (entry) => near(calibrated(entry, "pld"), entry.number("sigma"), entry.number("rel_tol")),
  },
  "audit/clopper_pearson": {
    rule: "P18",
    check(entry) {
      const bound = epsilonLowerBound(
        {
          inCount: entry.number("n_in"),
          falseNegatives: entry.number("false_negatives"),
          outCount: entry.number("n_out"),
          falsePositives: entry.number("false_positives"),
        },
        entry.number("delta"),
        entry.number("significance"),
      );
      near(bound.tprLower, entry.number("tpr_lb"), 1e-12);
      near(bound.fprUpper, entry.number("fpr_ub"), 1e-12);
      near(bound.epsilonLower, entry.number("epsilon"), 1e-11);
    },
  },
  "audit/one_run_p_value": {
    rule: "P18",
    check(entry) {
      const guesses = {
        canaries: entry.number("canaries"),
        guesses: entry.number("guesses"),
        correct: entry.number("correct"),
      };
      near(
        oneRunPValue(guesses, entry.number("epsilon"), entry.number("delta")),
        entry.number("p_value"),
        1e-11,
      );
    },
  },
};

describe("[P1] [P2] [P3] [P4] [P5] [P8] [P11] [P12] [P14] [P18] [P19] reference values", () => {
  test("the file is whole, and each of its mechanisms has a check", () => {
    expect(entries).toHaveLength(175);
    expect(new Set(entries.map(({ mechanism }) => mechanism))).toEqual(new Set(Object.keys(CHECKS)));
  });

  for (const { id, mechanism, ...fields } of entries) {
    const found = CHECKS[mechanism];
    test(`${id}: ${mechanism} (${found?.rule})`, () => {
      expect(found).toBeDefined();
      found?.check(new Entry(fields), id);
    });
  }
});
