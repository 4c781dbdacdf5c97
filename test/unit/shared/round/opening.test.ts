import { describe, expect, test } from "vitest";
import { nextTickMs } from "#shared/round/deadline.ts";
import type { RoundEffect, RoundRecord } from "#shared/round/effect.ts";
import type { RoundEvent } from "#shared/round/event.ts";
import { promptsFor } from "#shared/round/prompt.ts";
import type { RoundState } from "#shared/round/state.ts";
import { step } from "#shared/round/step.ts";
import {
  advertised,
  committed,
  confirmed,
  identity,
  input,
  play,
  presence,
  RULES,
  restarted,
  roundFacts,
  shared,
  stateIn,
  stopped,
  ticked,
  unmasked,
  voided,
  wayTo,
} from "#test/kit/worlds/round-cast.ts";

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
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

describe("opening", () => {
  test("[R10] asking for shares records the opening, and only the t-th share starts the sum", () => {
    const way = [...wayTo("confirming"), confirmed(1, 6_000), confirmed(2, 6_000)];
    const asked = next(play(way).state, confirmed(3, 6_000));
    expect(asked.state.phase).toBe("unmasking");
    expect(record(asked.records, "model-opened")).toBeDefined();
    const two = play([...wayTo("unmasking"), unmasked(1, 7_000)]);
    expect(next(two.state, unmasked(2, 7_000)).kinds).toEqual([]);
    const three = play([...wayTo("unmasking"), unmasked(1, 7_000), unmasked(2, 7_000)]);
    expect(next(three.state, unmasked(3, 7_000)).kinds).toEqual(["combine"]);
    const all = play([...wayTo("unmasking"), ...range(1, 3).map((position) => unmasked(position, 7_000))]);
    expect(next(all.state, unmasked(4, 7_000)).kinds).toEqual([]);
  });

  test("[S9] [R10] a share that does not match its commitment does not count, but its holder's others do", () => {
    // t = 3 of 4: the share of 2 that device 1 sent is invalid.
    const way = [...wayTo("unmasking"), unmasked(1, 7_000, 1, [2]), unmasked(2, 7_000)];
    const three = next(play(way).state, unmasked(3, 7_000));
    expect([three.state.phase, three.kinds]).toEqual(["unmasking", []]);
    expect(step(three.state, committed(7_100)).state).toBe(three.state);
    expect(nextTickMs(three.state, 7_000)).toBe(36_000);
    expect(next(three.state, restarted(7_100)).kinds).toEqual(["fold"]);
    const four = next(three.state, unmasked(4, 7_000));
    expect(four.kinds).toEqual(["combine"]);
    expect(nextTickMs(four.state, 7_000)).toBeNull();
    expect(step(four.state, committed(7_100)).state.phase).toBe("committed");
    // Wrong shares of different owners leave three of each.
    const apart = [...wayTo("unmasking"), unmasked(1, 7_000, 1, [2]), unmasked(2, 7_000, 1, [3])];
    expect(next(play([...apart, unmasked(3, 7_000)]).state, unmasked(4, 7_000)).kinds).toEqual(["combine"]);
  });

  test("[S9] [R10] a round that can no longer get t valid shares of each secret is void at once", () => {
    const way = [...wayTo("unmasking"), unmasked(1, 7_000, 1, [2])];
    const end = next(play(way).state, unmasked(3, 7_000, 1, [2]));
    expect([end.state.phase, code(end.state)]).toEqual(["voided", "BELOW_T"]);
  });

  test("[R10] asks again at the deadline and voids at the end of grace", () => {
    const state = stateIn("unmasking");
    const again = next(state, ticked(36_000));
    expect([again.state.phase, effect(again.effects, "tell")?.identities.length]).toEqual(["unmasking", 4]);
    const end = next(again.state, ticked(156_000));
    expect([end.state.phase, code(end.state)]).toEqual(["voided", "BELOW_T"]);
    expect(end.kinds).toEqual(["tell", "forget", "ended"]);
  });

  test("[R10] a sum that fails its checks is void and names its dealers", () => {
    const state = play([
      ...wayTo("unmasking"),
      ...range(1, 3).map((position) => unmasked(position, 7_000)),
    ]).state;
    const end = step(state, voided(8_000, [identity(3)])).state;
    expect([end.phase, code(end), end.removed]).toEqual(["voided", "BAD_B", [identity(3)]]);
  });

  test("[R8] after three attempts the round has failed unopened", () => {
    const retry = (attempt: number, atMs: number) => [
      ...range(1, 4).map((index) => advertised(index, atMs, attempt)),
      ticked(atMs + 30_000),
    ];
    const { state } = play([
      ...wayTo("training"),
      ...retry(1, 3_000),
      ...retry(2, 40_000),
      ...retry(3, 80_000),
    ]);
    expect([state.phase, code(state), state.attempt]).toEqual(["failed", "U2_BELOW_T", 3]);
  });

  test("[R8] too few confirmations repeat the attempt and close its slots for good", () => {
    const state = play([...wayTo("confirming"), confirmed(1, 6_000), confirmed(2, 6_000)]).state;
    const after = next(state, ticked(35_000));
    expect([after.state.phase, after.state.retriedFor]).toEqual(["advertising", "NOT_ENOUGH_SIGS"]);
    expect(record(after.records, "close-slots")).toEqual({ type: "close-slots", attempt: 1, kept: [] });
  });

  test("[R5] no opening is asked for if fewer than t survivors are left, however many confirmed before they left", () => {
    const quorum = [...wayTo("confirming"), confirmed(1, 6_000), presence("left", 1, 6_000)];
    const { state } = play([...quorum, confirmed(2, 6_000), presence("left", 2, 6_000)]);
    expect(state.phase).toBe("confirming");
    const after = next(state, confirmed(3, 6_000));
    // Two are too few for another attempt as well.
    expect([after.state.phase, after.state.retriedFor]).toEqual(["failed", "NOT_ENOUGH_SIGS"]);
    expect(after.records.map((one) => ("kind" in one ? one.kind : one.type))).toEqual([
      "close-slots",
      "round.aborted",
    ]);
    // Positive control: with one of them still there the opening is asked for.
    const one = play([...quorum, confirmed(2, 6_000), confirmed(3, 6_000)]).state;
    expect(one.phase).toBe("unmasking");
  });

  test("[R5] a set is not sealed if its survivors have left below t", () => {
    const sent = [...wayTo("collecting"), input(1, 5_000), input(2, 5_000), input(3, 5_000)];
    const { state } = play([...sent, presence("left", 1, 5_000), presence("left", 2, 5_000)]);
    const after = next(state, input(4, 5_000));
    expect([after.state.phase, after.state.retriedFor]).toEqual(["failed", "NOT_ENOUGH_SIGS"]);
    expect(record(after.records, "close-slots")).toEqual({ type: "close-slots", attempt: 1, kept: [] });
  });

  test("[R19] if an event ends two phases, each record is made from its own state", () => {
    const sent = [...wayTo("collecting"), input(1, 5_000), input(2, 5_000), input(3, 5_000)];
    const { state } = play([...sent, presence("left", 1, 5_000), presence("left", 2, 5_000)]);
    const { records } = step(state, input(4, 5_000));
    expect(records.map(({ record: { type }, state: of }) => [type, of.phase, of.attempt])).toEqual([
      ["close-slots", "advertising", 2],
      ["audit-leaf", "failed", 2],
    ]);
  });

  test("[R5] inputs of devices that have left do not end collecting early: others of U2 may still bring theirs", () => {
    // Three inputs are the goal and q, but only two of their devices can still open.
    const facts = roundFacts({ rules: { ...RULES, goal: 3, overSelection: 1.3 } });
    const sent = [...wayTo("collecting"), input(1, 5_000), presence("left", 1, 5_000), input(2, 5_000)];
    const waiting = play([...sent, input(3, 5_000)], facts).state;
    expect(waiting.phase).toBe("collecting");
    expect(step(waiting, input(4, 5_000)).state.phase).toBe("confirming");
    expect(step(waiting, presence("disconnected", 4, 6_000)).state.phase).toBe("collecting");
    const late = step(waiting, ticked(54_000)).state;
    expect([late.attempt, late.retriedFor]).toEqual([2, "NOT_ENOUGH_SIGS"]);
    // Positive control: with all three there the fourth is not waited for.
    const stays = sent.filter((event) => event.type !== "left");
    expect(play([...stays, input(3, 5_000)], facts).state.phase).toBe("confirming");
  });

  test("[R13] stop gives up before the opening and waits after it", () => {
    for (const phase of [
      "recruiting",
      "training",
      "advertising",
      "sharing",
      "collecting",
      "confirming",
    ] as const) {
      const after = step(stateIn(phase), stopped(9_000)).state;
      expect([after.phase, code(after)]).toEqual(["failed", "ABORTED_BY_OPERATOR"]);
    }
    const opened = stateIn("unmasking");
    expect(step(opened, stopped(9_000)).state).toBe(opened);
  });
});

