import { thresholds } from "../secagg/threshold.ts";
import type { RoundEffect, Transition } from "./effect.ts";
import { baseOf, endsNow, failRound, retryRound, voidRound } from "./ending.ts";
import { inPlay, isAwaited, withOut } from "./members.ts";
import { compatible, seats } from "./roster.ts";
import { canOpen } from "./shares.ts";
import type {
  Advertising,
  Collecting,
  Confirming,
  InputFact,
  LiveState,
  Recruiting,
  Seat,
  Sharing,
  Training,
  Unmasking,
} from "./state.ts";
import { isLive } from "./state.ts";

/** Recruiting stays open at least this long, so that a cohort is not the first few that happened to be quick. Rule R3. */
export const RECRUITING_OPEN_MS_MIN = 2_000;

/** Moves on for as long as the current phase has reached its end. A transition with nothing in it where none has. */
export function settle(from: Transition): Transition {
  let { state } = from;
  const records = [...from.records];
  const effects = [...from.effects];
  while (isLive(state)) {
    const next = phaseEnd(state);
    if (next === null) break;
    records.push(...next.records);
    effects.push(...next.effects);
    state = next.state;
  }
  return { state, records, effects };
}

function phaseEnd(state: LiveState): Transition | null {
  switch (state.phase) {
    case "recruiting":
      return endRecruiting(state);
    case "training":
      return endTraining(state);
    case "advertising":
      return endAdvertising(state);
    case "sharing":
      return endSharing(state);
    case "collecting":
      return endCollecting(state);
    case "confirming":
      return endConfirming(state);
    case "unmasking":
      return endUnmasking(state);
  }
}

function endRecruiting(state: Recruiting): Transition | null {
  const { goal, overSelection, cohortSizeMin, cohortSizeMax, deadlines } = state.facts.rules;
  const ready = inPlay(state)
    .filter((identity) => state.members.get(identity)?.connected === true)
    .sort((left, right) => lotOf(state, left) - lotOf(state, right) || (left < right ? -1 : 1));
  const eligible = compatible(ready, state.forbiddenPairs, state.removed);
  const late = state.nowMs >= state.deadlineMs;
  const full = state.nowMs >= RECRUITING_OPEN_MS_MIN && eligible.length >= Math.ceil(overSelection * goal);
  if (!late && !full) return null;
  if (eligible.length < cohortSizeMin) return failRound(state, "COHORT_TOO_SMALL");

  const invited = eligible.slice(0, cohortSizeMax);
  const chosen = new Set(invited);
  const members = new Map(state.members);
  for (const [identity, member] of members) {
    if (chosen.has(identity)) members.set(identity, { ...member, invited: true });
  }
  const others = inPlay(state).filter((identity) => !chosen.has(identity));
  const training: Training = {
    ...baseOf(withOut({ ...state, members }, others, "NOT_IN_ROSTER")),
    phase: "training",
    phaseEndsMs: endsNow(state),
    deadlineMs: state.nowMs + deadlines.trainingMs,
  };
  return { state: training, records: [], effects: [{ type: "tell", identities: invited }] };
}

function lotOf(state: Recruiting, identity: string): number {
  return state.members.get(identity)?.lot ?? 0;
}

function endTraining(state: Training): Transition | null {
  const impossible = inPlay(state).length < state.facts.rules.cohortSizeMin;
  return impossible || state.nowMs >= state.deadlineMs ? failRound(state, "COHORT_TOO_SMALL") : null;
}

