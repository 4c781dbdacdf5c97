import { unreachable } from "../kernel/assert.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { Measures } from "../stats/measure.ts";
import type { ForbiddenPair } from "./event.ts";
import type { Evaluated, RoundEnded, RoundToOpen, RunEvent, RunLaunched, RunStarted } from "./run-event.ts";

/*
 * A run: rounds, one after the other, until enough have committed.
 *
 * queued -> running <-> waiting, running <-> paused, running -> stopping, each -> evaluating -> completed | failed
 *
 * A round opens only if enough devices are ready; until then the run waits, and asks nothing of anyone. Rule R25.
 *
 * A round that fails unopened is tried again as a new round from the same model, at most `FAILED_ROUNDS_IN_A_ROW_MAX`
 * times in a row; one that too few devices came to counts for nothing. A voided one makes a void step first, at most
 * `voidRoundsInARowMax` times in a row.
 *
 * A model is evaluated beside the rounds: the next round opens at once, the one after it when the figures are in. A run
 * whose last round has committed is evaluating until its figures are in. Rule E3.
 */

/** A run gives up after this many rounds in a row that failed. Rule R17. */
export const FAILED_ROUNDS_IN_A_ROW_MAX = 8;

/** A point of the learning curve; round 0 is the initial model. */
interface CurvePoint {
  readonly round: number;
  readonly measures: Measures;
}

/** How a run ends. */
interface RunEnd {
  readonly phase: "completed" | "failed";
  readonly code: ErrorCode | null;
}

export interface RunState {
  readonly facts: RunLaunched;
  readonly phase:
    | "queued"
    | "waiting"
    | "running"
    | "paused"
    | "stopping"
    | "evaluating"
    | "completed"
    | "failed";
  /** While waiting: Unix milliseconds. */
  readonly waitingSinceUnixMs: number | null;
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
  /** Published models whose figures are to come, oldest first. */
  readonly unevaluated: readonly { readonly round: number; readonly modelHash: string }[];
  /** Published models that have no figures, and why. */
  readonly notEvaluated: readonly { readonly round: number; readonly code: ErrorCode }[];
  readonly committedSeconds: number;
  readonly forbiddenPairs: readonly ForbiddenPair[];
  readonly removed: readonly string[];
  readonly code: ErrorCode | null;
  /** While evaluating: how the run ends when the last figures are in. */
  readonly ending: RunEnd | null;
}

/**
 * | effect     | does                                                                   |
 * | ---------- | ---------------------------------------------------------------------- |
 * | reject     | tells the caller why nothing changed; always alone                     |
 * | next-round | opens the next round, with a void step first where the model needs one |
 * | wait       | watches for devices that are ready                                     |
 * | open-round | writes the first event of the round that `round-opened` announced      |
 * | stop-round | gives the current round up if nothing was opened yet                   |
 * | evaluate   | evaluates the models that have no figures yet                          |
 * | ended      | tells the devices, and starts the task's next run                      |
 */
export type RunEffect =
  | { readonly type: "reject"; readonly code: ErrorCode }
  | { readonly type: "next-round" }
  | { readonly type: "wait" }
  | { readonly type: "open-round" }
  | { readonly type: "stop-round" }
  | { readonly type: "evaluate" }
  | { readonly type: "ended" };

export interface RunTransition {
  readonly state: RunState;
  readonly effects: readonly RunEffect[];
}

export function launchRun(facts: RunLaunched): RunState {
  return {
    facts,
    phase: "queued",
    waitingSinceUnixMs: null,
    pausing: false,
    round: 0,
    roundIsOpen: false,
    roundsCommitted: 0,
    voidsInARow: 0,
    failuresInARow: 0,
    modelHash: null,
    strategyStateHash: null,
    curve: [],
    unevaluated: [],
    notEvaluated: [],
    committedSeconds: 0,
    forbiddenPairs: [],
    removed: [],
    code: null,
    ending: null,
  };
}

export function hasEnded({ phase }: Pick<RunState, "phase">): boolean {
  return phase === "completed" || phase === "failed";
}

