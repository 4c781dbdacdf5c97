import { VersionedMap } from "../kernel/versioned-map.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { RoundEffect, RoundRecord, Transition } from "./effect.ts";
import { identitiesAt, inPlay, invitedByShard } from "./members.ts";
import type {
  Advertising,
  Collecting,
  Confirming,
  Failed,
  LivePhase,
  LiveState,
  RoundState,
  Sealed,
  Sharing,
  Unmasking,
  Voided,
} from "./state.ts";

/** `phaseEndsMs` with the current phase ending now. */
export function endsNow(state: LiveState): Readonly<Partial<Record<LivePhase, number>>> {
  return { ...state.phaseEndsMs, [state.phase]: state.nowMs };
}

/** The fields that every state has, for building the next one; its tallies are counted when it is entered. */
export function baseOf(state: RoundState) {
  const { facts, nowMs, members, shardCount, forbiddenPairs, removed, counts } = state;
  const { phaseEndsMs, attempt, retriedFor } = state;
  return {
    facts,
    nowMs,
    members,
    shardCount,
    forbiddenPairs,
    removed,
    counts,
    phaseEndsMs,
    attempt,
    retriedFor,
    tallies: [],
  };
}

/** The fields that every state after the sealing of U3 has besides. */
export function sealedOf({ roster, seats, shards, u2, u3, inputs }: Sealed) {
  return { roster, seats, shards, u2, u3, inputs };
}

/** Ends a round that never asked for a share that opens anything. Rule R9. */
export function failRound(state: Exclude<LiveState, Unmasking>, code: ErrorCode): Transition {
  const failed: Failed = { ...baseOf(state), phase: "failed", phaseEndsMs: endsNow(state), code };
  const told = inPlay(state).filter((identity) => state.members.get(identity)?.invited === true);
  const effects: RoundEffect[] = [];
  if (told.length > 0) effects.push({ type: "tell", identities: told });
  effects.push(...forgetting(state), { type: "ended" });
  return {
    state: failed,
    records: [...closing(state), { type: "audit-leaf", kind: "round.aborted" }],
    effects,
  };
}

/**
 * Gives the attempt up and starts the next with those who still take part; they keep their updates and only make new
 * keys. After the third attempt the round fails. Rule R8.
 */
export function retryRound(state: Sharing | Collecting | Confirming, code: ErrorCode): Transition {
  if (state.attempt >= LIMITS.attemptsMax) return failRound(state, code);
  const next: Advertising = {
    ...baseOf(state),
    phase: "advertising",
    phaseEndsMs: beforeAttempts(state),
    attempt: state.attempt + 1,
    retriedFor: code,
    // Keys alone take no longer than shares of them.
    deadlineMs: state.nowMs + state.facts.rules.deadlines.sharingMs,
    invited: invitedByShard(state),
    adverts: VersionedMap.from(),
    ownerByKey: VersionedMap.from(),
  };
  return {
    state: next,
    records: closing(state),
    effects: [...forgetting(state), { type: "tell", identities: inPlay(next) }],
  };
}

/** Ends a round whose sum was, or may have been, opened and is discarded. Rule R10. */
export function voidRound(state: Unmasking, code: ErrorCode): Transition {
  const voided: Voided = {
    ...baseOf(state),
    ...sealedOf(state),
    phase: "voided",
    phaseEndsMs: endsNow(state),
    confirmedCount: state.confirmations.size,
    unmaskedCount: state.responses.size,
    code,
  };
  return {
    state: voided,
    records: [{ type: "audit-leaf", kind: "round.aborted" }],
    effects: endingEffects(voided),
  };
}

/** What a round that has ended still owes; also run again when a coordinator comes back to it. */
export function endingEffects(state: RoundState): RoundEffect[] {
  if (state.phase === "committed" || state.phase === "voided") {
    const identities = identitiesAt(state.roster, state.u3);
    return [{ type: "tell", identities }, { type: "forget", attempt: state.attempt }, { type: "ended" }];
  }
  return [{ type: "forget", attempt: state.attempt }, { type: "ended" }];
}

/** Recruiting and training happen once; the other phases end anew in each attempt. */
function beforeAttempts({ phaseEndsMs }: RoundState): RoundState["phaseEndsMs"] {
  const { recruiting, training } = phaseEndsMs;
  return {
    ...(recruiting === undefined ? {} : { recruiting }),
    ...(training === undefined ? {} : { training }),
  };
}

/** An attempt that may have slots open closes them in the same transaction: later bytes find no place. */
function closing(state: LiveState): RoundRecord[] {
  const mayHaveSlots = state.phase === "collecting" || state.phase === "confirming";
  return mayHaveSlots ? [{ type: "close-slots", attempt: state.attempt, kept: [] }] : [];
}

function forgetting(state: LiveState): RoundEffect[] {
  return "roster" in state ? [{ type: "forget", attempt: state.attempt }] : [];
}

/** Tells devices that the round goes on without them. */
export function dismissal(state: LiveState, identities: readonly string[], code: ErrorCode): RoundEffect[] {
  return identities.length === 0 ? [] : [{ type: "dismiss", identities, attempt: state.attempt, code }];
}
