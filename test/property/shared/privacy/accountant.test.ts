import fc from "fast-check";
import { expect, test } from "vitest";
import { ACCOUNTANTS } from "#shared/privacy/accountant.ts";
import type { PrivacyEvent } from "#shared/privacy/events.ts";

const setting = fc.record({
  q: fc.double({ min: 1e-4, max: 1, noNaN: true }),
  sigma: fc.double({ min: 0.4, max: 8, noNaN: true }),
  steps: fc.integer({ min: 1, max: 2000 }),
  delta: fc.double({ min: 1e-8, max: 1e-3, noNaN: true }),
});
/** PLD takes seconds for an epsilon in the hundreds. */
const modest = fc.record({
  q: fc.double({ min: 1e-3, max: 0.3, noNaN: true }),
  sigma: fc.double({ min: 0.8, max: 4, noNaN: true }),
  steps: fc.integer({ min: 1, max: 100 }),
  delta: fc.double({ min: 1e-8, max: 1e-3, noNaN: true }),
});
type Setting = Readonly<Record<"q" | "sigma" | "steps" | "delta", number>>;
const grown = fc.double({ min: 1.01, max: 3, noNaN: true });

function epsilonOf(name: "rdp" | "pld", { q, sigma, steps, delta }: Setting): number {
  const event: PrivacyEvent = {
    type: "poisson-sampled",
    probability: q,
    event: { type: "gaussian", noiseMultiplier: sigma },
  };
  return ACCOUNTANTS[name]().compose(event, steps).epsilon(delta);
}

/** PLD stops within a third of 1e-3 of the truth, so two of its values may be out of order by that. */
const SLACK = { rdp: 1e-9, pld: 7e-4 } as const;

test.each(["rdp", "pld"] as const)("[P7] epsilon by %s grows with q, with steps and with 1/sigma", (name) => {
  fc.assert(
    fc.property(name === "rdp" ? setting : modest, grown, (base, factor) => {
      const before = epsilonOf(name, base) - SLACK[name];
      expect(epsilonOf(name, { ...base, q: Math.min(1, base.q * factor) })).toBeGreaterThanOrEqual(before);
      expect(epsilonOf(name, { ...base, steps: Math.ceil(base.steps * factor) })).toBeGreaterThanOrEqual(
        before,
      );
      expect(epsilonOf(name, { ...base, sigma: base.sigma / factor })).toBeGreaterThanOrEqual(before);
      expect(epsilonOf(name, { ...base, delta: base.delta / factor })).toBeGreaterThanOrEqual(before);
    }),
    { numRuns: name === "rdp" ? 25 : 8 },
  );
});

test("[P7] PLD is never above RDP by more than its grid", () => {
  fc.assert(
    fc.property(modest, (base) => {
      expect(epsilonOf("pld", base)).toBeLessThanOrEqual(epsilonOf("rdp", base) + SLACK.pld);
    }),
    { numRuns: 10 },
  );
});

test("[P6] composing n times at once is composing n times", () => {
  fc.assert(
    fc.property(modest, fc.integer({ min: 0, max: 6 }), ({ q, sigma, delta }, count) => {
      for (const name of ["rdp", "pld"] as const) {
        const event: PrivacyEvent = {
          type: "poisson-sampled",
          probability: q,
          event: { type: "gaussian", noiseMultiplier: sigma },
        };
        let one = ACCOUNTANTS[name]();
        for (let i = 0; i < count; i++) one = one.compose(event);
        expect(one.epsilon(delta)).toBeCloseTo(ACCOUNTANTS[name]().compose(event, count).epsilon(delta), 10);
      }
    }),
    { numRuns: 10 },
  );
});
