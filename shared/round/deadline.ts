import { askingLastMs } from "./check-in.ts";
import { GONE_AFTER_MS, inPlay } from "./members.ts";
import { canOpen } from "./shares.ts";
import { isLive, type LiveState, type RoundState } from "./state.ts";

/**
 * When to send the next `ticked`: the first moment after `nowMs` at which time alone may change the state. Null if the
 * round has ended, or while an opening has all that it needs.
 *
 * @param nowMs  When the state was last examined: at its newest event, or at a tick that changed nothing.
 */
export function nextTickMs(state: RoundState, nowMs: number): number | null {
  if (!isLive(state)) return null;
  const moments = [...phaseMoments(state), ...goneMoments(state)].filter((moment) => moment > nowMs);
  return moments.length === 0 ? null : Math.min(...moments);
}

/** When the current phase ends at the latest; null if the round has ended. */
export function phaseDeadlineMs(state: RoundState): number | null {
  if (!isLive(state)) return null;
  return state.phase === "unmasking" && state.askedAgain ? state.graceEndsMs : state.deadlineMs;
}

function phaseMoments(state: LiveState): number[] {
  if (state.phase === "recruiting") {
    const { rules } = state.facts;
    const asksLast = [...state.members.values()].some(({ askedLast }) => askedLast);
    return [rules.recruitingMinMs, ...(asksLast ? [askingLastMs(rules)] : []), state.deadlineMs];
  }
  if (state.phase === "unmasking") {
    if (canOpen(state)) return [];
    return state.askedAgain ? [state.graceEndsMs] : [state.deadlineMs, state.graceEndsMs];
  }
  return [state.deadlineMs];
}

function goneMoments(state: LiveState): number[] {
  if (state.phase !== "advertising" && state.phase !== "sharing" && state.phase !== "collecting") return [];
  return inPlay(state).flatMap((identity) => {
    const goneSinceMs = state.members.get(identity)?.goneSinceMs ?? null;
    return goneSinceMs === null ? [] : [goneSinceMs + GONE_AFTER_MS];
  });
}
