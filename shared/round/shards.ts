import { placesOf, positionAtIndex, type Seat, seatOfPosition } from "../kernel/places.ts";
import { VersionedMap } from "../kernel/versioned-map.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { type ShardPlan, shardPlanOf } from "../secagg/shard-plan.ts";
import type { RoundEffect, Transition } from "./effect.ts";
import { dismissal } from "./ending.ts";
import type { RoundOpened } from "./event.ts";
import { identitiesAt, withOut } from "./members.ts";
import type { Collecting, Confirming, RoundShard, RoundState, Seated, Sharing, Unmasking } from "./state.ts";

/*
 * A round of several sums. If there is only one, then either the round continues, or the attempt or the round is over.
 */

/** How a round is split into shards; null if it is one sum. */
export function shardsOfRound({ runId, round, parentModelHash, rules }: RoundOpened): ShardPlan | null {
  return shardPlanOf({ runId, round, modelHash: parentModelHash, config: rules });
}

/** The shards that are not left out. */
export function keptShards({ shards }: Pick<Seated, "shards">): readonly RoundShard[] {
  return shards.filter(({ leftOut }) => leftOut === null);
}

/** The minimum number of inputs with which all shards that are in the round stay in it. */
export function neededInputs(state: Pick<Seated, "shards">): number {
  return keptShards(state).reduce((sum, { thresholds }) => sum + thresholds.q, 0);
}

export function shardOfSeat({ shards }: Pick<Seated, "shards">, seat: Seat): RoundShard | null {
  return shards.find((shard) => seat > shard.seatsBefore && seat <= lastSeat(shard)) ?? null;
}

/** Ascending. */
export function seatsOfShard({ seatsBefore, thresholds }: RoundShard): readonly Seat[] {
  return placesOf(thresholds.rosterSize, (index) => seatOfPosition(positionAtIndex(index), seatsBefore));
}

function lastSeat({ seatsBefore, thresholds }: RoundShard): number {
  return seatsBefore + thresholds.rosterSize;
}

/** The seats among `seats`, ascending, that belong to one shard. */
export function seatsIn(shard: RoundShard, seats: readonly Seat[]): readonly Seat[] {
  return seats.slice(firstAbove(seats, shard.seatsBefore), firstAbove(seats, lastSeat(shard)));
}

/** Index of the first number above `bound` in an ascending list. */
function firstAbove(numbers: readonly number[], bound: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] as number) > bound) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Groups `seats`, ascending, by shard, without shards that are left out. */
export function byShard(
  state: Pick<Seated, "shards">,
  seats: readonly Seat[],
): { readonly shard: RoundShard; readonly seats: readonly Seat[] }[] {
  return keptShards(state).map((shard) => ({ shard, seats: seatsIn(shard, seats) }));
}

/** Why shards are left out, by shard. */
export type LeftOut = ReadonlyMap<number, ErrorCode>;

/**
 * True if the round may continue without these shards. If any shard is missing, the others must reach the goal. Rule R23.
 *
 * @param counts  Inputs that each shard has or may still get, for the shards that are not left out yet.
 */
export function goesOn(state: Seated, leftOut: LeftOut, counts: ReadonlyMap<number, number>): boolean {
  let total = 0;
  let kept = 0;
  for (const [shard, count] of counts) {
    if (leftOut.has(shard)) continue;
    kept++;
    total += count;
  }
  return kept > 0 && (kept === state.shardCount || total >= state.facts.rules.goal);
}

type WithShards = Sharing | Collecting | Confirming | Unmasking;

/**
 * Leaves these shards out and tells their devices. Their seats stay, but they are removed from the sets. Rule R23.
 */
export function leaveOut<State extends WithShards>(state: State, codes: LeftOut): Transition<State> {
  const shards = state.shards.map((shard) => ({
    ...shard,
    leftOut: shard.leftOut ?? codes.get(shard.shard) ?? null,
  }));
  const lost = new Set<Seat>();
  const effects: RoundEffect[] = [];
  let after: State = state;
  for (const shard of state.shards) {
    const code = codes.get(shard.shard);
    if (code === undefined || shard.leftOut !== null) continue;
    const seats = seatsOfShard(shard);
    for (const seat of seats) lost.add(seat);
    const identities = identitiesAt(state.roster, seats).filter(
      (identity) => state.members.get(identity)?.out === null,
    );
    after = withOut(after, identities, code);
    effects.push(...dismissal(state, identities, code));
  }
  const tallies = state.tallies.filter(({ shard }) => !codes.has(shard));
  return { state: { ...after, shards, tallies, ...setsWithout(state, lost) }, records: [], effects };
}

/** The sets and answers of a state, without those of some seats. */
function setsWithout(
  state: RoundState,
  lost: ReadonlySet<Seat>,
): Partial<Unmasking & Pick<Sharing, "bundles">> {
  const list = (seats: readonly Seat[]) => seats.filter((seat) => !lost.has(seat));
  const map = <Value>(bySeat: VersionedMap<Seat, Value>) =>
    VersionedMap.from([...bySeat].filter(([seat]) => !lost.has(seat)));
  return {
    ...("bundles" in state ? { bundles: map(state.bundles) } : {}),
    ...("u2" in state ? { u2: list(state.u2) } : {}),
    ...("u3" in state ? { u3: list(state.u3) } : {}),
    ...("inputs" in state ? { inputs: map(state.inputs) } : {}),
    ...("confirmations" in state ? { confirmations: map(state.confirmations) } : {}),
    ...("responses" in state ? { responses: map(state.responses) } : {}),
  };
}
