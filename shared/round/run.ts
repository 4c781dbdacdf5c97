import { unreachable } from "../kernel/assert.ts";
import type { Launch } from "../protocol/api.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { ForbiddenPair, MeasureFact } from "./event.ts";

/*
 * A run: rounds, one after the other, until enough have committed.
 *
 * queued -> running <-> paused, running -> stopping, each -> completed | failed
 *
 * | event          | means                                                        |
 * | -------------- | ------------------------------------------------------------ |
 * | launched       | somebody wants it; first in every log                        |
 * | started        | its turn has come; the initial model is in the blob store    |
 * | round-opened   | a round is to be opened, from this model                     |
 * | round-ended    | and how it ended                                             |
 * | pause-asked    | no new round after the current one                           |
 * | resume-asked   | go on                                                        |
 * | stop-asked     | end; a round that was not opened yet is given up             |
 *
 * A round that fails unopened is tried again as a new round from the same model, at most `FAILED_ROUNDS_IN_A_ROW_MAX`
 * times in a row; a voided one makes a void step first, at most `voidRoundsInARowMax` times in a row.
 */

/** With no device at hand a run gives up after this many recruitings. Rule R17. */
export const FAILED_ROUNDS_IN_A_ROW_MAX = 8;

export type RunEvent =
  | {
      readonly type: "started";
      readonly modelHash: string;
      readonly accuracy: MeasureFact;
      readonly loss: MeasureFact;
    }
  | { readonly type: "round-opened"; readonly round: number; readonly modelHash: string }
  | RoundEnded
  | { readonly type: "pause-asked" | "resume-asked" | "stop-asked"; readonly actor: string }
  | { readonly type: "broken"; readonly code: ErrorCode };

export type RunEventType = RunEvent["type"];

export interface RoundEnded {
  readonly type: "round-ended";
  readonly round: number;
  readonly outcome: "committed" | "voided" | "failed";
  readonly code: ErrorCode | null;
  /** The model that the next round starts from; the void step's after a voided one. */
  readonly modelHash: string;
  readonly strategyStateHash: string | null;
  /** With outcome committed. */
  readonly accuracy: MeasureFact | null;
  readonly loss: MeasureFact | null;
  readonly seconds: number;
  readonly forbiddenPairs: readonly ForbiddenPair[];
  readonly removed: readonly string[];
}

export interface RunLaunched {
  readonly type: "launched";
  readonly runId: string;
  readonly number: number;
  readonly task: string;
  readonly taskVersion: number;
  readonly rounds: number;
  readonly strategy: NonNullable<Launch["strategy"]>;
  readonly training: NonNullable<Launch["training"]>;
  readonly seed: number;
  readonly actor: string;
  readonly configHash: string;
  readonly roundHash: string;
}

/** A point of the learning curve; round 0 is the initial model. */
interface CurvePoint {
  readonly round: number;
  readonly accuracy: MeasureFact;
  readonly loss: MeasureFact;
}

export interface RunState {
  readonly facts: RunLaunched;
  readonly phase: "queued" | "running" | "paused" | "stopping" | "completed" | "failed";
  /** Pause was asked for and waits for the current round. */
  readonly pausing: boolean;
  /** The newest round's number; 0 before the first. */
  readonly round: number;
  /** Whether that round is still open. */
  readonly roundIsOpen: boolean;
  readonly roundsCommitted: number;
  readonly voidsInARow: number;
  readonly failuresInARow: number;
  /** Null before the run has started. */
  readonly modelHash: string | null;
  readonly strategyStateHash: string | null;
  readonly curve: readonly CurvePoint[];
  readonly committedSeconds: number;
  readonly forbiddenPairs: readonly ForbiddenPair[];
  readonly removed: readonly string[];
  readonly code: ErrorCode | null;
}

/**
 * | effect     | does                                                                   |
 * | ---------- | ---------------------------------------------------------------------- |
 * | reject     | tells the caller why nothing changed; always alone                     |
 * | next-round | opens the next round, with a void step first where the model needs one |
 * | open-round | writes the first event of the round that `round-opened` announced      |
 * | stop-round | gives the current round up if nothing was opened yet                   |
 * | ended      | tells the devices, and starts the task's next run                      |
 */
export type RunEffect =
  | { readonly type: "reject"; readonly code: ErrorCode }
  | { readonly type: "next-round" }
  | { readonly type: "open-round" }
  | { readonly type: "stop-round" }
  | { readonly type: "ended" };

export interface RunTransition {
  readonly state: RunState;
  readonly effects: readonly RunEffect[];
}

export function launchRun(facts: RunLaunched): RunState {
  return {
    facts,
    phase: "queued",
    pausing: false,
    round: 0,
    roundIsOpen: false,
    roundsCommitted: 0,
    voidsInARow: 0,
    failuresInARow: 0,
    modelHash: null,
    strategyStateHash: null,
    curve: [],
    committedSeconds: 0,
    forbiddenPairs: [],
    removed: [],
    code: null,
  };
}

