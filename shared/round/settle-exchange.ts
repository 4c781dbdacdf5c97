import { placesOf, type Seat, seatAtIndex } from "../kernel/places.ts";
import { VersionedMap } from "../kernel/versioned-map.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { Transition } from "./effect.ts";
import { baseOf, dismissal, endsNow, retryRound, sealedOf, voidRound } from "./ending.ts";
import { holdersReach } from "./holders.ts";
import { identitiesAt, identityAt, withMissed, withOut } from "./members.ts";
import { byShard, goesOn, leaveOut, seatsIn } from "./shards.ts";
import { canOpen } from "./shares.ts";
import type { Collecting, Confirming, Sharing, Unmasking } from "./state.ts";
import { isWaiting, missingOf } from "./tally.ts";

/* How the phases with a roster end. Each is decided by shard and ends for all shards at once. Rules R5, R7, R10, R23. */

type Waiting = Sharing | Collecting | Confirming;
type Counts = ReadonlyMap<number, number>;

/**
 * Leaves out the shards that fall short, or ends the attempt if the others do not reach the goal. Null if all shards may
 * still reach what they need.
 *
 * @param counts  Inputs that each shard has or may still get.
 */
function withoutShort(
  state: Waiting,
  code: "U2_BELOW_T" | "U3_BELOW_T" | "NOT_ENOUGH_SIGS",
  counts: () => Counts,
): Transition | null {
  const late = state.nowMs >= state.deadlineMs;
  const short = state.tallies.filter(({ mayReach, isReached }) => !mayReach || (late && !isReached));
  if (short.length === 0 && state.tallies.length === state.shardCount) return null;
  const codes = new Map<number, ErrorCode>(short.map(({ shard }) => [shard, code]));
  const missed = () => {
    const missing = missingOf(state);
    const identities = short.flatMap(({ shard }) => missing.get(shard) ?? []);
    return withMissed(state, identities, late);
  };
  if (!goesOn(state, codes, counts())) return retryRound(missed(), code);
  return short.length === 0 ? null : leaveOut(missed(), codes);
}

const NONE: ReadonlyMap<number, ErrorCode> = new Map();

function countsOf({ tallies }: Waiting, what: "have" | "possible"): Counts {
  return new Map(tallies.map((tally) => [tally.shard, tally[what]]));
}

/** Counts the answers, and before the deadline also those that may still come. */
function inputsOf(state: Sharing | Collecting): Counts {
  return countsOf(state, state.nowMs >= state.deadlineMs ? "have" : "possible");
}

function isReached({ tallies }: Waiting): boolean {
  return tallies.every((tally) => tally.isReached);
}

function waits({ tallies, nowMs }: Waiting): boolean {
  return tallies.some((tally) => isWaiting(tally, nowMs));
}

export function endSharing(state: Sharing): Transition | null {
  const short = withoutShort(state, "U2_BELOW_T", () => inputsOf(state));
  if (short !== null) return short;
  const late = state.nowMs >= state.deadlineMs;
  if (!late && (waits(state) || !isReached(state) || !goesOn(state, NONE, countsOf(state, "have"))))
    return null;

  const missing = [...missingOf(state).values()].flat();
  const dropped = withOut(withMissed(state, missing, late), missing, "ME_DROPPED");
  const { roster, seats, shards, holders } = state;
  const all = placesOf(roster.length, seatAtIndex);
  const u2 = byShard(state, all).flatMap(({ seats: own }) =>
    own.filter(
      (seat) => state.bundles.has(seat) && state.members.get(identityAt(roster, seat))?.out === null,
    ),
  );
  const collecting: Collecting = {
    ...baseOf(dropped),
    phase: "collecting",
    phaseEndsMs: endsNow(state),
    deadlineMs: state.nowMs + state.facts.rules.deadlines.collectingMs,
    roster,
    seats,
    shards,
    holders,
    u2,
    inputs: VersionedMap.from(),
  };
  return {
    state: collecting,
    records: [{ type: "open-slots", seats: u2 }],
    effects: [
      { type: "tell", identities: identitiesAt(roster, u2) },
      ...dismissal(state, missing, "ME_DROPPED"),
    ],
  };
}

export function endCollecting(state: Collecting): Transition | null {
  const short = withoutShort(state, "U3_BELOW_T", () => inputsOf(state));
  if (short !== null) return short;
  const { goal, overSelection } = state.facts.rules;
  const late = state.nowMs >= state.deadlineMs;
  const enough = overSelection > 1 && state.inputs.size >= goal;
  const isMissing = state.tallies.some(({ have, possible }) => possible > have);
  if (!late && isMissing && ((!enough && waits(state)) || !isReached(state))) return null;
  const u3 = [...state.inputs.keys()].sort((left, right) => left - right);
  const have = countsOf(state, "have");
  const deserted = desertedShards(state, u3);
  // Devices that have left cannot help to open. Other devices of U2 may still bring their inputs.
  const mayStillOpen = state.tallies.some(
    (tally) => deserted.has(tally.shard) && tally.possible > tally.have,
  );
  if (!late && isMissing && (mayStillOpen || !goesOn(state, deserted, have))) return null;
  const missing = [...missingOf(state).values()].flat();
  const missed = withMissed(state, missing, late);
  return withoutDeserted(missed, deserted, have) ?? sealSurvivors(missed, u3, missing);
}

