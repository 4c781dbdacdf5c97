import { describe, expect, test } from "vitest";
import { agreedGraphOf, type GraphPlan } from "#shared/cohort/graph-plan.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { RoundEvent, RoundRules } from "#shared/round/event.ts";
import { holdersOf } from "#shared/round/holders.ts";
import type { RoundState } from "#shared/round/state.ts";
import { openRound, step } from "#shared/round/step.ts";
import { configHash, roundHash } from "#shared/secagg/attempt.ts";
import { holdersIn } from "#shared/secagg/roster.ts";
import { positionNo, seatNo } from "#test/kit/places.ts";
import {
  advertised,
  checkedIn,
  confirmed,
  input,
  presence,
  RULES,
  roundFacts,
  shared,
  ticked,
  unmasked,
} from "#test/kit/worlds/round-cast.ts";
import { SecaggCohort } from "#test/kit/worlds/secagg-cohort.ts";

/* The round machine over a sparse graph: it counts by holders, not over all devices. */

const COUNT = 40;
/** k = 6, t = 3; two may leave. */
const graph = { kind: "k-regular", corruptShare: 0.05, dropoutShare: 0.05 } as const;
const securityModel = "honest-but-curious" as const;
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

function play(state: RoundState, events: readonly RoundEvent[]): RoundState {
  return events.reduce((before, event) => step(before, event).state, state);
}

const rulesFor = (count: number, plan: GraphPlan): RoundRules => ({
  ...RULES,
  graph: agreedGraphOf({ graph: plan, goal: count, overSelection: 1 }),
  securityModel,
  goal: count,
  cohortSizeMax: count,
});

/** All of them have advertised. */
function begun(count: number, plan: GraphPlan): RoundState {
  return play(openRound(roundFacts({ rules: rulesFor(count, plan) })).state, [
    ...upTo(count).map((index) => checkedIn(index, 100)),
    ticked(2_000),
    ...upTo(count).map((index) => advertised(index, 3_000)),
  ]);
}
function holdersOfSeat(state: RoundState, seat: number): readonly number[] {
  assert("shards" in state, "a round with a roster");
  return present(holdersOf(state, seatNo(seat)), "holders");
}

const sharing = begun(COUNT, graph);
const holders = (seat: number) => holdersOfSeat(sharing, seat);

const all = {
  shared: upTo(COUNT).map((seat) => shared(seat, 4_000)),
  input: upTo(COUNT).map((seat) => input(seat, 5_000)),
};
const confirming = play(sharing, [...all.shared, ...all.input]);

/** As many as can be chosen from the first seat on so that no device has three of them among its holders. */
function sparseSet(): number[] {
  const chosen: number[] = [];
  const met = new Map<number, number>();
  for (const seat of upTo(COUNT)) {
    if (holders(seat).some((owner) => (met.get(owner) ?? 0) === 2)) continue;
    chosen.push(seat);
    for (const owner of holders(seat)) met.set(owner, (met.get(owner) ?? 0) + 1);
  }
  return chosen;
}

