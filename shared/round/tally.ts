import { placesOf, type Seat, seatAtIndex } from "../kernel/places.ts";
import { holdersReach } from "./holders.ts";
import { GONE_AFTER_MS, identitiesAt, identityAt } from "./members.ts";
import { byShard, seatsIn, seatsOfShard } from "./shards.ts";
import { openable } from "./shares.ts";
import type {
  Advertising,
  LiveState,
  Member,
  RoundShard,
  Seated,
  ShardTally,
  Training,
  Unmasking,
} from "./state.ts";

/*
 * What a phase waits for, counted by shard and kept in the state. An answer or a connection changes only the tally of its
 * sender's shard. So a round of 10,000 devices can decide after each of its 60,000 events if a phase has ended, without
 * examining all devices. A tally depends on its shard alone and contains no clock, so it stays correct as time passes.
 */

type Exchange = Extract<LiveState, Seated>;

/** `state` with all tallies counted. Recruiting has none. */
export function tallied<State extends LiveState>(state: State): State {
  return { ...state, tallies: talliesOf(state) };
}

/** By shard, ascending, without shards that are left out. */
export function talliesOf(state: LiveState): readonly ShardTally[] {
  if (state.phase === "recruiting") return [];
  if (!("roster" in state)) return state.invited.map((_, shard) => cohortTally(state, shard));
  return byShard(state, []).map(({ shard }) => exchangeTally(state, shard));
}

/** `state` with the tally of one shard counted again. The same object if nothing changed. */
export function retallied<State extends LiveState>(state: State, shard: number): State {
  const index = state.tallies.findIndex((tally) => tally.shard === shard);
  const before = state.tallies[index];
  if (before === undefined || state.phase === "recruiting") return state;
  const after = tallyOf(state, shard);
  if (after === null || isSame(before, after)) return state;
  return { ...state, tallies: state.tallies.with(index, after) };
}

function tallyOf(state: Exclude<LiveState, { phase: "recruiting" }>, shard: number): ShardTally | null {
  if (!("roster" in state)) return cohortTally(state, shard);
  const seated = state.shards.find((one) => one.shard === shard);
  return seated === undefined ? null : exchangeTally(state, seated);
}

function isSame(left: ShardTally, right: ShardTally): boolean {
  return (
    left.have === right.have &&
    left.possible === right.possible &&
    left.awaitedUntilMs === right.awaitedUntilMs &&
    left.isReached === right.isReached &&
    left.mayReach === right.mayReach
  );
}

/** Tally of adverts. A shard needs `cohortSizeMin` for a roster. */
function cohortTally(state: Training | Advertising, shard: number): ShardTally {
  const { cohortSizeMin } = state.facts.rules;
  const counted = count(
    state.invited[shard] ?? [],
    (identity) => state.members.get(identity),
    (identity) => state.phase === "advertising" && state.adverts.has(identity),
    "in-play",
  );
  const { have, possible } = counted;
  return { shard, ...counted, isReached: have >= cohortSizeMin, mayReach: possible >= cohortSizeMin };
}

function exchangeTally(state: Exchange, shard: RoundShard): ShardTally {
  switch (state.phase) {
    case "sharing":
      return answersTally(state, shard, seatsOfShard(shard), state.bundles, "q");
    case "collecting":
      return answersTally(state, shard, seatsIn(shard, state.u2), state.inputs, "q");
    case "confirming":
      return answersTally(state, shard, seatsIn(shard, state.u3), state.confirmations, "t");
    case "unmasking":
      return openingTally(state, shard);
  }
}

/**
 * A bundle counts only while its device takes part; an input and a confirmation count even after it has left. In a sparse
 * graph each device also needs enough answers among its holders.
 *
 * @param seats  The seats whose answers count, ascending.
 */
function answersTally(
  state: Exclude<Exchange, Unmasking>,
  { shard, thresholds }: RoundShard,
  seats: readonly Seat[],
  answers: ReadonlyMap<Seat, unknown>,
  need: "q" | "t",
): ShardTally {
  const counts = state.phase === "sharing" ? "in-play" : "always";
  const memberAt = (seat: Seat) => state.members.get(identityAt(state.roster, seat));
  const counted = count(seats, memberAt, (seat) => answers.has(seat), counts);
  const { have, possible } = counted;
  const isIn = (seat: Seat) => memberAt(seat)?.out === null;
  const has = (seat: Seat) => answers.has(seat) && (counts === "always" || isIn(seat));
  const may = (seat: Seat) => has(seat) || isIn(seat);
  // Owners whose secrets must be rebuilt: all that shared, even if they drop out.
  const owners = () => (state.phase === "sharing" ? seats.filter(has) : seats);
  const needed = thresholds[need];
  const isWhole = possible === seats.length && seats.length === thresholds.rosterSize;
  return {
    shard,
    ...counted,
    isReached: have >= needed && holdersReach(state, owners(), has),
    mayReach: possible >= needed && (isWhole || holdersReach(state, owners(), may)),
  };
}

/** Reached once the sum of the shard can be opened. */
function openingTally(state: Unmasking, shard: RoundShard): ShardTally {
  const { t } = shard.thresholds;
  const u2 = seatsIn(shard, state.u2);
  const u3 = seatsIn(shard, state.u3);
  const memberAt = (seat: Seat) => state.members.get(identityAt(state.roster, seat));
  const counted = count(u3, memberAt, (seat) => state.responses.has(seat), "always");
  const coming = u3.filter((seat) => !state.responses.has(seat) && memberAt(seat)?.out === null);
  return {
    shard: shard.shard,
    ...counted,
    isReached: counted.have >= t && openable(state, t, u2),
    mayReach: counted.possible >= t && openable(state, t, u2, coming),
  };
}

/** @param counts  If an answer counts always, or only while its device takes part. */
function count<Key>(
  keys: readonly Key[],
  memberOf: (key: Key) => Member | undefined,
  hasAnswered: (key: Key) => boolean,
  counts: "always" | "in-play",
): Pick<ShardTally, "have" | "possible" | "awaitedUntilMs"> {
  let [have, possible, awaitedUntilMs] = [0, 0, 0];
  for (const key of keys) {
    const answered = hasAnswered(key);
    if (!answered || counts === "in-play") {
      const member = memberOf(key);
      if (member?.out !== null) continue;
      if (!answered) awaitedUntilMs = Math.max(awaitedUntilMs, goneAtMs(member));
    }
    possible++;
    if (answered) have++;
  }
  return { have, possible, awaitedUntilMs };
}

function goneAtMs({ goneSinceMs }: Member): number {
  return goneSinceMs === null ? Number.POSITIVE_INFINITY : goneSinceMs + GONE_AFTER_MS;
}

/** True if the phase waits for a device of this shard that is not gone. Rule R6. */
export function isWaiting({ awaitedUntilMs }: ShardTally, nowMs: number): boolean {
  return nowMs < awaitedUntilMs;
}

/** Identities that still take part and have not answered, by shard. */
export function missingOf(state: Exclude<Exchange, Unmasking>): ReadonlyMap<number, readonly string[]> {
  const [seats, answers] =
    state.phase === "sharing"
      ? [placesOf(state.roster.length, seatAtIndex), state.bundles]
      : state.phase === "collecting"
        ? [state.u2, state.inputs]
        : [state.u3, state.confirmations];
  const isMissing = (seat: Seat) =>
    !answers.has(seat) && state.members.get(identityAt(state.roster, seat))?.out === null;
  return new Map(
    byShard(state, seats).map(({ shard, seats: own }) => [
      shard.shard,
      identitiesAt(state.roster, own.filter(isMissing)),
    ]),
  );
}
