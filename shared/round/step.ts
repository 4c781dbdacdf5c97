import { assert, unreachable } from "../kernel/assert.ts";
import { VersionedMap } from "../kernel/versioned-map.ts";
import { stepCheckedIn } from "./check-in.ts";
import { known, refuse, type Step, stepOf, type Transition } from "./effect.ts";
import { failRound, retryRound, voidRound } from "./ending.ts";
import type { Presence, RoundEvent, RoundOpened } from "./event.ts";
import { withCounts, withMember, withOut } from "./members.ts";
import { settle } from "./settle.ts";
import { canOpen } from "./shares.ts";
import { isLive, type LiveState, type Recruiting, type RoundState } from "./state.ts";
import { stepAdvertised, stepComplained, stepConfirmed, stepInput, stepShared } from "./step-exchange.ts";
import { stepCombined, stepDamaged, stepUnmask } from "./step-opening.ts";
import { retallied, tallied } from "./tally.ts";

/** The state and records of a round's first event. */
export function openRound(facts: RoundOpened): Step {
  const state: Recruiting = {
    facts,
    phase: "recruiting",
    nowMs: 0,
    members: VersionedMap.from(),
    shardCount: 1,
    forbiddenPairs: facts.forbiddenPairs,
    removed: facts.removed,
    counts: [],
    phaseEndsMs: {},
    attempt: 1,
    retriedFor: null,
    tallies: [],
    deadlineMs: facts.rules.deadlines.recruitingMs,
  };
  return stepOf({ ...known(state), records: [{ type: "audit-leaf", kind: "round.opened" }] });
}

/**
 * The function that decides what a round does. Pure: time and randomness come with the event.
 *
 * @returns The same state object if nothing changed: with one `reject` effect if the event was refused, without effects if
 *          it was known already. Only a changed state is logged. Rule R1.
 */
export function step(state: RoundState, event: RoundEvent): Step {
  if (!isLive(state)) return stepOf(afterEnd(state, event));
  // The clock never goes back behind earlier events of the log.
  const nowMs = Math.max(state.nowMs, event.atMs);
  const applied = apply({ ...state, nowMs }, event);
  if (applied.effects[0]?.type === "reject") return stepOf({ ...applied, state });
  const sender = applied.state.phase === state.phase ? senderOf(state, event) : null;
  const changed = unchanged(state, applied.state)
    ? applied
    : { ...applied, state: withTallies(applied.state, sender) };
  const settled = settle(changed);
  if (settled.state === changed.state && unchanged(state, settled.state)) {
    return stepOf(event.type === "ticked" ? refuse(state, "STATE") : known(state));
  }
  // Unless a phase has ended, only the sender has changed.
  const onlySender = settled.state === changed.state ? sender : null;
  return { ...settled, state: withCounts(settled.state, state, onlySender) };
}

/** @param sender  The only device that has changed; null if others may have changed too. */
function withTallies(state: RoundState, sender: string | null): RoundState {
  if (!isLive(state) || state.phase === "recruiting") return state;
  const shard = sender === null ? undefined : state.members.get(sender)?.shard;
  return shard === undefined ? tallied(state) : retallied(state, shard);
}

/** The only device that an event changes directly; null if it may change several. */
function senderOf(state: LiveState, event: RoundEvent): string | null {
  if (event.type === "complained") return null;
  if ("identity" in event) return event.identity;
  if ("devices" in event) return event.devices.length === 1 ? (event.devices[0]?.identity ?? null) : null;
  return "seat" in event && "roster" in state ? (state.roster[event.seat - 1]?.identity ?? null) : null;
}

/** True if only the clock has changed. */
function unchanged(before: LiveState, after: RoundState): boolean {
  const keys = Object.keys(after) as (keyof RoundState)[];
  return keys.every((key) => key === "nowMs" || after[key] === before[key]);
}