describe("coming back", () => {
  const told = (state: RoundState, index: number) =>
    promptsFor(state, identity(index)).map((prompt) => prompt.type);

  test("[R12] each phase tells a device that has not answered what it needs, and tells one that has nothing", () => {
    expect(told(stateIn("recruiting"), 1)).toEqual([]);
    expect(told(stateIn("training"), 1)).toEqual(["invite"]);
    expect([told(stateIn("advertising"), 1), told(stateIn("advertising"), 2)]).toEqual([[], ["invite"]]);
    const sharing = play([...wayTo("sharing"), shared(1, 4_000)]).state;
    expect([told(sharing, 1), told(sharing, 2)]).toEqual([[], ["roster"]]);
    const collecting = play([...wayTo("collecting"), input(1, 5_000)]).state;
    expect([told(collecting, 1), told(collecting, 2)]).toEqual([[], ["collect"]]);
    const confirming = play([...wayTo("confirming"), confirmed(1, 6_000)]).state;
    expect([told(confirming, 1), told(confirming, 2)]).toEqual([[], ["sets"]]);
    const unmasking = play([...wayTo("unmasking"), unmasked(1, 7_000)]).state;
    expect([told(unmasking, 1), told(unmasking, 2), told(unmasking, 4)]).toEqual([
      [],
      ["open"],
      ["sets", "open"],
    ]);
    expect(told(stateIn("committed"), 1)).toEqual(["outcome"]);
    expect(told(stateIn("voided"), 1)).toEqual(["outcome"]);
  });

  test("[R12] a device that was left behind is told so, and a repeated attempt says that it goes on", () => {
    const state = play([
      ...wayTo("collecting"),
      ...range(1, 3).map((position) => input(position, 5_000)),
      ticked(54_000),
    ]).state;
    expect(promptsFor(state, identity(4))).toEqual([
      { type: "abandoned", attempt: 1, code: "ME_DROPPED", retry: false },
    ]);
    const again = play([...wayTo("sharing"), ticked(33_300)]).state;
    expect(promptsFor(again, identity(1))).toEqual([
      { type: "abandoned", attempt: 1, code: "U2_BELOW_T", retry: true },
    ]);
  });

  test("[R14] a restart gives the phase its whole time again and waits for devices to return", () => {
    const state = step(stateIn("collecting"), restarted(20_000)).state;
    expect([...state.members.values()].every((member) => !member.connected)).toBe(true);
    expect(nextTickMs(state, 25_000)).toBe(70_000);
    const enough = play([
      ...wayTo("unmasking"),
      ...range(1, 3).map((position) => unmasked(position, 7_000)),
    ]).state;
    expect(next(enough, restarted(8_000)).kinds).toEqual(["combine"]);
  });

  test("[R14] if something acknowledged is missing, nothing is opened from the rest", () => {
    for (const phase of ["sharing", "collecting", "confirming"] as const) {
      const after = step(stateIn(phase), restarted(9_000, false)).state;
      expect([after.phase, after.attempt, after.retriedFor]).toEqual(["advertising", 2, "RESTARTED"]);
    }
    expect(step(stateIn("unmasking"), restarted(9_000, false)).state.phase).toBe("voided");
  });
});

