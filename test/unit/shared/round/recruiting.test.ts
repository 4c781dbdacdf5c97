import { describe, expect, test } from "vitest";
import { lowestLots, recruitingMinMsOf } from "#shared/round/check-in.ts";
import { nextTickMs } from "#shared/round/deadline.ts";
import type { RoundEvent, RoundRules } from "#shared/round/event.ts";
import { replayRound } from "#shared/round/log.ts";
import type { RoundState } from "#shared/round/state.ts";
import { step } from "#shared/round/step.ts";
import {
  advertised,
  allCheckedIn,
  checkedIn,
  identity,
  play,
  presence,
  RULES,
  roundFacts,
  shardsOf,
  ticked,
} from "#test/kit/worlds/round-cast.ts";

/* Who checks in, draws a lot and is invited. The lot of device `index` is `index` unless a test says otherwise. */

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const withRules = (change: Partial<RoundRules>) => roundFacts({ rules: { ...RULES, ...change } });
const atOnce = { recruitingMinMs: 0 };

const withLots = (lots: Readonly<Record<number, number>>, atMs = 10): RoundEvent => ({
  type: "checked-in",
  atMs,
  devices: Object.entries(lots).map(([index, lot]) => ({ identity: identity(Number(index)), lot })),
});
const indexOf = (id: string) => Number.parseInt(id.slice(0, 4), 16);
const invited = (state: RoundState) =>
  [...state.members].filter(([, member]) => member.invited).map(([id]) => indexOf(id));

describe("[R25] a split round whose shards chance does not fill", () => {
  const facts = withRules({
    ...atOnce,
    ...{ goal: 12, overSelection: 1.25, cohortSizeMin: 3, cohortSizeMax: 20 },
    graph: shardsOf(9, { goal: 12, overSelection: 1.25 }),
  });
  const { recruitingMs } = facts.rules.deadlines;
  const drawn = (first: number, count: number, of = facts) =>
    play([allCheckedIn(range(first, first + count - 1), 0), ticked(recruitingMs)], of).state;

  test("asks nobody to train, and another draw may succeed", () => {
    // 6 devices in two shards of at least 3: about every third draw fills both.
    const phases = Array.from({ length: 40 }, (_, draw) => drawn(1 + 6 * draw, 6));
    expect(new Set(phases.map(({ phase }) => phase))).toEqual(new Set(["training", "failed"]));
    for (const state of phases) {
      const isFilled = state.phase === "training";
      expect([invited(state).length, "code" in state && state.code]).toEqual(
        isFilled ? [6, false] : [0, "COHORT_TOO_SMALL"],
      );
    }
    expect(drawn(1, 5).phase).toBe("failed");
  });

  test("invited all devices before runs could wait: a log from then replays as it was written", () => {
    const rules: RoundRules = { ...facts.rules, recruitingMinMs: 2_000, seatsByArrival: true };
    const states = Array.from({ length: 40 }, (_, draw) => drawn(1 + 6 * draw, 6, { ...facts, rules }));
    expect(states.every((state) => invited(state).length === 6)).toBe(true);
    expect(states.some(({ phase }) => phase === "failed")).toBe(true);
  });
});

