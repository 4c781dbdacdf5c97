import { invitedMax } from "../cohort/graph-plan.ts";
import { VersionedMap } from "../kernel/versioned-map.ts";
import { known, refuse, type Transition } from "./effect.ts";
import type { CheckedIn, CheckIn, RoundRules } from "./event.ts";
import type { LiveState, Member, Recruiting } from "./state.ts";

/**
 * Recruiting stays open for at least this long if more devices are expected than the round wants, or if it would need
 * devices that are asked last. Rules R3, R30.
 */
const CROWD_RECRUITING_MIN_MS = 2_000;

/** Places in the lot, as a multiple of the devices that can be invited. More would only grow the log. */
const LOTS_PER_INVITATION = 4;

type Members = Recruiting["members"];
type Plan = Pick<RoundRules, "goal" | "overSelection" | "cohortSizeMax" | "graph">;

/** The number of check-ins at which a round invites. */
export function wantedDevices({ goal, overSelection }: Pick<Plan, "goal" | "overSelection">): number {
  return Math.ceil(overSelection * goal);
}

/**
 * The minimum time that a round opening now accepts check-ins, in milliseconds. The task's own value always applies. If it
 * has none, nobody waits for a lot that would leave nobody out. Rule R3.
 *
 * @param expected  Devices that are connected, have checked in for this version of the task and are not asked last.
 */
export function recruitingMinMsOf(
  plan: Pick<Plan, "goal" | "overSelection"> & { readonly recruitingMinMs?: number | undefined },
  expected: number,
): number {
  return plan.recruitingMinMs ?? (expected > wantedDevices(plan) ? CROWD_RECRUITING_MIN_MS : 0);
}

/** When a round may invite devices that are asked last, if it needs them. By then others have had time to come. Rule R30. */
export function askingLastMs({ recruitingMinMs }: Pick<RoundRules, "recruitingMinMs">): number {
  return Math.max(recruitingMinMs, CROWD_RECRUITING_MIN_MS);
}

/** The largest number of devices in the lot of a round. */
function lotsMax(rules: Plan): number {
  return LOTS_PER_INVITATION * invitedMax(rules);
}

type Ranked = Pick<CheckIn, "identity" | "lot"> & { readonly askedLast?: boolean };

/** Orders devices as they are invited. If two random lots happen to be equal, the identities decide. */
export function byLot(left: Ranked, right: Ranked): number {
  const last = Number(left.askedLast ?? false) - Number(right.askedLast ?? false);
  return last || left.lot - right.lot || (left.identity < right.identity ? -1 : 1);
}

/** The devices of a check-in that can get a place. More would only grow the log. */
export function lowestLots(devices: readonly CheckIn[], rules: Plan): readonly CheckIn[] {
  const max = lotsMax(rules);
  return devices.length <= max ? devices : [...devices].sort(byLot).slice(0, max);
}

/**
 * Adds new devices to the lot. If it is full, the lowest lots stay, so the order of arrival decides nothing. A device that
 * comes back keeps its lot: it cannot draw a better one by leaving. Rule R3.
 */
export function stepCheckedIn(state: LiveState, event: CheckedIn): Transition {
  if (state.phase !== "recruiting") return refuse(state, "STATE");
  const keepsLot = event.drawsAnew !== true;
  const fresh = new Map<string, CheckIn>();
  let knows = false;
  let { members } = state;
  for (const device of event.devices) {
    const { identity } = device;
    if (state.removed.includes(identity)) continue;
    const member = members.get(identity);
    if (member === undefined) fresh.set(identity, device);
    else if (member.out === null && member.connected) knows = true;
    else members = members.set(identity, memberOf({ ...device, lot: keepsLot ? member.lot : device.lot }));
  }
  members = withLots(members, [...fresh.values()], lotsMax(state.facts.rules));
  if (members !== state.members) return known({ ...state, members });
  return knows ? known(state) : refuse(state, "NO_RUN");
}

/** @param fresh  None of them is a member. @returns The same map if none of them gets a place. */
function withLots(members: Members, fresh: readonly CheckIn[], max: number): Members {
  if (members.size + fresh.length <= max) {
    let all = members;
    for (const device of fresh) all = all.set(device.identity, memberOf(device));
    return all;
  }
  const standing = [...members].map(([identity, member]) => ({ identity, ...member }));
  // The place of a device that has left is free.
  const ranked = [...standing.filter(isIn), ...fresh].sort(byLot);
  const places = [...ranked, ...standing.filter((member) => !isIn(member))].slice(0, max);
  const kept = new Set(places.map(({ identity }) => identity));
  const chosen = fresh.filter(({ identity }) => kept.has(identity));
  if (chosen.length === 0) return members;
  return VersionedMap.from([
    ...[...members].filter(([identity]) => kept.has(identity)),
    ...chosen.map((device) => [device.identity, memberOf(device)] as const),
  ]);
}

function isIn({ out }: Pick<Member, "out">): boolean {
  return out === null;
}

function memberOf({ lot, askedLast, shard }: CheckIn): Member {
  return {
    lot,
    askedLast: askedLast === true,
    connected: true,
    goneSinceMs: null,
    out: null,
    outAttempt: null,
    invited: false,
    shard: 0,
    ...(shard === undefined ? {} : { givenShard: shard }),
    trained: false,
    sent: false,
    missed: false,
  };
}
