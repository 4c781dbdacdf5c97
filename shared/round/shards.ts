import { VersionedMap } from "../kernel/versioned-map.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { type ShardPlan, shardPlanOf } from "../secagg/shards.ts";
import type { RoundEffect, Transition } from "./effect.ts";
import { dismissal } from "./ending.ts";
import type { RoundOpened } from "./event.ts";
import { identitiesAt, withOut } from "./members.ts";
import type { Collecting, Confirming, RoundShard, RoundState, Seated, Sharing, Unmasking } from "./state.ts";

/*
 * A round of several sums. With one, everything here comes down to: it goes on, or the attempt or the round is over.
 */

/** What the shards of a round follow from, once so many devices are invited; null where it is one sum. */
export function shardsOfRound(
  { runId, round, parentModelHash, rules }: RoundOpened,
  invited: number,
): ShardPlan | null {
  const { graph = "complete" } = rules;
  const terms = { runId, round, modelHash: parentModelHash, config: { graph }, roundParams: { invited } };
  return shardPlanOf(terms);
}

/** Those that are not left out. */
export function keptShards({ shards }: Pick<Seated, "shards">): readonly RoundShard[] {
  return shards.filter(({ leftOut }) => leftOut === null);
}

/** The least number of inputs with which all shards that are in the round stay in it. */
export function neededInputs(state: Pick<Seated, "shards">): number {
  return keptShards(state).reduce((sum, { thresholds }) => sum + thresholds.q, 0);
}

/** @param seat  Of the roster. */
export function shardOfSeat({ shards }: Pick<Seated, "shards">, seat: number): RoundShard | null {
  return shards.find((shard) => seat > shard.seatsBefore && seat <= lastSeat(shard)) ?? null;
}

function lastSeat({ seatsBefore, thresholds }: RoundShard): number {
  return seatsBefore + thresholds.rosterSize;
}

/** `seats`, ascending, shard by shard. */
export function* byShard(
  state: Pick<Seated, "shards">,
  seats: readonly number[],
): Generator<{ readonly shard: RoundShard; readonly seats: readonly number[] }> {
  let from = 0;
  for (const shard of state.shards) {
    let to = from;
    while (to < seats.length && (seats[to] as number) <= lastSeat(shard)) to++;
    if (shard.leftOut === null) yield { shard, seats: seats.slice(from, to) };
    from = to;
  }
}

/** Why shards fall out, by shard. */
export type LeftOut = ReadonlyMap<number, ErrorCode>;

/**
 * Whether the round may go on when these shards are left out: with all of them it may; without some of them the others
 * must reach the goal. Rule R23.
 *
 * @param counts  Inputs that each shard has or may still bring, by shard; of those that are not left out yet.
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
 * The round without these shards, whose devices are told so: their seats stay, their part in the sets goes. Nothing of
 * them is opened. Rule R23.
 */
export function leaveOut<State extends WithShards>(state: State, codes: LeftOut): Transition<State> {
  const shards = state.shards.map((shard) => ({
    ...shard,
    leftOut: shard.leftOut ?? codes.get(shard.shard) ?? null,
  }));
  const lost = new Set<number>();
  const effects: RoundEffect[] = [];
  let after: State = state;
  for (const shard of state.shards) {
    const code = codes.get(shard.shard);
    if (code === undefined || shard.leftOut !== null) continue;
    const seats: number[] = [];
    for (let seat = shard.seatsBefore + 1; seat <= lastSeat(shard); seat++) {
      seats.push(seat);
      lost.add(seat);
    }
    const identities = identitiesAt(state.roster, seats).filter(
      (identity) => state.members.get(identity)?.out === null,
    );
    after = withOut(after, identities, code);
    effects.push(...dismissal(state, identities, code));
  }
  return { state: { ...after, shards, ...setsWithout(state, lost) }, records: [], effects };
}

/** The sets and answers of a state, but for those of some seats. */
function setsWithout(
  state: RoundState,
  lost: ReadonlySet<number>,
): Partial<Unmasking & Pick<Sharing, "bundles">> {
  const list = (seats: readonly number[]) => seats.filter((seat) => !lost.has(seat));
  const map = <Value>(bySeat: VersionedMap<number, Value>) =>
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
