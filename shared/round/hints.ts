import { wantedDevices } from "./check-in.ts";
import type { RoundEvent } from "./event.ts";
import { isAwaited } from "./members.ts";
import { seatsIn } from "./shards.ts";
import { openable } from "./shares.ts";
import type { Collecting, LiveState, RoundShard } from "./state.ts";

/*
 * Whether an answer of one device can end a phase, without a look at all the others. In a cohort of 10,000 nearly no
 * answer does, and a look at everyone for each of 60,000 answers takes minutes.
 *
 * What is remembered is only where to look first: the device or shard that was still waited for last time. It is looked
 * at again each time, so a wrong or missing hint costs time and changes nothing.
 */

interface Hints {
  /** Of those who checked in, and a place among them. */
  identities: readonly string[];
  index: number;
  seat: number;
  shard: number;
}
/** By the round's first event. */
const hintsByRound = new WeakMap<object, Hints>();

function hintsOf({ facts }: LiveState): Hints {
  const known = hintsByRound.get(facts) ?? { identities: [], index: 0, seat: 1, shard: 0 };
  hintsByRound.set(facts, known);
  return known;
}

/** True where `event`, which `state` has taken in, leaves the phase as it is for sure. */
export function leavesPhase(state: LiveState, event: RoundEvent): boolean {
  switch (event.type) {
    case "checked-in":
      return state.nowMs < state.deadlineMs && state.members.size < wantedDevices(state.facts.rules);
    case "connected":
    case "disconnected":
      return presenceLeaves(state);
    case "advertised":
      return state.phase === "advertising" && state.nowMs < state.deadlineMs && awaitsAdvert(state);
    case "shared":
      return state.phase === "sharing" && state.nowMs < state.deadlineMs && awaits(state, state.bundles);
    case "input-received":
      return state.phase === "collecting" && state.nowMs < state.deadlineMs && awaitsInput(state);
    case "confirmed":
      return (
        state.phase === "confirming" &&
        state.nowMs < state.deadlineMs &&
        someShard(state, ({ thresholds }, seats) => {
          const { confirmations } = state;
          return seats(state.u3).filter((seat) => confirmations.has(seat)).length < thresholds.t;
        })
      );
    case "unmask-received":
      // A share that is not the one that was dealt may be one too many.
      return (
        state.phase === "unmasking" &&
        event.offCommitment.length === 0 &&
        state.nowMs < state.deadlineMs &&
        someShard(state, ({ thresholds }, seats) => !openable(state, thresholds.t, seats(state.u2)))
      );
    default:
      return false;
  }
}

/**
 * A device that comes or goes ends no phase before a clock does, but for recruiting. A device that is gone for long
 * enough may have ended one already, so someone must still be waited for.
 */
function presenceLeaves(state: LiveState): boolean {
  switch (state.phase) {
    case "recruiting":
      return state.nowMs < state.deadlineMs && state.members.size < wantedDevices(state.facts.rules);
    case "advertising":
      return state.nowMs < state.deadlineMs && awaitsAdvert(state);
    case "sharing":
      return state.nowMs < state.deadlineMs && awaits(state, state.bundles);
    case "collecting":
      return state.nowMs < state.deadlineMs && awaitsInput(state);
    case "training":
    case "confirming":
      return state.nowMs < state.deadlineMs;
    case "unmasking":
      return state.nowMs < (state.askedAgain ? state.graceEndsMs : state.deadlineMs);
  }
}

function awaitsInput(state: Collecting): boolean {
  const { goal, overSelection } = state.facts.rules;
  return !(overSelection > 1 && state.inputs.size >= goal) && awaits(state, state.inputs);
}

function awaitsAdvert(state: Extract<LiveState, { phase: "advertising" }>): boolean {
  const { overSelection } = state.facts.rules;
  if (overSelection > 1 && state.adverts.size >= wantedDevices(state.facts.rules)) return false;
  const hints = hintsOf(state);
  // Nobody checks in any more.
  if (hints.identities.length !== state.members.size) hints.identities = [...state.members.keys()];
  const count = hints.identities.length;
  for (let step = 0; step < count; step++) {
    const index = (hints.index + step) % count;
    const identity = hints.identities[index] ?? "";
    if (!state.adverts.has(identity) && isAwaited(state.members.get(identity), state.nowMs)) {
      hints.index = index;
      return true;
    }
  }
  return false;
}

/** Whether a device with a seat, in whichever shard, is there and has not answered. */
function awaits(
  state: Extract<LiveState, { phase: "sharing" | "collecting" }>,
  answers: ReadonlyMap<number, unknown>,
): boolean {
  const hints = hintsOf(state);
  const count = state.roster.length;
  for (let step = 0; step < count; step++) {
    const seat = ((hints.seat - 1 + step) % count) + 1;
    const identity = state.roster[seat - 1]?.identity ?? "";
    if (!answers.has(seat) && isAwaited(state.members.get(identity), state.nowMs)) {
      hints.seat = seat;
      return true;
    }
  }
  return false;
}

function someShard(
  state: Extract<LiveState, { phase: "confirming" | "unmasking" }>,
  isShort: (shard: RoundShard, seats: (of: readonly number[]) => readonly number[]) => boolean,
): boolean {
  const hints = hintsOf(state);
  const count = state.shards.length;
  for (let step = 0; step < count; step++) {
    const index = (hints.shard + step) % count;
    const shard = state.shards[index];
    if (shard === undefined || shard.leftOut !== null) continue;
    if (isShort(shard, (seats) => seatsIn(shard, seats))) {
      hints.shard = index;
      return true;
    }
  }
  return false;
}
