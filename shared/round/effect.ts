import type { Seat } from "../kernel/places.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { RoundState } from "./state.ts";

/*
 * The effects of a step. The driver writes the event and the records in one transaction, adopts the state and then runs the
 * effects. Each may run again after a crash.
 *
 * | effect  | does                                                                                   |
 * | ------- | -------------------------------------------------------------------------------------- |
 * | reject  | tells the sender why its event changed nothing; always the only effect                 |
 * | tell    | sends each of these devices the messages that it needs now, see `promptsFor`           |
 * | dismiss | tells these devices that the round continues without them                              |
 * | forget  | deletes everything that the store and the spool hold of an attempt                     |
 * | fold    | adds the survivors' inputs while their confirmations are still arriving                |
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
 * What is written in the transaction of the event. The driver fills in what only it can know: hashes over bytes that are
 * not in the state.
 */
export type RoundRecord =
  | { readonly type: "model-opened" }
  | { readonly type: "open-slots"; readonly seats: readonly Seat[] }
  | { readonly type: "close-slots"; readonly attempt: number; readonly kept: readonly Seat[] }
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

/** One change. Its records describe its state. */
export interface Transition<State = RoundState> {
  readonly state: State;
  readonly records: readonly RoundRecord[];
  readonly effects: readonly RoundEffect[];
}

/** A record and the state that it describes. An event may lead through several phases, each with records of its own. */
export interface StatedRecord {
  readonly record: RoundRecord;
  readonly state: RoundState;
}

/** Everything that follows from one event. */
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

/** The same state object and no effects: the event is known already, or too late to matter. */
export function known<State>(state: State): Transition<State> {
  return { state, records: [], effects: [] };
}
