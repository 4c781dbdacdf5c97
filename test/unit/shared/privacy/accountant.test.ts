import { describe, expect, test } from "vitest";
import { ACCOUNTANTS, renyiOf } from "#shared/privacy/accountant.ts";
import { sigmaForEpsilon } from "#shared/privacy/calibrate.ts";
import type { PrivacyEvent } from "#shared/privacy/events.ts";
import { runFigures, unsampledEpsilon } from "#shared/privacy/figures.ts";
import { gaussianDelta, gaussianEpsilon } from "#shared/privacy/gaussian.ts";
import { discreteGaussianSumRenyi, roundedNormBound } from "#shared/privacy/integer-sum.ts";
import { lossEpsilon } from "#shared/privacy/loss-distribution.ts";
import { normalTail, normalTailQuantile } from "#shared/privacy/normal.ts";
import { deltaFromRenyi, epsilonFromRenyi, RENYI_ORDERS } from "#shared/privacy/renyi.ts";
import { sampledGaussianRenyi } from "#shared/privacy/sampled-gaussian.ts";
import { fixedSizeSampledRenyi, poissonSampledRenyi } from "#shared/privacy/subsampling.ts";
import { treeSensitivitySquared } from "#shared/privacy/tree.ts";
import { zcdpEpsilon, zcdpRho } from "#shared/privacy/zcdp.ts";

const gaussian = (noiseMultiplier: number): PrivacyEvent => ({ type: "gaussian", noiseMultiplier });
const sampled = (probability: number, event: PrivacyEvent): PrivacyEvent => {
  return { type: "poisson-sampled", probability, event };
};
const DISCRETE: PrivacyEvent = {
  type: "discrete-gaussian-sum",
  sensitivityL2: 5131,
  localSigma: 616,
  shareCount: 70,
  dimension: 1_000_000,
};
const both = ["rdp", "pld"] as const;

describe("normal tails", () => {
  test("[P1] tails keep their relative accuracy, from 0 to the end of doubles", () => {
    // From mpmath with 40 digits.
    for (const [x, tail] of [
      [-3, 0.9986501019683699],
      [0, 0.5],
      [1, 0.15865525393145705],
      [4, 3.167124183311992e-5],
      [8, 6.220960574271785e-16],
      [20, 2.7536241186062337e-89],
      [37, 5.725571222524579e-300],
    ] as const) {
      expect(Math.abs(normalTail(x) / tail - 1)).toBeLessThan(1e-14);
    }
    expect(normalTail(Number.POSITIVE_INFINITY)).toBe(0);
    expect(normalTail(Number.NEGATIVE_INFINITY)).toBe(1);
    expect(normalTailQuantile(normalTail(5))).toBeCloseTo(5, 12);
    expect(normalTailQuantile(0.975)).toBeCloseTo(-1.959963984540054, 12);
  });
});

describe("RDP", () => {
  test("[P1] the ends: no sampling, no noise, and endless noise", () => {
    expect([...sampledGaussianRenyi(0, 0, [2, 2.5])]).toEqual([0, 0]);
    expect([...sampledGaussianRenyi(0.1, 0, [2, 2.5])]).toEqual([Infinity, Infinity]);
    expect([...sampledGaussianRenyi(0.1, Infinity, [2, 2.5])]).toEqual([0, 0]);
    expect([...sampledGaussianRenyi(1, 2, [2, 2.5])]).toEqual([0.25, 0.3125]);
    expect(() => sampledGaussianRenyi(1.1, 1, [2])).toThrow("between 0 and 1");
    expect(() => epsilonFromRenyi([2], [1], 0)).toThrow("delta");
    expect(epsilonFromRenyi([2], [1], 1).epsilon).toBe(0);
    expect(epsilonFromRenyi([2], [Infinity], 1e-5)).toEqual({ epsilon: Infinity, order: null });
  });

  test("[P1] fractional orders join the whole ones smoothly", () => {
    for (const [q, sigma] of [
      [0.01, 1],
      [0.3, 0.5],
      [0.001, 4],
    ] as const) {
      for (const order of [2, 5, 17]) {
        const [below, at, above] = sampledGaussianRenyi(q, sigma, [order - 1e-7, order, order + 1e-7]);
        expect((below as number) / (at as number) - 1).toBeCloseTo(0, 6);
        expect((above as number) / (at as number) - 1).toBeCloseTo(0, 6);
        expect(above as number).toBeGreaterThan(below as number);
      }
    }
  });

  test("[P1] epsilon and delta are inverse", () => {
    const renyi = sampledGaussianRenyi(0.01, 1, RENYI_ORDERS).map((bound) => 1000 * bound);
    const { epsilon } = epsilonFromRenyi(RENYI_ORDERS, renyi, 1e-5);
    expect(deltaFromRenyi(RENYI_ORDERS, renyi, epsilon)).toBeCloseTo(1e-5, 12);
  });
});

