import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextTickMs } from "#shared/round/deadline.ts";
import type { Step } from "#shared/round/effect.ts";
import type { RoundEvent, RoundOpened } from "#shared/round/event.ts";
import { promptsFor } from "#shared/round/prompt.ts";
import { byShard, keptShards } from "#shared/round/shards.ts";
import { canOpen } from "#shared/round/shares.ts";
import { isLive, type RoundState } from "#shared/round/state.ts";
import { openRound, step } from "#shared/round/step.ts";
import { talliesOf } from "#shared/round/tally.ts";
import { seatNo } from "#test/kit/places.ts";
import { recordWriter } from "#test/kit/round-records.ts";
import {
  advertised,
  checkedIn,
  committed,
  complained,
  confirmed,
  identity,
  input,
  presence,
  RULES,
  replayed,
  restarted,
  roundFacts,
  shardsOf,
  shared,
  stopped,
  ticked,
  unmasked,
  voided,
} from "#test/kit/worlds/round-cast.ts";

/*
 * Random schedules: devices that check in, answer, repeat themselves, vanish, come back, complain and answer out of
 * turn, as well as restarts and time. `attempt` and `position` are drawn too, so most events are out of place; the
 * others carry a round far into its phases.
 */

/** Seven devices; positions are drawn from the same numbers. */
const device = fc.integer({ min: 1, max: 7 });
const attempt = fc.constantFrom(1, 1, 1, 2, 3);
const anyEvent: fc.Arbitrary<(state: RoundState, atMs: number) => RoundEvent> = fc.oneof(
  { weight: 4, arbitrary: device.map((index) => (_: RoundState, atMs: number) => checkedIn(index, atMs)) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        fc.constantFrom("connected", "connected", "disconnected", "disconnected", "left" as const),
        device,
      )
      .map(
        ([type, index]) =>
          (_: RoundState, atMs: number) =>
            presence(type, index, atMs),
      ),
  },
  // The answer that the state waits for, from some device, so that rounds make progress.
  {
    weight: 40,
    arbitrary: device.map((index) => (state: RoundState, atMs: number) => expectedAnswer(state, index, atMs)),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constantFrom(advertised, shared, input, confirmed, unmasked), device, attempt).map(
      ([make, index, at]) =>
        (_: RoundState, atMs: number) =>
          make(index, atMs, at),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(device, device).map(
      ([left, right]) =>
        (state: RoundState, atMs: number) =>
          complained(left, right, atMs, state.attempt),
    ),
  },
  { weight: 1, arbitrary: fc.constant((state: RoundState, atMs: number) => committed(atMs, state.attempt)) },
  { weight: 1, arbitrary: fc.constant((_: RoundState, atMs: number) => voided(atMs)) },
  { weight: 8, arbitrary: fc.constant((_: RoundState, atMs: number) => ticked(atMs)) },
  {
    weight: 1,
    arbitrary: fc.boolean().map((whole) => (_: RoundState, atMs: number) => restarted(atMs, whole)),
  },
);

function expectedAnswer(state: RoundState, first: number, atMs: number): RoundEvent {
  const { attempt: current } = state;
  /** The first device from `first` on, cyclically, that has not answered. */
  const next = (size: number, answered: (index: number) => boolean) => {
    for (let step = 0; step < size; step++) {
      const index = ((first - 1 + step) % size) + 1;
      if (!answered(index)) return index;
    }
    return first;
  };
  switch (state.phase) {
    case "recruiting":
      return checkedIn(
        next(7, (index) => state.members.has(identity(index))),
        atMs,
      );
    case "training":
      return advertised(
        next(7, (index) => state.members.get(identity(index))?.out !== null),
        atMs,
        current,
      );
    case "advertising":
      return advertised(
        next(
          7,
          (index) => state.adverts.has(identity(index)) || state.members.get(identity(index))?.out !== null,
        ),
        atMs,
        current,
      );
    case "sharing":
      return shared(
        next(state.roster.length, (position) => state.bundles.has(seatNo(position))),
        atMs,
        current,
      );
    case "collecting":
      return input(
        next(state.roster.length, (position) => state.inputs.has(seatNo(position))),
        atMs,
        current,
      );
    case "confirming":
      return confirmed(
        next(state.roster.length, (position) => state.confirmations.has(seatNo(position))),
        atMs,
        current,
      );
    case "unmasking":
      return canOpen(state)
        ? committed(atMs, current)
        : unmasked(
            next(state.roster.length, (position) => state.responses.has(seatNo(position))),
            atMs,
            current,
            // Every seventh answer has one owner's share wrong.
            atMs % 7 === 0 ? [first] : [],
          );
    default:
      return ticked(atMs);
  }
}

