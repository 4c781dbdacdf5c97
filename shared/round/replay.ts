import { assert } from "../kernel/assert.ts";
import type { RoundEvent, RoundOpened } from "./event.ts";
import type { RoundState } from "./state.ts";
import { openRound, step } from "./step.ts";

/** A round's log: how it opened, then everything that changed it. */
export type RoundLog = readonly [RoundOpened, ...RoundEvent[]];

/**
 * The states that a log went through, the current one last. Recovery, and a browser that replays a round, use this.
 *
 * @param onState  Called after each event with the state before and after it.
 * @throws AssertionFault where an event of the log changes nothing: such events are never written. Rule R1.
 */
export function replayRound(
  log: RoundLog,
  onState?: (after: RoundState, event: RoundEvent, before: RoundState) => void,
): RoundState {
  const [opened, ...events] = log;
  let { state } = openRound(opened);
  for (const event of events) {
    const before = state;
    state = step(before, event).state;
    assert(state !== before, `a logged event changes the round: ${event.type} while ${before.phase}`);
    onState?.(state, event, before);
  }
  return state;
}
