import fc from "fast-check";
import { expect, test } from "vitest";
import type { LastStep } from "#test/kit/worlds/cohort-device.ts";
import { runCohort } from "#test/kit/worlds/secagg-cohort.ts";

/** t = q of the active model with a minimum of 3, n = 3 to 12; computed by hand from PROTOCOL.md section 4. */
const T_BY_N: Readonly<Record<number, number>> = {
  3: 3,
  4: 3,
  5: 4,
  6: 5,
  7: 5,
  8: 6,
  9: 7,
  10: 7,
  11: 8,
  12: 9,
};

const schedule = fc.integer({ min: 3, max: 12 }).chain((count) =>
  fc.record({
    count: fc.constant(count),
    // Mostly few dropouts, or nearly every run would end early.
    lastSteps: fc.array(
      fc.tuple(
        fc.integer({ min: 1, max: count }),
        fc.constantFrom<LastStep>("advertise", "share", "input", "confirm"),
      ),
      { maxLength: Math.max(1, Math.floor(count / 2)) },
    ),
    vectorLength: fc.integer({ min: 1, max: 300 }),
    seed: fc.integer({ min: 0, max: 2 ** 31 }),
  }),
);

/** The expected result, from the counts alone. */
function expected(count: number, lastSteps: ReadonlyMap<number, LastStep>) {
  const t = T_BY_N[count] as number;
  const staying = (...gone: LastStep[]) => {
    const positions = Array.from({ length: count }, (_, index) => index + 1);
    return positions.filter((position) => !gone.includes(lastSteps.get(position) as LastStep));
  };
  const u3 = staying("advertise", "share");
  if (staying("advertise").length < t) return { code: "U2_BELOW_T" };
  if (u3.length < t) return { code: "U3_BELOW_T" };
  if (staying("advertise", "share", "input").length < t) return { code: "NOT_ENOUGH_SIGS" };
  if (staying("advertise", "share", "input", "confirm").length < t) return { code: "BELOW_T" };
  return { u3 };
}

test("[S2] the output is the exact sum over U3, or a code and nothing else, whoever leaves after whichever step", async () => {
  const seen = { committed: 0, withDropouts: 0, ended: 0 };
  await fc.assert(
    fc.asyncProperty(schedule, async ({ count, lastSteps, vectorLength, seed }) => {
      const steps = new Map(lastSteps);
      const { cohort, result } = await runCohort({
        count,
        vectorLength,
        seed: `sum ${seed}`,
        lastSteps: steps,
      });
      const outcome = expected(count, steps);
      if (outcome.u3 === undefined) {
        seen.ended++;
        expect(result).toMatchObject({ kind: "ended", code: outcome.code });
        return;
      }
      seen.committed++;
      if (outcome.u3.length < count) seen.withDropouts++;
      expect(result.kind === "committed" && result.sets.u3.positions).toEqual(outcome.u3);
      expect(result.kind === "committed" && result.sum).toEqual(cohort.oracle(outcome.u3));
    }),
    { numRuns: 40, seed: 20_260_101 },
  );
  // The runs must include sums with and without dropouts, and refusals.
  expect(Math.min(seen.committed, seen.withDropouts, seen.ended)).toBeGreaterThan(2);
});

test("[S2] a dropout's masks do not leave the sum by themselves (positive control)", async () => {
  const { cohort, result } = await runCohort({ count: 5, lastSteps: new Map([[2, "share"]]) });
  expect(result.kind === "committed" && result.sum).toEqual(cohort.oracle([1, 3, 4, 5]));
  expect(result.kind === "committed" && result.sum).not.toEqual(cohort.oracle([1, 2, 3, 4, 5]));
  const bodies = [1, 3, 4, 5].map(
    (position) => new Uint32Array(cohort.device(position).body?.slice().buffer as ArrayBuffer),
  );
  const rawSum = bodies[0]?.map((_, index) =>
    bodies.reduce((total, body) => total + (body[index] as number), 0),
  );
  expect(rawSum).not.toEqual(cohort.oracle([1, 3, 4, 5]));
});

test("[S2] the honest-but-curious thresholds give the same exact sum, with more dropouts", async () => {
  const lastSteps = new Map<number, LastStep>([
    [1, "share"],
    [4, "share"],
    [5, "advertise"],
    [7, "confirm"],
  ]);
  const config = { securityModel: "honest-but-curious" as const };
  const { cohort, result } = await runCohort({ count: 9, lastSteps, config, vectorLength: 1_000 });
  expect(result.kind === "committed" && result.sum).toEqual(cohort.oracle([2, 3, 6, 7, 8, 9]));
  const active = await runCohort({ count: 9, lastSteps, vectorLength: 1_000 });
  expect(active.result).toMatchObject({ kind: "ended", code: "U3_BELOW_T" });
});
