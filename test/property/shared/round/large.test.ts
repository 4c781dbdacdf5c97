import { expect, test } from "vitest";
import { assert } from "#shared/kernel/assert.ts";
import { placesOf, seatAtIndex } from "#shared/kernel/places.ts";
import type { RoundEvent, RoundRules } from "#shared/round/event.ts";
import type { RoundState } from "#shared/round/state.ts";
import { openRound, step } from "#shared/round/step.ts";
import {
  committed,
  presence,
  RULES,
  replayed,
  roundFacts,
  shardsOf,
  ticked,
} from "#test/kit/worlds/round-cast.ts";

/** Devices invited to a round of the largest goal; 5 % of them leave. */
const INVITED = 10_600;
const CPU_MS_MAX = 30_000;

const rules: RoundRules = {
  ...RULES,
  goal: 10_000,
  overSelection: 1.06,
  cohortSizeMin: 32,
  cohortSizeMax: 160,
  graph: shardsOf(96, { goal: 10_000, overSelection: 1.06 }),
};
const hex = (index: number, kind: string) => `${kind}${index.toString(16).padStart(7, "0")}`.repeat(8);
const isDropout = (seat: number) => seat % 20 === 0;

/** A whole round, event by event, with devices that answer one after the other. */
function playLarge(): { readonly state: RoundState; readonly log: readonly RoundEvent[] } {
  let { state } = openRound(roundFacts({ rules }));
  const log: RoundEvent[] = [];
  const apply = (event: RoundEvent) => {
    const next = step(state, event);
    assert(next.effects[0]?.type !== "reject", `${event.type} is taken while ${state.phase}`);
    if (next.state !== state) log.push(event);
    state = next.state;
  };
  const devices = Array.from({ length: INVITED }, (_, index) => ({
    identity: hex(index, "a"),
    lot: (index * 7_919) % 65_537,
  }));
  apply({ type: "checked-in", atMs: 10, devices });
  apply(ticked(3_000));
  for (let index = 0; index < INVITED; index++) {
    const advert = {
      c: hex(index, "c"),
      s: hex(index, "5"),
      bCommit: hex(index, "b"),
      signature: hex(index, "f"),
    };
    apply({ type: "advertised", atMs: 4_000, attempt: 1, identity: hex(index, "a"), advert });
  }
  const roster = "roster" in state ? state.roster : [];
  const seats = placesOf(roster.length, seatAtIndex);
  for (const seat of seats) apply({ type: "shared", atMs: 5_000, attempt: 1, seat, digest: "" });
  // Every connection breaks once and comes back, like behind a proxy that restarts.
  for (const type of ["disconnected", "connected"] as const) {
    for (const { identity } of roster) apply({ ...presence(type, 0, 5_500), identity } as RoundEvent);
  }
  for (const seat of seats) {
    // Once the goal and every shard's q are in, the others come too late.
    if (state.phase !== "collecting") break;
    if (isDropout(seat)) {
      apply({ ...presence("left", 0, 6_000), identity: roster[seat - 1]?.identity ?? "" } as RoundEvent);
    } else apply({ type: "input-received", atMs: 6_000, attempt: 1, seat, sha256: "", root: "" });
  }
  const survivors = "u3" in state ? state.u3 : [];
  for (const seat of survivors) {
    apply({ type: "confirmed", atMs: 7_000, attempt: 1, seat, signature: "" });
  }
  for (const seat of survivors) {
    apply({
      type: "unmask-received",
      atMs: 8_000,
      attempt: 1,
      seat,
      digest: "",
      offCommitment: [],
    });
  }
  apply(committed(9_000));
  return { state, log };
}

test("[R23] a round of 10,000 devices with 5 % dropouts, all of which lose their connection once, takes less than 30 s of CPU time, and its log replays", {
  timeout: 120_000,
}, () => {
  const before = process.cpuUsage();
  const { state, log } = playLarge();
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(CPU_MS_MAX);
  expect([state.phase, state.shardCount]).toEqual(["committed", 111]);
  expect("u3" in state && state.u3.length).toBeGreaterThanOrEqual(10_000);
  expect("shards" in state && state.shards.every(({ leftOut }) => leftOut === null)).toBe(true);
  expect(replayed([roundFacts({ rules }), ...log])).toEqual(state);
});
