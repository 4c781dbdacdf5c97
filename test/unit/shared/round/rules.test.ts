import { describe, expect, test } from "vitest";
import { nextTickMs } from "#shared/round/deadline.ts";
import type { RoundEffect, RoundRecord } from "#shared/round/effect.ts";
import type { RoundEvent, RoundRules } from "#shared/round/event.ts";
import type { RoundState } from "#shared/round/state.ts";
import { step } from "#shared/round/step.ts";
import {
  advert,
  advertised,
  checkedIn,
  complained,
  identity,
  input,
  play,
  presence,
  RULES,
  roundFacts,
  shared,
  stateIn,
  ticked,
  wayTo,
} from "#test/kit/worlds/round-cast.ts";

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const withRules = (change: Partial<RoundRules>) => roundFacts({ rules: { ...RULES, ...change } });
const code = (state: RoundState) => ("code" in state ? state.code : null);

/** Plays one more event and returns everything that it asked for. */
function next(state: RoundState, event: RoundEvent) {
  const transition = step(state, event);
  const records = transition.records.map(({ record }) => record);
  return { ...transition, records, kinds: transition.effects.map((effect) => effect.type) };
}
function effect<Type extends RoundEffect["type"]>(effects: readonly RoundEffect[], type: Type) {
  return effects.find((one): one is Extract<RoundEffect, { type: Type }> => one.type === type);
}
function record<Type extends RoundRecord["type"]>(records: readonly RoundRecord[], type: Type) {
  return records.find((one): one is Extract<RoundRecord, { type: Type }> => one.type === type);
}

describe("recruiting", () => {
  test("[R3] stays open for two seconds even when all are there at once", () => {
    const early = play(range(1, 4).map((index) => checkedIn(index, 10))).state;
    expect(early.phase).toBe("recruiting");
    expect(nextTickMs(early, 10)).toBe(2_000);
    expect(step(early, ticked(1_999)).state).toBe(early);
    expect(step(early, ticked(2_000)).state.phase).toBe("training");
  });

  test("[R3] invites at overSelection x goal, rounded up, and no earlier", () => {
    const facts = withRules({ goal: 4, overSelection: 1.3 });
    const five = play([...range(1, 5).map((index) => checkedIn(index, 10)), ticked(3_000)], facts).state;
    expect(five.phase).toBe("recruiting");
    const six = next(five, checkedIn(6, 3_100));
    expect(six.state.phase).toBe("training");
    expect(effect(six.effects, "tell")?.identities).toEqual(range(1, 6).map(identity));
  });

  test("[R3] at the deadline invites if there are at least cohortSizeMin devices, and otherwise fails", () => {
    const three = play([...range(1, 3).map((index) => checkedIn(index, 10)), ticked(60_000)]).state;
    expect(three.phase).toBe("training");
    const two = play([...range(1, 2).map((index) => checkedIn(index, 10)), ticked(60_000)]).state;
    expect([two.phase, code(two)]).toEqual(["failed", "COHORT_TOO_SMALL"]);
  });

  test("[R3] chooses the lowest lots above cohortSizeMax", () => {
    const lots = [50, 10, 40, 30, 90, 20, 60, 80, 70, 15];
    const events = lots.map(
      (lot, index): RoundEvent => ({
        type: "checked-in",
        atMs: 10,
        devices: [{ identity: identity(index + 1), lot }],
      }),
    );
    const { state } = play([...events, ticked(2_000)]);
    const invited = [...state.members].filter(([, member]) => member.invited).map(([, member]) => member.lot);
    expect(invited.sort((left, right) => left - right)).toEqual([10, 15, 20, 30, 40, 50, 60, 70]);
  });

  test("[R3] does not invite a device whose connection is gone", () => {
    const events = [
      ...range(1, 4).map((index) => checkedIn(index, 10)),
      presence("disconnected", 4, 20),
      ticked(2_000),
    ];
    expect(play(events).state.phase).toBe("recruiting");
  });
});