/** Pure. The same state object and one `reject` where the run's state does not allow the event. Rule R16. */
export function stepRun(state: RunState, event: RunEvent): RunTransition {
  switch (event.type) {
    case "started": {
      if (state.phase !== "queued") return refused(state);
      const curve = [{ round: 0, accuracy: event.accuracy, loss: event.loss }];
      return goOn({ ...state, phase: "running", modelHash: event.modelHash, curve });
    }
    case "round-opened": {
      const next = state.phase === "running" && !state.roundIsOpen && event.round === state.round + 1;
      if (!next) return refused(state);
      const opened = { ...state, round: event.round, roundIsOpen: true, modelHash: event.modelHash };
      return { state: opened, effects: [{ type: "open-round" }] };
    }
    case "round-ended":
      return roundEnded(state, event);
    case "pause-asked":
      if (state.phase !== "running" || state.pausing) return refused(state);
      return {
        state: state.roundIsOpen ? { ...state, pausing: true } : { ...state, phase: "paused" },
        effects: [],
      };
    case "resume-asked":
      if (state.phase === "paused") return goOn({ ...state, phase: "running" });
      return state.phase === "running" && state.pausing
        ? { state: { ...state, pausing: false }, effects: [] }
        : refused(state);
    case "stop-asked":
      return stopAsked(state);
    case "broken":
      if (state.phase === "completed" || state.phase === "failed") return refused(state);
      return end({ ...state, phase: "failed", roundIsOpen: false, code: event.code });
    default:
      return unreachable(event);
  }
}

function roundEnded(state: RunState, event: RoundEnded): RunTransition {
  if (!state.roundIsOpen || event.round !== state.round) return refused(state);
  const { forbiddenPairs, removed, modelHash, strategyStateHash } = event;
  const base: RunState = {
    ...state,
    roundIsOpen: false,
    forbiddenPairs,
    removed,
    modelHash,
    strategyStateHash,
  };
  switch (event.outcome) {
    case "committed": {
      const { accuracy, loss } = event;
      const point = accuracy === null || loss === null ? [] : [{ round: event.round, accuracy, loss }];
      return goOn({
        ...base,
        roundsCommitted: state.roundsCommitted + 1,
        committedSeconds: state.committedSeconds + event.seconds,
        voidsInARow: 0,
        failuresInARow: 0,
        curve: [...state.curve, ...point],
      });
    }
    case "voided": {
      const voidsInARow = state.voidsInARow + 1;
      if (voidsInARow >= LIMITS.voidRoundsInARowMax) {
        return end({ ...base, voidsInARow, phase: "failed", code: "VOID_LIMIT" });
      }
      return goOn({ ...base, voidsInARow, failuresInARow: 0 });
    }
    case "failed": {
      const failuresInARow = state.failuresInARow + 1;
      if (failuresInARow >= FAILED_ROUNDS_IN_A_ROW_MAX && state.phase !== "stopping") {
        return end({ ...base, failuresInARow, phase: "failed", code: event.code });
      }
      return goOn({ ...base, failuresInARow });
    }
    default:
      return unreachable(event.outcome);
  }
}

/** What comes after a round, or after a start or resume. */
function goOn(state: RunState): RunTransition {
  if (state.roundsCommitted >= state.facts.rounds) return end({ ...state, phase: "completed" });
  if (state.phase === "stopping") return end({ ...state, phase: "failed", code: "ABORTED_BY_OPERATOR" });
  if (state.pausing) return { state: { ...state, phase: "paused", pausing: false }, effects: [] };
  return { state, effects: [{ type: "next-round" }] };
}

function stopAsked(state: RunState): RunTransition {
  switch (state.phase) {
    case "queued":
    case "paused":
      return end({ ...state, phase: "failed", code: "ABORTED_BY_OPERATOR" });
    case "running":
      if (state.roundIsOpen)
        return { state: { ...state, phase: "stopping", pausing: false }, effects: [{ type: "stop-round" }] };
      return end({ ...state, phase: "failed", code: "ABORTED_BY_OPERATOR" });
    default:
      return refused(state);
  }
}

/**
 * What a run that is reloaded has to do: an effect of its newest event may not have been carried out.
 */
export function pendingRunEffects(state: RunState): readonly RunEffect[] {
  switch (state.phase) {
    case "running":
      return [{ type: state.roundIsOpen ? "open-round" : "next-round" }];
    case "stopping":
      return [{ type: "open-round" }, { type: "stop-round" }];
    case "queued":
    case "paused":
    case "completed":
    case "failed":
      return [];
    default:
      return unreachable(state.phase);
  }
}

/** An ended run keeps no open round. */
function end(state: RunState): RunTransition {
  return { state: { ...state, roundIsOpen: false, pausing: false }, effects: [{ type: "ended" }] };
}

function refused(state: RunState): RunTransition {
  return { state, effects: [{ type: "reject", code: "CONFLICT" }] };
}
