import { describe, expect, test } from "vitest";
import type { RoundEffect } from "#shared/round/effect.ts";
import type { RoundEvent, RoundRules } from "#shared/round/event.ts";
import type { RoundState } from "#shared/round/state.ts";
import { step } from "#shared/round/step.ts";
import { seatNo } from "#test/kit/places.ts";
import {
  advertised,
  checkedIn,
  committed,
  complained,
  confirmed,
  damaged,
  identity,
  input,
  play,
  presence,
  RULES,
  roundFacts,
  shardsOf,
  shared,
  ticked,
  unmasked,
} from "#test/kit/worlds/round-cast.ts";

/*
 * The machine of a split round: 26 devices in three shards; without one shard the others must still reach a goal of 12.
 */

const rules: RoundRules = {
  ...RULES,
  goal: 12,
  overSelection: 2.15,
  cohortSizeMin: 3,
  cohortSizeMax: 20,
  graph: shardsOf(9, { goal: 12, overSelection: 2.15 }),
};
const facts = roundFacts({ rules });
const DEVICES = 26;
const range = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const seated = (state: RoundState) => {
  if (!("roster" in state)) throw new Error(`no roster while ${state.phase}`);
  return state;
};

const invited = [...range(DEVICES).map((index) => checkedIn(index, 10)), ticked(2_000)];
const sharing = [...invited, ...range(DEVICES).map((index) => advertised(index, 3_000))];
const { state: atSharing } = play(sharing, facts);
const { shards, roster, seats } = seated(atSharing);
const seatsOf = (shard: number) => {
  const own = shards[shard];
  if (own === undefined) throw new Error(`no shard ${shard}`);
  return range(own.thresholds.rosterSize).map((position) => own.seatsBefore + position);
};
const all = range(roster.length);
const outside = (shard: number) => all.filter((seat) => !seatsOf(shard).includes(seat));
const each = (make: (seat: number, atMs: number) => RoundEvent, of: readonly number[], atMs: number) =>
  of.map((seat) => make(seat, atMs));
const indexOf = (seat: number) => Number.parseInt(roster[seat - 1]?.identity.slice(0, 4) ?? "", 16);
const leave = (of: readonly number[], atMs: number) =>
  of.map((seat) => presence("left", indexOf(seat), atMs));

/** Up to the beginning of each phase, with everyone answering. */
const collecting = [...sharing, ...each(shared, all, 4_000)];
const confirming = [...collecting, ...each(input, all, 5_000)];
const survivors = seated(play(confirming, facts).state);
const unmasking = [...confirming, ...each(confirmed, "u3" in survivors ? survivors.u3 : [], 6_000)];

function last(events: readonly RoundEvent[], event: RoundEvent) {
  const { state } = play(events, facts);
  const next = step(state, event);
  const { state: after, effects } = next;
  const records = next.records.map(({ record }) => record);
  const dismissed = effects.filter(
    (effect): effect is Extract<RoundEffect, { type: "dismiss" }> => effect.type === "dismiss",
  );
  return { state: after, kinds: effects.map(({ type }) => type), records, dismissed };
}
const leftOut = (state: RoundState) => seated(state).shards.map((shard) => shard.leftOut);

describe("seats", () => {
  test("[R23] are numbered through the shards, in each by identity; a device's seat depends on the round alone", () => {
    expect(shards.map(({ shard }) => shard)).toEqual([0, 1, 2]);
    expect(roster.length).toBe(DEVICES);
    for (const { shard } of shards) {
      const identities = seatsOf(shard).map((seat) => roster[seat - 1]?.identity);
      expect(identities).toEqual([...identities].sort());
      for (const seat of seatsOf(shard)) {
        expect(atSharing.members.get(roster[seat - 1]?.identity ?? "")?.shard).toBe(shard);
        expect(seats.get(roster[seat - 1]?.identity ?? "")).toBe(seat);
      }
    }
    // Another order of arrival and other lots give the same rosters.
    const shuffled = play(
      [...[...invited.slice(0, -1)].reverse(), ticked(2_000), ...sharing.slice(DEVICES + 1).reverse()],
      facts,
    );
    expect(seated(shuffled.state).roster.map((seat) => seat.identity)).toEqual(
      roster.map((seat) => seat.identity),
    );
    // Another round puts others together.
    const next = play(sharing, { ...facts, round: 2 }).state;
    expect(seated(next).roster.map((seat) => seat.identity)).not.toEqual(roster.map((seat) => seat.identity));
  });

  test("[R3] at most over-selection x goal are invited, whatever a single shard may hold", () => {
    const many = [...range(40).map((index) => checkedIn(index, 10)), ticked(2_000)];
    const { state } = play(many, facts);
    expect(state.shardCount).toBe(3);
    expect([...state.members.values()].filter((member) => member.invited)).toHaveLength(DEVICES);
  });
});