describe("training and advertising", () => {
  test("[R4] the deadline counts from the invitation, not from the first advert", () => {
    const state = play([...wayTo("training"), advertised(1, 50_000)]).state;
    expect(state.phase).toBe("advertising");
    expect(nextTickMs(state, 50_000)).toBe(2_000 + 100_000);
  });

  test("[R4] ends when the last one has advertised or left", () => {
    const three = play([...wayTo("training"), ...range(1, 3).map((index) => advertised(index, 3_000))]).state;
    expect(three.phase).toBe("advertising");
    expect(step(three, advertised(4, 3_100)).state.phase).toBe("sharing");
    expect(step(three, presence("left", 4, 3_100)).state.phase).toBe("sharing");
  });

  test("[R4] above over-selection 1 ends at overSelection x goal adverts", () => {
    const facts = withRules({ goal: 4, overSelection: 1.25 });
    const way = [...range(1, 7).map((index) => checkedIn(index, 10)), ticked(2_000)];
    const four = play([...way, ...range(1, 4).map((index) => advertised(index, 3_000))], facts).state;
    expect(four.phase).toBe("advertising");
    const five = next(four, advertised(5, 3_100));
    expect(five.state.phase).toBe("sharing");
    expect(effect(five.effects, "dismiss")).toEqual({
      type: "dismiss",
      identities: [identity(6), identity(7)],
      attempt: 1,
      code: "NOT_IN_ROSTER",
    });
  });

  test("[R9] fails at the deadline below cohortSizeMin", () => {
    const state = play([...wayTo("advertising"), advertised(2, 3_100), ticked(102_000)]).state;
    expect([state.phase, code(state)]).toEqual(["failed", "COHORT_TOO_SMALL"]);
  });

  test("[R2] a repeated advert is known, and one with other keys is a CONFLICT", () => {
    const state = stateIn("advertising");
    expect(step(state, advertised(1, 3_001))).toEqual({ state, records: [], effects: [] });
    const other: RoundEvent = { ...advertised(1, 3_001), advert: advert(77) } as RoundEvent;
    expect(step(state, other).effects).toEqual([{ type: "reject", code: "CONFLICT" }]);
  });

  test("[R2] refuses a key that another device, or the same advert, already has", () => {
    const state = stateIn("advertising");
    const taken = advert(1);
    const own = advert(2);
    for (const keys of [
      { ...own, c: taken.c },
      { ...own, s: taken.c },
      { ...own, s: own.c },
      { ...own, c: identity(1) },
    ]) {
      const event: RoundEvent = {
        type: "advertised",
        atMs: 3_001,
        attempt: 1,
        identity: identity(2),
        advert: keys,
      };
      expect(step(state, event).effects).toEqual([{ type: "reject", code: "DUP_KEY" }]);
    }
  });

  test("positions follow the identities, strictly ascending", () => {
    const events = [...wayTo("training"), ...[3, 1, 4, 2].map((index) => advertised(index, 3_000))];
    const { state } = play(events);
    expect(state.phase === "sharing" && state.roster.map((seat) => seat.identity)).toEqual(
      range(1, 4).map(identity),
    );
    expect(state.phase === "sharing" && state.shards).toEqual([
      { shard: 0, seatsBefore: 0, thresholds: { rosterSize: 4, c: 1, t: 3, q: 3 }, leftOut: null },
    ]);
  });
});

