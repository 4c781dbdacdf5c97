import { expect, test } from "vitest";
import { searchRounds } from "#test/kit/sim/search.ts";
import { smallSearch } from "#test/kit/sim/small-search.ts";

/* Three devices and a stranger: every state of the round machine that they, time and restarts can reach. */

test("[S15] [R1] [R7] [R10] three devices that come, go and answer in any order: no state breaks a rule or waits forever", () => {
  const found = searchRounds(smallSearch({}, {}));
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
  const found = searchRounds(
    smallSearch(
      { cohortSizeMin: 2, securityModel: "honest-but-curious" },
      { restless: [1], complaints: true, restarts: true },
    ),
  );
  expect(found.breaches).toEqual([]);
  expect(found.whole).toBe(true);
  expect(found.states).toBeGreaterThan(50_000);
  expect([...found.ends.keys()]).toContain("voided INTERNAL");
});