const isLeave = (event: RoundEvent, seat: number) =>
  event.type === "left" && event.identity === roster[seat - 1]?.identity;

describe("a shard that falls short", () => {
  test("[R23] while sharing is left out as soon as it cannot reach q, and its devices are told", () => {
    const gone = seatsOf(1).slice(0, 3);
    const at = last(
      [...sharing, ...leave(gone.slice(0, -1), 4_000)],
      leave(gone.slice(-1), 4_000)[0] ?? ticked(0),
    );
    expect([at.state.phase, leftOut(at.state)]).toEqual(["sharing", [null, "U2_BELOW_T", null]]);
    expect(at.dismissed.map(({ identities, code }) => [identities.length, code])).toEqual([
      [6, "U2_BELOW_T"],
    ]);
    const rest = play([...sharing, ...leave(gone, 4_000), ...each(shared, outside(1), 4_500)], facts).state;
    expect([rest.phase, "u2" in rest && rest.u2]).toEqual(["collecting", outside(1)]);
  });

  test("[R23] [R7] while collecting is not among the survivors, and its slots close with nothing kept", () => {
    const short = seatsOf(2).slice(0, 2);
    const events = [...collecting, ...each(input, [...outside(2), ...short], 5_000)];
    const at = last(events, ticked(54_001));
    expect([at.state.phase, leftOut(at.state)]).toEqual(["confirming", [null, null, "U3_BELOW_T"]]);
    expect("u3" in at.state && at.state.u3).toEqual(outside(2));
    expect(at.records.find((record) => record.type === "close-slots")).toMatchObject({ kept: outside(2) });
    expect(step(at.state, confirmed(short[0] ?? 0, 54_100)).effects).toEqual([
      { type: "reject", code: "ME_DROPPED" },
    ]);
  });

  test("[R23] while confirming is left out before it is asked for a share; the others are asked", () => {
    const events = [...confirming, ...each(confirmed, outside(0), 6_000)];
    const at = last(events, ticked(35_000));
    expect([at.state.phase, leftOut(at.state)]).toEqual(["unmasking", ["NOT_ENOUGH_SIGS", null, null]]);
    expect("u3" in at.state && at.state.u3.every((seat) => outside(0).includes(seat))).toBe(true);
  });

  test("[R50] whose input is damaged while confirming is left out before it is asked for a share", () => {
    const [seat = 0] = seatsOf(1);
    const { state, kinds, dismissed } = last(confirming, damaged([seat], 5_500));
    expect([state.phase, state.attempt, leftOut(state)]).toEqual([
      "confirming",
      1,
      [null, "INPUT_DAMAGED", null],
    ]);
    expect(kinds).toEqual(["dismiss"]);
    expect(dismissed.map(({ code }) => code)).toEqual(["INPUT_DAMAGED"]);
    const before = "u3" in survivors ? survivors.u3 : [];
    expect("u3" in state && state.u3).toEqual(before.filter((one) => outside(1).includes(one)));
    // Repeated, from another attempt, or about a device that is no survivor: nothing new.
    const once = [...confirming, damaged([seat], 5_500)];
    expect(play([...once, damaged([seat], 5_600)], facts).log).toHaveLength(play(once, facts).log.length);
    expect(last(confirming, damaged([seat], 5_500, 2)).kinds).toEqual(["reject"]);
    expect(last(unmasking, damaged([seat], 6_500)).kinds).toEqual(["reject"]);
  });

  test("[R50] [R8] if all shards are damaged, everyone repeats the attempt", () => {
    const seats = [0, 1, 2].map((shard) => seatsOf(shard)[0] ?? 0);
    const { state } = last(confirming, damaged(seats, 5_500));
    expect([state.phase, state.attempt, state.retriedFor]).toEqual(["advertising", 2, "INPUT_DAMAGED"]);
  });

  test("[R23] [R5] with fewer than t devices left to open is left out before anyone is asked", () => {
    const u3 = "u3" in survivors ? survivors.u3 : [];
    const own = seatsOf(1).filter((seat) => u3.includes(seatNo(seat)));
    const { t } = shards[1]?.thresholds ?? { t: 0 };
    const gone = own.slice(0, own.length - t + 1);
    const others = u3.filter((seat) => !own.includes(seat));
    const events = [...each(confirmed, own, 6_000), ...leave(gone, 6_000), ...each(confirmed, others, 6_000)];
    const { state } = play([...confirming, ...events], facts);
    expect([state.phase, leftOut(state)]).toEqual(["unmasking", [null, "NOT_ENOUGH_SIGS", null]]);
    expect("u3" in state && state.u3).toEqual(others);
    // Positive control: with one more of them it stays.
    const enough = events.filter((event) => !isLeave(event, gone[0] ?? 0));
    expect(leftOut(play([...confirming, ...enough], facts).state)).toEqual([null, null, null]);
  });

  test("[R23] while unmasking is left out at the end of grace, and the sum of the others is opened", () => {
    const events = [...unmasking, ...each(unmasked, outside(0), 7_000)];
    const waiting = play(events, facts).state;
    expect(waiting.phase).toBe("unmasking");
    const at = last(events, ticked(6_000 + 150_000));
    expect([at.state.phase, leftOut(at.state)]).toEqual(["unmasking", ["BELOW_T", null, null]]);
    expect(at.kinds).toEqual(["dismiss", "combine"]);
    expect(step(at.state, committed(157_000)).state.phase).toBe("committed");
  });

  test("[R23] by its bad sum is left out of what is committed, and its dealers are removed", () => {
    const events = [...unmasking, ...each(unmasked, all, 7_000)];
    const good = committed(8_000);
    if (good.type !== "combined" || good.result.kind !== "committed") throw new Error("a publication");
    const bad = { shard: 1, code: "BAD_B", dealers: [identity(3)] } as const;
    const at = last(events, { ...good, result: { ...good.result, leftOut: [bad] } });
    expect([at.state.phase, leftOut(at.state)]).toEqual(["committed", [null, "BAD_B", null]]);
    expect(at.state.removed).toContain(identity(3));
    expect("u3" in at.state && at.state.u3.every((seat) => outside(1).includes(seat))).toBe(true);
    // Two of three: the rest is below the goal.
    const other = { ...bad, shard: 2 };
    const over = last(events, { ...good, result: { ...good.result, leftOut: [bad, other] } });
    expect([over.state.phase, "code" in over.state && over.state.code]).toEqual(["voided", "BAD_B"]);
  });

  test("[R23] by a complaint is left out, and the two devices are kept apart", () => {
    const [complainer = 0, accused = 0] = seatsOf(1);
    const at = last(collecting, complained(complainer, accused, 4_500));
    expect([at.state.phase, at.state.attempt, leftOut(at.state)]).toEqual([
      "collecting",
      1,
      [null, "COMPLAINT", null],
    ]);
    expect(at.state.forbiddenPairs).toHaveLength(1);
    // Devices of different shards have nothing to complain about.
    const [stranger = 0] = seatsOf(0);
    expect(last(collecting, complained(complainer, stranger, 4_500)).kinds).toEqual(["reject"]);
  });

  test("[R23] [R8] repeats the attempt if the others do not reach the goal, with its own devices too", () => {
    const short = [...seatsOf(0).slice(0, 1), ...seatsOf(1).slice(0, 1), ...seatsOf(2)];
    const at = last([...sharing, ...each(shared, short, 4_000)], ticked(33_000));
    expect([at.state.phase, at.state.attempt, at.state.retriedFor]).toEqual(["advertising", 2, "U2_BELOW_T"]);
    expect([...at.state.members.values()].filter((member) => member.out === null)).toHaveLength(DEVICES);
    expect(at.state.shardCount).toBe(3);
  });

  test("[R23] [R10] makes the round void if shares were asked for and the others do not reach the goal", () => {
    const events = [...unmasking, ...each(unmasked, seatsOf(0), 7_000)];
    const at = last(events, ticked(6_000 + 150_000));
    expect([at.state.phase, "code" in at.state && at.state.code]).toEqual(["voided", "BELOW_T"]);
  });
});