describe("counts", () => {
  test("[R15] have a row for each second in which something changed, cumulative", () => {
    const { state } = play(wayTo("committed"));
    expect(state.counts).toEqual([
      { atS: 1, joined: 4, trained: 0, sent: 0, left: 0 },
      { atS: 3, joined: 4, trained: 1, sent: 0, left: 0 },
      { atS: 4, joined: 4, trained: 4, sent: 0, left: 0 },
      { atS: 5, joined: 4, trained: 4, sent: 4, left: 0 },
    ]);
    expect(state.phaseEndsMs).toEqual({
      recruiting: 2_000,
      training: 3_000,
      advertising: 3_300,
      sharing: 4_000,
      collecting: 5_000,
      confirming: 6_000,
      unmasking: 7_500,
    });
  });

  test("[R15] treat a device that is dropped when a set is sealed as having left", () => {
    const { state } = play([
      ...wayTo("collecting"),
      ...range(1, 3).map((position) => input(position, 5_000)),
      ticked(54_000),
    ]);
    expect(state.counts.at(-1)).toEqual({ atS: 54, joined: 4, trained: 4, sent: 3, left: 1 });
  });

  test("a second publication of the same round is refused", () => {
    const state = stateIn("committed");
    expect(step(state, committed(9_000)).state).toBe(state);
  });
});
