import { isLive, type RoundState } from "./state.ts";

/** How those who were invited to a round have dealt with it, by identity. */
export interface Departures {
  /** They left it, or it waited for them in vain. */
  readonly left: readonly string[];
  /** Their inputs are in the sum that was published. */
  readonly stayed: readonly string[];
}

const NONE: Departures = { left: [], stayed: [] };

/**
 * Of a round that is over. Who was passed over counts as neither: a device that others were faster than, whose shard was
 * left out, or whose round was stopped by an operator. Rule R30.
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
