import { VersionedMap } from "../kernel/versioned-map.ts";
import { known, refuse, type Transition } from "./effect.ts";
import { dismissal, retryRound } from "./ending.ts";
import type { Advert, Advertised, Complained, Confirmed, InputReceived, Shared } from "./event.ts";
import { withMember, withOut } from "./members.ts";
import { keysOf, partnerCounts, sharesKey } from "./roster.ts";
import { byShard, goesOn, leaveOut, shardOfSeat } from "./shards.ts";
import type { Advertising, Collecting, InputFact, LiveState } from "./state.ts";

/*
 * R0 to R3. A message of another attempt, in another phase or from a device without a seat is refused. A repetition of an
 * accepted message is known. A different message in its place is a CONFLICT. Rules R1, R2.
 */

export function stepAdvertised(state: LiveState, event: Advertised): Transition {
  if (event.attempt !== state.attempt) return refuse(state, "STATE");
  if (state.phase !== "training" && state.phase !== "advertising") return refuse(state, "STATE");
  const member = state.members.get(event.identity);
  if (member === undefined || member.out !== null) return refuse(state, "NOT_IN_ROSTER");
  const adverts = state.phase === "advertising" ? state.adverts : VersionedMap.from<string, Advert>();
  const taken = adverts.get(event.identity);
  if (taken !== undefined) {
    const { c, s, bCommit, signature } = taken;
    const same =
      c === event.advert.c &&
      s === event.advert.s &&
      bCommit === event.advert.bCommit &&
      signature === event.advert.signature;
    return same ? known(state) : refuse(state, "CONFLICT");
  }
  const owners = state.phase === "advertising" ? state.ownerByKey : VersionedMap.from<string, string>();
  if (sharesKey(event.identity, event.advert, owners)) return refuse(state, "DUP_KEY");

  const trained = withMember(state, event.identity, { trained: true });
  // The first advert ends training, but the deadline still counts from the invitation. Rule R4.
  const phaseEndsMs =
    state.phase === "training" ? { ...state.phaseEndsMs, training: state.nowMs } : state.phaseEndsMs;
  const advertising: Advertising = {
    ...trained,
    phase: "advertising",
    phaseEndsMs,
    adverts: adverts.set(event.identity, event.advert),
    ownerByKey: keysOf(event.identity, event.advert).reduce(
      (all, key) => all.set(key, event.identity),
      owners,
    ),
  };
  return known(advertising);
}

export function stepShared(state: LiveState, event: Shared): Transition {
  if (event.attempt !== state.attempt || !("roster" in state)) return refuse(state, "STATE");
  const seat = state.roster[event.seat - 1];
  if (seat === undefined) return refuse(state, "NOT_IN_ROSTER");
  if (state.phase !== "sharing")
    return state.u2.includes(event.seat) ? known(state) : refuse(state, "ME_DROPPED");
  if (state.members.get(seat.identity)?.out !== null) return refuse(state, "STATE");
  const taken = state.bundles.get(event.seat);
  if (taken !== undefined) return taken === event.digest ? known(state) : refuse(state, "CONFLICT");
  return known({ ...state, bundles: state.bundles.set(event.seat, event.digest) });
}

export function stepInput(state: LiveState, event: InputReceived): Transition {
  if (event.attempt !== state.attempt || !("u2" in state)) return refuse(state, "SLOT_CLOSED");
  const seat = state.roster[event.seat - 1];
  if (seat === undefined || !state.u2.includes(event.seat)) return refuse(state, "ME_DROPPED");
  const taken = state.inputs.get(event.seat);
  if (taken !== undefined) {
    const same = taken.sha256 === event.sha256 && taken.root === event.root;
    return same ? known(state) : refuse(state, "CONFLICT");
  }
  if (state.phase !== "collecting") return refuse(state, "SLOT_CLOSED");
  if (state.members.get(seat.identity)?.out !== null) return refuse(state, "STATE");
  const { sha256, root, log } = event;
  const input: InputFact = { sha256, root, ...(log === undefined ? {} : { log }) };
  const sent = withMember(state, seat.identity, { sent: true });
  return known({ ...sent, inputs: state.inputs.set(event.seat, input) });
}

/**
 * A share did not open or match. The attempt (in a split round, their shard's part of it) ends before anything can be
 * opened, and the two devices never meet again. Rule R11.
 */
export function stepComplained(state: LiveState, event: Complained): Transition {
  if (event.attempt !== state.attempt || state.phase !== "collecting") return refuse(state, "STATE");
  const complainer = state.roster[event.seat - 1];
  const accused = state.roster[event.against - 1];
  const both = state.u2.includes(event.seat) && state.u2.includes(event.against);
  const shard = shardOfSeat(state, event.seat);
  if (complainer === undefined || accused === undefined || !both || complainer === accused) {
    return refuse(state, "STATE");
  }
  if (shard === null || shard !== shardOfSeat(state, event.against)) return refuse(state, "STATE");
  // A device that has masked its input has opened all its shares already.
  if (state.inputs.has(event.seat)) return refuse(state, "STATE");
  const forbiddenPairs = [...state.forbiddenPairs, [complainer.identity, accused.identity] as const];
  const { c } = shard.thresholds;
  const quarrelsome = [...partnerCounts(forbiddenPairs)]
    .filter(([identity, count]) => count > c && !state.removed.includes(identity))
    .map(([identity]) => identity);
  const parted: Collecting = withOut(
    { ...state, forbiddenPairs, removed: [...state.removed, ...quarrelsome] },
    quarrelsome,
    "NOT_IN_ROSTER",
  );
  const code = "COMPLAINT";
  const codes = new Map([[shard.shard, code] as const]);
  const possible = new Map(
    [...byShard(state, state.u2)].map(({ shard: { shard }, seats }) => [shard, seats.length]),
  );
  const after = goesOn(parted, codes, possible) ? leaveOut(parted, codes) : retryRound(parted, code);
  // Dismiss the removed devices, which would otherwise wait for the next attempt until they time out.
  return { ...after, effects: [...after.effects, ...dismissal(state, quarrelsome, "NOT_IN_ROSTER")] };
}

export function stepConfirmed(state: LiveState, event: Confirmed): Transition {
  if (event.attempt !== state.attempt || !("u3" in state)) return refuse(state, "STATE");
  if (!state.u3.includes(event.seat)) return refuse(state, "ME_DROPPED");
  // The confirmations that were sent with the opening are fixed, because the same message may be sent again later.
  if (state.phase === "unmasking" || state.confirmations.has(event.seat)) return known(state);
  return known({
    ...state,
    confirmations: state.confirmations.set(event.seat, event.signature),
  });
}