describe("the minimum time of recruiting", () => {
  test("[R3] is 0 unless more devices are expected than the round wants, and otherwise what the task says", () => {
    const plan = { goal: 10, overSelection: 1.25 };
    expect([0, 5, 13, 14, 500].map((expected) => recruitingMinMsOf(plan, expected))).toEqual([
      0, 0, 0, 2_000, 2_000,
    ]);
    for (const recruitingMinMs of [0, 700, 9_000]) {
      const own = { ...plan, recruitingMinMs };
      expect([5, 500].map((expected) => recruitingMinMsOf(own, expected))).toEqual([
        recruitingMinMs,
        recruitingMinMs,
      ]);
    }
  });

  test("[R3] holds even if all are there at once, and is waited for by a timer", () => {
    const early = play([allCheckedIn(range(1, 4), 10)]).state;
    expect([early.phase, nextTickMs(early, 10)]).toEqual(["recruiting", 2_000]);
    expect(step(early, ticked(1_999)).state).toBe(early);
    expect(step(early, ticked(2_000)).state.phase).toBe("training");
  });

  test("[R3] of 0 invites with the one event in which all check in", () => {
    const { state } = play([allCheckedIn(range(1, 4), 0)], withRules(atOnce));
    expect([state.phase, invited(state)]).toEqual(["training", [1, 2, 3, 4]]);
    const three = play([allCheckedIn(range(1, 3), 0)], withRules(atOnce)).state;
    expect([three.phase, nextTickMs(three, 0)]).toEqual(["recruiting", RULES.deadlines.recruitingMs]);
    expect(step(three, checkedIn(4, 900)).state.phase).toBe("training");
  });

  test("[R3] was 2,000 before it could be chosen: a log from then replays with it", () => {
    const { recruitingMinMs: _, ...rules } = RULES;
    const stateAfter = (...facts: readonly object[]) => {
      const rows = [{ ...roundFacts(), rules }, ...facts].map((fact, index) => {
        return { sequence: index + 1, event: { fact } };
      });
      const state = replayRound(rows);
      return state.ok ? state.value : null;
    };
    const alone = (index: number, atMs: number, lot: number) => {
      return { type: "checked-in", atMs, identity: identity(index), lot };
    };
    const all = range(1, 4).map((index) => alone(index, 10, index));
    expect(stateAfter(...all)?.phase).toBe("recruiting");
    expect(stateAfter(...all, ticked(2_000))?.phase).toBe("training");
    // A device that left and came back drew a new lot then.
    const again = stateAfter(...all, presence("left", 1, 20), alone(1, 30, 99));
    expect(again?.members.get(identity(1))?.lot).toBe(99);
  });
});

describe("the lot", () => {
  test("[R3] and not the order of arrival chooses above cohortSizeMax", () => {
    const lots = [50, 10, 40, 30, 90, 20, 60, 80, 70, 15];
    const lowest = [2, 3, 4, 6, 7, 8, 9, 10];
    const drawn = Object.fromEntries(lots.map((lot, index) => [index + 1, lot]));
    const together = play([withLots(drawn)], withRules({ ...atOnce, cohortSizeMax: 8, goal: 8 }));
    lowest.splice(lowest.indexOf(8), 1);
    expect(invited(together.state).sort((left, right) => left - right)).toEqual([1, ...lowest]);
    const oneByOne = [...lots.entries()].map(([index, lot]) => withLots({ [index + 1]: lot }));
    const later = play([...oneByOne.reverse(), ticked(2_000)], withRules({ cohortSizeMax: 8 }));
    expect(invited(later.state).sort((left, right) => left - right)).toEqual([1, ...lowest]);
  });

  test("[R3] is kept by a device that leaves and comes back", () => {
    const away = play([withLots({ 1: 77, 2: 5 }), presence("left", 1, 20)]).state;
    const back = step(away, withLots({ 1: 3 }, 30)).state;
    expect(back.members.get(identity(1))).toMatchObject({ lot: 77, out: null, connected: true });
  });

  test("[R3] has four places for each device that can be invited; the lowest stay, whoever came first", () => {
    const facts = withRules({ cohortSizeMax: 4 });
    const lots = Object.fromEntries(range(1, 16).map((index) => [index, 100 + index]));
    const full = play([withLots(lots)], facts).state;
    expect(full.members.size).toBe(16);
    expect(step(full, withLots({ 17: 117 })).effects).toEqual([{ type: "reject", code: "NO_RUN" }]);
    const lower = step(full, withLots({ 17: 7, 18: 500 })).state;
    expect([...lower.members.keys()].map(indexOf)).toEqual([...range(1, 15), 17]);
    // A device that left makes room before any device that is there.
    const left = step(full, presence("left", 3, 20)).state;
    const joined = step(left, withLots({ 17: 900 })).state;
    expect([...joined.members.keys()].map(indexOf)).toEqual([1, 2, ...range(4, 17)]);
    expect(joined.counts.at(-1)?.joined).toBe(16);
    const all = [...Object.entries(lots), ["17", 7], ["18", 500]] as [string, number][];
    const devices = all.map(([index, lot]) => ({ identity: identity(Number(index)), lot }));
    expect(lowestLots(devices, facts.rules).map((device) => indexOf(device.identity))).toEqual([
      17,
      ...range(1, 15),
    ]);
  });

  test("[R3] [S16] decides the seats of a shard that chance has overfilled, not who advertises first", () => {
    const rules: Partial<RoundRules> = {
      ...atOnce,
      goal: 24,
      cohortSizeMin: 3,
      cohortSizeMax: 7,
      graph: shardsOf(8, { goal: 24, overSelection: 1 }),
    };
    const lots = Object.fromEntries(range(1, 24).map((index) => [index, (index * 7) % 24]));
    for (const order of [range(1, 24), range(1, 24).reverse()]) {
      const { state } = play(
        [withLots(lots), ...order.map((index) => advertised(index, 100))],
        withRules(rules),
      );
      if (!("roster" in state)) throw new Error(`no roster while ${state.phase}`);
      const byShard = new Map<number, number[]>();
      for (const { shard, lot } of state.members.values()) {
        byShard.set(shard, [...(byShard.get(shard) ?? []), lot]);
      }
      const expected = [...byShard.values()].flatMap((own) => own.sort((a, b) => a - b).slice(0, 7));
      expect([...byShard.values()].some((own) => own.length > 7)).toBe(true);
      const seated = state.roster.map((seat) => state.members.get(seat.identity)?.lot);
      expect(new Set(seated)).toEqual(new Set(expected));
    }
  });
});

