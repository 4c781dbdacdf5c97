import type { ErrorCode } from "../protocol/errors.ts";
import type { RoundState } from "./state.ts";

/*
 * What a step wants done. The driver writes the event and the records in one transaction, adopts the state and then
 * runs the effects; each may run again after a crash.
 *
 * | effect  | does                                                                                   |
 * | ------- | -------------------------------------------------------------------------------------- |
 * | reject  | tells the sender why its event changed nothing; always alone                           |
 * | tell    | sends each of these devices what `noticesFor` says it needs now                         |
 * | dismiss | tells these devices that the round goes on without them                                |
 * | forget  | deletes what the store and the spool hold of an attempt                                |
 * | fold    | adds the survivors' inputs while their confirmations are still coming in               |
 * | combine | rebuilds the masks, opens the sum, makes the next model and answers with `combined`    |
 * | ended   | tells the run                                                                          |
 */
export type RoundEffect =
  | { readonly type: "reject"; readonly code: ErrorCode }
  | { readonly type: "tell"; readonly identities: readonly string[] }
  | {
      readonly type: "dismiss";
      readonly identities: readonly string[];
      readonly attempt: number;
      readonly code: ErrorCode;
    }
  | { readonly type: "forget"; readonly attempt: number }
  | { readonly type: "fold" }
  | { readonly type: "combine" }
  | { readonly type: "ended" };

/**
 * What is written beside the event, in its transaction. The driver fills in what only it can know (hashes over bytes
 * that are not in the state).
 */
export type RoundRecord =
  | { readonly type: "model-opened" }
  | { readonly type: "open-slots"; readonly positions: readonly number[] }
  | { readonly type: "close-slots"; readonly attempt: number; readonly kept: readonly number[] }
  | { readonly type: "model-version" }
  | { readonly type: "audit-leaf"; readonly kind: AuditKind };

export type AuditKind =
  | "round.opened"
  | "cohort.sealed"
  | "inputs.sealed"
  | "survivors.signed"
  | "round.unmasked"
  | "round.aborted"
  | "model.published";

/** One change; its records are of its state. */
export interface Transition<State = RoundState> {
  readonly state: State;
  readonly records: readonly RoundRecord[];
  readonly effects: readonly RoundEffect[];
}

/** A record and the state that it is of: an event may lead through several phases, and each writes what it knows. */
export interface StatedRecord {
  readonly record: RoundRecord;
  readonly state: RoundState;
}

/** All that follows from one event. */
export interface Step {
  readonly state: RoundState;
  readonly records: readonly StatedRecord[];
  readonly effects: readonly RoundEffect[];
}

export function stepOf({ state, records, effects }: Transition): Step {
  return { state, records: records.map((record) => ({ record, state })), effects };
}

/** The same state object and one `reject`: a refused event is never logged. Rule R1. */
export function refuse<State>(state: State, code: ErrorCode): Transition<State> {
  return { state, records: [], effects: [{ type: "reject", code }] };
}

/** The same state object and nothing to do: the event says what is known already, or comes too late to matter. */
export function known<State>(state: State): Transition<State> {
  return { state, records: [], effects: [] };
}
