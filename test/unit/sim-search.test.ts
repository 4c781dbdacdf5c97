import { expect, test } from "vitest";
import { RULES, roundFacts } from "#test/kit/round-cast.ts";
import { type SearchOptions, searchRounds } from "#test/kit/sim/search.ts";

/* Three devices and a stranger: every state of the round machine that they, time and restarts can bring about. */

const DEADLINE_MS = 6_000;
const deadlines = {
  recruitingMs: DEADLINE_MS,
  trainingMs: DEADLINE_MS,
  sharingMs: DEADLINE_MS,
  collectingMs: DEADLINE_MS,
  confirmingMs: DEADLINE_MS,
  unmaskingMs: DEADLINE_MS,
  graceMs: DEADLINE_MS,
};

function search(rules: Partial<typeof RULES>, options: Partial<SearchOptions>) {
  const facts = roundFacts({ rules: { ...RULES, goal: 3, cohortSizeMax: 3, deadlines, ...rules } });
  const all = { restless: [1, 2, 3], complaints: false, restarts: false, statesMax: 400_000 };
  return searchRounds({ facts, devices: 3, ...all, ...options });
}

test("[S15] [R1] [R7] [R10] three devices that come, go and answer in any order: no state breaks a rule or waits for ever", () => {
  const found = search({ cohortSizeMin: 3, securityModel: "active" }, {});
  expect(found.breaches).toEqual([]);
  expect(found.whole).toBe(true);
  expect(found.states).toBeGreaterThan(50_000);
  expect([...found.ends.keys()].sort()).toEqual([
    "committed",
    "failed COHORT_TOO_SMALL",
    "voided BAD_B",
    "voided BELOW_T",
  ]);
});

test("[S15] [R11] [R14] with complaints, restarts and a cohort that can do without one device", () => {
  const found = search(
    { cohortSizeMin: 2, securityModel: "honest-but-curious" },
    { restless: [1], complaints: true, restarts: true },
  );
  expect(found.breaches).toEqual([]);
  expect(found.whole).toBe(true);
  expect(found.states).toBeGreaterThan(50_000);
  expect([...found.ends.keys()]).toContain("voided INTERNAL");
});
