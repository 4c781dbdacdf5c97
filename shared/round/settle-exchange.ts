import { VersionedMap } from "../kernel/versioned-map.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { circlesReach } from "./circles.ts";
import type { Transition } from "./effect.ts";
import { baseOf, dismissal, endsNow, retryRound, sealedOf, voidRound } from "./ending.ts";
import { identitiesAt, isAwaited, withMissed, withOut } from "./members.ts";
import { byShard, goesOn, leaveOut, seatsIn } from "./shards.ts";
import { canOpen, openable } from "./shares.ts";
import type { Collecting, Confirming, Sharing, Unmasking } from "./state.ts";

/* How the phases with a roster end: by shard, and each for all shards at once. Rules R5, R7, R10, R23. */

/** What one shard has of what a phase waits for. */
interface Progress {
  readonly shard: number;
  readonly needed: number;
  /** Answers. */
  have: number;
  /** Answers, and devices that may still bring one. */
  possible: number;
  /** Whether one of them is there. */
  waiting: boolean;
  /** Whether, in a sparse graph, each device has enough answers around it; and whether it may still get them. */
  readonly circlesReach: boolean;
  readonly circlesMay: boolean;
  /** Identities without an answer that still take part. */
  readonly missing: string[];
}

type Waiting = Sharing | Collecting | Confirming;

/**
 * @param seats   Whose answers count.
 * @param counts  Whether an answer still counts when its device has left: an input does, a bundle does not.
 */
function progressOf(
  state: Waiting,
  seats: readonly number[],
  answers: ReadonlyMap<number, unknown>,
  need: "q" | "t",
  counts: "always" | "in-play",
): Progress[] {
  const all: Progress[] = [];
  for (const { shard, seats: own } of byShard(state, seats)) {
    const identityAt = (seat: number) => state.roster[seat - 1]?.identity ?? "";
    const has = (seat: number) =>
      answers.has(seat) && (counts === "always" || state.members.get(identityAt(seat))?.out === null);
    const may = (seat: number) => has(seat) || state.members.get(identityAt(seat))?.out === null;
    // Whose secrets must be rebuilt: of those who shared, also where they drop out.
    const owners = need === "t" ? own : own.filter("u2" in state ? () => true : has);
    const progress: Progress = {
      shard: shard.shard,
      needed: shard.thresholds[need],
      have: 0,
      possible: 0,
      waiting: false,
      circlesReach: circlesReach(state, owners, has),
      circlesMay: circlesReach(state, owners, may),
      missing: [],
    };
    for (const seat of own) {
      const answered = answers.has(seat);
      if (answered && counts === "always") {
        progress.have++;
        progress.possible++;
        continue;
      }
      const identity = state.roster[seat - 1]?.identity ?? "";
      const member = state.members.get(identity);
      if (member?.out !== null) continue;
      progress.possible++;
      if (answered) progress.have++;
      else {
        progress.missing.push(identity);
        progress.waiting ||= isAwaited(member, state.nowMs);
      }
    }
    all.push(progress);
  }
  return all;
}

/**
 * Shards that fall short, or, where the others do not reach the goal, the end of the attempt. Null where all may still
 * reach what they need.
 *
 * @param counts  Inputs that each shard has or may still bring.
 */
function withoutShort(
  state: Waiting,
  all: readonly Progress[],
  late: boolean,
  code: "U2_BELOW_T" | "U3_BELOW_T" | "NOT_ENOUGH_SIGS",
  counts: ReadonlyMap<number, number>,
): Transition | null {
  const short = all.filter((shard) => isShort(shard, late));
  const codes = new Map<number, ErrorCode>(short.map(({ shard }) => [shard, code]));
  const missed = () =>
    withMissed(
      state,
      short.flatMap(({ missing }) => missing),
      late,
    );
  if (!goesOn(state, codes, counts)) return retryRound(missed(), code);
  return short.length === 0 ? null : leaveOut(missed(), codes);
}

function isShort({ possible, needed, have, circlesMay, ...shard }: Progress, late: boolean): boolean {
  return possible < needed || !circlesMay || (late && (have < needed || !shard.circlesReach));
}

/** Whether the phase may end for this shard. */
function isReached({ have, needed, ...shard }: Progress): boolean {
  return have >= needed && shard.circlesReach;
}

const NONE: ReadonlyMap<number, ErrorCode> = new Map();

