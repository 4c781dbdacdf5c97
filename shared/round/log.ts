import { assert } from "../kernel/assert.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { type FactError, factOf, type LogRow } from "../log/row.ts";
import { type RoundEvent, type RoundOpened, roundEventSchema, roundOpenedSchema } from "./event.ts";
import { launchRun, type RunState, stepRun } from "./run.ts";
import { type RunEvent, type RunLaunched, runEventSchema, runLaunchedSchema } from "./run-event.ts";
import type { RoundState } from "./state.ts";
import { openRound, step } from "./step.ts";
import { ROUND_UPCASTERS, RUN_UPCASTERS } from "./upcast.ts";

export type { LogRow } from "../log/row.ts";

/*
 * The stored logs of rounds and runs, and how they are replayed: after a restart, in a check of the database, or in a
 * browser. A row that is damaged, out of place or without effect is an error with its sequence, never an exception.
 *
 * | field of a row's event | holds                                                                |
 * | ---------------------- | -------------------------------------------------------------------- |
 * | version                | version of the fact's shape, see upcast.ts and ../log/row.ts         |
 * | fact                   | `RoundOpened` or `RunLaunched` in row 1, `RoundEvent` or `RunEvent`  |
 *
 * The store may add other fields.
 */

/** The version of events that are written now. */
export const LOG_VERSION = 5;
assert(ROUND_UPCASTERS.length === LOG_VERSION - 1, "each earlier version of a round's log is upcast");
assert(RUN_UPCASTERS.length === LOG_VERSION - 1, "each earlier version of a run's log is upcast");

/** Why a log cannot be read, and at which row. */
export type LogError =
  | { readonly type: "empty" }
  /** A row is missing or repeated: another sequence was expected. */
  | { readonly type: "gap"; readonly sequence: number; readonly expected: number }
  | FactError
  /** The machine refuses the event, or the event changes nothing. Such events are never written. Rule R1. */
  | { readonly type: "without-effect"; readonly sequence: number; readonly event: string }
  /** The event violates an assertion of the machine. */
  | {
      readonly type: "impossible";
      readonly sequence: number;
      readonly event: string;
      readonly reason: string;
    };

/** A row's event for this fact. */
export function logged<Fact>(fact: Fact): { readonly version: number; readonly fact: Fact } {
  return { version: LOG_VERSION, fact };
}

/** The fact of one row, in the current shape. Row 1 opens the log. Errors: `malformed`, `newer`. */
export function roundFactOf(row: LogRow): Result<RoundOpened | RoundEvent, LogError> {
  return row.sequence === 1 ? ROUND.readFirst(row) : ROUND.readEvent(row);
}

/** Like `roundFactOf`, for a run. */
export function runFactOf(row: LogRow): Result<RunLaunched | RunEvent, LogError> {
  return row.sequence === 1 ? RUN.readFirst(row) : RUN.readEvent(row);
}

/**
 * Replays a round's log and returns its final state.
 *
 * @param rows     All rows, ascending.
 * @param onState  Called for each row after the first, with the states after and before it.
 */
export function replayRound<Row extends LogRow>(
  rows: readonly Row[],
  onState?: OnState<RoundState, Row>,
): Result<RoundState, LogError> {
  return replay(ROUND, rows, onState);
}

/** Like `replayRound`, for a run. */
export function replayRun<Row extends LogRow>(
  rows: readonly Row[],
  onState?: OnState<RunState, Row>,
): Result<RunState, LogError> {
  return replay(RUN, rows, onState);
}

type OnState<State, Row> = (after: State, row: Row, before: State) => void;
type Typed = { readonly type: string };

/** How one kind of log is read, and the machine that it drives. */
interface Machine<First extends Typed, Event extends Typed, State> {
  readonly readFirst: (row: LogRow) => Result<First, LogError>;
  readonly readEvent: (row: LogRow) => Result<Event, LogError>;
  readonly begin: (first: First) => State;
  readonly step: (state: State, event: Event) => State;
}

const ROUND: Machine<RoundOpened, RoundEvent, RoundState> = {
  readFirst: (row) => factOf(row, ROUND_UPCASTERS, roundOpenedSchema),
  readEvent: (row) => factOf(row, ROUND_UPCASTERS, roundEventSchema),
  begin: (opened) => openRound(opened).state,
  step: (state, event) => step(state, event).state,
};
const RUN: Machine<RunLaunched, RunEvent, RunState> = {
  readFirst: (row) => factOf(row, RUN_UPCASTERS, runLaunchedSchema),
  readEvent: (row) => factOf(row, RUN_UPCASTERS, runEventSchema),
  begin: launchRun,
  step: (state, event) => stepRun(state, event).state,
};

function replay<First extends Typed, Event extends Typed, State, Row extends LogRow>(
  machine: Machine<First, Event, State>,
  [first, ...rest]: readonly Row[],
  onState: OnState<State, Row> = () => {},
): Result<State, LogError> {
  if (first === undefined) return err({ type: "empty" });
  if (first.sequence !== 1) return err({ type: "gap", sequence: first.sequence, expected: 1 });
  const opening = machine.readFirst(first);
  if (!opening.ok) return opening;
  const begun = attempt(first, opening.value, () => machine.begin(opening.value));
  if (!begun.ok) return begun;
  let state = begun.value;
  for (const [index, row] of rest.entries()) {
    const { sequence } = row;
    if (sequence !== index + 2) return err({ type: "gap", sequence, expected: index + 2 });
    const event = machine.readEvent(row);
    if (!event.ok) return event;
    const before = state;
    const after = attempt(row, event.value, () => machine.step(before, event.value));
    if (!after.ok) return after;
    if (after.value === before) return err({ type: "without-effect", sequence, event: event.value.type });
    state = after.value;
    onState(state, row, before);
  }
  return ok(state);
}

/**
 * Runs a machine on a fact. Error: `impossible` if it throws. The machines are pure, so the log must be at fault: in live
 * operation the same event would have ended the program before it was written.
 */
function attempt<State>({ sequence }: LogRow, fact: Typed, run: () => State): Result<State, LogError> {
  try {
    return ok(run());
  } catch (error) {
    return err({ type: "impossible", sequence, event: fact.type, reason: String(error) });
  }
}
