import { present } from "../kernel/assert.ts";
import type { Seat } from "../kernel/places.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { CountsRow, Invited, Member, RosterEntry, RoundState } from "./state.ts";

/** A phase does not wait for a device that has had no connection for this long. Rule R6. */
export const GONE_AFTER_MS = 5_000;

/** True if the round waits for this device: it takes part and is not gone. */
export function isAwaited(member: Member | undefined, nowMs: number): boolean {
  return member !== undefined && member.out === null && !isGone(member, nowMs);
}

function isGone(member: Member, nowMs: number): boolean {
  return member.goneSinceMs !== null && nowMs - member.goneSinceMs >= GONE_AFTER_MS;
}

/** Identities of the devices that still take part, in the order of their check-ins. */
export function inPlay(state: RoundState): string[] {
  const identities: string[] = [];
  state.members.forEach((member, identity) => {
    if (member.out === null) identities.push(identity);
  });
  return identities;
}

export function identityAt(roster: readonly RosterEntry[], seat: Seat): string {
  return present(roster[seat - 1], "a seat of the roster").identity;
}

export function identitiesAt(roster: readonly RosterEntry[], seats: readonly Seat[]): string[] {
  return seats.map((seat) => identityAt(roster, seat));
}

/** Identities of all who were invited, by shard. */
export function invitedByShard({ members, shardCount }: Pick<RoundState, "members" | "shardCount">): Invited {
  const byShard = Array.from({ length: shardCount }, (): string[] => []);
  members.forEach(({ invited, shard }, identity) => {
    if (invited) byShard[shard]?.push(identity);
  });
  return byShard;
}

/** A copy of `state` with one member changed. */
export function withMember<State extends RoundState>(
  state: State,
  identity: string,
  change: Partial<Member>,
): State {
  const member = state.members.get(identity);
  if (member === undefined) return state;
  return { ...state, members: state.members.set(identity, { ...member, ...change }) };
}

/** A copy of `state` in which these members no longer take part. Members that are out already keep their reason. */
export function withOut<State extends RoundState>(
  state: State,
  identities: readonly string[],
  reason: ErrorCode | "LEFT",
): State {
  if (identities.length === 0) return state;
  let { members } = state;
  for (const identity of identities) {
    const member = members.get(identity);
    if (member !== undefined && member.out === null) {
      members = members.set(identity, { ...member, out: reason, outAttempt: state.attempt });
    }
  }
  return { ...state, members };
}

/**
 * A copy of `state` that marks the members for which its phase waited in vain: those of `missing` that are gone, or all of
 * them at the deadline.
 */
export function withMissed<State extends RoundState>(
  state: State,
  missing: readonly string[],
  late: boolean,
): State {
  let { members } = state;
  for (const identity of missing) {
    const member = members.get(identity);
    if (member === undefined || member.missed || !(late || isGone(member, state.nowMs))) continue;
    members = members.set(identity, { ...member, missed: true });
  }
  return members === state.members ? state : { ...state, members };
}

/**
 * `state` with its counts updated for its newest event. Rule R15.
 *
 * @param before  The state before that event.
 * @param sender  The only device that has changed; null if others may have changed too.
 */
export function withCounts<State extends RoundState>(
  state: State,
  before: RoundState,
  sender: string | null,
): State {
  const sameInputs = !("inputs" in state && "inputs" in before) || state.inputs === before.inputs;
  if (state.phase === before.phase && state.members === before.members && sameInputs) return state;
  const last = state.counts.at(-1);
  const row =
    sender === null || last === undefined ? countsRow(state) : rowAfter(last, state, before, sender);
  if (last !== undefined && sameCounts(last, row)) return state;
  const earlier = last?.atS === row.atS ? state.counts.slice(0, -1) : state.counts;
  return { ...state, counts: [...earlier, row] };
}

function rowAfter(last: CountsRow, state: RoundState, before: RoundState, sender: string): CountsRow {
  const was = partOf(before, sender, before.members.get(sender));
  const is = partOf(state, sender, state.members.get(sender));
  return {
    atS: secondOf(state),
    joined: state.members.size,
    trained: last.trained + is.trained - was.trained,
    sent: last.sent + is.sent - was.sent,
    left: last.left + is.left - was.left,
  };
}

function countsRow(state: RoundState): CountsRow {
  let [trained, sent, left] = [0, 0, 0];
  state.members.forEach((member, identity) => {
    const part = partOf(state, identity, member);
    trained += part.trained;
    sent += part.sent;
    left += part.left;
  });
  return { atS: secondOf(state), joined: state.members.size, trained, sent, left };
}

/** The contribution of one device to the counts. */
function partOf(
  state: RoundState,
  identity: string,
  member: Member | undefined,
): Readonly<Record<"trained" | "sent" | "left", 0 | 1>> {
  // A device that leaves during recruiting may check in again. One that leaves after its input is in stays in the sum.
  const left =
    member !== undefined && member.out !== null && state.phase !== "recruiting" && !hasInput(state, identity);
  return { trained: member?.trained ? 1 : 0, sent: member?.sent ? 1 : 0, left: left ? 1 : 0 };
}

function secondOf({ nowMs }: RoundState): number {
  return Math.max(1, Math.ceil(nowMs / 1_000));
}

function hasInput(state: RoundState, identity: string): boolean {
  if (!("inputs" in state)) return false;
  const seat = state.seats.get(identity);
  return seat !== undefined && state.inputs.has(seat);
}

function sameCounts(left: CountsRow, right: CountsRow): boolean {
  return (
    left.joined === right.joined &&
    left.trained === right.trained &&
    left.sent === right.sent &&
    left.left === right.left
  );
}