describe("PLD", () => {
  test("[P2] it is never below the exact Gaussian, nor above RDP", () => {
    for (const [sigma, delta] of [
      [0.5, 1e-6],
      [2, 1e-5],
      [10, 1e-3],
    ] as const) {
      const byLoss = lossEpsilon([{ mechanism: { sigma, weights: [0, 1] }, count: 1 }], delta) as number;
      expect(byLoss).toBeGreaterThanOrEqual(gaussianEpsilon(sigma, delta) - 1e-9);
      expect(byLoss).toBeLessThan(gaussianEpsilon(sigma, delta) + 1e-3);
      expect(byLoss).toBeLessThan(zcdpEpsilon(zcdpRho(1, sigma), delta));
    }
  });

  test("[P2] where it has no bound, the accountant takes RDP's", () => {
    expect(lossEpsilon([{ mechanism: { sigma: 1, weights: [0.9, 0.1] }, count: 10 }], 1e-10)).toBeNull();
    expect(lossEpsilon([{ mechanism: { sigma: 0.02, weights: [0.9, 0.1] }, count: 1 }], 1e-5)).toBeNull();
    for (const [event, delta] of [
      [sampled(0.1, gaussian(1)), 1e-10],
      [sampled(0.1, gaussian(0.02)), 1e-5],
      [gaussian(0), 1e-5],
    ] as const) {
      const [byRenyi, byLoss] = both.map((name) => ACCOUNTANTS[name]().compose(event, 10).epsilon(delta));
      expect(byLoss).toBe(byRenyi);
    }
  });

  test("[P2] rounds with different noise compose: as one Gaussian without sampling, and in any order", () => {
    const mixed = ACCOUNTANTS.pld().compose(gaussian(3), 4).compose(gaussian(5), 10);
    const sigma = (4 / 9 + 10 / 25) ** -0.5;
    expect(Math.abs(mixed.epsilon(1e-5) - gaussianEpsilon(sigma, 1e-5))).toBeLessThan(1e-3);
    const one = ACCOUNTANTS.pld()
      .compose(sampled(0.1, gaussian(1)), 20)
      .compose(sampled(0.2, gaussian(2)), 9);
    const other = ACCOUNTANTS.pld()
      .compose(sampled(0.2, gaussian(2)), 9)
      .compose(sampled(0.1, gaussian(1)), 20);
    expect(one.epsilon(1e-5)).toBeCloseTo(other.epsilon(1e-5), 9);
    expect(one.epsilon(1e-5)).toBeLessThan(
      ACCOUNTANTS.rdp()
        .compose(sampled(0.1, gaussian(1)), 20)
        .compose(sampled(0.2, gaussian(2)), 9)
        .epsilon(1e-5),
    );
  });
});

describe("discrete sums and samples", () => {
  test("[P4] a continuous Gaussian would certify too little: the exact delta of a discrete one is above it", () => {
    // CKS20, theorem 7, at sigma^2 = 1 and sensitivity 1.
    expect(gaussianDelta(1, 1)).toBeLessThan(0.1413513394056219 - 0.014);
    const bound = unsampledEpsilon(
      { type: "discrete-gaussian-sum", sensitivityL2: 1, localSigma: 1, shareCount: 1, dimension: 1 },
      1,
      0.1413513394056219,
    );
    expect(bound).toBeGreaterThanOrEqual(1);
  });

  test("[P4] without shares or noise nothing is protected, and fewer shares cost more", () => {
    const sum = { sensitivityL2: 100, localSigma: 30, shareCount: 10, dimension: 16 };
    expect(discreteGaussianSumRenyi({ ...sum, shareCount: 0 }, 2)).toBe(Infinity);
    expect(discreteGaussianSumRenyi({ ...sum, localSigma: 0 }, 2)).toBe(Infinity);
    expect(discreteGaussianSumRenyi({ ...sum, sensitivityL2: 0 }, 2)).toBe(0);
    const one = discreteGaussianSumRenyi({ ...sum, shareCount: 5 }, 2);
    expect(one / discreteGaussianSumRenyi(sum, 2)).toBeCloseTo(2, 9);
  });

  test("[P4] a small scale inflates the sensitivity fourfold", () => {
    expect(roundedNormBound(128, 2 ** 20, Math.exp(-0.5)) / 128).toBeCloseTo(4.1278, 4);
  });

  test("[P5] a sample never costs more than everyone, and a fractional order has no bound", () => {
    for (const order of [2, 3, 17, 64]) {
      expect(poissonSampledRenyi(0.9, (j) => 2 * j, order)).toBeLessThanOrEqual(2 * order);
      expect(fixedSizeSampledRenyi(0.9, 0.5, order)).toBeLessThanOrEqual(8 * order);
    }
    expect(poissonSampledRenyi(0.5, (j) => j, 2.5)).toBe(Infinity);
    expect(fixedSizeSampledRenyi(0.5, 1, 2.5)).toBe(Infinity);
    expect(poissonSampledRenyi(0, (j) => j, 2.5)).toBe(0);
    expect(poissonSampledRenyi(1, (j) => j, 2.5)).toBe(2.5);
  });

  test("[P5] the general bound for a sample is above the Gaussian's own", () => {
    const general = poissonSampledRenyi(0.1, (j) => j / 2, 5);
    expect(general).toBeGreaterThan(sampledGaussianRenyi(0.1, 1, [5])[0] as number);
  });
});

