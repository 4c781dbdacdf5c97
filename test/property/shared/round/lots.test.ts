import { describe, expect, test } from "vitest";
import { lowestLots } from "#shared/round/check-in.ts";
import type { CheckIn, RoundEvent, RoundRules } from "#shared/round/event.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";
import {
  advertised,
  identity,
  play,
  RULES,
  roundFacts,
  shardsOf,
  ticked,
} from "#test/kit/worlds/round-cast.ts";

/*
 * Who gets a place, over many rounds: each device equally often, whatever the order of arrival. The draws depend on
 * fixed seeds, so every run of this file sees the same figures.
 */

const ROUNDS = 400;
const range = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

interface Crowd {
  readonly name: string;
  readonly devices: number;
  readonly rules: Partial<RoundRules>;
  /** In one event, one after the other during recruiting, or half of them each way. */
  readonly arrive: "together" | "alone" | "both";
  /** Counts who is seated instead of who is invited. */
  readonly seated?: boolean;
}

const CROWDS: readonly Crowd[] = [
  {
    name: "20 of 500 who are there when it opens",
    devices: 500,
    rules: { goal: 20, cohortSizeMax: 20, recruitingMinMs: 0 },
    arrive: "together",
  },
  {
    name: "12 of 100 who come one after the other",
    devices: 100,
    rules: { goal: 12, cohortSizeMax: 12 },
    arrive: "alone",
  },
  {
    name: "12 of 100, half of whom come later",
    devices: 100,
    rules: { goal: 12, cohortSizeMax: 12 },
    arrive: "both",
  },
  {
    name: "those invited to shards",
    devices: 120,
    rules: {
      goal: 32,
      cohortSizeMax: 16,
      recruitingMinMs: 0,
      graph: shardsOf(8, { goal: 32, overSelection: 1 }),
    },
    arrive: "together",
  },
  {
    name: "those seated in shards that are overfull",
    devices: 40,
    rules: {
      goal: 10,
      overSelection: 3.2,
      cohortSizeMax: 7,
      recruitingMinMs: 0,
      graph: shardsOf(8, { goal: 10, overSelection: 3.2 }),
    },
    arrive: "together",
    seated: true,
  },
];

/** How often each device gets a place. @param lotOf  The lot of a device, given its place in the order of arrival. */
function placesByDevice(crowd: Crowd, lotOf: (random: number, arrival: number) => number): number[] {
  const { devices, arrive } = crowd;
  const rules = { ...RULES, ...crowd.rules };
  const draws = seededRandom(`lots: ${crowd.name}`);
  const places = new Array<number>(devices).fill(0);
  for (let round = 1; round <= ROUNDS; round++) {
    // The shards depend on the round.
    const facts = roundFacts({ rules, round });
    const lots = new DataView(draws(4 * devices).buffer);
    const all = range(devices).map(
      (index): CheckIn => ({
        identity: identity(index),
        lot: lotOf(lots.getUint32(4 * (index - 1)), index),
      }),
    );
    const late = arrive === "together" ? [] : arrive === "alone" ? all : all.slice(devices / 2);
    const early = all.slice(0, devices - late.length);
    const checkIn = (ready: readonly CheckIn[], atMs: number): RoundEvent => ({
      type: "checked-in",
      atMs,
      devices: lowestLots(ready, rules),
    });
    const events = [checkIn(early, 0), ...late.map((one) => checkIn([one], 100)), ticked(2_000)];
    const { state } = play(events, facts);
    const invited = [...state.members].filter(([, member]) => member.invited).map(([id]) => indexOf(id));
    for (const index of crowd.seated === true ? seatedOf(events, invited, facts) : invited) {
      places[index - 1] = (places[index - 1] as number) + 1;
    }
  }
  return places;
}

const indexOf = (id: string) => Number.parseInt(id.slice(0, 4), 16);

/** Devices with the lowest numbers advertise first. */
function seatedOf(
  events: readonly RoundEvent[],
  invited: readonly number[],
  facts: ReturnType<typeof roundFacts>,
): number[] {
  const quickest = [...invited].sort((left, right) => left - right);
  const { state } = play([...events, ...quickest.map((index) => advertised(index, 3_000))], facts);
  if (!("roster" in state)) throw new Error(`no roster while ${state.phase}`);
  return state.roster.map((seat) => indexOf(seat.identity));
}

/**
 * The chi-square statistic of the counts against a uniform draw without replacement, and the value that it exceeds once
 * in a million, with `counts.length - 1` degrees of freedom.
 * Source: Wilson and Hilferty 1931, PNAS 17(12).
 */
function uniformity(counts: readonly number[]): { readonly statistic: number; readonly bound: number } {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const share = expected / ROUNDS;
  const degrees = counts.length - 1;
  const squares = counts.reduce((sum, count) => sum + (count - expected) ** 2, 0);
  const statistic = (squares / (ROUNDS * share * (1 - share))) * (degrees / counts.length);
  const spread = 2 / (9 * degrees);
  return { statistic, bound: degrees * (1 - spread + 4.7534 * Math.sqrt(spread)) ** 3 };
}

describe.each(CROWDS)("$name", (crowd) => {
  test("[R3] everyone gets a place equally often", () => {
    const { statistic, bound } = uniformity(placesByDevice(crowd, (random) => random));
    expect(statistic).toBeLessThan(bound);
  });

  test("[R3] a lot that depends on the order of arrival is detected (positive control)", () => {
    // Only one device in ten is favoured: its lot comes from the lower half.
    const favoured = placesByDevice(crowd, (random, arrival) => (arrival % 10 === 0 ? random >>> 1 : random));
    const { statistic, bound } = uniformity(favoured);
    expect(statistic).toBeGreaterThan(bound);
    const byArrival = uniformity(placesByDevice(crowd, (_, arrival) => arrival));
    expect(byArrival.statistic).toBeGreaterThan(bound);
  });
});
