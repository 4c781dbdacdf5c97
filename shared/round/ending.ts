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

/** The fields of all states, for building the next one. Its tallies are counted when it is entered. */
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

/** The additional fields of all states after the sealing of U3. */
export function sealedOf({ roster, seats, shards, holders, u2, u3, inputs }: Sealed) {
  return { roster, seats, shards, holders, u2, u3, inputs };
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
 * Gives up the attempt and starts the next one with the devices that still take part. They keep their updates and only make
 * new keys. After the third attempt the round fails. Rule R8.
 */
export function retryRound(state: Sharing | Collecting | Confirming, code: ErrorCode): Transition {
  if (state.attempt >= LIMITS.attemptsMax) return failRound(state, code);
  const next: Advertising = {
    ...baseOf(state),
    phase: "advertising",
    phaseEndsMs: beforeAttempts(state),
    attempt: state.attempt + 1,
    retriedFor: code,
    // Making keys takes no longer than sharing them.
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

/** Ends a round whose sum was or may have been opened. The sum is discarded. Rule R10. */
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

/** Effects that a round still owes after its end. They run again if a coordinator restarts. */
export function endingEffects(state: RoundState): RoundEffect[] {
  if (state.phase === "committed" || state.phase === "voided") {
    const identities = identitiesAt(state.roster, state.u3);
    return [{ type: "tell", identities }, { type: "forget", attempt: state.attempt }, { type: "ended" }];
  }
  return [{ type: "forget", attempt: state.attempt }, { type: "ended" }];
}

/** Keeps the ends of recruiting and training, which happen once. The other phases are repeated in each attempt. */
function beforeAttempts({ phaseEndsMs }: RoundState): RoundState["phaseEndsMs"] {
  const { recruiting, training } = phaseEndsMs;
  return {
    ...(recruiting === undefined ? {} : { recruiting }),
    ...(training === undefined ? {} : { training }),
  };
}

/** Closes the slots that an attempt may have open, in the same transaction, so that later bytes are refused. */
function closing(state: LiveState): RoundRecord[] {
  const mayHaveSlots = state.phase === "collecting" || state.phase === "confirming";
  return mayHaveSlots ? [{ type: "close-slots", attempt: state.attempt, kept: [] }] : [];
}

function forgetting(state: LiveState): RoundEffect[] {
  return "roster" in state ? [{ type: "forget", attempt: state.attempt }] : [];
}

/** Tells devices that the round continues without them. */
export function dismissal(state: LiveState, identities: readonly string[], code: ErrorCode): RoundEffect[] {
  return identities.length === 0 ? [] : [{ type: "dismiss", identities, attempt: state.attempt, code }];
}