describe("events", () => {
  test("[P6] an accountant says what it supports, and composes nothing else", () => {
    const nested = sampled(0.1, sampled(0.1, gaussian(1)));
    const fixed: PrivacyEvent = {
      type: "fixed-size-sampled",
      sampleSize: 5,
      populationSize: 50,
      event: gaussian(1),
    };
    const table: readonly (readonly [PrivacyEvent, boolean, boolean])[] = [
      [{ type: "none" }, true, true],
      [gaussian(1), true, true],
      [sampled(0.1, gaussian(1)), true, true],
      [{ type: "composed", events: [gaussian(1), sampled(0.1, gaussian(2))] }, true, true],
      [{ type: "repeated", event: gaussian(1), count: 3 }, true, true],
      [DISCRETE, true, false],
      [sampled(0.1, DISCRETE), true, false],
      [sampled(0.1, { type: "composed", events: [DISCRETE, gaussian(3)] }), true, false],
      [{ type: "zcdp", rho: 0.1 }, true, false],
      [fixed, true, false],
      [{ ...fixed, event: DISCRETE }, false, false],
      [nested, false, false],
      [{ type: "composed", events: [gaussian(1), nested] }, false, false],
    ];
    for (const [event, byRenyi, byLoss] of table) {
      expect([event, ACCOUNTANTS.rdp().supports(event), ACCOUNTANTS.pld().supports(event)]).toEqual([
        event,
        byRenyi,
        byLoss,
      ]);
      for (const name of both) {
        const compose = () => ACCOUNTANTS[name]().compose(event);
        if (ACCOUNTANTS[name]().supports(event)) expect(compose().epsilon(1e-5)).toBeGreaterThanOrEqual(0);
        else expect(compose).toThrow();
      }
    }
  });

  test("[P6] n events at once cost what n events cost, alone and repeated in the event", () => {
    const events = [gaussian(2), sampled(0.05, gaussian(1))];
    for (const name of both) {
      for (const event of events) {
        let one = ACCOUNTANTS[name]();
        for (let i = 0; i < 12; i++) one = one.compose(event);
        const atOnce = ACCOUNTANTS[name]().compose(event, 12).epsilon(1e-5);
        const repeated = ACCOUNTANTS[name]().compose({ type: "repeated", event, count: 12 }).epsilon(1e-5);
        expect(one.epsilon(1e-5)).toBeCloseTo(atOnce, 12);
        expect(repeated).toBeCloseTo(atOnce, 12);
        expect(atOnce).toBeGreaterThan(ACCOUNTANTS[name]().compose(event).epsilon(1e-5));
      }
    }
  });

  test("[P6] no events cost nothing, also of those without noise", () => {
    for (const name of both) {
      expect(ACCOUNTANTS[name]().epsilon(1e-5)).toBe(0);
      expect(ACCOUNTANTS[name]().compose(gaussian(0), 0).epsilon(1e-5)).toBe(0);
      expect(ACCOUNTANTS[name]().compose(gaussian(0)).epsilon(1e-5)).toBe(Infinity);
    }
  });

  test("[P6] an accountant is not changed by what is composed on it", () => {
    const before = ACCOUNTANTS.rdp().compose(DISCRETE);
    const epsilon = before.epsilon(1e-5);
    before.compose(DISCRETE, 5);
    expect(before.epsilon(1e-5)).toBe(epsilon);
    expect(renyiOf({ type: "composed", events: [DISCRETE, DISCRETE] }, [3])[0]).toBeCloseTo(
      2 * (renyiOf(DISCRETE, [3])[0] as number),
      12,
    );
  });
});