describe("sharing and collecting", () => {
  test("[R5] sharing continues at its deadline with q, dismissing the others", () => {
    const state = play([
      ...wayTo("sharing"),
      ...range(1, 3).map((position) => shared(position, 4_000)),
    ]).state;
    expect(state.phase).toBe("sharing");
    const after = next(state, ticked(33_300));
    expect(after.state.phase === "collecting" && after.state.u2).toEqual([1, 2, 3]);
    expect(record(after.records, "open-slots")).toEqual({ type: "open-slots", seats: [1, 2, 3] });
    expect(effect(after.effects, "dismiss")?.identities).toEqual([identity(4)]);
  });

  test("[R5] [R8] below q at the deadline the attempt is repeated, with all who still take part", () => {
    const state = play([...wayTo("sharing"), shared(1, 4_000), shared(2, 4_000)]).state;
    const after = next(state, ticked(33_300));
    expect([after.state.phase, after.state.attempt, after.state.retriedFor]).toEqual([
      "advertising",
      2,
      "U2_BELOW_T",
    ]);
    expect(effect(after.effects, "tell")?.identities).toEqual(range(1, 4).map(identity));
    expect(effect(after.effects, "forget")).toEqual({ type: "forget", attempt: 1 });
  });

  test("[R6] a device that is gone for 5 s is not waited for, and may come back before", () => {
    const gone = play([
      ...wayTo("sharing"),
      presence("disconnected", 4, 3_500),
      ...range(1, 3).map((position) => shared(position, 4_000)),
    ]).state;
    expect(gone.phase).toBe("sharing");
    expect(nextTickMs(gone, 4_000)).toBe(8_500);
    expect(step(gone, ticked(8_499)).state).toBe(gone);
    expect(step(gone, ticked(8_500)).state.phase).toBe("collecting");
    const back = step(gone, presence("connected", 4, 8_000)).state;
    expect(step(back, ticked(8_500)).state).toBe(back);
  });

  test("[R21] at over-selection 1 waits for everyone who is there", () => {
    const three = play([
      ...wayTo("collecting"),
      ...range(1, 3).map((position) => input(position, 5_000)),
    ]).state;
    expect(three.phase).toBe("collecting");
    const gone = play([
      ...wayTo("collecting"),
      ...range(1, 3).map((position) => input(position, 5_000)),
      presence("disconnected", 4, 5_100),
      ticked(10_100),
    ]).state;
    expect(gone.phase === "confirming" && gone.u3).toEqual([1, 2, 3]);
    const late = play([
      ...wayTo("collecting"),
      ...range(1, 3).map((position) => input(position, 5_000)),
      ticked(54_000),
    ]).state;
    expect(late.phase === "confirming" && late.u3).toEqual([1, 2, 3]);
  });

  test("[R21] above 1 ends at max(goal, q) inputs", () => {
    const facts = withRules({ goal: 5, overSelection: 1.4 });
    const way = [
      ...range(1, 7).map((index) => checkedIn(index, 10)),
      ticked(2_000),
      ...range(1, 7).map((index) => advertised(index, 3_000)),
      ...range(1, 7).map((position) => shared(position, 4_000)),
    ];
    const four = play([...way, ...range(1, 4).map((position) => input(position, 5_000))], facts).state;
    expect(four.phase).toBe("collecting");
    const five = step(four, input(5, 5_100)).state;
    expect(five.phase === "confirming" && five.u3).toEqual([1, 2, 3, 4, 5]);
  });

  test("[R5] gives up at once when q can no longer be reached", () => {
    const state = play([...wayTo("collecting"), presence("left", 1, 4_500)]).state;
    expect(state.phase).toBe("collecting");
    const after = step(state, presence("left", 2, 4_600)).state;
    // Only two of four are left, fewer than cohortSizeMin: there is no next attempt either.
    expect([after.phase, code(after)]).toEqual(["failed", "COHORT_TOO_SMALL"]);
  });

  test("[R7] a late input is refused and the sealed set stays", () => {
    const sealed = play([
      ...wayTo("collecting"),
      ...range(1, 3).map((position) => input(position, 5_000)),
      ticked(54_000),
    ]).state;
    expect(step(sealed, input(4, 54_001)).effects).toEqual([{ type: "reject", code: "SLOT_CLOSED" }]);
    const before = play([
      ...wayTo("collecting"),
      ...range(1, 3).map((position) => input(position, 5_000)),
    ]).state;
    const seal = next(before, ticked(54_000));
    expect(record(seal.records, "close-slots")).toEqual({ type: "close-slots", attempt: 1, kept: [1, 2, 3] });
  });

  test("[R7] an accepted input stays in when its device leaves", () => {
    const state = play([
      ...wayTo("collecting"),
      input(1, 5_000),
      presence("left", 1, 5_100),
      ...range(2, 4).map((position) => input(position, 5_200)),
    ]).state;
    expect(state.phase === "confirming" && state.u3).toEqual([1, 2, 3, 4]);
    expect(state.counts.at(-1)?.left).toBe(0);
  });

  test("[R11] a complaint separates the two devices for the rest of the run", () => {
    const facts = withRules({ goal: 5 });
    const way = [
      ...range(1, 5).map((index) => checkedIn(index, 10)),
      ticked(2_000),
      ...range(1, 5).map((index) => advertised(index, 3_000)),
      ...range(1, 5).map((position) => shared(position, 4_000)),
    ];
    const parted = play([...way, complained(2, 4, 4_500)], facts).state;
    expect([parted.phase, parted.attempt, parted.retriedFor]).toEqual(["advertising", 2, "COMPLAINT"]);
    expect(parted.forbiddenPairs).toEqual([[identity(2), identity(4)]]);
    const again = play(
      [...way, complained(2, 4, 4_500), ...range(1, 5).map((index) => advertised(index, 5_000, 2))],
      facts,
    ).state;
    const roster = again.phase === "sharing" ? again.roster.map((seat) => seat.identity) : [];
    expect(roster).toHaveLength(4);
    expect(roster.includes(identity(2)) && roster.includes(identity(4))).toBe(false);
  });

  test("[R11] a device that quarrels with more than c others is removed and told so", () => {
    // n = 5: c = 1, so a second partner is one too many.
    const facts = { ...withRules({ goal: 5 }), forbiddenPairs: [[identity(2), identity(9)] as const] };
    const { state: before } = play(
      [
        ...range(1, 5).map((index) => checkedIn(index, 10)),
        ticked(2_000),
        ...range(1, 5).map((index) => advertised(index, 3_000)),
        ...range(1, 5).map((position) => shared(position, 4_000)),
      ],
      facts,
    );
    const { state, effects } = step(before, complained(4, 2, 4_500));
    const dismissal = { type: "dismiss", identities: [identity(2)], attempt: 1, code: "NOT_IN_ROSTER" };
    expect(effects).toContainEqual(dismissal);
    expect(state.removed).toEqual([identity(2)]);
    expect(state.members.get(identity(2))?.out).toBe("NOT_IN_ROSTER");
  });
});
