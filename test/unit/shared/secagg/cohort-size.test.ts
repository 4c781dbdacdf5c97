import { describe, expect, test } from "vitest";
import { setOfPositions } from "#shared/secagg/position-sets.ts";
import { layOutRoster } from "#shared/secagg/roster.ts";
import { positionNo } from "#test/kit/places.ts";
import type { CohortOptions } from "#test/kit/worlds/cohort-device.ts";
import { SecaggCohort } from "#test/kit/worlds/secagg-cohort.ts";

/** The coordinator in these tests asks for whatever it is told; the device must stop it. */
async function answers(
  options: CohortOptions,
  u2: readonly number[],
  u3: readonly number[],
): Promise<string[]> {
  const cohort = await SecaggCohort.create({ vectorLength: 8, ...options });
  for (const device of cohort.devices) cohort.members.push(await cohort.advertise(device));
  if ((await cohort.layOut()) !== null) return ["the coordinator could not"];
  const codes: string[] = [];
  const { primitives, roster } = cohort;
  for (const device of cohort.devices) if (device.position !== 1) await cohort.share(device);
  const setOf = (positions: readonly number[]) =>
    setOfPositions(primitives, roster, positions.map(positionNo));
  const [two, three] = [await setOf(u2), await setOf(u3)];
  const sets = {
    type: "sets",
    sid: roster.sidHex,
    u2: two.bitmap,
    u3: three.bitmap,
    deadlineInMs: 0,
  } as const;
  for (const message of [cohort.rosterMessage(), cohort.collectOver(1, two), sets]) {
    const step = await cohort.deliver(1, message);
    codes.push(step.type === "aborted" ? step.state.code : step.type);
    if (step.type !== "go") return codes;
  }
  return codes;
}

const five = [1, 2, 3, 4, 5];

describe("a device's own minimum", () => {
  test("[S8] holds in U2 and in U3, above t", async () => {
    const config = { cohortSizeMin: 5 };
    expect(await answers({ count: 5, config }, five, five)).toEqual(["go", "go", "go"]);
    // t of five is 4: these sets would suffice without the agreed minimum.
    expect(await answers({ count: 5, config }, [1, 2, 3, 4], [1, 2, 3, 4])).toEqual(["go", "U2_BELOW_T"]);
    expect(await answers({ count: 5, config }, five, [1, 2, 3, 4])).toEqual(["go", "go", "U3_BELOW_T"]);
    expect(await answers({ count: 5 }, five, [1, 2, 3, 4])).toEqual(["go", "go", "go"]);
  });

  test("[S8] is never below t", async () => {
    expect(await answers({ count: 5 }, [1, 2, 3], [1, 2, 3])).toEqual(["go", "U2_BELOW_T"]);
    expect(await answers({ count: 5 }, five, [1, 2, 3])).toEqual(["go", "go", "U3_BELOW_T"]);
  });

  test("[S8] is checked in the roster before anything is dealt", async () => {
    const cohort = await SecaggCohort.create({ count: 5, vectorLength: 8, config: { cohortSizeMin: 5 } });
    await cohort.advertiseAll();
    const { members, ...rest } = cohort.rosterMessage();
    const step = await cohort.deliver(1, { ...rest, members: members.slice(0, 4) });
    expect(step).toMatchObject({ type: "aborted", state: { code: "COHORT_TOO_SMALL" } });
    expect((await cohort.deliver(2, cohort.rosterMessage())).type).toBe("go");
  });

  test("[S8] U3 outside U2, or without the device itself, is refused", async () => {
    const four = [1, 2, 3, 4];
    expect(await answers({ count: 5 }, four, five)).toEqual(["go", "go", "U3_NOT_IN_U2"]);
    expect(await answers({ count: 5 }, five, [2, 3, 4, 5])).toEqual(["go", "go", "ME_DROPPED"]);
    expect(await answers({ count: 5 }, [2, 3, 4, 5], [2, 3, 4, 5])).toEqual(["go", "ME_DROPPED"]);
  });
});

test("[S8] a roster below two, above the agreed maximum or out of order is refused", async () => {
  const cohort = await SecaggCohort.create({
    count: 5,
    vectorLength: 8,
    config: { cohortSizeMin: 1 as never },
  });
  await cohort.advertiseAll();
  const { primitives, attempt, members } = cohort;
  const limited = {
    ...attempt,
    terms: { ...attempt.terms, config: { ...attempt.terms.config, cohortSizeMax: 4 } },
  };
  const refused = async (terms: typeof attempt, list: typeof members) => {
    const roster = await layOutRoster(primitives, terms, list);
    return roster.ok ? "ok" : roster.error;
  };
  expect(await refused(attempt, members)).toBe("ok");
  expect(await refused(attempt, members.slice(0, 1))).toBe("COHORT_TOO_SMALL");
  expect(await refused(limited, members)).toBe("CONFIG");
  expect(await refused(limited, members.slice(0, 4))).toBe("ok");
  expect(await refused(attempt, [...members].reverse())).toBe("BAD_MESSAGE");
  const [first, ...rest] = members as [(typeof members)[number]];
  expect(await refused(attempt, [{ ...first, c: first.s }, ...rest])).toBe("DUP_KEY");
  expect(await refused(attempt, [{ ...first, s: members[3]?.c as never }, ...rest])).toBe("DUP_KEY");
  expect(await refused(attempt, [first, first, ...rest])).toBe("DUP_KEY");
});