/** Pure. The same state object and one `reject` where the run's state does not allow the event. Rule R16. */
export function stepRun(state: RunState, event: RunEvent): RunTransition {
  switch (event.type) {
    case "started":
      return started(state, event);
    case "wait-began":
      if (state.phase !== "running" || !mayOpen(state)) return refused(state);
      return {
        state: { ...state, phase: "waiting", waitingSinceUnixMs: event.atUnixMs },
        effects: [{ type: "wait" }],
      };
    case "wait-expired": {
      const until = state.facts.waitUntilUnixMs ?? Number.POSITIVE_INFINITY;
      const waits = state.phase === "queued" || state.phase === "waiting";
      if (!waits || event.atUnixMs < until) return refused(state);
      return conclude(state, { phase: "failed", code: "WAIT_EXPIRED" });
    }
    case "round-opened":
      return roundOpened(state, event);
    case "round-ended":
      return roundEnded(state, event);
    case "evaluated":
      return evaluated(state, event);
    case "pause-asked":
      if (!isGoing(state) || state.pausing) return refused(state);
      return {
        state: state.roundIsOpen ? { ...state, pausing: true } : inPhase(state, "paused"),
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
      if (hasEnded(state)) return refused(state);
      return end(withoutFigures(state, event.code), { phase: "failed", code: event.code });
    default:
      return unreachable(event);
  }
}

function started(state: RunState, { modelHash, measures }: RunStarted): RunTransition {
  if (state.phase !== "queued") return refused(state);
  const running: RunState = { ...state, phase: "running", modelHash };
  return goOn(withModel(running, { round: 0, modelHash, measures }));
}

function roundOpened(state: RunState, { round, modelHash, ready }: RoundToOpen): RunTransition {
  const enough = ready >= state.facts.devicesNeeded;
  if (!isGoing(state) || !mayOpen(state) || round !== state.round + 1 || !enough) return refused(state);
  const opened: RunState = { ...inPhase(state, "running"), round, roundIsOpen: true, modelHash };
  return { state: opened, effects: [{ type: "open-round" }] };
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
      const committed: RunState = {
        ...base,
        roundsCommitted: state.roundsCommitted + 1,
        committedSeconds: state.committedSeconds + event.seconds,
        voidsInARow: 0,
        failuresInARow: 0,
      };
      return goOn(withModel(committed, event));
    }
    case "voided": {
      const voidsInARow = state.voidsInARow + 1;
      if (voidsInARow >= LIMITS.voidRoundsInARowMax && state.phase !== "stopping")
        return conclude({ ...base, voidsInARow }, { phase: "failed", code: "VOID_LIMIT" });
      return goOn({ ...base, voidsInARow, failuresInARow: 0 });
    }
    case "failed": {
      if (event.shortOfDevices === true) return goOn(base);
      const failuresInARow = state.failuresInARow + 1;
      if (failuresInARow >= FAILED_ROUNDS_IN_A_ROW_MAX && state.phase !== "stopping")
        return conclude({ ...base, failuresInARow }, { phase: "failed", code: event.code });
      return goOn({ ...base, failuresInARow });
    }
    default:
      return unreachable(event.outcome);
  }
}

interface PublishedModel {
  readonly round: number;
  readonly modelHash: string;
  readonly measures?: Measures | undefined;
}

/** A published model waits for its figures; those of older logs bring them along, and a run that stops makes none. */
function withModel(state: RunState, { round, modelHash, measures }: PublishedModel): RunState {
  if (measures !== undefined) return { ...state, curve: [...state.curve, { round, measures }] };
  const waiting: RunState = { ...state, unevaluated: [...state.unevaluated, { round, modelHash }] };
  return state.phase === "stopping" ? withoutFigures(waiting, "ABORTED_BY_OPERATOR") : waiting;
}

/** What waits for figures gets none. */
function withoutFigures(state: RunState, code: ErrorCode): RunState {
  if (state.unevaluated.length === 0) return state;
  const dropped = state.unevaluated.map(({ round }) => ({ round, code }));
  return { ...state, unevaluated: [], notEvaluated: [...state.notEvaluated, ...dropped] };
}

function evaluated(state: RunState, { round, modelHash, measures, code }: Evaluated): RunTransition {
  const [first, ...unevaluated] = state.unevaluated;
  if (first?.round !== round || first.modelHash !== modelHash) return refused(state);
  const after: RunState =
    measures === null
      ? {
          ...state,
          unevaluated,
          notEvaluated: [...state.notEvaluated, { round, code: code ?? "EVALUATION_FAILED" }],
        }
      : { ...state, unevaluated, curve: [...state.curve, { round, measures }] };
  if (state.ending !== null && unevaluated.length === 0) return end(after, state.ending);
  // A run that has a round open, or is paused, goes on by itself.
  const opens = state.phase === "running" && !mayOpen(state) && mayOpen(after);
  return {
    state: after,
    effects: [...evaluation(after), ...(opens ? [{ type: "next-round" } as const] : [])],
  };
}