/**
 * Shards that their survivors can no longer open: fewer than t of them are left, or fewer than t of the holders of a device
 * of U2. An input or a confirmation counts even if its device has left, but the shares are still to come. Rules R5, R24.
 */
function desertedShards(state: Collecting | Confirming, u3: readonly Seat[]): ReadonlyMap<number, ErrorCode> {
  const codes = new Map<number, ErrorCode>();
  for (const { shard, seats } of byShard(state, u3)) {
    const left = new Set(seats.filter((seat) => seatInPlay(state, seat)));
    const opens =
      left.size >= shard.thresholds.t &&
      holdersReach(state, seatsIn(shard, state.u2), (seat) => left.has(seat));
    if (!opens) codes.set(shard.shard, "NOT_ENOUGH_SIGS");
  }
  return codes;
}

/** Leaves these shards out or ends the attempt. Null if there are none. @param counts  |U3| by shard. */
function withoutDeserted(
  state: Collecting | Confirming,
  deserted: ReadonlyMap<number, ErrorCode>,
  counts: ReadonlyMap<number, number>,
): Transition | null {
  if (deserted.size === 0) return null;
  return goesOn(state, deserted, counts) ? leaveOut(state, deserted) : retryRound(state, "NOT_ENOUGH_SIGS");
}

/**
 * Fixes U3 before any share is asked for. Otherwise a late upload would move its device to the self-mask side after its
 * pair key had been asked for (S1). The slots close in the same transaction. Rule R7.
 */
function sealSurvivors(state: Collecting, u3: readonly Seat[], missing: readonly string[]): Transition {
  const { roster } = state;
  const confirming: Confirming = {
    ...baseOf(withOut(state, missing, "ME_DROPPED")),
    ...sealedOf({ ...state, u3 }),
    phase: "confirming",
    phaseEndsMs: endsNow(state),
    deadlineMs: state.nowMs + state.facts.rules.deadlines.confirmingMs,
    confirmations: VersionedMap.from(),
  };
  return {
    state: confirming,
    records: [
      { type: "close-slots", attempt: state.attempt, kept: u3 },
      { type: "audit-leaf", kind: "inputs.sealed" },
    ],
    effects: [
      { type: "tell", identities: identitiesAt(roster, u3) },
      ...dismissal(state, missing, "ME_DROPPED"),
      { type: "fold" },
    ],
  };
}

export function endConfirming(state: Confirming): Transition | null {
  const short = withoutShort(state, "NOT_ENOUGH_SIGS", () => survivorCounts(state));
  if (short !== null) return short;
  if (!isReached(state)) return null;
  const lost = desertedShards(state, state.u3);
  const deserted = withoutDeserted(state, lost, survivorCounts(state));
  if (deserted !== null) return deserted;
  const { deadlines } = state.facts.rules;
  const unmasking: Unmasking = {
    ...baseOf(state),
    ...sealedOf(state),
    phase: "unmasking",
    phaseEndsMs: endsNow(state),
    deadlineMs: state.nowMs + deadlines.unmaskingMs,
    graceEndsMs: state.nowMs + deadlines.unmaskingMs + deadlines.graceMs,
    askedAgain: false,
    confirmations: state.confirmations,
    responses: VersionedMap.from(),
  };
  return {
    state: unmasking,
    records: [{ type: "model-opened" }, { type: "audit-leaf", kind: "survivors.signed" }],
    effects: [{ type: "tell", identities: identitiesAt(state.roster, state.u3) }],
  };
}

/** |U3| by shard. */
export function survivorCounts(state: Confirming | Unmasking): ReadonlyMap<number, number> {
  return new Map([...byShard(state, state.u3)].map(({ shard, seats }) => [shard.shard, seats.length]));
}

export function endUnmasking(state: Unmasking): Transition | null {
  if (canOpen(state)) return null; // `combined` ends it
  const late = state.nowMs >= state.graceEndsMs;
  const short = state.tallies.filter((tally) => !tally.isReached && (late || !tally.mayReach));
  const asksAgain = !state.askedAgain && state.nowMs >= state.deadlineMs;
  if (short.length === 0 && !asksAgain) return null;
  const unopened = new Set(state.tallies.filter((tally) => !tally.isReached).map(({ shard }) => shard));
  const asked = byShard(state, state.u3).flatMap(({ shard, seats }) =>
    unopened.has(shard.shard) ? seats.filter((seat) => !state.responses.has(seat)) : [],
  );
  if (short.length > 0) {
    const codes = new Map<number, ErrorCode>(short.map(({ shard }) => [shard, "BELOW_T"]));
    const missed = withMissed(state, identitiesAt(state.roster, asked), late);
    if (!goesOn(state, codes, survivorCounts(state))) return voidRound(missed, "BELOW_T");
    const without = leaveOut(missed, codes);
    return canOpen(without.state)
      ? { ...without, effects: [...without.effects, { type: "combine" }] }
      : without;
  }
  return {
    state: { ...state, askedAgain: true },
    records: [],
    effects: [{ type: "tell", identities: identitiesAt(state.roster, asked) }],
  };
}

function seatInPlay(state: Collecting | Confirming, seat: Seat): boolean {
  return state.members.get(identityAt(state.roster, seat))?.out === null;
}