const schedule = fc.array(fc.tuple(anyEvent, fc.constantFrom(0, 1, 40, 700, 2_000, 6_000)), {
  maxLength: 140,
  size: "max",
});
/** Rounds of one sum, and rounds of seven devices in two. */
const facts = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(1, 1.3, 1.6)
      .map((overSelection): RoundOpened => roundFacts({ rules: { ...RULES, overSelection } })),
  },
  {
    weight: 2,
    arbitrary: fc.integer({ min: 1, max: 20 }).map((round): RoundOpened => {
      const plan = { goal: 3, overSelection: 2.3 };
      return roundFacts({ round, rules: { ...RULES, ...plan, graph: shardsOf(4, plan) } });
    }),
  },
);

interface Played extends Omit<Step, "state"> {
  readonly before: RoundState;
  readonly event: RoundEvent;
  readonly after: RoundState;
}

function run(
  opened: RoundOpened,
  events: readonly (readonly [(state: RoundState, atMs: number) => RoundEvent, number])[],
  onStep: (played: Played) => void = () => {},
): { readonly state: RoundState; readonly log: readonly RoundEvent[]; readonly atMs: number } {
  let { state } = openRound(opened);
  let atMs = 0;
  const log: RoundEvent[] = [];
  for (const [make, delayMs] of events) {
    atMs += delayMs;
    const event = make(state, atMs);
    const before = state;
    const next = step(before, event);
    state = next.state;
    if (state !== before) log.push(event);
    onStep({ ...next, before, event, after: state });
  }
  return { state, log, atMs };
}