describe("a check-in of many", () => {
  test("[R1] is known if nothing in it is new, and takes the devices that are new", () => {
    const four = play([allCheckedIn(range(1, 3), 10)]).state;
    expect(step(four, allCheckedIn(range(1, 3), 20))).toEqual({ state: four, records: [], effects: [] });
    expect([...step(four, allCheckedIn(range(1, 4), 20)).state.members.keys()]).toHaveLength(4);
  });

  test("[R11] skips devices that the run no longer takes", () => {
    const facts = roundFacts({ removed: [identity(2)] });
    const { state } = play([allCheckedIn([1, 2], 10)], facts);
    expect([...state.members.keys()]).toEqual([identity(1)]);
    const refused = step(state, allCheckedIn([2], 20));
    expect(refused.effects).toEqual([{ type: "reject", code: "NO_RUN" }]);
  });
});

describe("[R30] devices that are asked last", () => {
  const withLast = (sound: readonly number[], last: readonly number[], atMs = 0): RoundEvent => ({
    type: "checked-in",
    atMs,
    devices: [
      ...last.map((index) => ({ identity: identity(index), lot: index, askedLast: true as const })),
      ...sound.map((index) => ({ identity: identity(index), lot: 1_000 + index })),
    ],
  });

  test("take places that the round wants and nobody else takes, and none above those", () => {
    const facts = withRules({ ...atOnce, goal: 4, cohortSizeMax: 8 });
    const enough = play([withLast([1, 2, 3, 4, 5], [6, 7, 8])], facts).state;
    expect([enough.phase, invited(enough)]).toEqual(["training", [1, 2, 3, 4, 5]]);
    const free = play([withLast([1, 2, 3], [6, 7, 8]), ticked(2_000)], facts).state;
    expect([free.phase, invited(free)]).toEqual(["training", [6, 1, 2, 3]]);
    const none = play([withLast([], [6, 7, 8, 9, 10]), ticked(2_000)], facts).state;
    expect([none.phase, invited(none)]).toEqual(["training", [6, 7, 8, 9]]);
  });

  test("end recruiting only after 2 s: by then others have had time to come", () => {
    const facts = withRules({ ...atOnce, goal: 4 });
    const early = play([withLast([1, 2, 3], [6, 7, 8])], facts).state;
    expect([early.phase, nextTickMs(early, 0)]).toEqual(["recruiting", 2_000]);
    const arrived = step(early, checkedIn(4, 1_900)).state;
    expect([arrived.phase, invited(arrived)]).toEqual(["training", [1, 2, 3, 4]]);
    expect(step(early, ticked(2_000)).state.phase).toBe("training");
  });

  test("make room if the lots are full, whatever they drew", () => {
    const facts = withRules({ cohortSizeMax: 4 });
    const full = play([withLast([], range(1, 16))], facts).state;
    const { state } = step(full, withLast([20], [], 10));
    expect([...state.members.keys()].map(indexOf)).toEqual([...range(1, 15), 20]);
    expect(step(full, withLast([], [21], 10)).effects).toEqual([{ type: "reject", code: "NO_RUN" }]);
  });
});