function countsOf(all: readonly Progress[], what: "have" | "possible"): ReadonlyMap<number, number> {
  return new Map(all.map((progress) => [progress.shard, progress[what]]));
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

export function endSharing(state: Sharing): Transition | null {
  const all = progressOf(state, range(state.roster.length), state.bundles, "q", "in-play");
  const late = state.nowMs >= state.deadlineMs;
  const have = countsOf(all, "have");
  const short = withoutShort(state, all, late, "U2_BELOW_T", late ? have : countsOf(all, "possible"));
  if (short !== null) return short;
  const reached = all.every(isReached) && goesOn(state, NONE, have);
  if (!late && (!reached || all.some(({ waiting }) => waiting))) return null;

  const missing = all.flatMap((shard) => shard.missing);
  const dropped = withOut(withMissed(state, missing, late), missing, "ME_DROPPED");
  const u2: number[] = [];
  for (const { seats } of byShard(state, range(state.roster.length))) {
    for (const seat of seats) {
      const member = state.members.get(state.roster[seat - 1]?.identity ?? "");
      if (state.bundles.has(seat) && member?.out === null) u2.push(seat);
    }
  }
  const { roster, seats, shards } = state;
  const collecting: Collecting = {
    ...baseOf(dropped),
    phase: "collecting",
    phaseEndsMs: endsNow(state),
    deadlineMs: state.nowMs + state.facts.rules.deadlines.collectingMs,
    roster,
    seats,
    shards,
    u2,
    inputs: VersionedMap.from(),
  };
  return {
    state: collecting,
    records: [{ type: "open-slots", positions: u2 }],
    effects: [
      { type: "tell", identities: identitiesAt(roster, u2) },
      ...dismissal(state, missing, "ME_DROPPED"),
    ],
  };
}

export function endCollecting(state: Collecting): Transition | null {
  const { goal, overSelection } = state.facts.rules;
  const all = progressOf(state, state.u2, state.inputs, "q", "always");
  const late = state.nowMs >= state.deadlineMs;
  const have = countsOf(all, "have");
  const short = withoutShort(state, all, late, "U3_BELOW_T", late ? have : countsOf(all, "possible"));
  if (short !== null) return short;
  const u3 = [...state.inputs.keys()].sort((left, right) => left - right);
  const missing = all.flatMap((shard) => shard.missing);
  const deserted = desertedShards(state, u3);
  // Inputs of devices that have left open nothing: others of U2 may still bring theirs.
  const reached =
    all.every((one) => isReached(one) && (!deserted.has(one.shard) || one.missing.length === 0)) &&
    goesOn(state, deserted, have);
  const enough = overSelection > 1 && state.inputs.size >= goal;
  const waits = !reached || (!enough && all.some(({ waiting }) => waiting));
  if (!late && missing.length > 0 && waits) return null;
  const missed = withMissed(state, missing, late);
  return withoutDeserted(missed, deserted, have) ?? sealSurvivors(missed, u3, missing);
}

/**
 * Shards that their survivors could never open: fewer than t of them are left, or fewer than t in the circle of someone
 * of U2. An input or a confirmation counts when its device has left; a share has still to come. Rules R5, R24.
 */
function desertedShards(
  state: Collecting | Confirming,
  u3: readonly number[],
): ReadonlyMap<number, ErrorCode> {
  const codes = new Map<number, ErrorCode>();
  for (const { shard, seats } of byShard(state, u3)) {
    const left = new Set(seats.filter((seat) => seatInPlay(state, seat)));
    const opens =
      left.size >= shard.thresholds.t &&
      circlesReach(state, seatsIn(shard, state.u2), (seat) => left.has(seat));
    if (!opens) codes.set(shard.shard, "NOT_ENOUGH_SIGS");
  }
  return codes;
}

/** The round without them, or the end of the attempt; null where there are none. @param counts  |U3| by shard. */
function withoutDeserted(
  state: Collecting | Confirming,
  deserted: ReadonlyMap<number, ErrorCode>,
  counts: ReadonlyMap<number, number>,
): Transition | null {
  if (deserted.size === 0) return null;
  return goesOn(state, deserted, counts) ? leaveOut(state, deserted) : retryRound(state, "NOT_ENOUGH_SIGS");
}

/**
 * Fixes U3 before any share is asked for: a late upload would move its device to the self-mask side after its pair key
 * had been asked for (S1). The slots close in the same transaction. Rule R7.
 */
function sealSurvivors(state: Collecting, u3: readonly number[], missing: readonly string[]): Transition {
  const { roster, seats, shards, u2, inputs } = state;
  const confirming: Confirming = {
    ...baseOf(withOut(state, missing, "ME_DROPPED")),
    ...sealedOf({ ...state, roster, seats, shards, u2, u3, inputs }),
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
  const all = progressOf(state, state.u3, state.confirmations, "t", "always");
  const short = withoutShort(
    state,
    all,
    state.nowMs >= state.deadlineMs,
    "NOT_ENOUGH_SIGS",
    survivorCounts(state),
  );
  if (short !== null) return short;
  if (!all.every(isReached)) return null;
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
  const open = state.u3.filter((seat) => !state.responses.has(seat));
  const u2 = new Map([...byShard(state, state.u2)].map(({ shard, seats }) => [shard.shard, seats]));
  const codes = new Map<number, ErrorCode>();
  const asked: number[] = [];
  for (const { shard, seats } of byShard(state, open)) {
    const own = u2.get(shard.shard) ?? [];
    const { t } = shard.thresholds;
    if (openable(state, t, own)) continue;
    asked.push(...seats);
    const inPlay = late ? [] : seats.filter((seat) => seatInPlay(state, seat));
    if (!openable(state, t, own, inPlay)) codes.set(shard.shard, "BELOW_T");
  }
  if (codes.size > 0) {
    const missed = withMissed(state, identitiesAt(state.roster, asked), late);
    if (!goesOn(state, codes, survivorCounts(state))) return voidRound(missed, "BELOW_T");
    const without = leaveOut(missed, codes);
    return canOpen(without.state)
      ? { ...without, effects: [...without.effects, { type: "combine" }] }
      : without;
  }
  if (state.askedAgain || state.nowMs < state.deadlineMs) return null;
  return {
    state: { ...state, askedAgain: true },
    records: [],
    effects: [{ type: "tell", identities: identitiesAt(state.roster, asked) }],
  };
}

function seatInPlay(state: Collecting | Confirming | Unmasking, seat: number): boolean {
  const identity = state.roster[seat - 1]?.identity;
  return identity !== undefined && state.members.get(identity)?.out === null;
}
