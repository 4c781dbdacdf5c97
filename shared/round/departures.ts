import { isLive, type RoundState } from "./state.ts";

/** Which of the devices invited to a round left it, and which saw it through. By identity. */
export interface Departures {
  /** They left the round, or it waited for them in vain. */
  readonly left: readonly string[];
  /** Their inputs are in the published sum. */
  readonly stayed: readonly string[];
}

const NONE: Departures = { left: [], stayed: [] };

/**
 * The departures from a round that is over. A device that was passed over counts as neither: others were faster, its shard
 * was left out, or an operator stopped the round. Rule R30.
 */
export function departuresOf(state: RoundState): Departures {
  if (isLive(state)) return NONE;
  if (state.phase === "failed" && state.code === "ABORTED_BY_OPERATOR") return NONE;
  const left: string[] = [];
  const stayed: string[] = [];
  const inSum = new Set(state.phase === "failed" ? [] : state.u3);
  state.members.forEach((member, identity) => {
    if (!member.invited) return;
    const seat = "seats" in state ? state.seats.get(identity) : undefined;
    const survives = seat !== undefined && inSum.has(seat);
    if (survives && state.phase === "committed") stayed.push(identity);
    else if (member.missed || (member.out === "LEFT" && !survives)) left.push(identity);
  });
  return { left, stayed };
}
