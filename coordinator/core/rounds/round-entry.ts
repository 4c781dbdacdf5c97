import type { Step } from "#shared/round/effect.ts";
import type { RoundEvent, RoundOpened } from "#shared/round/event.ts";
import type { RoundState } from "#shared/round/state.ts";
import type { Note } from "../ports/ports.ts";
import type { Submission } from "./submission.ts";

/** An event that changes the round, until it is written. */
export interface Entry {
  readonly fact: RoundOpened | RoundEvent;
  readonly transition: Step;
  /** The state that it changes; that of `transition` for the first event. */
  readonly before: RoundState;
  readonly note: Note | null;
  readonly submission: Submission | null;
}

/** Whether an event changes the phase or attempt, or begins or resumes the log. */
export function turns({ fact: { type }, before, transition: { state } }: Entry): boolean {
  const isStart = type === "opened" || type === "restarted";
  return isStart || state.phase !== before.phase || state.attempt !== before.attempt;
}