describe("every schedule", () => {
  test("[R1] a refused or known event returns the very same state, and the log replays to it", () => {
    fc.assert(
      fc.property(facts, schedule, (opened, events) => {
        const { state, log } = run(opened, events, ({ before, after, effects }) => {
          if (effects.some((effect) => effect.type === "reject")) {
            expect(after).toBe(before);
            expect(effects).toHaveLength(1);
          }
          if (after === before) expect(effects.filter((effect) => effect.type !== "reject")).toEqual([]);
        });
        expect(replayed([opened, ...log])).toEqual(state);
      }),
      { numRuns: 400 },
    );
  });

  test("[S15] a round that is left alone ends by its deadlines and grace, whatever happened before", () => {
    const { deadlines } = RULES;
    const attemptMs = deadlines.sharingMs * 2 + deadlines.collectingMs + deadlines.confirmingMs;
    const longestMs =
      deadlines.recruitingMs +
      deadlines.trainingMs +
      3 * attemptMs +
      deadlines.unmaskingMs +
      deadlines.graceMs;
    const endings = new Set<string>();
    fc.assert(
      fc.property(facts, schedule, (opened, events) => {
        let { state, atMs } = run(opened, events);
        const from = atMs;
        state = step(state, ticked(atMs)).state;
        for (let ticks = 0; isLive(state); ticks++) {
          expect(ticks).toBeLessThan(200);
          const tick = nextTickMs(state, atMs);
          if (tick === null) {
            // Only an opening that has all it needs waits for no clock: it waits for the sum.
            expect(state.phase === "unmasking" && canOpen(state)).toBe(true);
            state = step(state, committed(atMs, state.attempt)).state;
            continue;
          }
          expect(tick).toBeGreaterThan(atMs);
          atMs = tick;
          state = step(state, ticked(atMs)).state;
        }
        expect(atMs - from).toBeLessThanOrEqual(longestMs);
        endings.add(state.phase);
      }),
      { numRuns: 500 },
    );
    // The schedules must reach every end, or the property would prove little.
    expect([...endings].sort()).toEqual(["committed", "failed", "voided"]);
  });

  test("[R7] [S1] the sealed set never changes, and nobody is asked for both secrets of one device", () => {
    let opened = 0;
    fc.assert(
      fc.property(facts, schedule, (start, events) => {
        const sealed = new Map<string, string>();
        run(start, events, ({ after }) => {
          if (!("u3" in after)) return;
          // A shard may be left out as a whole; the seats of a shard that stays do not change.
          const u2 = new Map(byShard(after, after.u2).map(({ shard, seats }) => [shard.shard, seats]));
          for (const { shard, seats } of byShard(after, after.u3)) {
            const sets = JSON.stringify([u2.get(shard.shard), seats]);
            const key = `${after.attempt}.${shard.shard}`;
            const first = sealed.get(key) ?? sets;
            sealed.set(key, first);
            expect(sets).toBe(first);
            expect(seats.length).toBeGreaterThanOrEqual(shard.thresholds.q);
          }
          expect([...after.inputs.keys()].sort((left, right) => left - right)).toEqual(after.u3);
          // b is asked for U3, and z for U2 without U3: a survivor outside U2 could be asked for both.
          expect(after.u3.every((position) => after.u2.includes(position))).toBe(true);
          if (after.phase === "unmasking") opened++;
        });
      }),
      { numRuns: 400 },
    );
    expect(opened).toBeGreaterThan(50);
  });

  test("[R10] once shares were asked for there is no further attempt and no failure", () => {
    fc.assert(
      fc.property(facts, schedule, (start, events) => {
        let wasAsked = false;
        run(start, events, ({ after }) => {
          if (wasAsked) expect(["unmasking", "committed", "voided"]).toContain(after.phase);
          wasAsked ||= after.phase === "unmasking";
        });
      }),
      { numRuns: 300 },
    );
  });

  test("[R11] no roster holds a forbidden pair or a removed device", () => {
    fc.assert(
      fc.property(
        facts,
        schedule,
        fc.uniqueArray(fc.tuple(device, device), { maxLength: 4 }),
        (start, events, pairs) => {
          const forbiddenPairs = pairs
            .filter(([left, right]) => left !== right)
            .map(([left, right]) => [identity(left), identity(right)] as const);
          run({ ...start, forbiddenPairs, removed: [identity(6)] }, events, ({ after }) => {
            if (!("roster" in after)) return;
            const seated = new Set(after.roster.map((seat) => seat.identity));
            for (const [left, right] of forbiddenPairs)
              expect(seated.has(left) && seated.has(right)).toBe(false);
            expect(seated.has(identity(6))).toBe(false);
            expect(after.roster.length).toBeGreaterThanOrEqual(RULES.cohortSizeMin);
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  test("[R12] only survivors are told to open, and the opening is sent unchanged", () => {
    fc.assert(
      fc.property(facts, schedule, (start, events) => {
        const confirmations = new Map<number, string>();
        run(start, events, ({ after }) => {
          if (after.phase !== "unmasking") return;
          for (const { shard, seats } of byShard(after, after.u3)) {
            const sent = JSON.stringify(seats.map((seat) => after.confirmations.get(seat)));
            expect(confirmations.get(shard.shard) ?? sent).toBe(sent);
            confirmations.set(shard.shard, sent);
          }
          for (const identityHex of after.members.keys()) {
            const open = promptsFor(after, identityHex).find((prompt) => prompt.type === "open");
            if (open?.type === "open") expect(after.u3).toContain(open.seat);
          }
        });
      }),
      { numRuns: 300 },
    );
  });

  test("[R19] [R23] each record is made from its own state, however many phases an event ends", async () => {
    const kinds = new Set<string>();
    await fc.assert(
      fc.asyncProperty(facts, schedule, async (start, events) => {
        const steps: Step[] = [];
        run(start, events, ({ after, records, effects }) => steps.push({ state: after, records, effects }));
        const write = await recordWriter(start);
        for (const one of steps) {
          const rows = await write(one);
          // A leaf for each shard that was in when its set was sealed, even if it is out by the end of the event.
          const sealed = one.records.filter(
            ({ record: row }) => "kind" in row && row.kind === "inputs.sealed",
          );
          const shards = sealed.reduce(
            (sum, { state }) => sum + ("shards" in state ? keptShards(state).length : 0),
            0,
          );
          const leaves = rows.filter((row) => row.type === "audit-leaf" && row.kind === "inputs.sealed");
          expect(leaves).toHaveLength(shards);
          for (const row of rows) kinds.add(row.type === "audit-leaf" ? row.kind : row.type);
        }
      }),
      { numRuns: 300 },
    );
    expect([...kinds].sort()).toEqual([
      "close-slots",
      "cohort.sealed",
      "inputs.sealed",
      "model-opened",
      "model-version",
      "model.published",
      "open-slots",
      "round.aborted",
      "round.unmasked",
      "survivors.signed",
    ]);
  });

  test("[R6] each tally equals a full count, though most events recount only one shard", () => {
    const counted = new Set<string>();
    fc.assert(
      fc.property(facts, schedule, (start, events) => {
        run(start, events, ({ before, event, after }) => {
          if (after === before || !isLive(after)) return;
          expect(after.tallies).toEqual(talliesOf(after));
          if (after.phase === before.phase && after.tallies !== before.tallies) counted.add(event.type);
        });
      }),
      { numRuns: 400 },
    );
    for (const type of ["connected", "disconnected", "shared", "input-received", "confirmed"] as const)
      expect(counted).toContain(type);
  });

  test("[R15] each count equals a full count, though most events count only their sender", () => {
    fc.assert(
      fc.property(facts, schedule, (start, events) => {
        const { state } = run(start, events);
        const members = [...state.members.values()];
        const row = state.counts.at(-1);
        if (row === undefined) return;
        expect(row.joined).toBe(members.length);
        expect(row.trained).toBe(members.filter(({ trained }) => trained).length);
        expect(row.sent).toBe(members.filter(({ sent }) => sent).length);
      }),
      { numRuns: 300 },
    );
  });

  test("[R15] counts never fall", () => {
    fc.assert(
      fc.property(facts, schedule, (start, events) => {
        const { state } = run(start, [...events, [(_, atMs) => stopped(atMs), 0]]);
        state.counts.reduce(
          (before, row) => {
            expect(row.atS).toBeGreaterThan(before.atS);
            for (const key of ["joined", "trained", "sent"] as const)
              expect(row[key]).toBeGreaterThanOrEqual(before[key]);
            expect(row.left).toBeGreaterThanOrEqual(before.left);
            return row;
          },
          { atS: 0, joined: 0, trained: 0, sent: 0, left: 0 },
        );
      }),
      { numRuns: 300 },
    );
  });
});
