import { invitedMax } from "../cohort/graph-plan.ts";
import { type Thresholds, thresholds } from "../cohort/threshold.ts";
import { present } from "../kernel/assert.ts";
import { hexToBytes } from "../kernel/bytes.ts";
import { seatAtIndex } from "../kernel/places.ts";
import { VersionedMap } from "../kernel/versioned-map.ts";
import { shardOf } from "../secagg/shard-plan.ts";
import { askingLastMs, byLot, wantedDevices } from "./check-in.ts";
import { type Step, stepOf, type Transition } from "./effect.ts";
import { baseOf, dismissal, endsNow, failRound } from "./ending.ts";
import type { RoundRules } from "./event.ts";
import { holdersBySeat } from "./holders.ts";
import { inPlay, invitedByShard, isAwaited, withMissed, withOut } from "./members.ts";
import { compatible, rosterOf } from "./roster.ts";
import { endCollecting, endConfirming, endSharing, endUnmasking } from "./settle-exchange.ts";
import { shardsOfRound } from "./shards.ts";
import type {
  Advertising,
  LiveState,
  Recruiting,
  RosterEntry,
  RoundShard,
  Sharing,
  Training,
} from "./state.ts";
import { isLive } from "./state.ts";
import { isWaiting, tallied } from "./tally.ts";

/**
 * Advances as long as the current phase has ended.
 *
 * @param from  A transition whose state has its tallies.
 * @returns The same state object as in `from` if no phase has ended.
 */
