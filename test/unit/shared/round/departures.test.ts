import { describe, expect, test } from "vitest";
import { departuresOf } from "#shared/round/departures.ts";
import type { RoundEvent, RoundRules } from "#shared/round/event.ts";
import {
  advertised,
  allCheckedIn,
  committed,
  complained,
  confirmed,
  identity,
  input,
  play,
  presence,
  RULES,
  roundFacts,
  shared,
  stopped,
  ticked,
  unmasked,
} from "#test/kit/worlds/round-cast.ts";

/* Who left a round and who completed it, by index: six devices, of which the round can do without one or two. */

const COUNT = 6;
const range = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const rules: RoundRules = { ...RULES, goal: COUNT, recruitingMinMs: 0 };

interface Played {
  readonly left: readonly number[];
  readonly stayed: readonly number[];
  readonly phase: string;
}

function departures(events: readonly RoundEvent[], change: Partial<RoundRules> = {}): Played {
  const { state } = play(
    [allCheckedIn(range(COUNT), 0), ...events],
    roundFacts({ rules: { ...rules, ...change } }),
  );
  const { left, stayed } = departuresOf(state);
  const indices = (identities: readonly string[]) =>
    identities.map((id) => Number.parseInt(id.slice(0, 4), 16));
  return { left: indices(left), stayed: indices(stayed), phase: state.phase };
}

const except = (...without: number[]) => range(COUNT).filter((index) => !without.includes(index));
const each = (make: (index: number, atMs: number) => RoundEvent, of: readonly number[], atMs: number) =>
  of.map((index) => make(index, atMs));
/** From the inputs on, for the devices that bring them. */
const opening = (of: readonly number[], atMs: number) => [
  ...each(confirmed, of, atMs),
  ...each(unmasked, of, atMs + 1),
  committed(atMs + 2),
];

describe("[R30] who has left a round", () => {
  test("nobody if all complete it", () => {
    const all = range(COUNT);
    const events = [
      ...each(advertised, all, 1),
      ...each(shared, all, 2),
      ...each(input, all, 3),
      ...opening(all, 4),
    ];
    expect(departures(events)).toEqual({ left: [], stayed: all, phase: "committed" });
  });

  test("a device that leaves, is gone or stays silent until the deadline, at each step", () => {
    const all = range(COUNT);
    const gone = presence("disconnected", 6, 10);
    const rest = except(6);
    const { trainingMs, sharingMs, collectingMs } = RULES.deadlines;
    // Positions are those of the roster: with five devices, device 6 has none.
    const ways: readonly (readonly [string, RoundEvent[]])[] = [
      [
        "leaves in training",
        [presence("left", 6, 10), ...each(advertised, rest, 20), ...each(shared, rest, 30)],
      ],
      [
        "is gone in training",
        [gone, ...each(advertised, rest, 20), ticked(5_010), ...each(shared, rest, 5_020)],
      ],
      [
        "is silent in training",
        [...each(advertised, rest, 20), ticked(trainingMs), ...each(shared, rest, trainingMs)],
      ],
      [
        "leaves while sharing",
        [...each(advertised, all, 5), presence("left", 6, 10), ...each(shared, rest, 20)],
      ],
      [
        "is gone while sharing",
        [...each(advertised, all, 5), gone, ...each(shared, rest, 20), ticked(5_010)],
      ],
      [
        "is silent while sharing",
        [...each(advertised, all, 5), ...each(shared, rest, 20), ticked(5 + sharingMs)],
      ],
    ];
    for (const [name, way] of ways) {
      const atMs = way.at(-1)?.atMs ?? 0;
      const events = [...way, ...each(input, rest, atMs), ...opening(rest, atMs + 1)];
      expect([name, departures(events)]).toEqual([name, { left: [6], stayed: rest, phase: "committed" }]);
    }
    const sharing = [...each(advertised, all, 5), ...each(shared, all, 6)];
    const inputs = each(input, rest, 20);
    for (const [name, way] of [
      ["leaves while collecting", [presence("left", 6, 10), ...inputs]],
      ["is gone while collecting", [gone, ...inputs, ticked(5_010)]],
      ["is silent while collecting", [...inputs, ticked(6 + collectingMs)]],
    ] as const) {
      const events = [...sharing, ...way, ...opening(rest, way.at(-1)?.atMs ?? 0)];
      expect([name, departures(events)]).toEqual([name, { left: [6], stayed: rest, phase: "committed" }]);
    }
  });

  test("not a device that leaves once its input is in, because that is in the sum", () => {
    const all = range(COUNT);
    const sent = [...each(advertised, all, 1), ...each(shared, all, 2), ...each(input, all, 3)];
    const events = [...sent, presence("left", 6, 4), ...opening(except(6), 5)];
    expect(departures(events)).toEqual({ left: [], stayed: all, phase: "committed" });
  });

  test("devices that do not help to open their sum", () => {
    const all = range(COUNT);
    const sent = [...each(advertised, all, 1), ...each(shared, all, 2), ...each(input, all, 3)];
    const { unmaskingMs, graceMs } = RULES.deadlines;
    const end = 10 + unmaskingMs + graceMs;
    const events = [...sent, ...each(confirmed, all, 10), ...each(unmasked, [1, 2], 11), ticked(end)];
    expect(departures(events)).toEqual({ left: [3, 4, 5, 6], stayed: [], phase: "voided" });
  });

  test("devices that leave a round which then has too few, and not those that trained on", () => {
    const events = each((index, atMs) => presence("left", index, atMs), [3, 4, 5, 6], 10);
    expect(departures(events)).toEqual({ left: [3, 4, 5, 6], stayed: [], phase: "failed" });
    const silent = departures([...each(advertised, [1, 2], 10), ticked(RULES.deadlines.trainingMs)]);
    expect(silent).toEqual({ left: [3, 4, 5, 6], stayed: [], phase: "failed" });
  });

  test("nobody who was passed over: slower than others, in a quarrel, or stopped with the round", () => {
    // With an over-selection above 1 the first few are enough.
    const fast = [...each(advertised, [1, 2, 3, 4, 5], 10), ...each(shared, range(5), 20)];
    const enough = [...fast, ...each(input, range(5), 30), ...opening(range(5), 40)];
    const plan = { goal: 4, overSelection: 1.25, recruitingMinMs: 0 };
    expect(departures(enough, plan)).toMatchObject({ left: [], phase: "committed" });
    const all = range(COUNT);
    const sharing = [...each(advertised, all, 1), ...each(shared, all, 2)];
    const quarrel = [...sharing, complained(1, 2, 3)];
    expect(departures([...quarrel, stopped(10)])).toEqual({ left: [], stayed: [], phase: "failed" });
    expect(departures([presence("left", 6, 4), stopped(10)])).toEqual({
      left: [],
      stayed: [],
      phase: "failed",
    });
  });

  test("nobody while the round lives", () => {
    expect(departures([presence("left", 6, 10)])).toEqual({ left: [], stayed: [], phase: "training" });
  });

  test("nobody who checked in and left before it was invited", () => {
    const events = [presence("left", 5, 10), ticked(RULES.deadlines.recruitingMs)];
    const played = departures(events, { goal: 7, cohortSizeMin: 6, cohortSizeMax: 8 });
    expect(played).toEqual({ left: [], stayed: [], phase: "failed" });
    expect(identity(5)).toHaveLength(64);
  });
});