function endAdvertising(state: Advertising): Transition | null {
  const { goal, overSelection, cohortSizeMin } = state.facts.rules;
  const candidates = inPlay(state);
  if (candidates.length < cohortSizeMin) return failRound(state, "COHORT_TOO_SMALL");
  const advertised = candidates.filter((identity) => state.adverts.has(identity));
  const late = state.nowMs >= state.deadlineMs;
  const waiting = candidates.some(
    (identity) => !state.adverts.has(identity) && isAwaited(state.members.get(identity), state.nowMs),
  );
  const enough = overSelection > 1 && advertised.length >= Math.ceil(overSelection * goal);
  if (!late && !enough && (waiting || advertised.length < cohortSizeMin)) return null;

  // A device that is gone would only raise the threshold; it keeps its seat where the cohort is too small without it.
  const present = advertised.filter((identity) => isAwaited(state.members.get(identity), state.nowMs));
  const pool = [...state.adverts.keys()].filter((identity) =>
    (present.length >= cohortSizeMin ? present : advertised).includes(identity),
  );
  const seated = compatible(pool, state.forbiddenPairs, state.removed).slice(
    0,
    state.facts.rules.cohortSizeMax,
  );
  if (seated.length < cohortSizeMin) {
    // Waiting on may still bring a pair that gets along; the deadline does not.
    return late ? failRound(state, "COHORT_TOO_SMALL") : null;
  }
  return startSharing(state, seats(seated, state.adverts));
}

function startSharing(state: Advertising, roster: readonly Seat[]): Transition {
  const { cohortSizeMin, securityModel, deadlines } = state.facts.rules;
  const seated = new Set(roster.map((seat) => seat.identity));
  const others = inPlay(state).filter((identity) => !seated.has(identity));
  const sharing: Sharing = {
    ...baseOf(withOut(state, others, "NOT_IN_ROSTER")),
    phase: "sharing",
    phaseEndsMs: endsNow(state),
    deadlineMs: state.nowMs + deadlines.sharingMs,
    roster,
    thresholds: thresholds(roster.length, securityModel, cohortSizeMin),
    bundles: new Map(),
  };
  return {
    state: sharing,
    records: [{ type: "audit-leaf", kind: "cohort.sealed" }],
    effects: [{ type: "tell", identities: [...seated] }, ...dismissal(state, others, "NOT_IN_ROSTER")],
  };
}

function endSharing(state: Sharing): Transition | null {
  const { q } = state.thresholds;
  const u2: number[] = [];
  const missing: string[] = [];
  let possible = 0;
  let waiting = false;
  state.roster.forEach(({ identity }, index) => {
    const member = state.members.get(identity);
    if (member?.out !== null) return;
    possible++;
    if (state.bundles.has(index + 1)) u2.push(index + 1);
    else {
      missing.push(identity);
      waiting ||= isAwaited(member, state.nowMs);
    }
  });
  if (possible < q) return retryRound(state, "U2_BELOW_T");
  if (state.nowMs < state.deadlineMs && (waiting || u2.length < q)) return null;
  if (u2.length < q) return retryRound(state, "U2_BELOW_T");

  const collecting: Collecting = {
    ...baseOf(withOut(state, missing, "ME_DROPPED")),
    phase: "collecting",
    phaseEndsMs: endsNow(state),
    deadlineMs: state.nowMs + state.facts.rules.deadlines.collectingMs,
    roster: state.roster,
    thresholds: state.thresholds,
    u2,
    inputs: new Map<number, InputFact>(),
  };
  return {
    state: collecting,
    records: [{ type: "open-slots", positions: u2 }],
    effects: [
      { type: "tell", identities: identitiesAt(state.roster, u2) },
      ...dismissal(state, missing, "ME_DROPPED"),
    ],
  };
}

function endCollecting(state: Collecting): Transition | null {
  const { goal, overSelection } = state.facts.rules;
  const { q } = state.thresholds;
  let possible = 0;
  let waiting = false;
  const missing: string[] = [];
  for (const position of state.u2) {
    if (state.inputs.has(position)) {
      possible++;
      continue;
    }
    const identity = state.roster[position - 1]?.identity ?? "";
    const member = state.members.get(identity);
    if (member?.out !== null) continue;
    possible++;
    missing.push(identity);
    waiting ||= isAwaited(member, state.nowMs);
  }
  if (possible < q) return retryRound(state, "U3_BELOW_T");
  const enough = overSelection > 1 && state.inputs.size >= Math.max(goal, q);
  if (state.nowMs < state.deadlineMs && !enough && (waiting || state.inputs.size < q)) return null;
  if (state.inputs.size < q) return retryRound(state, "U3_BELOW_T");
  const u3 = [...state.inputs.keys()].sort((left, right) => left - right);
  // Those who have left since they uploaded confirm nothing any more. Rule R5.
  if (inPlayCount(state, u3) < state.thresholds.t) return retryRound(state, "NOT_ENOUGH_SIGS");
  return sealSurvivors(state, u3, missing);
}