export function settle(from: Transition): Step {
  let { state } = from;
  const first = stepOf(from);
  const records = [...first.records];
  const effects = [...first.effects];
  while (isLive(state)) {
    const next = phaseEnd(state);
    if (next === null) break;
    records.push(...stepOf(next).records);
    effects.push(...next.effects);
    state = isLive(next.state) ? tallied(next.state) : next.state;
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
  const { rules } = state.facts;
  const late = state.nowMs >= state.deadlineMs;
  const wanted = wantedDevices(rules);
  if (!late && (state.nowMs < rules.recruitingMinMs || state.members.size < wanted)) return null;
  const ready: string[] = [];
  let sound = 0;
  state.members.forEach((member, identity) => {
    if (member.out !== null || !member.connected) return;
    ready.push(identity);
    if (!member.askedLast) sound++;
  });
  const enough = state.nowMs < askingLastMs(rules) ? sound : ready.length;
  // Sort only if that may end the phase.
  if (!late && enough < wanted) return null;
  ready.sort(byLotOf(state));
  const eligible = compatible(ready, state.forbiddenPairs, state.removed);
  const isLast = (identity: string) => state.members.get(identity)?.askedLast === true;
  const first = eligible.filter((identity) => !isLast(identity));
  const countsNow = state.nowMs < askingLastMs(rules) ? first : eligible;
  if (!late && countsNow.length < wanted) return null;
  if (eligible.length < rules.cohortSizeMin) return failRound(state, "COHORT_TOO_SMALL");
  const invited = first.slice(0, invitedMax(rules));
  // Free places are those that the round wants and nobody else takes, never more than it wants (R30).
  const free = Math.max(0, wanted - invited.length);
  const all = [...invited, ...eligible.filter(isLast).slice(0, free)];
  // In a split round, devices in too small a shard would train in vain. More devices may come until the deadline.
  if (rules.seatsByArrival !== true && !fillsShards(state, all))
    return late ? failRound(state, "COHORT_TOO_SMALL") : null;
  return invite(state, all);
}

/** True if the invited devices can be seated in their shards, provided that all of them stay. */
function fillsShards({ facts, members }: Recruiting, identities: readonly string[]): boolean {
  const plan = shardsOfRound(facts);
  if (plan === null) return true;
  const counts = Array.from({ length: plan.shardCount }, () => 0);
  for (const identity of identities) {
    const shard = members.get(identity)?.givenShard ?? shardOf(plan, hexToBytes(identity));
    counts[shard] = (counts[shard] ?? 0) + 1;
  }
  return !isUnseatableAs(counts, facts.rules);
}

/** Compares members by their lots. */
function byLotOf({ members }: LiveState): (left: string, right: string) => number {
  const lots = new Map(
    [...members].map(([identity, { lot, askedLast }]) => [identity, { identity, lot, askedLast }]),
  );
  return (left, right) => byLot(present(lots.get(left), "a member"), present(lots.get(right), "a member"));
}

function invite(state: Recruiting, invited: readonly string[]): Transition {
  const { rules } = state.facts;
  const chosen = new Set(invited);
  const plan = shardsOfRound(state.facts);
  let { members } = state;
  for (const [identity, member] of state.members) {
    if (!chosen.has(identity)) continue;
    const shard = member.givenShard ?? shardOf(plan, hexToBytes(identity));
    members = members.set(identity, { ...member, invited: true, shard });
  }
  const others = inPlay(state).filter((identity) => !chosen.has(identity));
  const shardCount = plan?.shardCount ?? 1;
  const training: Training = {
    ...baseOf(withOut({ ...state, members, shardCount }, others, "NOT_IN_ROSTER")),
    invited: invitedByShard({ members, shardCount }),
    phase: "training",
    phaseEndsMs: endsNow(state),
    deadlineMs: state.nowMs + rules.deadlines.trainingMs,
  };
  return { state: training, records: [], effects: [{ type: "tell", identities: invited }] };
}

function endTraining(state: Training): Transition | null {
  const late = state.nowMs >= state.deadlineMs;
  if (!late && !isUnseatable(state)) return null;
  return failRound(withMissed(state, inPlay(state), late), "COHORT_TOO_SMALL");
}

/**
 * True if the devices that take part are too few for any roster or, if a shard has too few, for the goal. That is final,
 * because nobody joins or changes shards any more.
 */
function isUnseatable({ tallies, facts: { rules } }: Training | Advertising): boolean {
  return isUnseatableAs(
    tallies.map(({ possible }) => possible),
    rules,
  );
}

/** @param counts  Number of devices that take part, by shard. */
function isUnseatableAs(counts: readonly number[], { cohortSizeMin, goal }: RoundRules): boolean {
  const large = counts.filter((count) => count >= cohortSizeMin);
  const seatable = large.reduce((sum, count) => sum + count, 0);
  return large.length === 0 || (large.length < counts.length && seatable < goal);
}

function endAdvertising(state: Advertising): Transition | null {
  const { goal, overSelection, cohortSizeMin } = state.facts.rules;
  if (isUnseatable(state)) return failRound(state, "COHORT_TOO_SMALL");
  const advertised = state.tallies.reduce((sum, { have }) => sum + have, 0);
  const waiting = state.tallies.some((tally) => isWaiting(tally, state.nowMs));
  const late = state.nowMs >= state.deadlineMs;
  const enough = overSelection > 1 && advertised >= Math.ceil(overSelection * goal);
  if (!late && !enough && (waiting || advertised < cohortSizeMin)) return null;

  const missing = inPlay(state).filter((identity) => !state.adverts.has(identity));
  const rosters = rosterByShard(state);
  const seated = [...rosters.values()].reduce((count, roster) => count + roster.length, 0);
  const complete = rosters.size === state.shardCount;
  if (rosters.size === 0 || (!complete && seated < goal)) {
    // Before the deadline, more adverts may still give a roster without forbidden pairs.
    return late ? failRound(withMissed(state, missing, late), "COHORT_TOO_SMALL") : null;
  }
  return startSharing(withMissed(state, missing, late), rosters);
}

/** The devices that sit together, by shard in ascending order, without shards that cannot reach the minimum. */
function rosterByShard(state: Advertising): ReadonlyMap<number, readonly string[]> {
  const { cohortSizeMin, cohortSizeMax, seatsByArrival } = state.facts.rules;
  const advertised = new Map<number, string[]>();
  // In the order of the adverts.
  for (const identity of state.adverts.keys()) {
    const member = state.members.get(identity);
    if (member === undefined || member.out !== null) continue;
    const own = advertised.get(member.shard) ?? [];
    own.push(identity);
    advertised.set(member.shard, own);
  }
  const rosters = new Map<number, readonly string[]>();
  for (const shard of [...advertised.keys()].sort((left, right) => left - right)) {
    const all = advertised.get(shard) ?? [];
    // A device that is gone would only raise the threshold. It keeps its seat if the cohort is too small without it.
    const present = all.filter((identity) => isAwaited(state.members.get(identity), state.nowMs));
    const pool = present.length >= cohortSizeMin ? present : all;
    // A shard may have too many devices by chance.
    if (pool.length > cohortSizeMax && seatsByArrival !== true) pool.sort(byLotOf(state));
    const seated = compatible(pool, state.forbiddenPairs, state.removed).slice(0, cohortSizeMax);
    if (seated.length < cohortSizeMin) continue;
    // Devices would refuse a roster in which more devices must stay than there are.
    if (thresholdsOf(state, seated.length).q <= seated.length) rosters.set(shard, seated);
  }
  return rosters;
}

function thresholdsOf({ facts }: Advertising, rosterSize: number): Thresholds {
  const { securityModel, cohortSizeMin } = facts.rules;
  return thresholds(rosterSize, securityModel, cohortSizeMin, facts.rules.graph);
}

function startSharing(state: Advertising, rosters: ReadonlyMap<number, readonly string[]>): Transition {
  const roster: RosterEntry[] = [];
  const shards: RoundShard[] = [];
  for (const [shard, identities] of rosters) {
    const numbers = thresholdsOf(state, identities.length);
    shards.push({ shard, seatsBefore: roster.length, thresholds: numbers, leftOut: null });
    roster.push(...rosterOf(identities, state.adverts));
  }
  const seats = new Map(roster.map(({ identity }, index) => [identity, seatAtIndex(index)]));
  const others = inPlay(state).filter((identity) => !seats.has(identity));
  const sharing: Sharing = {
    ...baseOf(withOut(state, others, "NOT_IN_ROSTER")),
    phase: "sharing",
    phaseEndsMs: endsNow(state),
    deadlineMs: state.nowMs + state.facts.rules.deadlines.sharingMs,
    roster,
    seats,
    shards,
    holders: holdersBySeat(state.facts, state.attempt, roster),
    bundles: VersionedMap.from(),
  };
  return {
    state: sharing,
    records: [{ type: "audit-leaf", kind: "cohort.sealed" }],
    effects: [{ type: "tell", identities: [...seats.keys()] }, ...dismissal(state, others, "NOT_IN_ROSTER")],
  };
}
