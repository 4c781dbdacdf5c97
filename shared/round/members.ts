import type { ErrorCode } from "../protocol/errors.ts";
import type { CountsRow, Member, RoundState } from "./state.ts";

/** A device that has been without a connection for this long is not waited for. Rule R6. */
export const GONE_AFTER_MS = 5_000;

/** Where the round is waiting for a device: it takes part and is not gone. */
export function isAwaited(member: Member | undefined, nowMs: number): boolean {
  return member !== undefined && member.out === null && !isGone(member, nowMs);
}

function isGone(member: Member, nowMs: number): boolean {
  return member.goneSinceMs !== null && nowMs - member.goneSinceMs >= GONE_AFTER_MS;
}

/** Identities that still take part, in the order in which they checked in. */
export function inPlay(state: RoundState): string[] {
  const identities: string[] = [];
  for (const [identity, member] of state.members) if (member.out === null) identities.push(identity);
  return identities;
}

/** A copy of `state` with one member changed. */
export function withMember<State extends RoundState>(
  state: State,
  identity: string,
  change: Partial<Member>,
): State {
  const member = state.members.get(identity);
  if (member === undefined) return state;
  return { ...state, members: new Map(state.members).set(identity, { ...member, ...change }) };
}

/** A copy of `state` in which these members have no part any more; those that are out already keep their reason. */
export function withOut<State extends RoundState>(
  state: State,
  identities: readonly string[],
  reason: ErrorCode | "LEFT",
): State {
  if (identities.length === 0) return state;
  const members = new Map(state.members);
  for (const identity of identities) {
    const member = members.get(identity);
    if (member !== undefined && member.out === null) {
      members.set(identity, { ...member, out: reason, outAttempt: state.attempt });
    }
  }
  return { ...state, members };
}

/** `state` with its counts brought up to its newest event. Rule R15. */
export function withCounts<State extends RoundState>(state: State): State {
  const row = countsRow(state);
  const last = state.counts.at(-1);
  if (last !== undefined && sameCounts(last, row)) return state;
  const earlier = last?.atS === row.atS ? state.counts.slice(0, -1) : state.counts;
  return { ...state, counts: [...earlier, row] };
}

function countsRow(state: RoundState): CountsRow {
  const inSum = identitiesWithInput(state);
  let trained = 0;
  let sent = 0;
  let left = 0;
  for (const [identity, member] of state.members) {
    if (member.trained) trained++;
    if (member.sent) sent++;
    // Who leaves while the round recruits may check in again; who leaves after its input is in still counts in the sum.
    if (member.out !== null && state.phase !== "recruiting" && !inSum.has(identity)) left++;
  }
  const atS = Math.max(1, Math.ceil(state.nowMs / 1_000));
  return { atS, joined: state.members.size, trained, sent, left };
}

function identitiesWithInput(state: RoundState): ReadonlySet<string> {
  if (!("inputs" in state)) return new Set();
  const identities = new Set<string>();
  for (const position of state.inputs.keys()) {
    const seat = state.roster[position - 1];
    if (seat !== undefined) identities.add(seat.identity);
  }
  return identities;
}

function sameCounts(left: CountsRow, right: CountsRow): boolean {
  return (
    left.joined === right.joined &&
    left.trained === right.trained &&
    left.sent === right.sent &&
    left.left === right.left
  );
}