describe("a round that has lost a shard", () => {
  /** 17 of 26 are left, one more than the goal. */
  const near = roundFacts({ rules: { ...rules, goal: 16, overSelection: 1.625 } });
  const rest = outside(1);
  const gone = [...seatsOf(0).slice(0, 1), ...seatsOf(2).slice(0, 1)];
  const there = rest.filter((seat) => !gone.includes(seat));
  const lose = (atMs: number) => gone.map((seat) => presence("disconnected", indexOf(seat), atMs));

  test("[R23] [R6] waits until the deadline for devices that are gone if it needs them for the goal", () => {
    expect([rest.length, there.length]).toEqual([17, 15]);
    const [complainer = 0, accused = 0] = seatsOf(1);
    const lost = [...collecting, complained(complainer, accused, 4_500), ...lose(5_000)];
    const waiting = play([...lost, ...each(input, there, 6_000), ticked(10_001)], near).state;
    expect([waiting.phase, leftOut(waiting)]).toEqual(["collecting", [null, "COMPLAINT", null]]);
    // One of them comes back and is enough; at the deadline none has come.
    const [first = 0] = gone;
    const back = [presence("connected", indexOf(first), 11_000), input(first, 12_000)];
    expect(back.reduce((state, event) => step(state, event).state, waiting).phase).toBe("confirming");
    const late = step(waiting, ticked(54_001)).state;
    expect([late.phase, late.attempt, late.retriedFor]).toEqual(["advertising", 2, "U3_BELOW_T"]);
    // Positive control: if 12 are enough, it goes on without them.
    const enough = play([...lost, ...each(input, there, 6_000), ticked(10_001)], facts).state;
    expect(enough.phase).toBe("confirming");
  });

  test("[R23] [R6] waits in the same way while shares are dealt", () => {
    const out = leave(seatsOf(1).slice(0, 3), 3_500);
    const events = [...sharing, ...out, ...lose(3_500), ...each(shared, there, 4_000), ticked(8_501)];
    const waiting = play(events, near).state;
    expect([waiting.phase, leftOut(waiting)]).toEqual(["sharing", [null, "U2_BELOW_T", null]]);
    expect(step(waiting, ticked(33_000)).state.retriedFor).toBe("U2_BELOW_T");
    expect(play(events, facts).state.phase).toBe("collecting");
  });

  test("[R23] [R8] fails at once if no attempt can reach the goal without it", () => {
    const [complainer = 0, accused = 0] = seatsOf(1);
    const events = [...collecting, complained(complainer, accused, 4_500), ...leave(gone, 5_000)];
    const { state } = play(events, near);
    expect([state.phase, "code" in state && state.code]).toEqual(["failed", "COHORT_TOO_SMALL"]);
    expect(play(events, facts).state.phase).toBe("collecting");
    // The same before there is a roster: a shard without devices, and too few in the others.
    const few = play([...invited, ...leave([...seatsOf(1), ...gone], 2_500)], near).state;
    expect([few.phase, "code" in few && few.code]).toEqual(["failed", "COHORT_TOO_SMALL"]);
  });
});