/** Its turn has come and it is not over: running, or waiting to. */
export function isGoing({ phase }: Pick<RunState, "phase">): boolean {
  return phase === "running" || phase === "waiting";
}

/** Only a run that waits has a time since when. */
function inPhase(state: RunState, phase: RunState["phase"]): RunState {
  return { ...state, phase, waitingSinceUnixMs: null };
}

/**
 * Whether the next round may open, as far as figures go: those of the initial model are in before round 1, and those of
 * round r before round r + 2. Rule E3.
 */
export function mayOpen({ roundIsOpen, round, unevaluated }: RunState): boolean {
  return !roundIsOpen && unevaluated.every((model) => model.round >= Math.max(1, round));
}

/** What comes after a round, or after a start or resume. */
function goOn(state: RunState): RunTransition {
  if (state.roundsCommitted >= state.facts.rounds) return conclude(state, { phase: "completed", code: null });
  if (state.phase === "stopping") return conclude(state, { phase: "failed", code: "ABORTED_BY_OPERATOR" });
  const effects = evaluation(state);
  if (state.pausing) return { state: { ...state, phase: "paused", pausing: false }, effects };
  return { state, effects: mayOpen(state) ? [...effects, { type: "next-round" }] : effects };
}

function stopAsked(state: RunState): RunTransition {
  const stopped = withoutFigures(state, "ABORTED_BY_OPERATOR");
  switch (state.phase) {
    case "queued":
    case "waiting":
    case "paused":
      return end(stopped, { phase: "failed", code: "ABORTED_BY_OPERATOR" });
    case "running":
      if (state.roundIsOpen)
        return {
          state: { ...stopped, phase: "stopping", pausing: false },
          effects: [{ type: "stop-round" }],
        };
      return end(stopped, { phase: "failed", code: "ABORTED_BY_OPERATOR" });
    case "evaluating":
      // All rounds are over; only figures are dropped.
      return state.ending === null ? refused(state) : end(stopped, state.ending);
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
      if (state.roundIsOpen) return [...evaluation(state), { type: "open-round" }];
      return mayOpen(state) ? [...evaluation(state), { type: "next-round" }] : evaluation(state);
    case "waiting":
      return [...evaluation(state), { type: "wait" }];
    case "stopping":
      return [{ type: "open-round" }, { type: "stop-round" }];
    case "paused":
    case "evaluating":
      return evaluation(state);
    case "queued":
    case "completed":
    case "failed":
      return [];
    default:
      return unreachable(state.phase);
  }
}

function evaluation({ unevaluated }: RunState): RunEffect[] {
  return unevaluated.length === 0 ? [] : [{ type: "evaluate" }];
}

/** No round comes any more; the run ends when its last figures are in. */
function conclude(state: RunState, ending: RunEnd): RunTransition {
  if (state.unevaluated.length === 0) return end(state, ending);
  return {
    state: { ...inPhase(state, "evaluating"), roundIsOpen: false, pausing: false, ending },
    effects: evaluation(state),
  };
}

/** An ended run keeps no open round. */
function end(state: RunState, { phase, code }: RunEnd): RunTransition {
  return {
    state: { ...inPhase(state, phase), code, roundIsOpen: false, pausing: false, ending: null },
    effects: [{ type: "ended" }],
  };
}

function refused(state: RunState): RunTransition {
  return { state, effects: [{ type: "reject", code: "CONFLICT" }] };
}

/** What is known of the model of a committed round; null while its figures are to come. */
export function evaluationOf(
  { curve, notEvaluated }: Pick<RunState, "curve" | "notEvaluated">,
  round: number,
):
  | { readonly measures: Measures; readonly code: null }
  | { readonly measures: null; readonly code: ErrorCode }
  | null {
  const point = curve.findLast((one) => one.round === round);
  if (point !== undefined) return { measures: point.measures, code: null };
  const missing = notEvaluated.findLast((one) => one.round === round);
  return missing === undefined ? null : { measures: null, code: missing.code };
}