/**
 * Fixes U3 before any share is asked for: a late upload would move its device to the self-mask side after its pair key
 * had been asked for (S1). The slots close in the same transaction. Rule R7.
 */
function sealSurvivors(state: Collecting, u3: readonly number[], missing: readonly string[]): Transition {
  const confirming: Confirming = {
    ...baseOf(withOut(state, missing, "ME_DROPPED")),
    phase: "confirming",
    phaseEndsMs: endsNow(state),
    deadlineMs: state.nowMs + state.facts.rules.deadlines.confirmingMs,
    roster: state.roster,
    thresholds: state.thresholds,
    u2: state.u2,
    u3,
    inputs: state.inputs,
    confirmations: new Map(),
  };
  return {
    state: confirming,
    records: [
      { type: "close-slots", attempt: state.attempt, kept: u3 },
      { type: "audit-leaf", kind: "inputs.sealed" },
    ],
    effects: [
      { type: "tell", identities: identitiesAt(state.roster, u3) },
      ...dismissal(state, missing, "ME_DROPPED"),
      { type: "fold" },
    ],
  };
}

function endConfirming(state: Confirming): Transition | null {
  const { t } = state.thresholds;
  if (state.confirmations.size < t) {
    const possible = state.u3.filter(
      (position) => state.confirmations.has(position) || seatInPlay(state, position),
    ).length;
    const over = possible < t || state.nowMs >= state.deadlineMs;
    return over ? retryRound(state, "NOT_ENOUGH_SIGS") : null;
  }
  // Some may have confirmed and left: nothing is asked of fewer devices than the opening needs. Rule R5.
  if (inPlayCount(state, state.u3) < t) return retryRound(state, "NOT_ENOUGH_SIGS");
  const { deadlines } = state.facts.rules;
  const unmasking: Unmasking = {
    ...baseOf(state),
    phase: "unmasking",
    phaseEndsMs: endsNow(state),
    deadlineMs: state.nowMs + deadlines.unmaskingMs,
    graceEndsMs: state.nowMs + deadlines.unmaskingMs + deadlines.graceMs,
    askedAgain: false,
    roster: state.roster,
    thresholds: state.thresholds,
    u2: state.u2,
    u3: state.u3,
    inputs: state.inputs,
    confirmations: state.confirmations,
    responses: new Map(),
  };
  return {
    state: unmasking,
    records: [{ type: "model-opened" }, { type: "audit-leaf", kind: "survivors.signed" }],
    effects: [{ type: "tell", identities: identitiesAt(state.roster, state.u3) }],
  };
}

function endUnmasking(state: Unmasking): Transition | null {
  if (canOpen(state)) return null; // `combined` ends it
  const open = state.u3.filter((position) => !state.responses.has(position));
  const possible = canOpen(state, open.filter((position) => seatInPlay(state, position)).length);
  if (!possible || state.nowMs >= state.graceEndsMs) return voidRound(state, "BELOW_T");
  if (state.askedAgain || state.nowMs < state.deadlineMs) return null;
  return {
    state: { ...state, askedAgain: true },
    records: [],
    effects: [{ type: "tell", identities: identitiesAt(state.roster, open) }],
  };
}

function inPlayCount(state: Collecting | Confirming, positions: readonly number[]): number {
  return positions.filter((position) => seatInPlay(state, position)).length;
}

function seatInPlay(state: Collecting | Confirming | Unmasking, position: number): boolean {
  const seat = state.roster[position - 1];
  return seat !== undefined && state.members.get(seat.identity)?.out === null;
}

function identitiesAt(roster: readonly Seat[], positions: readonly number[]): string[] {
  return positions.flatMap((position) => roster[position - 1]?.identity ?? []);
}

function dismissal(
  state: LiveState,
  identities: readonly string[],
  code: "NOT_IN_ROSTER" | "ME_DROPPED",
): RoundEffect[] {
  return identities.length === 0 ? [] : [{ type: "dismiss", identities, attempt: state.attempt, code }];
}