describe("a round on the ring", () => {
  test("[S17] has the holders that its devices compute", async () => {
    const cohort = await SecaggCohort.create({ count: COUNT, config: { graph, securityModel } });
    await cohort.advertiseAll();
    const { runId, round, attempt, modelHash, config, roundParams } = cohort.attempt.terms;
    const own = roundFacts({
      runId,
      round,
      rules: rulesFor(COUNT, graph),
      configHash: bytesToHex(await configHash(cohort.primitives, config)),
      roundHash: bytesToHex(await roundHash(cohort.primitives, roundParams)),
      parentModelHash: modelHash,
    });
    const state = play(openRound(own).state, [
      {
        type: "checked-in",
        atMs: 100,
        devices: cohort.members.map(({ identity }, lot) => ({ identity: bytesToHex(identity), lot })),
      },
      ticked(2_000),
      ...cohort.members.map(({ identity, c, s, bCommit, signature }) => ({
        type: "advertised" as const,
        atMs: 3_000,
        attempt,
        identity: bytesToHex(identity),
        advert: {
          c: bytesToHex(c),
          s: bytesToHex(s),
          bCommit: bytesToHex(bCommit),
          signature: bytesToHex(signature),
        },
      })),
    ]);
    for (const seat of upTo(COUNT))
      expect(holdersOfSeat(state, seat)).toEqual(holdersIn(cohort.roster, positionNo(seat)));
    expect(holdersOfSeat(sharing, 1)).not.toEqual(holdersOfSeat(state, 1));
  });

  test("[R24] [S17] asks for the opening when the holders of each device give t confirmations, however many there are in total", () => {
    expect(confirming.phase).toBe("confirming");
    const few = sparseSet();
    // More than t in total, and at most two around any device.
    expect(few.length).toBeGreaterThan(6);
    const waiting = play(
      confirming,
      few.map((seat) => confirmed(seat, 6_000)),
    );
    expect(waiting.phase).toBe("confirming");
    expect(play(waiting, [ticked(36_000)])).toMatchObject({
      phase: "advertising",
      attempt: 2,
      retriedFor: "NOT_ENOUGH_SIGS",
    });
    const rest = upTo(COUNT).filter((seat) => !few.includes(seat));
    const asked = play(
      waiting,
      rest.map((seat) => confirmed(seat, 6_500)),
    );
    expect(asked.phase).toBe("unmasking");
    expect("confirmations" in asked && asked.confirmations.size).toBeLessThan(COUNT);
  });

  test("[R24] [R5] does not ask for an opening that a device with too few holders left could never give", () => {
    const everyone = upTo(COUNT).map((seat) => confirmed(seat, 6_000));
    const leave = (seats: readonly number[], atMs: number) =>
      seats.map((seat) => presence("left", seat, atMs));
    // Of the seven around 1, five confirm and leave: two are left, of t = 3. All the others have plenty.
    const gone = holders(1).slice(0, 5);
    const first = gone.map((seat) => confirmed(seat, 6_000));
    expect(play(confirming, [...first, ...leave(gone, 6_000), ...everyone])).toMatchObject({
      phase: "advertising",
      attempt: 2,
      retriedFor: "NOT_ENOUGH_SIGS",
    });
    expect(play(confirming, [...first, ...leave(gone.slice(1), 6_000), ...everyone]).phase).toBe("unmasking");
    // The same with inputs.
    const sent = (left: readonly number[]) =>
      play(sharing, [
        ...all.shared,
        ...all.input.slice(0, -1),
        ...leave(left, 5_000),
        ...all.input.slice(-1),
      ]);
    const before = gone.filter((seat) => seat !== COUNT);
    expect(before).toHaveLength(5);
    expect(sent(before)).toMatchObject({ attempt: 2, retriedFor: "NOT_ENOUGH_SIGS" });
    expect(sent(before.slice(1)).phase).toBe("confirming");
  });

  test("[R24] [S17] starts the sum when each secret has t shares from its holders; a share that does not match its commitment does not count", () => {
    const unmasking = play(
      confirming,
      upTo(COUNT).map((seat) => confirmed(seat, 6_000)),
    );
    const few = sparseSet();
    const waiting = play(
      unmasking,
      few.map((seat) => unmasked(seat, 7_000)),
    );
    let state = waiting;
    const started: number[] = [];
    for (const seat of upTo(COUNT).filter((one) => !few.includes(one))) {
      const next = step(state, unmasked(seat, 7_000));
      state = next.state;
      if (next.effects.some(({ type }) => type === "combine")) started.push(seat);
    }
    expect(started).toHaveLength(1);

    // Five of the seven around 1 send a share of its b that was not dealt: two are left, and all others have plenty.
    const liars = holders(1).slice(0, 5);
    const answers = upTo(COUNT).map((seat) => unmasked(seat, 7_000, 1, liars.includes(seat) ? [1] : []));
    const short = play(unmasking, answers);
    expect(short.phase).toBe("voided");
    const enough = upTo(COUNT).map((seat) =>
      unmasked(seat, 7_000, 1, liars.slice(1).includes(seat) ? [1] : []),
    );
    expect(play(unmasking, enough).phase).toBe("unmasking");
  });

  test("[R24] [S17] repeats the attempt if fewer than t holders of one device shared, although enough did in total", () => {
    // 150 at 5 % and 10 %: k = 20, t = 8, q = 135.
    const large = begun(150, { ...graph, dropoutShare: 0.1 });
    const around = holdersOfSeat(large, 1);
    const without = (gone: readonly number[]) =>
      play(large, [
        ...upTo(150).flatMap((seat) => (gone.includes(seat) ? [] : [shared(seat, 4_000)])),
        ticked(34_000),
      ]);
    const neighbours = around.filter((seat) => seat !== 1);
    expect(without(neighbours.slice(0, 13)).phase).toBe("collecting");
    expect(without(neighbours.slice(0, 14))).toMatchObject({
      phase: "advertising",
      attempt: 2,
      retriedFor: "U2_BELOW_T",
    });
    const elsewhere = upTo(150).filter((seat) => !around.includes(seat));
    expect(without(elsewhere.slice(0, 14)).phase).toBe("collecting");
  });
});