describe("calibration", () => {
  test("[P8] the noise found reaches epsilon, and a little less does not", () => {
    for (const accountant of both) {
      const target = { epsilon: 3, delta: 1e-5, q: 0.05, steps: 200, accountant };
      const found = sigmaForEpsilon(target);
      if (!found.ok) throw new Error("unreachable");
      const at = (sigma: number) => {
        return ACCOUNTANTS[accountant]()
          .compose(sampled(0.05, gaussian(sigma)), 200)
          .epsilon(1e-5);
      };
      expect(at(found.value)).toBeLessThanOrEqual(3);
      expect(at(found.value * 0.999)).toBeGreaterThan(3);
    }
  });

  test("[P8] an epsilon out of reach is refused with one that is within, which then works", () => {
    for (const accountant of both) {
      const target = { epsilon: 1e-6, delta: 1e-5, q: 0.5, steps: 1000, accountant };
      const refused = sigmaForEpsilon(target);
      if (refused.ok) throw new Error("it was reached");
      expect(refused.error.epsilonMin).toBeGreaterThan(1e-6);
      const found = sigmaForEpsilon({ ...target, epsilon: refused.error.epsilonMin * 1.0001 });
      expect(found.ok).toBe(true);
    }
  });

  test("[P8] what needs no noise gets none", () => {
    const target = { epsilon: 1, delta: 1e-5, q: 0.1, steps: 10, accountant: "rdp" } as const;
    expect(sigmaForEpsilon({ ...target, q: 0 })).toEqual({ ok: true, value: 0 });
    expect(sigmaForEpsilon({ ...target, steps: 0 })).toEqual({ ok: true, value: 0 });
    expect(sigmaForEpsilon({ ...target, delta: 1 })).toEqual({ ok: true, value: 0 });
  });
});

describe("the two figures", () => {
  const run = {
    round: gaussian(1.2),
    roundCount: 100,
    participationMax: 10,
    sampling: { type: "device-coin", probability: 0.1 },
    delta: 1e-5,
  } as const;

  test("[P9] the coin helps against recipients of the model, never against the server", () => {
    const { againstServer, againstRecipients } = runFigures(run);
    // Exactly Gaussian it is 14.12; RDP is above.
    expect(againstServer).toBeGreaterThan(14.11943428330353);
    expect(againstServer).toBeCloseTo(zcdpEpsilon(10 * zcdpRho(1, 1.2), 1e-5), 10);
    expect(againstRecipients).toBeCloseTo(5.66472482, 7);
    expect(runFigures({ ...run, sampling: { type: "none" } })).toEqual({
      againstServer,
      againstRecipients: againstServer,
    });
  });

  test("[P9] the number of participations bounds both, and no more rounds count than there are", () => {
    const capped = runFigures({
      ...run,
      participationMax: 1,
      sampling: { type: "device-coin", probability: 0.9 },
    });
    expect(capped.againstRecipients).toBe(capped.againstServer);
    const all = runFigures({ ...run, participationMax: 1000 });
    expect(all.againstServer).toBe(runFigures({ ...run, participationMax: 100 }).againstServer);
    expect(runFigures({ ...run, roundCount: 0 })).toEqual({ againstServer: 0, againstRecipients: 0 });
    expect(runFigures({ ...run, round: gaussian(0) }).againstServer).toBe(Infinity);
  });

  test("[P9] over real orders a figure is at most that of the list, and that of zCDP for a Gaussian", () => {
    expect(unsampledEpsilon(gaussian(1), 1, 1e-5)).toBeCloseTo(zcdpEpsilon(0.5, 1e-5), 12);
    const listed = ACCOUNTANTS.rdp().compose(DISCRETE).epsilon(1e-5);
    const real = unsampledEpsilon(DISCRETE, 1, 1e-5);
    expect(real).toBeLessThanOrEqual(listed);
    expect(listed - real).toBeLessThan(2e-3);
  });
});

test("[P19] the tree's sensitivity is the largest over all patterns, by trying each", () => {
  const nodes = (leaves: readonly number[]): number => {
    if (leaves.length === 0) return 0;
    const parents = Array.from(
      { length: leaves.length >> 1 },
      (_, i) => (leaves[2 * i] as number) + (leaves[2 * i + 1] as number),
    );
    return leaves.reduce((sum, count) => sum + count * count, 0) + nodes(parents);
  };
  const largest = (leaves: readonly number[], from: number, left: number, separation: number): number => {
    let most = nodes(leaves);
    for (let at = from; left > 0 && at < leaves.length; at++) {
      most = Math.max(most, largest(leaves.with(at, 1), at + separation, left - 1, separation));
    }
    return most;
  };
  for (let steps = 1; steps <= 13; steps++) {
    for (let participationMax = 1; participationMax <= 4; participationMax++) {
      for (let separation = 1; separation <= 5; separation++) {
        const pattern = { steps, participationMax, separation };
        const expected = largest(Array<number>(steps).fill(0), 0, participationMax, separation);
        expect({ pattern, squared: treeSensitivitySquared(pattern) }).toEqual({ pattern, squared: expected });
      }
    }
  }
});