/** The clock of `state` is already set to the event's time. */
function apply(state: LiveState, event: RoundEvent): Transition {
  switch (event.type) {
    case "checked-in":
      return stepCheckedIn(state, event);
    case "connected":
    case "disconnected":
    case "left":
      return stepPresence(state, event);
    case "advertised":
      return stepAdvertised(state, event);
    case "shared":
      return stepShared(state, event);
    case "complained":
      return stepComplained(state, event);
    case "input-received":
      return stepInput(state, event);
    case "confirmed":
      return stepConfirmed(state, event);
    case "unmask-received":
      return stepUnmask(state, event);
    case "combined":
      return stepCombined(state, event);
    case "damaged":
      return stepDamaged(state, event);
    case "ticked":
      return known(state);
    case "stopped":
      // Past the point of no return the round ends by itself, because devices may already have sent shares. Rule R13.
      return state.phase === "unmasking" ? refuse(state, "STATE") : failRound(state, "ABORTED_BY_OPERATOR");
    case "given-up":
      // Shares that open the sum may have arrived, but nobody will open it now.
      return state.phase === "unmasking" ? voidRound(state, event.code) : failRound(state, event.code);
    case "restarted":
      return stepRestarted(state, event.whole);
    default:
      return unreachable(event);
  }
}

function stepPresence(state: LiveState, event: Presence): Transition {
  const member = state.members.get(event.identity);
  if (member === undefined) return refuse(state, "NOT_IN_ROSTER");
  if (event.type === "left") {
    if (member.out !== null) return known(state);
    return known(withOut(state, [event.identity], "LEFT"));
  }
  const connected = event.type === "connected";
  if (member.connected === connected) return known(state);
  return known(withMember(state, event.identity, { connected, goneSinceMs: connected ? null : state.nowMs }));
}

/**
 * After a restart all devices are away, and the clock continues where the log ended. The phase gets its whole time again,
 * because the devices must come back first. Rule R14.
 *
 * @param whole  False if something acknowledged is missing. Nothing may then be opened from what is left.
 */
function stepRestarted(state: LiveState, whole: boolean): Transition {
  const members = VersionedMap.from(
    [...state.members].map(([identity, member]) => {
      const away = { ...member, connected: false, goneSinceMs: member.goneSinceMs ?? state.nowMs };
      return [identity, away] as const;
    }),
  );
  const away = { ...state, members };
  const { deadlines } = state.facts.rules;
  const until = (durationMs: number) => state.nowMs + durationMs;
  switch (away.phase) {
    case "recruiting":
      return known({ ...away, deadlineMs: until(deadlines.recruitingMs) });
    case "training":
      return known({ ...away, deadlineMs: until(deadlines.trainingMs) });
    case "advertising":
      return known({
        ...away,
        deadlineMs: until(away.attempt === 1 ? deadlines.trainingMs : deadlines.sharingMs),
      });
    case "sharing":
      return whole
        ? known({ ...away, deadlineMs: until(deadlines.sharingMs) })
        : retryRound(away, "RESTARTED");
    case "collecting":
      return whole
        ? known({ ...away, deadlineMs: until(deadlines.collectingMs) })
        : retryRound(away, "RESTARTED");
    case "confirming":
      if (!whole) return retryRound(away, "RESTARTED");
      return {
        ...known({ ...away, deadlineMs: until(deadlines.confirmingMs) }),
        effects: [{ type: "fold" }],
      };
    case "unmasking": {
      if (!whole) return voidRound(away, "INTERNAL");
      const deadlineMs = until(deadlines.unmaskingMs);
      const armed = { ...away, deadlineMs, graceEndsMs: deadlineMs + deadlines.graceMs, askedAgain: false };
      return { ...known(armed), effects: [{ type: canOpen(away) ? "combine" : "fold" }] };
    }
    default:
      return unreachable(away);
  }
}

/** After the end, a late answer of a survivor is harmless. Everything else is refused. */
function afterEnd(state: RoundState, event: RoundEvent): Transition {
  assert(!isLive(state), "the round has ended");
  const late = event.type === "unmask-received" || event.type === "confirmed";
  if (late && state.phase !== "failed" && event.attempt === state.attempt && state.u3.includes(event.seat)) {
    return known(state);
  }
  return refuse(state, "STATE");
}
